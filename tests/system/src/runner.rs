//! Runs named cases side by side, each in a process and a sandbox of its own, and reports as `cargo test` does.
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::{Result, enrol, sandbox};

/// What a case finds around it.
pub struct Scene {
    /// A folder of its own, thrown away afterwards.
    pub room: PathBuf,
    /// State directory in which [`enrol::PEOPLE`] are enrolled; a copy of its own.
    pub state: PathBuf,
}

/// What a case does; the demo prints what it returns.
pub type Body = Box<dyn Fn(&Scene) -> Result<String> + Send + Sync>;

/// One case: a name that says what it protects, and what it does inside the sandbox.
pub struct Case {
    /// Shown, and what a filter on the command line matches.
    pub name: String,
    /// The case itself.
    pub run: Body,
}

/// First argument of the process inside a sandbox.
const INSIDE: &str = "--inside";
/// Cases at a time: each is mostly waiting for recordings that play in real time.
const SIDE_BY_SIDE: usize = 3;

/// If this process was started inside a sandbox: runs that one case and says how it ended.
pub fn inside(cases: &[Case]) -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, flag, name, room] = arguments.as_slice() else { return None };
    if flag != INSIDE {
        return None;
    }
    let room = Path::new(room);
    let scene = Scene { room: room.to_path_buf(), state: room.join("state") };
    let result = sandbox::furnish(room).and_then(|()| match cases.iter().find(|case| case.name == *name) {
        Some(case) => (case.run)(&scene),
        None if name == enrol::CASE => enrol::everybody(&scene).map(|()| String::new()),
        None => Err(format!("no case {name}").into()),
    });
    Some(match result {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// Enrols everybody, then runs the cases; `report` sees each in the order given, as soon as it and all before it ended.
pub fn run(cases: &[&Case], report: impl Fn(&Case, &Output) + Sync) -> Result<()> {
    run_side_by_side(SIDE_BY_SIDE, cases, report)
}

/// [`run`] with so many cases at a time.
pub fn run_side_by_side(
    at_a_time: usize,
    cases: &[&Case],
    report: impl Fn(&Case, &Output) + Sync,
) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("pam-pose-").tempdir()?;
    let enrolled = folder.path().join("enrolled");
    let output = start(enrol::CASE, &enrolled)?;
    if !output.status.success() {
        return Err(format!("enrolment failed:\n{}", said(&output)).into());
    }
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(Ended { waiting: cases.iter().map(|_| None).collect(), reported: 0 });
    std::thread::scope(|threads| {
        for _ in 0..at_a_time {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { break };
                    let room = folder.path().join(format!("case-{number}"));
                    let output = copy_state(&enrolled, &room).and_then(|()| start(&case.name, &room));
                    ended.lock().unwrap_or_else(PoisonError::into_inner).add(
                        number,
                        output.map_err(|e| e.to_string()),
                        |n, output| {
                            if let Some(case) = cases.get(n) {
                                report(case, output);
                            }
                        },
                    );
                }
            });
        }
    });
    Ok(())
}

/// Cases that have ended, and how many of them were reported.
struct Ended {
    waiting: Vec<Option<Output>>,
    reported: usize,
}

impl Ended {
    fn add(
        &mut self,
        number: usize,
        output: std::result::Result<Output, String>,
        report: impl Fn(usize, &Output),
    ) {
        let output = output.unwrap_or_else(|error| Output {
            status: std::os::unix::process::ExitStatusExt::from_raw(0x100),
            stdout: Vec::new(),
            stderr: error.into_bytes(),
        });
        if let Some(place) = self.waiting.get_mut(number) {
            *place = Some(output);
        }
        while let Some(Some(output)) = self.waiting.get(self.reported) {
            report(self.reported, output);
            self.reported += 1;
        }
    }
}

/// The main function of a test program without libtest: the same arguments and closing line.
#[must_use]
pub fn test_main(cases: Vec<Case>) -> ExitCode {
    if let Some(code) = inside(&cases) {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let chosen: Vec<&Case> = cases
        .iter()
        .filter(|case| filters.is_empty() || filters.iter().any(|filter| case.name.contains(filter.as_str())))
        .collect();
    if arguments.iter().any(|argument| argument == "--list") {
        chosen.iter().for_each(|case| println!("{}: test", case.name));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", chosen.len());
    let failures = Mutex::new(Vec::new());
    let passed = AtomicUsize::new(0);
    let result = run(&chosen, |case, output| {
        let ok = output.status.success();
        println!("test {} ... {}", case.name, if ok { "ok" } else { "FAILED" });
        if ok {
            passed.fetch_add(1, Ordering::Relaxed);
        } else {
            failures.lock().unwrap_or_else(PoisonError::into_inner).push((case.name.clone(), said(output)));
        }
    });
    close(passed.into_inner(), failures.into_inner().unwrap_or_else(PoisonError::into_inner), result)
}

/// Where the harness fails, cases that were never run have not passed.
fn close(passed: usize, mut failures: Vec<(String, String)>, result: Result<()>) -> ExitCode {
    if let Err(error) = result {
        failures.push(("the harness".to_owned(), error.to_string()));
    }
    for (name, words) in &failures {
        println!("\n---- {name} ----\n{words}");
    }
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    println!("\ntest result: {verdict}. {passed} passed; {} failed; 0 ignored", failures.len());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Everything that a process said.
#[must_use]
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn start(name: &str, room: &Path) -> Result<Output> {
    std::fs::create_dir_all(room)?;
    Ok(sandbox::command(&[INSIDE, name, &room.to_string_lossy()])?.output()?)
}

fn copy_state(enrolled: &Path, room: &Path) -> Result<()> {
    std::fs::create_dir_all(room)?;
    let status = std::process::Command::new("cp")
        .arg("-a")
        // The daemon on recordings keeps the key beside the state.
        .args([enrolled.join("state"), enrolled.join("state.key")])
        .arg(room)
        .status()?;
    if status.success() { Ok(()) } else { Err("cannot copy the enrolled state".into()) }
}
