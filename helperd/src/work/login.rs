//! A login: try, password, pose, verdict. Also `Test`, and the full pass that a change needs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pose_contract::{Outcome, ask, instruction};
use pose_engine::challenge::{MovementSet, ResponseWindow};
use pose_engine::decide::Decision;
use pose_engine::session::{End, Limits, Session};
use pose_engine::template::Template;

use super::adaptation::{self, Adaptation, Candidate};
use super::draw::pick_challenges;
use super::verdict::Verdict;
use super::{Work, store_failed, store_refused};
use crate::accounts::Account;
use crate::arguments::Origin;
use crate::config::{Attempt as Rules, ChallengePolicy};
use crate::lockout;
use crate::place::Place;
use crate::refusal::Refusal;
use crate::store::{Begun, FinalOutcome, Judgement, Mode, Standing};

/// What `Begin` or `Test` was asked.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) service: String,
    pub(crate) origin: Origin,
    pub(crate) place: Place,
    pub(crate) test: bool,
}

/// Carries a login out.
pub(super) fn run(work: &Work<'_>, login: &Login) -> Result<Verdict, Refusal> {
    let account = work.account(&login.user)?;
    if let Place::Elsewhere(why) = &login.place {
        work.answer_first_call();
        return Ok(Verdict::of(Outcome::Remote, why.as_str()));
    }
    // A test shows more than a login does, so that it never goes without a password unless root asks.
    let pose_only = login.origin.pose_only && (!login.test || work.caller().uid == 0);
    work.daemon.open_ahead(work.attempt.lid_closed.load(Ordering::Acquire));
    let rules = work.daemon.config.attempt_for(&login.service);
    let unchallenged = rules.challenge_policy == ChallengePolicy::WhenShown && login.origin.silent;
    let pass = Pass {
        work,
        typed: &login.user,
        account: account.as_ref(),
        mode: if pose_only { Mode::PoseOnly } else { Mode::OwnPassword },
        question: ask::PASSWORD,
        rules: if unchallenged { Rules { challenges: 0, ..rules } } else { rules },
        unchallenged,
        timeout: login.origin.timeout,
        words: login.test,
    };
    let begun = pass.begin()?;
    tracing::debug!("attempt begun");
    work.answer_first_call();
    let verdict = pass.run(&begun);
    work.daemon.close_ahead();
    // An enrolled name whose account is gone is no secret that somebody typed.
    let known = account.is_some() || begun.standing != Standing::NotEnrolled;
    Ok(if known { verdict } else { verdict.of_unknown_user() })
}

/// A full pass: password and pose of one user.
pub(super) struct Pass<'a> {
    pub(super) work: &'a Work<'a>,
    pub(super) typed: &'a str,
    pub(super) account: Option<&'a Account>,
    pub(super) mode: Mode,
    /// Which question is asked, of `pose_contract::ask`.
    pub(super) question: &'static str,
    pub(super) rules: Rules,
    /// No challenge is asked, because the host can show none and the service's policy lets it go.
    pub(super) unchallenged: bool,
    pub(super) timeout: Duration,
    /// Whether the person is told in words how it went.
    pub(super) words: bool,
}

/// What the pose came to, before the deciding transaction.
pub(super) struct Judged {
    outcome: Outcome,
    reason: String,
    text: Option<String>,
    stream: Option<Vec<u8>>,
    version: Option<u32>,
    decision: Option<Decision>,
    adaptation: Option<Adaptation>,
}

/// An attempt that ended before its pose was judged.
pub(super) struct Ended {
    pub(super) verdict: Verdict,
    /// What the store makes of the try.
    pub(super) judged_as: Outcome,
}

impl From<Verdict> for Ended {
    fn from(verdict: Verdict) -> Self {
        Self { judged_as: verdict.outcome, verdict }
    }
}

impl Pass<'_> {
    /// Reserves the try, durably, before anything is checked.
    pub(super) fn begin(&self) -> Result<Begun, Refusal> {
        let now = lockout::Moment::now().map_err(Refusal::internal)?;
        let origin = lockout::Origin::of_caller(self.work.caller().uid);
        let limits = &self.work.daemon.config.lockout;
        let mut store = self.work.daemon.store_without_stranded(&now);
        let begun =
            store.begin(self.typed, self.account, origin, self.mode, limits, &now).map_err(store_refused)?;
        self.work.open_try.set(Some(begun.id));
        Ok(begun)
    }

    /// Everything from the password to the deciding transaction.
    pub(super) fn run(&self, begun: &Begun) -> Verdict {
        match self.judge(begun) {
            Ok(judged) => self.conclude(begun, &judged),
            // The outcome stands whatever the store makes of the try; what counts is in the store's rules.
            Err(Ended { verdict, judged_as }) => match self.end_try(begun, &Judgement::of(judged_as)) {
                Ok(end) => self.tell_lock(verdict, &end),
                Err(failed) => failed,
            },
        }
    }

    fn judge(&self, begun: &Begun) -> Result<Judged, Ended> {
        match self.mode {
            Mode::PoseOnly => refuse_standing(begun.standing)?,
            Mode::OwnPassword => {
                if let Some(recovered) = self.check_password(begun)? {
                    return Ok(recovered);
                }
            }
        }
        let account = self.account.ok_or_else(|| Verdict::of(Outcome::NotEnrolled, "no such account"))?;
        let (version, candidates) = self.candidates(account)?;
        let templates = used(&candidates);
        let limits = self.limits();
        let decoys = templates.iter().map(Template::decoys).fold(MovementSet::default(), MovementSet::union);
        let challenges = pick_challenges(self.rules.challenges, decoys)?;
        let mut told = false;
        let watched = self.work.watch(
            self.work.daemon.next_turn(),
            self.timeout,
            |start_us| Session::verify_among_decoys(templates, challenges, limits, start_us),
            |code| {
                if !told && code.starts_with(instruction::CHALLENGE_PREFIX) {
                    self.work.daemon.store().challenge_shown(begun.id).map_err(store_failed)?;
                    told = true;
                }
                Ok(())
            },
        )?;
        Ok(match watched.end {
            End::Verified(decision) => Judged {
                outcome: decision.outcome,
                reason: reasons(&decision),
                text: None,
                stream: Some(watched.stream),
                version: Some(version),
                adaptation: (self.may_adapt() && decision.accept)
                    .then(|| adaptation::proposed(&candidates, watched.gesture.as_ref()))
                    .flatten(),
                decision: Some(decision),
            },
            End::Failed { outcome, text } => Judged::without_capture(outcome, text),
            End::Enrolled { .. } => {
                Judged::without_capture(Outcome::Internal, "a login ended as an enrolment".into())
            }
        })
    }

    /// Where configured, the camera's light does not tell that the password was wrong.
    pub(super) fn capture_anyway(&self) {
        if !self.rules.capture_always {
            return;
        }
        let Ok(challenges) = pick_challenges(self.rules.challenges, MovementSet::default()) else { return };
        let limits = self.limits();
        // With the templates where there are any: what is shown must be what a right password would have shown.
        let candidates = self.account.and_then(|account| self.candidates(account).ok());
        let templates = candidates.map_or_else(Vec::new, |(_, candidates)| used(&candidates));
        let session = |start_us| Session::verify_among_decoys(templates, challenges, limits, start_us);
        let _ = self.work.watch(self.work.daemon.next_turn(), self.timeout, session, |_| Ok(()));
    }

    fn candidates(&self, account: &Account) -> Result<(u32, Vec<Candidate>), Verdict> {
        let (version, stored) = self.work.daemon.store().templates(account).map_err(store_failed)?;
        let adapt = self.work.daemon.config.enrolment.adapt;
        let candidates: Result<_, _> = stored.iter().map(|stored| Candidate::of(stored, adapt)).collect();
        candidates
            .map(|candidates| (version, candidates))
            // It says whether to enrol again or to update, which the helper's own state does not.
            .map_err(|error| Verdict::of(Outcome::StoreError, error.to_string()).with_text(error.to_string()))
    }

    /// Only logins that a live movement was asked of teach anything, and tests do not.
    fn may_adapt(&self) -> bool {
        self.work.daemon.config.enrolment.adapt && self.rules.challenges > 0 && !self.words
    }

    fn limits(&self) -> Limits {
        let second = 1_000_000;
        Limits {
            gesture_us: u64::from(self.rules.gesture_seconds) * second,
            challenge: ResponseWindow {
                read_us: u64::from(self.rules.challenge_earliest_ms) * 1_000,
                limit_us: u64::from(self.rules.challenge_seconds) * second,
            },
            challenges_required: usize::from(self.rules.challenges),
            unchallenged: self.unchallenged,
            ..Limits::default()
        }
    }

    fn conclude(&self, begun: &Begun, judged: &Judged) -> Verdict {
        let judgement = Judgement {
            outcome: judged.outcome,
            stream: judged.stream.as_deref(),
            version: judged.version,
            adapted: judged.adaptation.as_ref().map(Adaptation::to_store),
        };
        let end = match self.end_try(begun, &judgement) {
            Ok(end) => end,
            Err(failed) => return failed,
        };
        let reason = if end.replayed { "this landmark stream was seen before" } else { &judged.reason };
        let mut verdict = Verdict::of(end.outcome, reason);
        if let Some(text) = judged.text.as_ref().filter(|_| end.outcome == judged.outcome) {
            verdict = verdict.with_text(text.as_str());
        }
        if let Some(decision) = &judged.decision {
            tracing::debug!(movement_us = decision.moved_at_us.unwrap_or_default(), "judged");
            let codes: Vec<String> = decision.reasons.iter().map(|reason| reason.code()).collect();
            verdict = verdict
                .with_for_root("score", decision.scores.matching)
                .with_for_root("threshold", decision.scores.threshold)
                .with_for_root("reasons", codes);
            if self.words {
                verdict = verdict.with("words", in_words(decision, &end));
            }
        }
        self.tell_lock(verdict, &end)
    }

    fn tell_lock(&self, verdict: Verdict, end: &FinalOutcome) -> Verdict {
        let seconds = end.locked_seconds.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        match seconds {
            Some(seconds) => verdict.with_for_root("locked_seconds", seconds),
            None => verdict,
        }
    }

    fn end_try(&self, begun: &Begun, judgement: &Judgement<'_>) -> Result<FinalOutcome, Verdict> {
        let now = self.work.now()?;
        let limits = &self.work.daemon.config.lockout;
        let ended = self.work.daemon.store().conclude(begun.id, judgement, limits, &now);
        let ended = ended.map_err(store_failed)?;
        self.work.open_try.set(None);
        Ok(ended)
    }
}

/// What logins are compared with.
fn used(candidates: &[Candidate]) -> Vec<Template> {
    candidates.iter().map(|candidate| candidate.used.clone()).collect()
}

impl Judged {
    pub(super) fn without_capture(outcome: Outcome, text: String) -> Self {
        Self {
            outcome,
            reason: text.clone(),
            text: Some(text),
            stream: None,
            version: None,
            decision: None,
            adaptation: None,
        }
    }
}

/// Ends an attempt that cannot succeed, whatever is shown.
pub(super) fn refuse_standing(standing: Standing) -> Result<(), Verdict> {
    Err(match standing {
        Standing::Enrolled => return Ok(()),
        Standing::NotEnrolled => Verdict::of(Outcome::NotEnrolled, "not enrolled"),
        Standing::Removed => Verdict::of(Outcome::EnrolmentRemoved, "the enrolment was removed"),
        Standing::Recreated => Verdict::of(Outcome::Refused, "the enrolment is an earlier account's"),
        Standing::LockedOut(Some(seconds)) => {
            let left = u32::try_from(seconds).unwrap_or(u32::MAX);
            Verdict::of(Outcome::LockedOut, format!("locked for {seconds} s"))
                .with_text(format!("Too many refused tries; try again in {seconds} s"))
                .with_for_root("locked_seconds", left)
        }
        Standing::LockedOut(None) => Verdict::of(Outcome::LockedOut, "off until unlocked")
            .with_text("Too many refused tries; root ends this with posectl unlock"),
        Standing::Busy => Verdict::of(Outcome::Busy, "another try that could lock is under way"),
    })
}

fn reasons(decision: &Decision) -> String {
    let codes: Vec<String> = decision.reasons.iter().map(|reason| reason.code()).collect();
    format!("score {:.3} of {:.3}; {}", decision.scores.matching, decision.scores.threshold, codes.join(", "))
}

/// How it went, for the person who tests: no numbers, nothing to climb by.
fn in_words(decision: &Decision, end: &FinalOutcome) -> String {
    if end.outcome == Outcome::Success {
        return "recognised".into();
    }
    let mut words: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    words.dedup();
    words.join("; ")
}
