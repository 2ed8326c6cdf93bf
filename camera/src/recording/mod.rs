//! Recordings: clips that are read as fast as the reader likes, and a camera that plays them in real time.
//!
//! # Layout
//! - [`clip`]: one recording, whichever container it is in, and its frames
//! - `avi`, `jpeg_dir`, `y4m`: where the pictures lie in each container
//! - [`error`]: what can be wrong with a clip, and what to do about it
//! - [`script`]: which clip answers which instruction; [`damage`]: what is done to the pictures on their way
//! - [`player`]: the camera; `plan` opens a script's clips, `rest` makes the pictures between them

mod avi;
pub mod clip;
pub mod damage;
pub mod error;
mod jpeg_dir;
mod plan;
pub mod player;
mod rest;
pub mod script;
mod y4m;

pub use clip::Clip;
pub use error::{ClipError, ClipFault};
pub use player::RecordedCamera;
pub use script::{Script, ScriptError};
