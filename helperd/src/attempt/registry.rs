//! All attempts that live, by id, and how many each caller may have.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Attempt, Stop};
use crate::boottime::BootTime;
use crate::caller::Caller;
use crate::config::RequestLimits;
use crate::refusal::Refusal;

/// A verdict that nobody fetches is forgotten after this long.
const UNREAD: Duration = Duration::from_secs(60);

/// All attempts that live. Each costs a thread, a descriptor and some kilobytes.
pub struct Registry {
    state: Mutex<State>,
    per_user: usize,
    total: usize,
    per_minute: f64,
}

#[derive(Default)]
struct State {
    entries: HashMap<String, Entry>,
    /// Attempts that each uid other than root may still begin, and since when that counts.
    budgets: HashMap<u32, (f64, BootTime)>,
}

struct Entry {
    attempt: Arc<Attempt>,
    done: Option<BootTime>,
}

impl Registry {
    /// With those limits. Callers that are not root have half of the total together: the rest stays root's.
    #[must_use]
    pub fn new(limits: &RequestLimits) -> Self {
        let number = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            state: Mutex::default(),
            per_user: number(limits.attempts_per_uid),
            total: number(limits.attempts_total),
            per_minute: f64::from(limits.begins_per_minute),
        }
    }

    /// Adds an attempt for `caller`.
    ///
    /// # Errors
    /// [`Refusal::Busy`] when the caller or the daemon has too many; [`Refusal::Internal`].
    pub fn add(&self, caller: Caller) -> Result<Arc<Attempt>, Refusal> {
        let mut state = self.state();
        let State { entries, budgets } = &mut *state;
        sweep(entries);
        let users = entries.values().filter(|entry| entry.attempt.caller.uid != 0).count();
        let own = entries.values().filter(|entry| entry.attempt.caller.uid == caller.uid).count();
        let full = if caller.uid == 0 {
            entries.len() >= self.total
        } else {
            own >= self.per_user || users >= self.users() || entries.len() >= self.total
        };
        if full {
            return Err(Refusal::Busy("too many attempts at once; end one or try again in a moment".into()));
        }
        if caller.uid != 0 && !self.spend(budgets, caller.uid) {
            return Err(Refusal::Busy(
                "too many attempts in a short time; wait a minute and try again".into(),
            ));
        }
        let attempt = Arc::new(Attempt::new(caller).map_err(Refusal::internal)?);
        entries.insert(attempt.id.clone(), Entry { attempt: Arc::clone(&attempt), done: None });
        Ok(attempt)
    }

    /// The attempt of that id, if it is `unique`'s own.
    ///
    /// # Errors
    /// [`Refusal::NoSuchAttempt`], the same for an unknown id and for somebody else's.
    pub fn find(&self, id: &str, unique: &str) -> Result<Arc<Attempt>, Refusal> {
        self.state()
            .entries
            .get(id)
            .filter(|entry| entry.attempt.caller.unique == unique)
            .map(|entry| Arc::clone(&entry.attempt))
            .ok_or_else(Refusal::no_such_attempt)
    }

    /// Forgets an attempt: its verdict was delivered, or it never started.
    pub fn remove(&self, id: &str) {
        self.state().entries.remove(id);
    }

    /// Marks an attempt whose thread has ended.
    pub fn done(&self, id: &str) {
        let entries = &mut self.state().entries;
        if let Some(entry) = entries.get_mut(id) {
            entry.done = Some(BootTime::now());
            entry.attempt.finished.store(true, Ordering::Release);
            if matches!(entry.attempt.stopped(), Some(Stop::Vanished)) {
                entries.remove(id);
            }
        }
    }

    /// The caller left the bus: its attempts end and are forgotten once their threads have.
    pub fn vanished(&self, unique: &str) {
        let entries = &mut self.state().entries;
        for entry in entries.values().filter(|entry| entry.attempt.caller.unique == unique) {
            entry.attempt.stop(Stop::Vanished);
        }
        entries.retain(|_, entry| entry.attempt.caller.unique != unique || entry.done.is_none());
    }

    /// A session came into the foreground or left it.
    pub fn session_active(&self, session: &str, active: bool) {
        for entry in self.state().entries.values().filter(|entry| entry.attempt.is_in_session(session)) {
            entry.attempt.away.store(!active, Ordering::Release);
        }
    }

    /// Ends all attempts.
    pub fn stop_all(&self, why: Stop) {
        for entry in self.state().entries.values() {
            entry.attempt.stop(why);
        }
    }

    /// Attempts whose threads still run.
    #[must_use]
    pub fn running(&self) -> usize {
        let entries = &mut self.state().entries;
        sweep(entries);
        entries.values().filter(|entry| entry.done.is_none()).count()
    }

    /// Takes one attempt from a uid's minute; the minute fills up again evenly.
    fn spend(&self, budgets: &mut HashMap<u32, (f64, BootTime)>, uid: u32) -> bool {
        let filled =
            |(left, since): &(f64, BootTime)| left + since.elapsed().as_secs_f64() / 60.0 * self.per_minute;
        budgets.retain(|_, budget| filled(budget) < self.per_minute);
        let left = budgets.get(&uid).map_or(self.per_minute, filled);
        if left < 1.0 {
            return false;
        }
        budgets.insert(uid, (left - 1.0, BootTime::now()));
        true
    }

    fn users(&self) -> usize {
        self.total.div_ceil(2)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

fn sweep(entries: &mut HashMap<String, Entry>) {
    entries.retain(|_, entry| entry.done.is_none_or(|done| done.elapsed() < UNREAD));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(uid: u32, connection: usize) -> Caller {
        Caller { unique: format!(":1.{connection}"), uid }
    }

    #[test]
    fn an_attempt_is_only_its_callers() {
        let registry = Registry::new(&RequestLimits::default());
        let attempt = registry.add(caller(1000, 1)).unwrap();
        assert!(registry.find(&attempt.id, ":1.1").is_ok());
        assert!(matches!(registry.find(&attempt.id, ":1.2"), Err(Refusal::NoSuchAttempt(_))));
        assert!(matches!(registry.find("", ":1.1"), Err(Refusal::NoSuchAttempt(_))));
    }

    #[test]
    fn callers_that_are_not_root_cannot_use_up_roots_share() {
        let registry = Registry::new(&RequestLimits::default());
        for uid in 1000..1100 {
            for connection in 0..10 {
                let _ = registry.add(caller(uid, connection));
            }
        }
        assert_eq!(registry.running(), registry.users());
        for _ in registry.users()..registry.total {
            registry.add(caller(0, 1)).unwrap();
        }
        assert!(matches!(registry.add(caller(0, 1)), Err(Refusal::Busy(_))));
    }

    #[test]
    fn a_user_begins_only_so_many_a_minute() {
        let limits = RequestLimits { begins_per_minute: 5, ..RequestLimits::default() };
        let registry = Registry::new(&limits);
        let begin = |uid| registry.add(caller(uid, 1)).map(|attempt| registry.remove(&attempt.id)).is_ok();
        let begun = |uid| (0..20).filter(|_| begin(uid)).count();
        assert_eq!(begun(1000), 5);
        assert_eq!(begun(1001), 5, "each uid has its own");
        assert_eq!(begun(0), 20, "root is not counted");
    }

    #[test]
    fn a_vanished_caller_leaves_nothing_behind() {
        let registry = Registry::new(&RequestLimits::default());
        let running = registry.add(caller(1000, 1)).unwrap();
        let unread = registry.add(caller(1000, 1)).unwrap();
        registry.done(&unread.id);
        registry.vanished(":1.1");
        assert_eq!(running.stopped(), Some(Stop::Vanished));
        assert!(registry.find(&unread.id, ":1.1").is_err());
        registry.done(&running.id);
        assert!(registry.state().entries.is_empty());
    }
}
