//! `pose-bench FOLDER [SECTION...]`: measures what a login costs and writes one JSON file a section.
//!
//! Every section runs alone, in a sandbox of its own, against the built programs: the daemon on recordings, a private
//! bus, the shipped module in a real PAM host. `tests/bench/run` adds the comparison with MediaPipe, plots and summary.
//!
//! # Layout
//! - `frames`: pictures to landmarks on one processor
//! - `start`: from a cold or warm daemon to the first landmark
//! - `logins`: a login as a whole process, and the time after the last needed movement
//! - `memory`: resident memory, idle and at the peak
//! - `growth`: users, templates, waiting clients
//! - `figures`, `scene`: samples and their quantiles; a daemon and a PAM host in a sandbox
#![forbid(unsafe_code)]

mod figures;
mod frames;
mod growth;
mod logins;
mod memory;
mod scene;
mod start;

use std::path::Path;
use std::process::{ExitCode, Output};
use std::sync::Mutex;

use pose_system::Result;
use pose_system::runner::{self, Case, Scene};

/// Name, and what it measures; the text that a section returns is JSON.
type Section = (&'static str, fn(&Scene) -> Result<serde_json::Value>);

const SECTIONS: [Section; 5] = [
    ("frames", frames::measure),
    ("start", start::measure),
    ("logins", logins::measure),
    ("memory", memory::measure),
    ("growth", growth::measure),
];

fn main() -> ExitCode {
    let cases: Vec<Case> = SECTIONS
        .iter()
        .map(|&(name, measure)| Case {
            name: name.to_owned(),
            run: Box::new(move |scene| Ok(measure(scene)?.to_string())),
        })
        .collect();
    if let Some(code) = runner::inside(&cases) {
        return code;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((folder, wanted)) = arguments.split_first() else {
        eprintln!("usage: pose-bench FOLDER [SECTION...]; sections: {}", SECTIONS.map(|s| s.0).join(" "));
        return ExitCode::from(2);
    };
    match run(&cases, Path::new(folder), wanted) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pose-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cases: &[Case], folder: &Path, wanted: &[String]) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let chosen: Vec<&Case> =
        cases.iter().filter(|case| wanted.is_empty() || wanted.contains(&case.name)).collect();
    if chosen.len() < wanted.len() {
        return Err(format!("sections are {}", SECTIONS.map(|section| section.0).join(" ")).into());
    }
    let failed = Mutex::new(Vec::new());
    // One at a time: they would measure one another.
    runner::run_side_by_side(1, &chosen, |case, output| {
        if let Err(error) = keep(folder, case, output) {
            eprintln!("{}: {error}", case.name);
            if let Ok(mut failed) = failed.lock() {
                failed.push(case.name.clone());
            }
        }
    })?;
    let failed = failed.into_inner().unwrap_or_default();
    if failed.is_empty() { Ok(()) } else { Err(format!("not measured: {}", failed.join(", ")).into()) }
}

/// Writes a section's result and shows it.
fn keep(folder: &Path, case: &Case, output: &Output) -> Result<()> {
    // What a section says while it works is its progress.
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let value: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let path = folder.join(&case.name).with_extension("json");
    std::fs::write(&path, format!("{value:#}\n"))?;
    println!("{}:\n{}", case.name, figures::rows(&value));
    Ok(())
}
