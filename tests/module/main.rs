//! The real `pam_pose.so` under the real libpam, against a scripted helper on a private bus and against hostile
//! peers. Each test runs in a mount namespace of its own, in which the private bus lies at the constant path.
//!
//! `cargo test -p pam-module --test module -- [--skip=NAME…] [NAME…]`; `PAM_POSE_MODULE=FILE` picks another module file.

mod cases;
mod helper;
mod host;
mod hostile;
mod library;
mod place;
mod run;

use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::Instant;

/// A test: the behaviour it protects, and the proof.
type Case = (&'static str, fn(&place::Place));

fn all() -> impl Iterator<Item = &'static Case> {
    cases::CASES.iter().chain(hostile::CASES).chain(library::CASES)
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.split_first() {
        Some((role, rest)) if role == "host" => host::main(rest),
        Some((role, _)) if role == "helper" => helper::main(),
        Some((role, rest)) if role == "case" => run_here(&rest[0]),
        _ => run_all(&args),
    }
}

/// Runs one test in this process, which is in its namespace already; a panic fails it.
fn run_here(name: &str) -> ExitCode {
    let case = all().find(|case| case.0 == name).expect("a test of that name");
    case.1(&place::Place::prepare());
    ExitCode::SUCCESS
}

/// Runs the tests whose names contain one of `args`, several at a time: they mostly wait for deadlines.
fn run_all(args: &[String]) -> ExitCode {
    let (skipped, names): (Vec<&str>, Vec<&str>) =
        args.iter().map(String::as_str).partition(|arg| arg.starts_with('-'));
    let skipped: Vec<&str> = skipped.iter().filter_map(|arg| arg.strip_prefix("--skip=")).collect();
    let wanted = |case: &&Case| {
        let named = |parts: &[&str]| parts.iter().any(|part| case.0.contains(part));
        (names.is_empty() || named(&names)) && !named(&skipped)
    };
    let chosen: Vec<&Case> = all().filter(wanted).collect();
    let queue = Mutex::new(chosen.iter());
    let failed = Mutex::new(0);
    let lanes = std::thread::available_parallelism().map_or(2, |cores| cores.get() * 2);
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                while let Some(case) = { queue.lock().expect("queue").next() } {
                    if !passes(case.0) {
                        *failed.lock().expect("count") += 1;
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("count");
    println!("\ntest result: {} passed; {failed} failed", chosen.len() - failed);
    if failed == 0 && !chosen.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn passes(name: &str) -> bool {
    let started = Instant::now();
    let output = place::enter(&mut Command::new(std::env::current_exe().expect("own path")), name);
    let passed = output.status.success();
    let word = if passed { "ok" } else { "FAILED" };
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = if passed { std::borrow::Cow::default() } else { String::from_utf8_lossy(&output.stderr) };
    print!("test {name} ... {word} ({:.1?})\n{said}{errors}", started.elapsed());
    passed
}
