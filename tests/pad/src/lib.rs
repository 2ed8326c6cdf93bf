//! Presentation attacks made from the shipped recordings, run through the pipeline that a login uses.
//!
//! # Layout
//! - [`cast`]: the recordings; [`rgb`], `sheet`: pictures, and sheets before a camera; `similarity`: bodies in one place
//! - [`species`]: the attacks
//! - [`eye`], [`trial`]: camera and tracker; one presentation from the first picture to the verdict
//! - [`bench`], [`tally`], [`report`], `plot`: all presentations, counted and shown; [`landmarks`]: kept

pub mod bench;
pub mod cast;
pub mod eye;
pub mod landmarks;
mod plot;
mod random;
pub mod report;
pub mod rgb;
mod sheet;
mod similarity;
pub mod species;
pub mod tally;
pub mod trial;

/// Anything can go wrong with files and models, and each says what to do.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
