//! A private bus, the daemon on recordings and a client, for the tests of this folder.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test uses its own part")]

pub mod client;
pub mod house;
pub mod logind;

pub use client::{Client, Event};
pub use house::{House, Script};
