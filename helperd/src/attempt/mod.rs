//! One attempt: what the bus side and the attempt's own thread share, and nothing else.
//!
//! The thread pushes events and waits for answers; the bus side pops events, hands in answers and may stop it.
//!
//! # Layout
//! - [`registry`]: all attempts, their owners and the limits
//! - [`seat`]: the one camera and who may have it

pub mod registry;
pub mod seat;

use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use nix::sys::eventfd::{EfdFlags, EventFd};
use pose_contract::{Outcome, kind};
use zbus::{OwnedVariant, Variant};

use crate::boottime::BootTime;
use crate::caller::Caller;
use crate::secret::Secret;

/// Events that wait for a client before the attempt is given up: a client that reads nothing wants nothing.
const EVENTS_WAITING: usize = 32;
/// Longest slice of a wait, so that a BOOTTIME deadline is noticed soon after a suspended machine wakes.
const SLICE: Duration = Duration::from_millis(500);

/// One answer of `Next`.
#[derive(Debug)]
pub struct BusEvent {
    /// One of `pose_contract::kind`.
    pub kind: &'static str,
    /// What is asked, instructed or decided.
    pub code: String,
    /// One short line for people.
    pub text: String,
    /// Further values by name.
    pub details: HashMap<String, OwnedVariant>,
}

impl BusEvent {
    /// "Nothing is new."
    #[must_use]
    pub fn progress() -> Self {
        Self { kind: kind::PROGRESS, code: String::new(), text: String::new(), details: HashMap::new() }
    }
}

/// Why an attempt is to end before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The caller cancelled it.
    Cancelled,
    /// The caller left the bus.
    Vanished,
    /// Root's attempt took the camera.
    PreEmpted,
    /// The machine goes to sleep.
    Asleep,
    /// The caller's session left the foreground.
    Away,
    /// The deadline passed, also by sleeping through it.
    Deadline,
    /// The daemon ends.
    Shutdown,
}

impl Stop {
    /// The outcome that the caller, if still there, is told.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::PreEmpted => Outcome::Busy,
            Self::Away => Outcome::Remote,
            Self::Cancelled | Self::Vanished | Self::Asleep | Self::Deadline | Self::Shutdown => {
                Outcome::Deadline
            }
        }
    }
}

/// What the bus side has handed in.
#[derive(Default)]
struct Inbox {
    stop: Option<Stop>,
    asked: bool,
    answer: Option<Secret>,
    permitted: Option<bool>,
    /// The caller's last sign, from which the result's earliest moment counts.
    last_sign: Option<BootTime>,
}

/// One attempt, shared between the bus side and its thread.
pub struct Attempt {
    /// Unguessable name of the attempt.
    pub id: String,
    /// Who began it.
    pub caller: Caller,
    events: (async_channel::Sender<BusEvent>, async_channel::Receiver<BusEvent>),
    inbox: Mutex<Inbox>,
    changed: Condvar,
    wake: EventFd,
    session: OnceLock<String>,
    owner: OnceLock<u32>,
    /// The session is not in the foreground now; a capture does not start meanwhile.
    pub(crate) away: AtomicBool,
    /// The lid was closed when the attempt began.
    pub(crate) lid_closed: AtomicBool,
    wants_permission: AtomicBool,
    pub(crate) next_waiting: AtomicBool,
    pub(crate) finished: AtomicBool,
}

impl Attempt {
    /// A new attempt of `caller`.
    ///
    /// # Errors
    /// The system has no randomness or no descriptor left.
    pub fn new(caller: Caller) -> std::io::Result<Self> {
        let mut bytes = [0u8; 16];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        let id = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            id,
            caller,
            events: async_channel::bounded(EVENTS_WAITING),
            inbox: Mutex::new(Inbox { last_sign: Some(BootTime::now()), ..Inbox::default() }),
            changed: Condvar::new(),
            wake: EventFd::from_value_and_flags(0, flags)?,
            session: OnceLock::new(),
            owner: OnceLock::new(),
            away: AtomicBool::new(false),
            lid_closed: AtomicBool::new(false),
            wants_permission: AtomicBool::new(false),
            next_waiting: AtomicBool::new(false),
            finished: AtomicBool::new(false),
        })
    }

    /// Ends the attempt; the first reason stays.
    pub fn stop(&self, why: Stop) {
        let mut inbox = self.inbox();
        if inbox.stop.is_none() {
            inbox.stop = Some(why);
            inbox.answer = None;
        }
        drop(inbox);
        self.changed.notify_all();
        // A failure means that the counter is at its limit: the descriptor is readable already.
        let _ = self.wake.write(1);
    }

    /// Why the attempt is to end, if it is.
    #[must_use]
    pub fn stopped(&self) -> Option<Stop> {
        self.inbox().stop
    }

    /// Readable once the attempt is stopped.
    #[must_use]
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Hands in the answer to the last question; `false` if nothing was asked.
    #[must_use]
    pub fn answer(&self, secret: Secret) -> bool {
        let mut inbox = self.inbox();
        if !inbox.asked || inbox.answer.is_some() || inbox.stop.is_some() {
            return false;
        }
        inbox.asked = false;
        inbox.answer = Some(secret);
        inbox.last_sign = Some(BootTime::now());
        drop(inbox);
        self.changed.notify_all();
        true
    }

    /// The caller sits in that session of logind's (its object path).
    pub fn sit_in(&self, session: &str) {
        let _ = self.session.set(session.to_owned());
    }

    /// Whether the caller sits in that session.
    #[must_use]
    pub fn is_in_session(&self, session: &str) -> bool {
        self.session.get().is_some_and(|own| own == session)
    }

    /// That session is this user's.
    pub fn belong_to(&self, uid: u32) {
        let _ = self.owner.set(uid);
    }

    /// Whose session the caller sits in, where anybody wanted to know.
    #[must_use]
    pub fn owner(&self) -> Option<u32> {
        self.owner.get().copied()
    }

    /// The thread will wait for polkit's decision.
    pub fn want_permission(&self) {
        self.wants_permission.store(true, Ordering::Release);
    }

    /// Whether polkit is to be asked.
    #[must_use]
    pub fn wants_permission(&self) -> bool {
        self.wants_permission.load(Ordering::Acquire)
    }

    /// Hands in polkit's decision.
    pub fn permit(&self, permitted: bool) {
        self.inbox().permitted = Some(permitted);
        self.changed.notify_all();
    }

    /// Sends an event; an attempt whose client reads nothing is stopped.
    pub fn tell(&self, event: BusEvent) {
        if self.events.0.try_send(event).is_err() {
            self.stop(Stop::Cancelled);
        }
    }

    /// Asks for a secret and waits for it as long as it takes; time at a prompt is the person's.
    ///
    /// # Errors
    /// The reason for which the attempt was stopped, or [`Stop::Deadline`] after `limit`.
    pub fn ask(&self, code: &str, text: &str, limit: Duration) -> Result<Secret, Stop> {
        self.inbox().asked = true;
        self.tell(BusEvent {
            kind: kind::ASK,
            code: code.into(),
            text: text.into(),
            details: HashMap::new(),
        });
        let answer = self.wait(limit, |inbox| inbox.answer.take());
        self.inbox().asked = false;
        answer
    }

    /// Waits for polkit's decision.
    ///
    /// # Errors
    /// As [`Attempt::ask`].
    pub fn wait_for_permission(&self, limit: Duration) -> Result<bool, Stop> {
        self.wait(limit, |inbox| inbox.permitted.take())
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// The reason for which the attempt was stopped meanwhile.
    pub fn pause(&self, time: Duration) -> Result<(), Stop> {
        match self.wait(time, |_| None::<()>) {
            Err(Stop::Deadline) if self.stopped().is_none() => Ok(()),
            Err(why) => Err(why),
            Ok(()) => Ok(()),
        }
    }

    /// When the caller last began or answered something.
    #[must_use]
    pub fn last_sign(&self) -> BootTime {
        self.inbox().last_sign.unwrap_or_else(BootTime::now)
    }

    /// The receiving end for the bus side.
    #[must_use]
    pub fn events(&self) -> &async_channel::Receiver<BusEvent> {
        &self.events.1
    }

    /// Whether the thread has sent its verdict.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    fn wait<T>(&self, limit: Duration, take: impl Fn(&mut Inbox) -> Option<T>) -> Result<T, Stop> {
        let deadline = BootTime::now().after(limit);
        let mut inbox = self.inbox();
        loop {
            if let Some(why) = inbox.stop {
                return Err(why);
            }
            if let Some(value) = take(&mut inbox) {
                return Ok(value);
            }
            let left = deadline.left();
            if left.is_zero() {
                return Err(Stop::Deadline);
            }
            inbox = match self.changed.wait_timeout(inbox, left.min(SLICE)) {
                Ok((inbox, _)) => inbox,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        match self.inbox.lock() {
            Ok(inbox) => inbox,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// A value for an event's details.
#[must_use]
pub fn detail<'a>(value: impl Into<Variant<'a>>) -> OwnedVariant {
    // Only a descriptor can fail to be copied, and none is ever a detail.
    OwnedVariant::try_from(value.into()).unwrap_or_else(|_| OwnedVariant::from(0u32))
}
