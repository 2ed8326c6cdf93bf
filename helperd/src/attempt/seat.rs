//! The camera's one owner at a time: root first and before users who hold it, users in turn.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::{Attempt, Stop};
use crate::boottime::BootTime;

/// How often a waiter looks whether its attempt was stopped.
const SLICE: Duration = Duration::from_millis(50);
/// Callers remembered for taking turns.
const REMEMBERED: usize = 256;

/// Who owns the camera and who waits.
#[derive(Default)]
pub struct Seat {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    owner: Option<Arc<Attempt>>,
    waiting: Vec<Waiter>,
    ticket: u64,
    /// When each uid last owned the camera, in tickets: who had it longest ago comes first.
    served: HashMap<u32, u64>,
}

struct Waiter {
    ticket: u64,
    uid: u32,
}

/// Why the camera could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSeated {
    /// Somebody else kept it for the whole wait.
    Busy,
    /// The attempt was stopped while it waited.
    Stopped(Stop),
}

/// The camera's ownership; dropping it lets the next one in.
pub struct Seated<'a> {
    seat: &'a Seat,
}

impl Seat {
    /// Waits until the camera is this attempt's. Root's attempt stops a user's that owns it.
    ///
    /// # Errors
    /// [`NotSeated`].
    pub fn take(&self, attempt: &Arc<Attempt>, limit: Duration) -> Result<Seated<'_>, NotSeated> {
        let deadline = BootTime::now().after(limit);
        let mut state = self.state();
        state.ticket += 1;
        let ticket = state.ticket;
        let uid = attempt.caller.uid;
        state.waiting.push(Waiter { ticket, uid });
        let result = loop {
            if let Some(why) = attempt.stopped() {
                break Err(NotSeated::Stopped(why));
            }
            match &state.owner {
                None if state.turn() == Some(ticket) => break Ok(()),
                Some(owner) if uid == 0 && owner.caller.uid != 0 => owner.stop(Stop::PreEmpted),
                _ => {}
            }
            let left = deadline.left();
            if left.is_zero() {
                break Err(NotSeated::Busy);
            }
            state = match self.changed.wait_timeout(state, left.min(SLICE)) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        };
        state.waiting.retain(|waiter| waiter.ticket != ticket);
        if result.is_ok() {
            state.owner = Some(Arc::clone(attempt));
            state.remember(uid, ticket);
        }
        drop(state);
        self.changed.notify_all();
        result.map(|()| Seated { seat: self })
    }

    /// Stops the attempt that owns the camera, if it is one of those.
    pub fn stop_owner(&self, why: Stop, those: impl Fn(&Attempt) -> bool) {
        if let Some(owner) = self.state().owner.as_ref().filter(|owner| those(owner)) {
            owner.stop(why);
        }
    }

    /// Whether somebody owns the camera now.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.state().owner.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        match self.state.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

impl State {
    /// The ticket whose turn it is: root, then whoever had the camera longest ago, then who came first.
    fn turn(&self) -> Option<u64> {
        let rank = |w: &Waiter| (w.uid != 0, self.served.get(&w.uid).copied().unwrap_or(0), w.ticket);
        self.waiting.iter().min_by_key(|waiter| rank(waiter)).map(|waiter| waiter.ticket)
    }

    fn remember(&mut self, uid: u32, ticket: u64) {
        if self.served.len() >= REMEMBERED {
            self.served.clear();
        }
        self.served.insert(uid, ticket);
    }
}

impl Drop for Seated<'_> {
    fn drop(&mut self) {
        self.seat.state().owner = None;
        self.seat.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Caller;

    fn attempt(uid: u32) -> Arc<Attempt> {
        Arc::new(Attempt::new(Caller { unique: format!(":1.{uid}"), uid }).unwrap())
    }

    const NOW: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn the_camera_has_one_owner() {
        let seat = Seat::default();
        let first = seat.take(&attempt(1000), NOW).ok().unwrap();
        assert_eq!(seat.take(&attempt(1001), NOW).err(), Some(NotSeated::Busy));
        drop(first);
        assert!(seat.take(&attempt(1001), NOW).is_ok());
    }

    #[test]
    fn root_stops_a_user_who_owns_the_camera() {
        let seat = Seat::default();
        let user = attempt(1000);
        std::thread::scope(|scope| {
            let held = seat.take(&user, NOW).ok().unwrap();
            let root = scope.spawn(|| seat.take(&attempt(0), LONG).is_ok());
            while user.stopped().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(user.stopped(), Some(Stop::PreEmpted));
            drop(held);
            assert!(root.join().unwrap());
        });
    }

    #[test]
    fn a_user_never_stops_root_or_another_user() {
        let seat = Seat::default();
        for owner in [attempt(0), attempt(1000)] {
            let held = seat.take(&owner, NOW).ok().unwrap();
            assert_eq!(seat.take(&attempt(1001), NOW).err(), Some(NotSeated::Busy));
            assert_eq!(owner.stopped(), None);
            drop(held);
        }
    }

    #[test]
    fn a_caller_who_had_the_camera_waits_behind_one_who_had_not() {
        let mut state = State::default();
        state.remember(1000, 1);
        state.waiting.push(Waiter { ticket: 2, uid: 1000 });
        state.waiting.push(Waiter { ticket: 3, uid: 1001 });
        assert_eq!(state.turn(), Some(3));
        state.waiting.push(Waiter { ticket: 4, uid: 0 });
        assert_eq!(state.turn(), Some(4));
    }

    #[test]
    fn a_stopped_attempt_stops_waiting() {
        let seat = Seat::default();
        let _held = seat.take(&attempt(1000), NOW).ok().unwrap();
        let waiting = attempt(1001);
        waiting.stop(Stop::Vanished);
        assert_eq!(seat.take(&waiting, LONG).err(), Some(NotSeated::Stopped(Stop::Vanished)));
    }
}
