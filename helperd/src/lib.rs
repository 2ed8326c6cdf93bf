//! The helper daemon of pam_pose: D-Bus service, attempts, store, lock-out, audit and verdict, and its worker.
//!
//! # Layout
//! `config` one file, checked · `secret` passwords and recovery codes in memory · `password` Argon2id ·
//! `keys` wrapping key · `store` SQLite, one transaction a change · `lockout` pure counters · `accounts` names to
//! uids · `audit` the syslog line of every verdict.
pub mod accounts;
pub mod audit;
pub mod config;
pub mod keys;
pub mod lockout;
pub mod password;
pub mod secret;
pub mod store;
