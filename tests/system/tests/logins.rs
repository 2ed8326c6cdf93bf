//! Logins through the real module and daemon on recordings.
use std::process::ExitCode;

use pose_system::login::{FURTHER, TABLE};
use pose_system::runner::test_main;

fn main() -> ExitCode {
    test_main(TABLE.iter().chain(FURTHER).map(|login| login.case()).collect())
}
