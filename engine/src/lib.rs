//! Pure decisions of pam_pose: data in, data out; no I/O, no clock, no global state, no unsafe code.
//!
//! Time travels in the data, so a recording replays exactly.
//!
//! # Layout
//! - [`landmarks`]: what the vision side reports for one frame
#![forbid(unsafe_code)]

pub mod landmarks;
