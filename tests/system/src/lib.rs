//! Whole-system tests and the demo: the real daemon on recordings, a private bus, and the real `pam_pose.so` in a real
//! PAM host.
//!
//! # Layout
//! - [`place`]: where the built programs, models and recordings lie.
//! - [`sandbox`]: a process with namespaces of its own, in which the constant paths are ours.
//! - [`bus`], [`helper`]: the private bus and the daemon on it.
//! - [`film`]: which recording plays for the gesture and for each challenge.
//! - [`pam`]: pamtester under libpam-wrapper, and what it saw.
//! - [`enrol`]: enrolment through `posectl`.
//! - [`login`]: one attempt from a cold sandbox to a PAM code.
//! - [`runner`]: runs named cases side by side, each in its own process, and reports as `cargo test` does.
#![forbid(unsafe_code)]

pub mod bus;
pub mod enrol;
pub mod film;
pub mod helper;
pub mod login;
pub mod pam;
pub mod place;
pub mod runner;
pub mod sandbox;

/// What goes wrong in a harness is for the person who runs it: one line with the next step.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
