//! Frames to body landmarks with BlazePose, computed as MediaPipe computes them.
//!
//! # Layout
//! - [`assets`]: where models and runtime lie, and whether they may be trusted
//! - `runtime`, `model`: ONNX Runtime loaded with care, one session per model
//! - [`picture`], `yuv`: every camera format to RGBA; `stats`: brightness, sharpness, digest
//! - [`detector`]: person detector, anchors, weighted non-maximum suppression
//! - [`region`]: rotated square regions; [`warp`]: cutting one out of a picture
//! - `pose`: landmark tensors to landmarks in the picture
//! - [`smoothing`]: one-euro and low-pass filters on true time stamps
//! - [`tracker`]: the pipeline that ties them together; start at [`Tracker`]
#![deny(missing_docs)]

pub mod assets;
pub mod detector;
pub mod error;
mod model;
pub mod picture;
mod pose;
pub mod region;
mod runtime;
pub mod smoothing;
mod stats;
pub mod tracker;
pub mod warp;
mod yuv;

pub use assets::{Assets, Variant};
pub use error::VisionError;
pub use tracker::{FrameTime, Tracker, TrackerOptions};
