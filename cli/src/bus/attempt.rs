//! One attempt from its start to its verdict: questions, instructions, progress, Ctrl-C.

use std::time::Instant;

use pose_contract::{Outcome, ask, kind};
use serde_json::{Value, json};

use super::secret::{self, Sealed};
use super::{Details, Event, Helper, interrupt, number, text, to_json};
use crate::commands::movements::picture_of;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// The decision.
    pub(crate) outcome: Outcome,
    /// The helper's words.
    pub(crate) text: String,
    /// What comes with it (recovery code, strength, …).
    pub(crate) details: Details,
}

/// Starts an attempt and drives it to its verdict. Ctrl-C cancels it and ends the process.
pub(crate) fn run(
    helper: &Helper,
    method: &str,
    user: &str,
    options: &Details,
    output: Output,
) -> Result<Verdict, Failure> {
    run_heard(helper, method, user, options, output, &mut |_| {})
}

/// As [`run`]; `heard` gets every event before it is acted on.
pub(crate) fn run_heard(
    helper: &Helper,
    method: &str,
    user: &str,
    options: &Details,
    output: Output,
    heard: &mut dyn FnMut(&Event),
) -> Result<Verdict, Failure> {
    let attempt = helper.start(method, user, options)?;
    let _cancelling = interrupt::cancel_on_signal(helper, &attempt);
    let mut progress = Progress { shown: None, output };
    loop {
        let event = helper.next(&attempt)?;
        heard(&event);
        match event.kind.as_str() {
            kind::ASK => {
                let secret = question(&event)?;
                helper.answer(&attempt, &Sealed::new(secret.as_bytes())?)?;
            }
            kind::INSTRUCTION => progress.instruct(&event)?,
            kind::PROGRESS => progress.tick(&event),
            kind::VERDICT => {
                output.clear();
                return verdict(event);
            }
            // A newer helper may tell more than this version knows; the verdict still comes.
            _ => {}
        }
    }
}

/// The JSON object of a verdict.
pub(crate) fn verdict_json(verdict: &Verdict) -> Value {
    let mut object = to_json(&verdict.details);
    object.insert("event".to_owned(), json!(kind::VERDICT));
    object.insert("outcome".to_owned(), json!(verdict.outcome.as_str()));
    object.insert("text".to_owned(), json!(verdict.text));
    Value::Object(object)
}

/// Fails unless the attempt ended as hoped, with the next step that fits the outcome.
pub(crate) fn require(verdict: &Verdict, hoped: Outcome) -> Result<(), Failure> {
    if verdict.outcome == hoped {
        return Ok(());
    }
    let (exit, next) = consequence(verdict.outcome);
    let what = match number(&verdict.details, "locked_seconds") {
        Some(seconds) if verdict.outcome == Outcome::LockedOut => {
            format!("{} ({seconds} s left)", verdict.text)
        }
        // Only a test, which its owner asked for, tells how it went.
        _ => match text(&verdict.details, "words") {
            "" => verdict.text.clone(),
            words => format!("{} ({words})", verdict.text),
        },
    };
    Err(Failure::new(exit, what, next))
}

fn question(event: &Event) -> Result<zeroize::Zeroizing<String>, Failure> {
    let or = |fallback: &str| if event.text.is_empty() { fallback.to_owned() } else { event.text.clone() };
    let colon = |text: String| format!("{}: ", text.trim_end_matches([':', ' ']));
    match event.code.as_str() {
        ask::NEW_PASSWORD => secret::read_new(&colon(or("Password to keep with the enrolment"))),
        ask::PASSWORD_OR_RECOVERY => secret::read(&colon(or("Password, or recovery code"))),
        _ => secret::read(&colon(or("Password"))),
    }
}

fn verdict(event: Event) -> Result<Verdict, Failure> {
    match Outcome::parse(&event.code) {
        Some(outcome) => Ok(Verdict { outcome, text: event.text, details: event.details }),
        None => Err(Failure::new(
            Exit::Helper,
            format_args!("pose-helperd decided {:?}, which this posectl does not know", event.code),
            "install posectl and pose-helperd of the same version",
        )),
    }
}

fn consequence(outcome: Outcome) -> (Exit, &'static str) {
    use Outcome as O;
    match outcome {
        O::Refused | O::WrongPose | O::NotLive | O::ChallengeMissed | O::NotFinished => (
            Exit::No,
            "try again: sit as at enrolment, do the gesture at its usual pace, then follow the instruction",
        ),
        O::WrongPassword => (Exit::No, "try again; `posectl passwd` changes the stored password"),
        O::NobodyInView => (Exit::Camera, "sit so that head, shoulders and both hands are in the picture"),
        O::TooDark => (Exit::Camera, "turn on a light in front of you"),
        O::SeveralPeople => (Exit::Camera, "be alone in the picture"),
        O::CameraMissing | O::CameraFailed => (Exit::Camera, "run `posectl devices`"),
        O::CameraBusy => (Exit::Camera, "close the program that uses the camera"),
        O::LidClosed => (Exit::Camera, "open the lid"),
        O::LockedOut => (Exit::LockedOut, "wait, or let root run `posectl unlock USER`"),
        O::NotEnrolled | O::EnrolmentRemoved => (Exit::NotEnrolled, "enrol first: `posectl enroll`"),
        O::EnrolmentRefused => (Exit::EnrolmentRefused, "start again with that in mind: `posectl enroll`"),
        O::Remote => (Exit::NotAuthorized, "sit at the machine: a remote session cannot show a pose"),
        O::Busy => (Exit::Helper, "wait for the other attempt to end, then try again"),
        O::Deadline => (Exit::No, "try again, within the time shown"),
        _ => (Exit::Helper, "see `journalctl -u pose-helperd`, then run `posectl doctor`"),
    }
}

/// What the person sees while the camera watches.
struct Progress {
    shown: Option<Instant>,
    output: Output,
}

impl Progress {
    fn instruct(&mut self, event: &Event) -> Result<(), Failure> {
        self.output.object(&json!({
            "event": kind::INSTRUCTION, "code": event.code, "text": event.text, "details": to_json(&event.details),
        }))?;
        self.output.clear();
        self.output.remark(&event.text);
        // On a terminal only: a log has no use for a picture.
        if self.output.redraw {
            picture_of(&event.code).iter().for_each(|line| self.output.remark(&format!("    {line}")));
        }
        self.shown = Some(Instant::now());
        Ok(())
    }

    fn tick(&self, event: &Event) {
        let Some(since) = &self.shown else { return };
        let said = if event.text.is_empty() { "watching" } else { &event.text };
        let left = number(&event.details, "remaining_ms").map(|ms| format!(", {} s left", ms.div_ceil(1000)));
        self.output.redraw(&format!(
            "  … {said} {} s{}",
            since.elapsed().as_secs(),
            left.unwrap_or_default()
        ));
    }
}

/// The strength of a new enrolment as a bar of ten with its words; `None` when the helper tells none.
pub(crate) fn strength_bar(details: &Details) -> Option<String> {
    let words = text(details, "strength");
    if words.is_empty() {
        return None;
    }
    let Some(percent) = number(details, "strength_percent") else { return Some(words.to_owned()) };
    let filled = usize::try_from(percent.div_ceil(10)).map_or(10, |n| n.min(10));
    Some(format!("[{}{}] {words}", "#".repeat(filled), "-".repeat(10 - filled)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: &str) -> Event {
        Event {
            kind: kind::VERDICT.to_owned(),
            code: code.to_owned(),
            text: "words".to_owned(),
            details: Details::new(),
        }
    }

    #[test]
    fn an_unknown_verdict_is_a_failure_and_never_success() {
        assert_eq!(verdict(event("splendid")).expect_err("unknown").exit, Exit::Helper);
    }

    #[test]
    fn no_outcome_but_the_hoped_one_exits_with_zero() {
        for outcome in Outcome::all() {
            let verdict = verdict(event(outcome.as_str())).expect("known");
            match require(&verdict, Outcome::Success) {
                Ok(()) => assert_eq!(outcome, Outcome::Success),
                Err(failure) => {
                    assert_ne!(failure.exit, Exit::Done, "{outcome:?}");
                    assert!(failure.to_string().contains("next: "), "{outcome:?}");
                }
            }
        }
    }

    #[test]
    fn the_bar_grows_with_the_strength() {
        let bar = |words: &str, percent: u32| {
            let words = zbus::Variant::from(words).try_to_owned().expect("text");
            strength_bar(&Details::from([
                ("strength".to_owned(), words),
                ("strength_percent".to_owned(), zbus::OwnedVariant::from(percent)),
            ]))
        };
        assert_eq!(bar("weak", 12).as_deref(), Some("[##--------] weak"));
        assert_eq!(bar("strong", 100).as_deref(), Some("[##########] strong"));
        assert_eq!(bar("strong", 9_999).as_deref(), Some("[##########] strong"));
        assert_eq!(strength_bar(&Details::new()), None);
    }
}
