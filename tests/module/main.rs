//! The real `pam_pose.so` under the real libpam, against a scripted helper on a private bus and against hostile
//! peers. Runs in a mount namespace of its own, in which the private bus lies at the constant path.
//!
//! `cargo test -p pam-module --test module [NAME…]`; `PAM_POSE_MODULE=FILE` picks another module file.

mod cases;
mod helper;
mod host;
mod hostile;
mod library;
mod place;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

/// A test: the behaviour it protects, and the proof.
type Case = (&'static str, fn(&place::Place));

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((role, rest)) if role == "host" => return host::main(rest),
        Some((role, _)) if role == "helper" => return helper::main(),
        _ => {}
    }
    if !place::inside() {
        return place::enter(&args);
    }
    let names: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let place = place::Place::prepare();
    let all = cases::CASES.iter().chain(hostile::CASES).chain(library::CASES);
    let chosen: Vec<&Case> =
        all.filter(|case| names.is_empty() || names.iter().any(|n| case.0.contains(*n))).collect();
    let failed = chosen.iter().filter(|case| !passes(case, &place)).count();
    println!("\ntest result: {} passed; {failed} failed", chosen.len() - failed);
    if failed == 0 && !chosen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn passes(case: &Case, place: &place::Place) -> bool {
    let started = Instant::now();
    let passed = catch_unwind(AssertUnwindSafe(|| case.1(place))).is_ok();
    println!("test {} ... {} ({:.1?})", case.0, if passed { "ok" } else { "FAILED" }, started.elapsed());
    passed
}
