//! Frames from a V4L2 camera or a recording.
//!
//! # Layout
//! - [`frame`]: one picture, its format and its time
#![deny(missing_docs)]

pub mod frame;

pub use frame::{Frame, PixelFormat};
