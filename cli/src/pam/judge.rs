//! What an auth stack with pam_pose.so does in each case: who gets in, who does not, and through which line.

use serde::Serialize;

use super::codes::Code;
use super::dispatch::{self, Trace};
use super::modules::{self, Case, First};
use super::options;
use super::stack::{self, Asks, Handler};
use super::syntax::Kind;
use super::tree::Tree;

/// Every answer of the module that is no pass, with what leads to it (DESIGN: "Verdict → PAM"); the last is libpam's
/// own, for a module file that is gone.
pub(crate) const FAILURES: [(Code, &str); 8] = [
    (Code::AUTH_ERR, "wrong pose, not live, challenge missed, wrong password, nobody in view"),
    (Code::MAXTRIES, "locked out"),
    (Code::USER_UNKNOWN, "no enrolment, or a removed one"),
    (Code::AUTHINFO_UNAVAIL, "no helper, no camera, lid closed, remote, out of time"),
    (Code::CONV_ERR, "conversation failed or Ctrl-C"),
    (Code::SYSTEM_ERR, "unknown option, unreadable store, bug"),
    (Code::BUF_ERR, "out of memory"),
    (Code::MODULE_UNKNOWN, "pam_pose.so itself is gone"),
];

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    /// As it must.
    Good,
    /// To be known.
    Note,
    /// To be refused.
    Bad,
}

/// One case, judged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) case: String,
    pub(crate) grade: Grade,
    /// What was seen.
    pub(crate) seen: String,
    /// What to do about it; empty when nothing.
    pub(crate) fix: String,
}

impl Finding {
    fn new(case: impl Into<String>, grade: Grade, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { case: case.into(), grade, seen: seen.into(), fix: fix.into() }
    }
}

/// Judges a service's auth stack; the findings are in the order of the cases.
pub(crate) fn judge(tree: &Tree, service: &str, accepted: &[String]) -> Vec<Finding> {
    let stack = match stack::of(tree, service, Kind::Auth) {
        Ok(stack) => stack,
        Err(why) => {
            let fix = "mend the inclusion: libpam refuses every login through this service";
            return vec![Finding::new("the stack loads", Grade::Bad, why, fix)];
        }
    };
    let mut findings = mistakes(&stack);
    let Some(pose) = stack.iter().find_map(|handler| handler.line().filter(|line| line.is_pose())) else {
        findings.push(Finding::new("a pose is asked", Grade::Note, "no line names pam_pose.so", ""));
        return findings;
    };
    let court = Court { stack: &stack, accepted };
    findings.push(court.right_person());
    findings.extend(FAILURES.iter().map(|(code, why)| court.failure(*code, why)));
    if pose.has("pose_only") {
        findings.push(court.wrong_first_factor(Code::SUCCESS, "wrong password, right pose"));
    }
    if pose.has("nouserok") {
        findings.push(court.wrong_first_factor(Code::IGNORE, "wrong password, never enrolled (nouserok)"));
        findings.push(court.excused());
    }
    findings
}

/// The worst of them.
pub(crate) fn worst(findings: &[Finding]) -> Grade {
    findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::Good)
}

/// Lines that libpam or the module would not understand.
fn mistakes(stack: &[Handler]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for handler in stack {
        if let Asks::Mistake(why) = &handler.asks {
            let seen = format!("{}: {why}; libpam lets this line always fail", handler.place());
            findings.push(Finding::new(
                "every line is understood",
                Grade::Bad,
                seen,
                "mend or remove the line",
            ));
        }
        let Some(line) = handler.line().filter(|line| line.is_pose()) else { continue };
        if let Some(unknown) = line.args.iter().find(|arg| !options::is_known(arg)) {
            let seen = format!(
                "{}: the option {unknown} does not exist, so every login through this line fails",
                handler.place()
            );
            let fix = format!("use only {}", options::all());
            findings.push(Finding::new("every option is understood", Grade::Bad, seen, fix));
        }
    }
    findings
}

struct Court<'a> {
    stack: &'a [Handler],
    accepted: &'a [String],
}

impl Court<'_> {
    /// A way to success in that case.
    fn way_in(&self, first: First, pose: Code, without_exemptions: bool) -> Option<Trace> {
        let case = Case { first, pose, without_exemptions, accepted: self.accepted };
        let mut results = dispatch::results(self.stack, &|handler| modules::answers(handler, &case));
        results.remove(&Code::SUCCESS)
    }

    fn right_person(&self) -> Finding {
        let case = "right password, right pose";
        match self.way_in(First::Right, Code::SUCCESS, true) {
            Some(_) => Finding::new(case, Grade::Good, "let in", ""),
            None => {
                let fix = "look for a line that always fails (pam_deny.so) on the way";
                Finding::new(case, Grade::Bad, "nobody would get in", fix)
            }
        }
    }

    fn failure(&self, code: Code, why: &str) -> Finding {
        let case = format!("right password, pose says {}", code.name());
        self.must_refuse(&case, First::Right, code, why)
    }

    fn wrong_first_factor(&self, pose: Code, case: &str) -> Finding {
        self.must_refuse(case, First::Wrong, pose, "the password was wrong")
    }

    fn must_refuse(&self, case: &str, first: First, pose: Code, why: &str) -> Finding {
        if let Some(way) = self.way_in(first, pose, true) {
            let seen = format!("let in although {why}: {}", self.told(&way));
            return Finding::new(case, Grade::Bad, seen, self.advice(&way));
        }
        match self.way_in(first, pose, false) {
            Some(way) => {
                let seen = format!("refused, but for an exemption of yours: {}", self.told(&way));
                Finding::new(case, Grade::Note, seen, "")
            }
            None => Finding::new(case, Grade::Good, format!("refused ({why})"), ""),
        }
    }

    fn excused(&self) -> Finding {
        let case = "right password, never enrolled (nouserok)";
        match self.way_in(First::Right, Code::IGNORE, true) {
            Some(_) => Finding::new(case, Grade::Note, "let in with the password alone", ""),
            None => Finding::new(case, Grade::Note, "refused", ""),
        }
    }

    /// The lines that made the difference, for people.
    fn told(&self, way: &Trace) -> String {
        let named = way.iter().filter_map(|(place, code)| {
            let handler = self.stack.get(*place)?;
            let line = handler.line()?;
            let quiet = line.actions.of(*code) == super::control::Action::Ignore && !line.is_pose();
            (!quiet).then(|| format!("{} {} {}", handler.place(), line.module_name(), code.name()))
        });
        named.collect::<Vec<_>>().join(", ")
    }

    fn advice(&self, way: &Trace) -> String {
        let asked = way.iter().filter_map(|(place, _)| self.stack.get(*place));
        let mut asked: Vec<&Handler> = asked.collect();
        let Some(at) = asked.iter().position(|h| h.line().is_some_and(super::syntax::Line::is_pose)) else {
            let last = asked.pop().map(Handler::place).unwrap_or_default();
            return format!(
                "the line {last} ends the stack before pam_pose.so is asked: write `required` or a jump there, or \
                 put pam_pose.so in front of it"
            );
        };
        let control =
            asked.get(at).and_then(|h| h.line()).map(|line| line.control.clone()).unwrap_or_default();
        if !self.stack.iter().any(|handler| handler.line().is_some_and(modules::is_first_factor)) {
            return "put the line after one that checks a password (pam_unix.so, or @include common-auth)"
                .into();
        }
        format!("write `required` in place of \"{control}\" before pam_pose.so")
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
