//! What an attempt's thread does, from the first word to the verdict.
//!
//! # Layout
//! - `login`: `Begin` and `Test`; `password_step`, `draw`: its password, its challenges
//! - `adaptation`: what a login's gesture may add to a template
//! - `enrolment`: `Enroll`
//! - `change`: `Remove`, `SetPassword`, and the right to change
//! - `watch`: a session on the camera
//! - `verdict`: what is told to whom

mod adaptation;
pub mod change;
mod draw;
pub mod enrolment;
pub mod login;
mod password_step;
pub mod verdict;
mod watch;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pose_contract::{FLOOR_MS, Outcome};

use crate::accounts::{self, Account};
use crate::arguments::{EnrolOptions, Origin};
use crate::attempt::{Attempt, Stop};
use crate::audit::Source;
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::lockout::Moment;
use crate::place::Place;
use crate::refusal::Refusal;
use crate::secret::recovery::RecoveryCode;
use crate::store::{StoreError, TryId};
use verdict::Verdict;

/// How the thread tells the bus side that the attempt has begun, or why it has not.
pub type Begun = async_channel::Sender<Result<(), Refusal>>;

/// Longest time at a prompt. A greeter may show one for a night; a forgotten one ends some day.
const PROMPT_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// The first call is answered on a multiple of this after its thread began. How long the store takes tells whether
/// there is an account and an enrolment: 0.2 to 0.4 ms, which a caller that asks a few dozen times can see.
const BEAT: Duration = Duration::from_millis(10);

/// What a caller wants.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are the bus method's arguments")]
pub enum Task {
    /// A login, or the same without a door behind it.
    Login { user: String, service: String, origin: Origin, place: Place, test: bool },
    /// A first or further enrolment.
    Enrol { user: String, options: EnrolOptions, place: Place },
    /// Removal of an enrolment.
    Remove { user: String, place: Place },
    /// A new password for an enrolment.
    SetPassword { user: String, place: Place },
}

impl Task {
    /// Whether it surely comes to the camera unless something refuses it before.
    #[must_use]
    pub fn needs_camera(&self) -> bool {
        matches!(self, Self::Login { .. } | Self::Enrol { .. })
    }

    /// Where its caller sits.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::Login { place, .. }
            | Self::Enrol { place, .. }
            | Self::Remove { place, .. }
            | Self::SetPassword { place, .. } => place,
        }
    }
}

/// One attempt's thread.
pub(crate) struct Work<'a> {
    pub(crate) daemon: &'a Daemon,
    pub(crate) attempt: &'a Arc<Attempt>,
    begun: &'a Begun,
    since: Instant,
    /// The try that this attempt has reserved and not ended.
    open_try: Cell<Option<TryId>>,
    /// The recovery code that this attempt has used up.
    recovered_with: Cell<Option<RecoveryCode>>,
}

/// Runs the attempt to its end; the caller gets exactly one verdict, or the refusal of its first call.
pub fn run(daemon: &Daemon, attempt: &Arc<Attempt>, task: Task, begun: &Begun) {
    let work = Work::new(daemon, attempt, begun);
    let names = Names::of(&task);
    let verdict = match work.guarded(|| work.carry_out(task)) {
        Ok(verdict) => verdict,
        Err(refusal) => {
            daemon.attempts.remove(&attempt.id);
            work.wait_for_beat();
            let _ = begun.try_send(Err(refusal));
            return;
        }
    };
    names.write(daemon, attempt, &verdict);
    // Hosts take an instant answer for a dead lane, and an early one would tell which check failed.
    std::thread::sleep(attempt.last_sign().after(Duration::from_millis(FLOOR_MS)).left());
    if attempt.stopped() != Some(Stop::Vanished) {
        attempt.tell(verdict.for_caller(attempt.caller.uid));
    }
    daemon.attempts.done(&attempt.id);
    // A thread that panicked before its first word has not answered the first call yet.
    let _ = begun.try_send(Ok(()));
}

impl<'a> Work<'a> {
    fn new(daemon: &'a Daemon, attempt: &'a Arc<Attempt>, begun: &'a Begun) -> Self {
        Self {
            daemon,
            attempt,
            begun,
            since: Instant::now(),
            open_try: Cell::new(None),
            recovered_with: Cell::new(None),
        }
    }

    /// No panic and no failing store leaves a try behind that nobody ends: it would count as under way, and once it
    /// could lock, nobody else could begin one.
    fn guarded(&self, body: impl FnOnce() -> Result<Verdict, Refusal>) -> Result<Verdict, Refusal> {
        let panicked = |_| Ok(Verdict::of(Outcome::Internal, "an attempt's thread panicked"));
        let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(panicked);
        if let Some(id) = self.open_try.take() {
            self.daemon.strand(id);
        }
        result
    }
}

impl Work<'_> {
    fn carry_out(&self, task: Task) -> Result<Verdict, Refusal> {
        match task {
            Task::Login { user, service, origin, place, test } => {
                login::run(self, &login::Login { user, service, origin, place, test })
            }
            Task::Enrol { user, options, place } => enrolment::run(self, &user, &options, &place),
            Task::Remove { user, place } => change::remove(self, &user, &place),
            Task::SetPassword { user, place } => change::set_password(self, &user, &place),
        }
    }

    /// The first call is answered: from here on the verdict is the only answer.
    pub(crate) fn answer_first_call(&self) {
        self.wait_for_beat();
        let _ = self.begun.try_send(Ok(()));
    }

    fn wait_for_beat(&self) {
        let (beat, gone) = (BEAT.as_nanos(), self.since.elapsed().as_nanos());
        let left = u64::try_from(beat - gone % beat).unwrap_or_default();
        std::thread::sleep(Duration::from_nanos(left));
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.attempt.caller
    }

    /// The account of a name that the caller may ask about; `None` only for root and a name that is no account.
    pub(crate) fn account(&self, name: &str) -> Result<Option<Account>, Refusal> {
        let account = accounts::by_name(name).map_err(Refusal::internal)?;
        let allowed = match &account {
            Some(account) => self.caller().may_ask_about(account.uid),
            None => self.caller().uid == 0,
        };
        // The same words for a foreign name and for one that does not exist.
        let refused = || Refusal::NotAuthorized("only root asks for others; name your own user".into());
        if allowed { Ok(account) } else { Err(refused()) }
    }

    /// The account of a name for changes, where a name that is no account is an error to root as well.
    pub(crate) fn existing_account(&self, name: &str) -> Result<Account, Refusal> {
        self.account(name)?.ok_or_else(|| {
            Refusal::InvalidArgument("no account has that name; check it with getent passwd".into())
        })
    }

    /// Now, for the lock-out.
    pub(crate) fn now(&self) -> Result<Moment, Verdict> {
        Moment::now().map_err(|error| Verdict::of(Outcome::Internal, error.to_string()))
    }
}

/// The verdict of a store that did not answer. "Not enrolled" is never made of it.
pub(crate) fn store_failed(error: StoreError) -> Verdict {
    tracing::error!(%error, "the store failed");
    Verdict::of(Outcome::StoreError, error.to_string())
}

/// The same before the first call is answered.
pub(crate) fn store_refused(error: StoreError) -> Refusal {
    tracing::error!(%error, "the store failed");
    Refusal::Store("the enrolments cannot be read or written; run posectl doctor as root".into())
}

/// What the audit line says about where an attempt came from.
struct Names {
    user: String,
    service: String,
    tty: String,
    rhost: String,
}

impl Names {
    fn of(task: &Task) -> Self {
        let plain = |user: &str, service: &str| Self {
            user: user.into(),
            service: service.into(),
            tty: String::new(),
            rhost: String::new(),
        };
        match task {
            Task::Login { user, service, origin, .. } => {
                Self { tty: origin.tty.clone(), rhost: origin.rhost.clone(), ..plain(user, service) }
            }
            Task::Enrol { user, .. } => plain(user, "Enroll"),
            Task::Remove { user, .. } => plain(user, "Remove"),
            Task::SetPassword { user, .. } => plain(user, "SetPassword"),
        }
    }

    fn write(&self, daemon: &Daemon, attempt: &Attempt, verdict: &Verdict) {
        let source = Source {
            caller_uid: attempt.caller.uid,
            service: &self.service,
            tty: &self.tty,
            rhost: &self.rhost,
        };
        // A name that is no account may be a password typed at the wrong prompt.
        let user = verdict.known_user.then_some(self.user.as_str());
        daemon.audit.verdict(user, &source, verdict.outcome, &verdict.reason);
    }
}

#[cfg(test)]
mod tests;
