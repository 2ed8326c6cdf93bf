//! The deciding transaction: what a judgement becomes after everything was read again.

use pose_contract::Outcome;
use rusqlite::Transaction;

use super::super::users::{Adapted, UserRow, keep, read_user};
use super::super::{StoreError, delays, generation, replay};
use super::row::{Phase, Try, counter, write_counter};
use crate::keys::KeyRing;
use crate::lockout::{Counter, Limits, Moment, State};

/// What the pose and everything before it came to.
#[derive(Clone, Copy, Debug)]
pub struct Judgement<'a> {
    /// The outcome so far.
    pub outcome: Outcome,
    /// Canonical bytes (or a hash) of the attempt's landmark stream, to notice one that comes again. `None` when
    /// nothing was captured; success without one is refused.
    pub stream: Option<&'a [u8]>,
    /// Template version that the match was made with; success with another than the stored one is refused.
    pub version: Option<u32>,
    /// A recording to keep beside the enrolled ones if, and only if, this ends in success.
    pub adapted: Option<Adapted<'a>>,
}

impl Judgement<'_> {
    /// Without a captured stream.
    #[must_use]
    pub fn of(outcome: Outcome) -> Self {
        Self { outcome, stream: None, version: None, adapted: None }
    }
}

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalOutcome {
    /// The outcome, exact: the caller coarsens it for those who may not know.
    pub outcome: Outcome,
    /// Seconds that the user is locked from now on, when this try locked or ran into a lock.
    pub locked_seconds: Option<u64>,
    /// The pose login is off until unlocked.
    pub off: bool,
    /// An exact repetition of an earlier attempt's stream made it [`Outcome::NotLive`].
    pub replayed: bool,
}

/// What a try's end does to the counter.
enum Effect {
    None,
    GiveBack,
    Count,
    Reset,
}

pub(super) fn decide(
    transaction: &Transaction<'_>,
    keys: &KeyRing,
    this: &Try,
    judgement: &Judgement<'_>,
    limits: &Limits,
    now: &Moment,
) -> Result<FinalOutcome, StoreError> {
    let plain = |outcome| FinalOutcome { outcome, locked_seconds: None, off: false, replayed: false };
    if judgement.outcome == Outcome::WrongPassword {
        let mut delay = delays::read(transaction, &this.tag, this.origin, now)?;
        delay.wrong(limits, now);
        delays::write(transaction, &this.tag, this.origin, &delay)?;
        // After a right password there is no wrong one: a confused caller gains nothing by saying so.
        if this.phase == Phase::Begun {
            return Ok(plain(Outcome::WrongPassword));
        }
    }
    let Some(user) = this.user.map(|id| read_user(transaction, id)).transpose()? else {
        return Ok(plain(never_success(judgement.outcome)));
    };
    let mut counter = counter(transaction, user.id, this.origin)?;
    let mut end = plain(judgement.outcome);
    if counter.state(limits, now) != State::Open {
        // A lock that another try brought meanwhile holds for this one too, whatever it showed.
        end.outcome = Outcome::LockedOut;
    } else if judgement.outcome == Outcome::Success && !still_valid(this, &user, judgement) {
        end.outcome = Outcome::Refused;
    }
    if replayed(transaction, keys, &user, judgement)? && (judged(end.outcome)) {
        end.outcome = Outcome::NotLive;
        end.replayed = true;
    }
    if let Some(adapted) = judgement.adapted.as_ref().filter(|_| end.outcome == Outcome::Success) {
        keep(transaction, keys, &user, adapted)?;
    }
    let failures = counter.failures;
    apply(effect(this.phase, end.outcome), &mut counter, limits, now);
    if counter.failures > failures {
        generation::raise(transaction)?;
    }
    write_counter(transaction, user.id, this.origin, &counter)?;
    let state = counter.state(limits, now);
    end.locked_seconds = state.seconds();
    end.off = state == State::Off;
    Ok(end)
}

/// What a success still needs at the moment of the decision.
fn still_valid(this: &Try, user: &UserRow, judgement: &Judgement<'_>) -> bool {
    this.phase >= Phase::Judging
        && user.removed.is_none()
        && user.version == this.version
        && judgement.version == Some(user.version)
        && judgement.stream.is_some()
}

fn judged(outcome: Outcome) -> bool {
    outcome == Outcome::Success || outcome.counts()
}

fn replayed(
    transaction: &Transaction<'_>,
    keys: &KeyRing,
    user: &UserRow,
    judgement: &Judgement<'_>,
) -> Result<bool, StoreError> {
    match judgement.stream {
        Some(stream) if user.removed.is_none() => {
            replay::seen_before(transaction, user.id, &user.key(keys)?, stream)
        }
        _ => Ok(false),
    }
}

fn effect(phase: Phase, outcome: Outcome) -> Effect {
    match outcome {
        Outcome::Success => Effect::Reset,
        Outcome::LockedOut => Effect::None,
        _ if phase == Phase::Begun => Effect::None,
        outcome if outcome.counts() => Effect::Count,
        // Our own faults are nobody's failed try, but they must not be a free way out of a challenge either.
        Outcome::StoreError | Outcome::Internal => Effect::GiveBack,
        _ if phase == Phase::Shown => Effect::Count,
        // Found before anything was captured; says nothing about the person.
        Outcome::Remote
        | Outcome::LidClosed
        | Outcome::CameraMissing
        | Outcome::CameraBusy
        | Outcome::Busy => Effect::None,
        _ => Effect::GiveBack,
    }
}

fn apply(effect: Effect, counter: &mut Counter, limits: &Limits, now: &Moment) {
    match effect {
        Effect::None => {}
        Effect::GiveBack => counter.not_judged(limits, now),
        Effect::Count => counter.refused(limits, now),
        Effect::Reset => counter.reset(),
    }
}

/// For a try without an enrolled user.
fn never_success(outcome: Outcome) -> Outcome {
    if outcome == Outcome::Success { Outcome::Refused } else { outcome }
}
