//! How much a caller may ask of the daemon: calls at once and calls per second, per uid.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::boottime::BootTime;
use crate::refusal::Refusal;

/// Calls of all callers that are answered at once; the bus itself bounds what waits beyond.
const AT_ONCE: u32 = 192;
/// Calls of one uid other than root that are answered at once: one `Next` for each attempt and some to spare.
const AT_ONCE_PER_USER: u32 = 12;
/// Calls a uid other than root may save up, and gets back per second. A login needs about 20 in 10 s.
const SAVED: f64 = 60.0;
const PER_SECOND: f64 = 10.0;
/// Uids remembered.
const REMEMBERED: usize = 256;

/// The bookkeeping of all callers.
#[derive(Clone, Default)]
pub struct Allowances(Arc<Mutex<State>>);

struct State {
    at_once: u32,
    users: HashMap<u32, User>,
    last_call: BootTime,
}

impl Default for State {
    fn default() -> Self {
        Self { at_once: 0, users: HashMap::new(), last_call: BootTime::now() }
    }
}

struct User {
    at_once: u32,
    saved: f64,
    since: BootTime,
}

/// A call that is being answered.
pub struct Allowed {
    all: Allowances,
    uid: u32,
}

impl Allowances {
    /// Lets a call in.
    ///
    /// # Errors
    /// [`Refusal::Busy`] when the caller's uid or everybody together asks too much.
    pub fn enter(&self, uid: u32) -> Result<Allowed, Refusal> {
        let mut state = self.state();
        state.last_call = BootTime::now();
        let busy =
            |what: &str| Err(Refusal::Busy(format!("too many calls {what}; wait a second and call again")));
        // Root gets in even when users fill the house.
        if uid != 0 && state.at_once >= AT_ONCE {
            return busy("at once");
        }
        if uid != 0 {
            if state.users.len() >= REMEMBERED {
                state.users.retain(|_, user| user.at_once > 0 || user.refilled() < SAVED);
            }
            let user = state.users.entry(uid).or_insert_with(User::new);
            user.saved = user.refilled();
            user.since = BootTime::now();
            if user.at_once >= AT_ONCE_PER_USER {
                return busy("at once");
            }
            if user.saved < 1.0 {
                return busy("in a short time");
            }
            user.saved -= 1.0;
            user.at_once += 1;
        }
        state.at_once += 1;
        Ok(Allowed { all: self.clone(), uid })
    }

    /// How long nobody has called.
    #[must_use]
    pub fn idle_for(&self) -> std::time::Duration {
        self.state().last_call.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        match self.0.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl User {
    fn new() -> Self {
        Self { at_once: 0, saved: SAVED, since: BootTime::now() }
    }

    fn refilled(&self) -> f64 {
        (self.saved + self.since.elapsed().as_secs_f64() * PER_SECOND).min(SAVED)
    }
}

impl Drop for Allowed {
    fn drop(&mut self) {
        let mut state = self.all.state();
        state.at_once = state.at_once.saturating_sub(1);
        if let Some(user) = state.users.get_mut(&self.uid) {
            user.at_once = user.at_once.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_uid_cannot_take_everybodys_calls() {
        let all = Allowances::default();
        let held: Vec<_> = (0..AT_ONCE_PER_USER).map(|_| all.enter(1000).ok().unwrap()).collect();
        assert!(all.enter(1000).is_err());
        assert!(all.enter(1001).is_ok());
        assert!(all.enter(0).is_ok());
        drop(held);
        assert!(all.enter(1000).is_ok());
    }

    #[test]
    fn a_burst_is_bounded() {
        let all = Allowances::default();
        let let_in = (0..10_000).filter(|_| all.enter(1000).is_ok()).count();
        assert!((60..1_000).contains(&let_in), "{let_in}");
        assert!((0..1_000).all(|_| all.enter(0).is_ok()), "root is not counted");
    }
}
