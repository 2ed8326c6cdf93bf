//! What an attempt ended with, and how much of it each caller learns.

use pose_contract::{Outcome, kind};
use zbus::{OwnedVariant, Variant};

use crate::attempt::{BusEvent, Stop, detail};

/// The end of an attempt.
#[derive(Debug)]
pub struct Verdict {
    /// The exact outcome.
    pub outcome: Outcome,
    /// The exact reason, for the audit line.
    pub reason: String,
    /// Whether the user's name is an account's.
    pub known_user: bool,
    text: Option<String>,
    /// Each with whether it is for root alone.
    details: Vec<(String, OwnedVariant, bool)>,
}

impl Verdict {
    /// With that reason for the audit line.
    pub(crate) fn of(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), known_user: true, text: None, details: Vec::new() }
    }

    /// For an attempt that was stopped.
    pub(crate) fn stopped(why: Stop) -> Self {
        Self::of(why.outcome(), format!("stopped: {why:?}"))
    }

    /// Another text for people than the outcome's own.
    pub(crate) fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// A detail for the caller, whoever it is.
    pub(crate) fn with<'a>(mut self, key: &str, value: impl Into<Variant<'a>>) -> Self {
        self.details.push((key.to_owned(), detail(value), false));
        self
    }

    /// A detail for root alone.
    pub(crate) fn with_for_root<'a>(mut self, key: &str, value: impl Into<Variant<'a>>) -> Self {
        self.details.push((key.to_owned(), detail(value), true));
        self
    }

    /// The name that was asked for is no account.
    pub(crate) fn of_unknown_user(mut self) -> Self {
        self.known_user = false;
        self
    }

    /// What the caller is told. Callers that are not root learn neither why a judged attempt was refused nor
    /// whether it was judged at all: a removed enrolment and a lock-out are root's to know. That there is no enrolment
    /// they are told, who ask for themselves alone and can list it anyway: lockers run as the user, and with `nouserok`
    /// people who never enrolled would be locked out by what they are not told.
    pub(crate) fn for_caller(self, uid: u32) -> BusEvent {
        let outcome = if uid == 0 { self.outcome } else { coarse(self.outcome) };
        // The text may be shown to whoever sits there, also by root's programs: it never says which check failed.
        let exact = outcome == self.outcome && !judged(outcome);
        let text = self.text.filter(|_| exact).unwrap_or_else(|| words(outcome).to_owned());
        let shown = self.details.into_iter().filter(|(_, _, for_root)| uid == 0 || !for_root);
        let details = shown.map(|(key, value, _)| (key, value)).collect();
        BusEvent { kind: kind::VERDICT, code: outcome.as_str().to_owned(), text, details }
    }
}

/// Whether gesture, liveness or challenges were looked at and refused.
fn judged(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::WrongPose | Outcome::NotLive | Outcome::ChallengeMissed)
}

/// What callers other than root learn.
fn coarse(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::EnrolmentRemoved | Outcome::LockedOut => Outcome::Refused,
        outcome if judged(outcome) => Outcome::Refused,
        other => other,
    }
}

/// One short line for people, ending with what to do.
fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "Recognised",
        Outcome::Refused | Outcome::WrongPose | Outcome::NotLive | Outcome::ChallengeMissed => {
            "Not recognised; stay in your place, do the gesture as enrolled, then what the screen asks, and try again"
        }
        Outcome::WrongPassword => "Wrong password; try again",
        Outcome::NobodyInView => "Nobody was in view; sit in front of the camera and try again",
        Outcome::TooDark => "Too dark; turn on a light and try again",
        Outcome::SeveralPeople => "Several people in view; be alone in the picture and try again",
        Outcome::NotFinished => "The gesture was not finished in time; try again",
        Outcome::LockedOut => "Too many refused tries; wait or log in another way",
        Outcome::NotEnrolled => "No pose is enrolled; run posectl enroll",
        Outcome::EnrolmentRemoved => "The enrolment was removed; enrol again with posectl enroll",
        Outcome::Remote => "The pose works only at the machine itself; log in another way",
        Outcome::LidClosed => "The lid is closed; open it and try again",
        Outcome::CameraMissing => "No camera; run posectl devices",
        Outcome::CameraBusy => "Another program uses the camera; close it and try again",
        Outcome::CameraFailed => "The camera failed; unplug and plug it, then try again",
        Outcome::Busy => "Another login uses the camera; try again in a moment",
        Outcome::Deadline => "Out of time; try again",
        Outcome::StoreError => "The enrolments cannot be read; run posectl doctor",
        Outcome::Enrolled => "Enrolled; try it with posectl test",
        Outcome::Done => "Done",
        Outcome::EnrolmentRefused => "Not enrolled; do the gesture larger and more clearly, and try again",
        _ => "The helper failed; run posectl doctor",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_does_not_learn_what_only_root_may() {
        let hidden = ["wrong_pose", "not_live", "challenge_missed", "enrolment_removed", "locked_out"];
        for outcome in Outcome::all() {
            let verdict = || Verdict::of(outcome, "secret reason").with_for_root("score", 0.5);
            let (told, told_root) = (verdict().for_caller(1000), verdict().for_caller(0));
            assert_eq!(told_root.code, outcome.as_str());
            assert!(told_root.details.contains_key("score"));
            assert!(told.details.is_empty());
            assert!(!hidden.contains(&told.code.as_str()));
            assert!(!told.text.contains("secret"));
        }
    }

    #[test]
    fn a_hidden_outcome_hides_its_text_too() {
        let told = Verdict::of(Outcome::WrongPose, "").with_text("almost").for_caller(1000);
        assert_eq!(told.text, words(Outcome::Refused));
    }

    #[test]
    fn no_text_says_which_check_failed() {
        let told = |outcome, uid| Verdict::of(outcome, "").with_text("almost").for_caller(uid).text;
        for outcome in [Outcome::WrongPose, Outcome::NotLive, Outcome::ChallengeMissed] {
            for uid in [0, 1000] {
                assert_eq!(told(outcome, uid), words(Outcome::Refused), "{outcome:?}");
            }
        }
    }

    #[test]
    fn nothing_becomes_a_success() {
        for outcome in Outcome::all().filter(|outcome| *outcome != Outcome::Success) {
            assert_ne!(coarse(outcome), Outcome::Success);
        }
    }
}
