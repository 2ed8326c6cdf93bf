//! Pure decisions of pam_pose: data in, data out; no I/O, no clock, no global state, no unsafe code.
//!
//! Time travels in the data, so a recording replays exactly.
//!
//! # Layout
//! - [`landmarks`]: what the vision side reports for one frame
//! - [`sequence`] → [`clean`] → [`normalise`]: upper-body joints over time, made comparable
//! - [`dtw`], [`streams`], [`alignment`], [`cohort`], [`trim`], [`matching`], [`template`], [`enrol`], [`adapt`]: is it the
//!   enrolled gesture of this person?
//! - [`simulate`], [`strength`]: how many people who do not exist would pass with it? [`random`]: their draws
//! - [`liveness`], [`challenge`]: is a live person answering?
//! - [`decide`]: the verdict; [`session`]: the live state machine that leads to it, [`gesture`]: when a gesture ends, [`framing`]: who
//!   has to turn to the camera first
//! - [`constants`]: the numbers that decide security; [`baseline`]: the seed's method, for comparison
#![forbid(unsafe_code)]

pub mod adapt;
mod affine;
pub mod alignment;
pub mod baseline;
pub mod challenge;
pub mod clean;
pub mod cohort;
pub mod constants;
pub mod decide;
pub mod dtw;
pub mod enrol;
pub mod framing;
pub mod gesture;
pub mod landmarks;
pub mod live;
pub mod liveness;
pub mod matching;
pub mod normalise;
pub mod random;
pub mod sequence;
pub mod session;
pub mod simulate;
pub mod streams;
pub mod strength;
pub mod template;
pub mod trim;
pub mod turn;
