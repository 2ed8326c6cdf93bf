//! Cameras of the kernel's V4L2.
//!
//! The `v4l` crate gives the C structures, their `ioctl` numbers and the call itself. Its device listing and its
//! stream are not used: they panic on names that are not UTF-8, on values newer than the crate and on unplug, lose
//! buffers after a time-out and open without close-on-exec (0.14.0). The buffer loop here is our own.
//!
//! # Layout
//! - [`device`]: which cameras there are and what they can do; `sysfs` reads where and what they are
//! - [`choose`]: which camera, format, size and rate to use, and why: pure
//! - [`trust`]: whether a camera may watch a login, and why not: pure
//! - [`locked`]: when the session was locked: pure
//! - [`controls`]: brightness and the like, by name: pure
//! - [`exposure`]: whether the picture's brightness has settled: pure
//! - `stream`: the buffer loop and the [`V4l2Camera`]; `picture`: whether a buffer holds a whole picture: pure
//! - `node`: a device node's calls; `raw`: everything that is unsafe

pub mod choose;
pub mod controls;
pub mod device;
pub mod exposure;
pub mod locked;
mod node;
mod picture;
mod raw;
mod stream;
mod sysfs;
pub mod trust;

pub use choose::{Choice, Request, choose};
pub use device::{Device, Mode, Placement, Roots, devices, plugged_in_us};
pub use exposure::{Settled, Settling, mean_luma};
pub use locked::LockedTimes;
pub use stream::{Counts, V4l2Camera};
pub use trust::{Distrust, trust};
