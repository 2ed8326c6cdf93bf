//! Frames from a V4L2 camera or a recording.
//!
//! # Layout
//! - [`frame`]: one picture, its format and its time
//! - [`camera`]: what a camera does, whichever kind it is, and how it fails
//! - [`recording`]: clips (MJPEG in AVI, directory of JPEGs, Y4M) and a camera that plays them in real time
//! - [`v4l2`]: the kernel's cameras
//! - `jpeg`: the few facts about a JPEG picture that are needed without decoding it
//! - `clock`: the monotonic clock that drivers stamp frames with
#![deny(missing_docs)]

pub mod camera;
mod clock;
pub mod frame;
mod jpeg;
pub mod recording;
pub mod v4l2;

pub use camera::{Camera, CameraError, CameraInfo};
pub use frame::{Frame, PixelFormat};
