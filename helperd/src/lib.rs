//! pose-helperd: D-Bus service, attempts, store, lock-out, audit and verdict, and its worker process.
//!
//! # Layout
//! - [`app`], [`daemon`], [`service`]: beginning and end; what attempts share; the bus interface
//! - [`attempt`], [`work`], [`capture`]: one attempt, what its thread does, its pictures
//! - [`worker`]: the process that decodes pictures and runs models
//! - [`caller`], `process`, [`place`], [`polkit`], [`allowance`], [`arguments`]: who asks, from where, how much and what
//! - `interruption`: sleep and sessions that leave the foreground; `locking`: when the session is locked; `onlookers`: who else shows instructions
//! - [`config`], [`store`], [`lockout`], [`accounts`], [`audit`], [`password`], [`keys`], [`secret`]: what is known
//!   and kept
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod accounts;
pub mod allowance;
pub mod app;
pub mod arguments;
pub mod attempt;
pub mod audit;
pub mod boottime;
pub mod caller;
pub mod capture;
pub mod config;
pub mod daemon;
mod interruption;
pub mod keys;
mod locking;
pub mod lockout;
mod onlookers;
pub mod overview;
pub mod password;
pub mod place;
pub mod polkit;
mod process;
pub mod refusal;
pub mod secret;
pub mod service;
pub mod store;
pub mod work;
pub mod worker;
