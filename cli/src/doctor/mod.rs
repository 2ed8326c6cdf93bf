//! `posectl doctor`: what is wrong with an installation, each finding with its fix.
//!
//! # Layout
//! - [`install`]: files, owners, the helper's user, models and runtime, the unit's sandbox
//! - [`service`]: bus, activation, policy, configuration, store
//! - [`camera`]: what could deliver pictures
//! - [`pam`]: which logins ask for a pose, and whether they do so safely

mod camera;
mod install;
mod pam;
mod service;

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// As it should be.
    Ok,
    /// Works, but look at it.
    Warning,
    /// Does not work, or opens a door.
    Problem,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// Stable name of the check.
    check: &'static str,
    level: Level,
    /// What was found.
    what: String,
    /// What to do about it; empty when nothing is to be done.
    fix: String,
}

impl Finding {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Finding { check, level: Level::Ok, what: what.into(), fix: String::new() }
    }

    fn warning(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding { check, level: Level::Warning, what: what.into(), fix: fix.into() }
    }

    fn problem(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding { check, level: Level::Problem, what: what.into(), fix: fix.into() }
    }
}

/// Runs the command. Exit 0 without problems (warnings allowed), 1 with.
pub(crate) fn run(output: Output) -> Result<Exit, Failure> {
    let mut findings = install::check();
    findings.extend(service::check());
    findings.extend(camera::check());
    findings.extend(pam::check(Path::new("/")));
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    output.object(&json!({ "findings": findings, "problems": problems, "warnings": warnings }))?;
    for finding in &findings {
        output.say(&line(finding))?;
    }
    output.say(&format!("{problems} problem(s), {warnings} warning(s)"))?;
    Ok(if problems == 0 { Exit::Done } else { Exit::No })
}

fn line(finding: &Finding) -> String {
    let mark = match finding.level {
        Level::Ok => "  ok     ",
        Level::Warning => "  WARNING",
        Level::Problem => "  PROBLEM",
    };
    let fix =
        if finding.fix.is_empty() { String::new() } else { format!("\n            fix: {}", finding.fix) };
    format!("{mark} {}: {}{fix}", finding.check, finding.what)
}
