//! A login: try, password, pose, verdict. Also `Test`, and the full pass that a change needs.

use std::time::Duration;

use pose_contract::{Outcome, ask, instruction};
use pose_engine::challenge::{Movement, ResponseWindow};
use pose_engine::decide::Decision;
use pose_engine::session::{End, Limits, Session};
use pose_engine::template::Template;

use super::verdict::Verdict;
use super::{PROMPT_LIMIT, Work, store_failed, store_refused};
use crate::accounts::Account;
use crate::arguments::Origin;
use crate::config::Attempt as Rules;
use crate::lockout::{self, Turn};
use crate::place::Place;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::secret::recovery::RecoveryCode;
use crate::store::{Begun, FinalOutcome, Gate, Judgement, Mode, Standing};

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
    let pass = Pass {
        work,
        typed: &login.user,
        account: account.as_ref(),
        mode: if pose_only { Mode::PoseOnly } else { Mode::OwnPassword },
        question: ask::PASSWORD,
        rules: work.daemon.config.attempt_for(&login.service),
        timeout: login.origin.timeout,
        words: login.test,
    };
    let begun = pass.begin()?;
    work.answer_first_call();
    let verdict = pass.run(&begun);
    Ok(if account.is_some() { verdict } else { verdict.of_unknown_user() })
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
    pub(super) timeout: Duration,
    /// Whether the person is told in words how it went.
    pub(super) words: bool,
}

/// What the pose came to, before the deciding transaction.
struct Judged {
    outcome: Outcome,
    reason: String,
    text: Option<String>,
    stream: Option<Vec<u8>>,
    version: Option<u32>,
    decision: Option<Decision>,
}

/// An attempt that ended before its pose was judged.
struct Ended {
    verdict: Verdict,
    /// What the store makes of the try.
    judged_as: Outcome,
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
        let mut store = self.work.daemon.store();
        store.begin(self.typed, self.account, origin, self.mode, limits, &now).map_err(store_refused)
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
        let (version, templates) = self.templates(account)?;
        let limits = self.limits();
        let challenges = pick_challenges(self.rules.challenges)?;
        let mut told = false;
        let watched = self.work.watch(
            self.work.daemon.next_turn(),
            self.timeout,
            |start_us| Session::verify(templates, challenges, limits, start_us),
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
                text: decision.reasons.first().map(ToString::to_string),
                stream: Some(watched.stream),
                version: Some(version),
                decision: Some(decision),
            },
            End::Failed { outcome, text } => Judged::without_capture(outcome, text),
            End::Enrolled { .. } => {
                Judged::without_capture(Outcome::Internal, "a login ended as an enrolment".into())
            }
        })
    }

    /// Asks for the password and checks it, at the same cost for every name. `Some` when a recovery code took its
    /// place and the pose's.
    fn check_password(&self, begun: &Begun) -> Result<Option<Judged>, Ended> {
        let text = if self.question == ask::PASSWORD { "Password: " } else { "Password or recovery code: " };
        let secret = self.work.attempt.ask(self.question, text, PROMPT_LIMIT).map_err(Verdict::stopped)?;
        self.take_turn(begun)?;
        if self.question == ask::PASSWORD_OR_RECOVERY && self.uses_recovery_code(&secret)? {
            return Ok(Some(Judged::without_capture(Outcome::Done, "recovery code used".into())));
        }
        let right = self.is_password(&secret)?;
        drop(secret);
        let wrong = || Verdict::of(Outcome::WrongPassword, "wrong password");
        match begun.standing {
            // There is nothing to compare with; the next password waits its turn all the same.
            Standing::NotEnrolled | Standing::Removed | Standing::Recreated => {
                self.capture_anyway();
                let verdict = refuse_standing(begun.standing).err().unwrap_or_else(wrong);
                Err(Ended { verdict, judged_as: Outcome::WrongPassword })
            }
            _ if !right => {
                self.capture_anyway();
                Err(wrong().into())
            }
            standing => {
                refuse_standing(standing)?;
                self.pass_gate(begun).map(|()| None)
            }
        }
    }

    /// From here on the try counts.
    fn pass_gate(&self, begun: &Begun) -> Result<(), Ended> {
        let now = self.work.now()?;
        let limits = &self.work.daemon.config.lockout;
        match self.work.daemon.store().password_right(begun.id, limits, &now).map_err(store_failed)? {
            Gate::Go => Ok(()),
            Gate::Stop(standing) => {
                refuse_standing(standing)?;
                Err(Verdict::of(Outcome::Internal, "the store stopped an open try").into())
            }
        }
    }

    /// Waits for this password's turn, so that guesses come one delay apart however many callers send them.
    fn take_turn(&self, begun: &Begun) -> Result<(), Verdict> {
        let now = self.work.now()?;
        let limits = &self.work.daemon.config.lockout;
        let turn = self.work.daemon.store().password_turn(begun.id, limits, &now).map_err(store_failed)?;
        match turn {
            Turn::After(wait) => self.work.attempt.pause(wait).map_err(Verdict::stopped),
            Turn::TooMany => Err(Verdict::of(Outcome::Busy, "too many passwords wait to be checked")
                .with_text("Too many tries at once; wait a moment and try again")),
        }
    }

    fn is_password(&self, secret: &Secret) -> Result<bool, Verdict> {
        let stored = match self.account {
            Some(account) => self.work.daemon.store().password(account).map_err(store_failed)?,
            None => None,
        };
        let checked = self.work.daemon.passwords.check(secret, stored.as_ref().map(|phc| phc.as_str()));
        let checked = checked.map_err(|error| Verdict::of(Outcome::Internal, error.to_string()))?;
        if let (true, Some(account)) = (checked.rehash, self.account) {
            self.renew_hash(account, secret);
        }
        Ok(checked.right)
    }

    /// The configured cost has changed: the hash follows with the first right password. No login fails for it.
    fn renew_hash(&self, account: &Account, secret: &Secret) {
        let hash = self.work.daemon.passwords.hash(secret).map_err(|error| error.to_string());
        let renewed = hash.and_then(|phc| {
            let mut store = self.work.daemon.store();
            store.renew_password_hash(account, &phc).map_err(|error| error.to_string())
        });
        if let Err(error) = renewed {
            tracing::warn!("the password hash of {} keeps its old cost: {error}", account.name);
        }
    }

    fn uses_recovery_code(&self, secret: &Secret) -> Result<bool, Verdict> {
        let (Some(account), Some(code)) = (self.account, RecoveryCode::parse(secret)) else {
            return Ok(false);
        };
        let actor = self.work.caller().uid;
        let used = self.work.daemon.store().use_recovery_code(account, &code, actor).map_err(store_failed)?;
        if used {
            self.work.daemon.audit.change(&account.name, actor, "recovery code used");
        }
        Ok(used)
    }

    /// Where configured, the camera's light does not tell that the password was wrong.
    fn capture_anyway(&self) {
        if !self.rules.capture_always {
            return;
        }
        let Ok(challenges) = pick_challenges(self.rules.challenges) else { return };
        let limits = self.limits();
        let session = |start_us| Session::verify(Vec::new(), challenges, limits, start_us);
        let _ = self.work.watch(self.work.daemon.next_turn(), self.timeout, session, |_| Ok(()));
    }

    fn templates(&self, account: &Account) -> Result<(u32, Vec<Template>), Verdict> {
        let (version, stored) = self.work.daemon.store().templates(account).map_err(store_failed)?;
        let decode = |stored: &crate::store::StoredTemplate| Template::decode(&stored.template);
        let templates: Result<_, _> = stored.iter().map(decode).collect();
        templates
            .map(|templates| (version, templates))
            .map_err(|error| Verdict::of(Outcome::StoreError, error.to_string()))
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
            ..Limits::default()
        }
    }

    fn conclude(&self, begun: &Begun, judged: &Judged) -> Verdict {
        let judgement =
            Judgement { outcome: judged.outcome, stream: judged.stream.as_deref(), version: judged.version };
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
        self.work.daemon.store().conclude(begun.id, judgement, limits, &now).map_err(store_failed)
    }
}

impl Judged {
    fn without_capture(outcome: Outcome, text: String) -> Self {
        Self { outcome, reason: text.clone(), text: Some(text), stream: None, version: None, decision: None }
    }
}

/// Ends an attempt that cannot succeed, whatever is shown.
fn refuse_standing(standing: Standing) -> Result<(), Verdict> {
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

/// So many distinct movements, each as likely as any other.
fn pick_challenges(count: u8) -> Result<Vec<Movement>, Verdict> {
    let mut left = Movement::ALL.to_vec();
    let mut picked = Vec::new();
    while picked.len() < usize::from(count) && !left.is_empty() {
        picked.push(left.swap_remove(below(left.len())?));
    }
    Ok(picked)
}

/// A random number below `bound` (at most 256), without bias.
fn below(bound: usize) -> Result<usize, Verdict> {
    let highest_multiple = 256 - 256 % bound;
    loop {
        let mut byte = [0u8; 1];
        getrandom::fill(&mut byte).map_err(|error| Verdict::of(Outcome::Internal, error.to_string()))?;
        let [value] = byte.map(usize::from);
        if value < highest_multiple {
            return Ok(value % bound);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_distinct_and_all_of_them_come() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..400 {
            let picked = pick_challenges(2).unwrap();
            assert_eq!(picked.len(), 2);
            assert_ne!(picked[0], picked[1]);
            seen.extend(picked.iter().map(|movement| movement.name()));
        }
        assert_eq!(seen.len(), Movement::ALL.len());
        assert_eq!(pick_challenges(200).unwrap().len(), Movement::ALL.len());
        assert!(pick_challenges(0).unwrap().is_empty());
    }
}
