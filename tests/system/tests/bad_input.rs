//! Wrong configuration, clip, model, runtime, database, template and module options: each is answered with an error
//! that says what to do.
use std::process::ExitCode;

use pose_system::runner::test_main;

fn main() -> ExitCode {
    test_main(Vec::new())
}
