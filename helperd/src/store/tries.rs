//! Tries: reserved before anything is checked, concluded in one transaction that reads everything again.
//!
//! ```text
//! begin ──► begun ──password_right──► judging ──challenge_shown──► shown
//!             │                          │                           │
//!   conclude: a wrong password     a judgement counts;         whatever ends it
//!   delays, nothing else counts    without one it is given     but success counts
//!                                  back, a bounded number
//!                                  of times in a row
//! ```
//! With an earlier module's password the try begins in `judging`. A try that a crash left open ends as one that
//! was abandoned.

mod row;
mod verdict;

use pose_contract::Outcome;
use rusqlite::Transaction;

use super::users::{Found, find};
use super::{Store, StoreError, changes, delays, integrity, write};
use crate::accounts::Account;
use crate::lockout::{Limits, Moment, Origin, State, Turn};
use row::{Phase, Try, counter};
pub use verdict::{FinalOutcome, Judgement};

/// A try's random id, also usable as the attempt's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TryId(pub [u8; 16]);

/// Who checks the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The helper.
    OwnPassword,
    /// An earlier module of the stack did.
    PoseOnly,
}

/// How things stand for the user of a new try. Only [`Standing::Enrolled`] can end in success; for the others the
/// caller goes through the same prompts and tells the reason to uid 0 alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Go on.
    Enrolled,
    /// Never enrolled (in a store that is this machine's and sound).
    NotEnrolled,
    /// Removed; a tombstone is left.
    Removed,
    /// An account of this name or uid was enrolled, but it was another one: deny.
    Recreated,
    /// Locked for so many seconds; `None`: off until unlocked.
    LockedOut(Option<u64>),
    /// One more refused try would lock, and another one is under way: deny as busy.
    Busy,
}

/// A reserved try.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Names it.
    pub id: TryId,
    /// How things stand.
    pub standing: Standing,
}

/// Whether the pose phase may begin after a right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Go on.
    Go,
    /// Do not: as [`Standing`] says. The try stays open for its conclusion.
    Stop(Standing),
}

impl Store {
    /// Reserves a try, durably, before anything is checked. `account` is `None` for a typed name that is no
    /// account; it gets a try all the same.
    ///
    /// # Errors
    /// See [`StoreError`]; then no try may go on.
    pub fn begin(
        &mut self,
        typed: &str,
        account: Option<&Account>,
        origin: Origin,
        mode: Mode,
        limits: &Limits,
        now: &Moment,
    ) -> Result<Begun, StoreError> {
        let tag = self.tag(account.map_or(typed, |account| &account.name));
        let mut id = TryId([0; 16]);
        getrandom::fill(&mut id.0).map_err(|_| StoreError::Randomness)?;
        let transaction = write(&mut self.connection)?;
        let mut standing = Standing::NotEnrolled;
        let mut new = Try::new(id, tag, origin);
        // A name that is enrolled and no account's any more: deleted, or its directory is silent. Nobody's uid, so that
        // it is never taken for the enrolled one, nor for one that never was.
        let nobody = Account { name: typed.to_owned(), uid: u32::MAX };
        match find(&transaction, account.unwrap_or(&nobody))? {
            Found::Enrolled(user) if account.is_some() => {
                new.user = Some(user.id);
                new.version = user.version;
                standing = standing_of(&transaction, &new, limits, now)?;
                if mode == Mode::PoseOnly && standing == Standing::Enrolled {
                    new.phase = Phase::Judging;
                }
            }
            Found::Removed(_) => standing = Standing::Removed,
            Found::Enrolled(_) | Found::Recreated => standing = Standing::Recreated,
            Found::Unknown => {}
        }
        new.insert(&transaction)?;
        integrity::commit(transaction, &self.keys)?;
        Ok(Begun { id, standing })
    }

    /// When this try's password may be checked: wait that long, or refuse. Call it once a password is there.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn password_turn(&mut self, id: TryId, limits: &Limits, now: &Moment) -> Result<Turn, StoreError> {
        let transaction = write(&mut self.connection)?;
        let this = Try::read(&transaction, id)?;
        let mut delay = delays::read(&transaction, &this.tag, this.origin, now)?;
        let turn = delay.take_turn(limits, now);
        delays::write(&transaction, &this.tag, this.origin, &delay)?;
        integrity::commit(transaction, &self.keys)?;
        Ok(turn)
    }

    /// The password was right: from here on the try counts. Lock-out is read again.
    ///
    /// # Errors
    /// See [`StoreError`]; then the try may not go on.
    pub fn password_right(&mut self, id: TryId, limits: &Limits, now: &Moment) -> Result<Gate, StoreError> {
        let transaction = write(&mut self.connection)?;
        let mut this = Try::read(&transaction, id)?;
        if this.phase != Phase::Begun || this.user.is_none() {
            return Err(StoreError::WrongPhase);
        }
        delays::clear(&transaction, &this.tag, this.origin)?;
        let standing = standing_of(&transaction, &this, limits, now)?;
        if standing == Standing::Enrolled {
            this.phase = Phase::Judging;
            this.update_phase(&transaction)?;
        }
        integrity::commit(transaction, &self.keys)?;
        Ok(if standing == Standing::Enrolled { Gate::Go } else { Gate::Stop(standing) })
    }

    /// A challenge is about to be shown: from here on only success ends the try without counting. Durable before
    /// the person can see it.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing may be shown.
    pub fn challenge_shown(&mut self, id: TryId) -> Result<(), StoreError> {
        let transaction = write(&mut self.connection)?;
        let mut this = Try::read(&transaction, id)?;
        if this.phase == Phase::Begun {
            return Err(StoreError::WrongPhase);
        }
        this.phase = Phase::Shown;
        this.update_phase(&transaction)?;
        integrity::commit(transaction, &self.keys)?;
        Ok(())
    }

    /// Ends a try and decides: lock-out, template version and account are read again in the deciding transaction.
    /// The one place that turns a judgement into success; without its `Ok` nothing may be let in.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn conclude(
        &mut self,
        id: TryId,
        judgement: &Judgement<'_>,
        limits: &Limits,
        now: &Moment,
    ) -> Result<FinalOutcome, StoreError> {
        let transaction = write(&mut self.connection)?;
        let this = Try::read(&transaction, id)?;
        let outcome = verdict::decide(&transaction, &self.keys, &this, judgement, limits, now)?;
        this.delete(&transaction)?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        Ok(outcome)
    }

    /// Ends a try whose caller vanished or cancelled. Nothing happens when it has ended already.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn abandon(&mut self, id: TryId, limits: &Limits, now: &Moment) -> Result<(), StoreError> {
        match self.conclude(id, &Judgement::of(Outcome::Deadline), limits, now) {
            Ok(_) | Err(StoreError::NoSuchTry) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends all tries that an earlier process left open, each as abandoned. Call once after [`Store::open`].
    /// Answers how many there were.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn abandon_all(&mut self, limits: &Limits, now: &Moment) -> Result<usize, StoreError> {
        let ids: Vec<[u8; 16]> = self
            .connection
            .prepare("SELECT id FROM tries")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &ids {
            self.abandon(TryId(*id), limits, now)?;
        }
        Ok(ids.len())
    }

    /// How the lock-out of a user stands for an origin.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn lock_state(
        &self,
        account: &Account,
        origin: Origin,
        limits: &Limits,
        now: &Moment,
    ) -> Result<State, StoreError> {
        match find(&self.connection, account)? {
            Found::Enrolled(user) => Ok(counter(&self.connection, user.id, origin)?.state(limits, now)),
            _ => Ok(State::Open),
        }
    }

    /// Ends a user's lock-outs and delays (root's `unlock`). `false` when nobody of that name is enrolled.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn unlock(&mut self, name: &str, actor: u32) -> Result<bool, StoreError> {
        let tag = self.tag(name);
        let transaction = write(&mut self.connection)?;
        for origin in Origin::ALL {
            delays::clear(&transaction, &tag, origin)?;
        }
        transaction
            .execute("DELETE FROM counters WHERE user IN (SELECT id FROM users WHERE name = ?1)", [name])?;
        let known: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM users WHERE name = ?1 AND removed IS NULL)",
            [name],
            |row| row.get(0),
        )?;
        if known {
            changes::note(&transaction, actor, name, "unlocked")?;
        }
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        Ok(known)
    }
}

/// Lock-out of an enrolled user, and whether another counting try is under way that could lock.
fn standing_of(
    transaction: &Transaction<'_>,
    this: &Try,
    limits: &Limits,
    now: &Moment,
) -> Result<Standing, StoreError> {
    let Some(user) = this.user else { return Ok(Standing::NotEnrolled) };
    let counter = counter(transaction, user, this.origin)?;
    let state = counter.state(limits, now);
    Ok(match state {
        State::Locked(_) => Standing::LockedOut(state.seconds()),
        State::Off => Standing::LockedOut(None),
        State::Open if this.others_judging(transaction)? >= counter.tries_left(limits) => Standing::Busy,
        State::Open => Standing::Enrolled,
    })
}
