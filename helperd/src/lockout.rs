//! Lock-out and delay as pure decisions: counters and moments in, states out. The store keeps the counters.
//!
//! Refused poses after a right password count. From the `lock_after`th in a row on, each locks for a time that
//! doubles up to a ceiling; from the `off_after`th on the login with a pose is off until root or a recovery code
//! ends it. Wrong passwords never count here: they delay ([`Delay`]), so that nobody can lock somebody else out.
//! Time is boot time together with the boot's id: setting the clock moves nothing, and a reboot restarts a lock
//! whole.

mod moment;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use moment::{BootId, Moment};

/// Who asks: each has counters of its own, and a success resets only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A caller with uid 0: a login program, sudo, su.
    Root,
    /// The user's own processes: lockers.
    Own,
}

impl Origin {
    /// Both, for tables.
    pub const ALL: [Self; 2] = [Self::Root, Self::Own];

    /// The origin of a caller.
    #[must_use]
    pub fn of_caller(uid: u32) -> Self {
        if uid == 0 { Self::Root } else { Self::Own }
    }
}

/// The numbers of lock-out and delay (`[lockout]` of the configuration). Defaults after NIST SP 800-63B-4
/// (5 failures, then at least 30 s each, off at 50) and Android's class 3 (5 failures, then 30 s).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Refused tries in a row from which on each locks.
    pub lock_after: u32,
    /// First lock, seconds.
    pub first_lock_seconds: u32,
    /// Longest lock, seconds.
    pub longest_lock_seconds: u32,
    /// Refused tries in a row from which on the pose login is off.
    pub off_after: u32,
    /// Tries in a row in which nothing was judged that are given back; further ones count as refused.
    pub unjudged_given_back: u32,
    /// Wrong passwords in a row that cost no delay.
    pub wrong_passwords_free: u32,
    /// Longest delay before a password is checked, milliseconds. Well below a login's own time limit, so that the
    /// owner gets in while somebody else keeps guessing.
    pub longest_delay_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lock_after: 5,
            first_lock_seconds: 30,
            longest_lock_seconds: 3600,
            off_after: 50,
            unjudged_given_back: 10,
            wrong_passwords_free: 3,
            longest_delay_ms: 4000,
        }
    }
}

/// A lock that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// When it began.
    pub since: Moment,
    /// How long it lasts, milliseconds.
    pub ms: u64,
}

/// Refused tries of one user from one origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Refused tries since the last success.
    pub failures: u32,
    /// Tries given back since the last one that was judged.
    pub unjudged: u32,
    /// The lock of the last refused try, if it had one; it may have ended.
    pub lock: Option<Lock>,
}

/// What a counter means now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A try may begin.
    Open,
    /// Locked for this long (at least one millisecond).
    Locked(Duration),
    /// Off until root or a recovery code ends it.
    Off,
}

impl State {
    /// Seconds for people, rounded up; `None` when open or off.
    #[must_use]
    pub fn seconds(self) -> Option<u64> {
        match self {
            Self::Locked(left) => Some(u64::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)),
            Self::Open | Self::Off => None,
        }
    }
}

impl Counter {
    /// Whether a try may begin.
    #[must_use]
    pub fn state(&self, limits: &Limits, now: &Moment) -> State {
        if self.failures >= limits.off_after {
            return State::Off;
        }
        match self.lock.map_or(0, |lock| lock.left_ms(limits, now)) {
            0 => State::Open,
            left => State::Locked(Duration::from_millis(left)),
        }
    }

    /// Tries that may be under way together before one of them would lock or switch off: at least one, and one
    /// alone once every further refusal locks.
    #[must_use]
    pub fn tries_left(&self, limits: &Limits) -> u32 {
        limits.lock_after.min(limits.off_after).saturating_sub(self.failures).max(1)
    }

    /// A try was judged and refused.
    pub fn refused(&mut self, limits: &Limits, now: &Moment) {
        self.failures = self.failures.saturating_add(1);
        self.unjudged = 0;
        if self.failures >= limits.lock_after {
            let doublings = self.failures - limits.lock_after;
            let ms = doubled(u64::from(limits.first_lock_seconds) * 1000, doublings);
            let ms = ms.min(u64::from(limits.longest_lock_seconds) * 1000);
            self.lock = Some(Lock { since: *now, ms });
        }
    }

    /// A try ended without a judgement: given back, or counted when too many were in a row.
    pub fn not_judged(&mut self, limits: &Limits, now: &Moment) {
        if self.unjudged >= limits.unjudged_given_back {
            self.refused(limits, now);
        } else {
            self.unjudged += 1;
        }
    }

    /// A full pass from this origin, or an unlock.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Lock {
    fn left_ms(self, limits: &Limits, now: &Moment) -> u64 {
        let ms = self.ms.min(u64::from(limits.longest_lock_seconds) * 1000);
        ms.saturating_sub(now.ms_since(&self.since))
    }
}

/// Wrong passwords for one name from one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Wrong passwords in a row.
    pub wrong: u32,
    /// Before this moment no further password is checked.
    pub next: Moment,
}

/// When a password may be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// After this wait (zero: now).
    After(Duration),
    /// Too many are waiting already: refuse without checking.
    TooMany,
}

impl Delay {
    /// Without wrong passwords.
    #[must_use]
    pub fn none(now: Moment) -> Self {
        Self { wrong: 0, next: now }
    }

    /// Takes a turn: passwords for one name are checked one delay apart, however many callers send them.
    pub fn take_turn(&mut self, limits: &Limits, now: &Moment) -> Turn {
        let longest = u64::from(limits.longest_delay_ms);
        let wait = self.next.ms_until(now).min(longest);
        if wait > 0 && wait == longest && self.next.ms_until(now) > longest {
            return Turn::TooMany;
        }
        self.next = now.plus_ms(wait + self.step_ms(limits));
        Turn::After(Duration::from_millis(wait))
    }

    /// A wrong password was checked.
    pub fn wrong(&mut self, limits: &Limits, now: &Moment) {
        self.wrong = self.wrong.saturating_add(1);
        let next = now.plus_ms(self.step_ms(limits));
        if next.ms_until(now) > self.next.ms_until(now) {
            self.next = next;
        }
    }

    fn step_ms(&self, limits: &Limits) -> u64 {
        match self.wrong.checked_sub(limits.wrong_passwords_free.saturating_add(1)) {
            None => 0,
            Some(doublings) => doubled(500, doublings).min(u64::from(limits.longest_delay_ms)),
        }
    }
}

/// `ms` doubled so many times, without overflow.
fn doubled(ms: u64, doublings: u32) -> u64 {
    if doublings >= 32 { ms.saturating_mul(1 << 32) } else { ms.saturating_mul(1 << doublings) }
}

#[cfg(test)]
mod tests;
