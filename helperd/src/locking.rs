//! When the session at this machine is locked, by logind's word: a camera that somebody plugs in meanwhile is not
//! trusted ([`pose_camera::v4l2::LockedTimes`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::FutureExt;
use pose_camera::v4l2::{LockedTimes, plugged_in_us};
use zbus::{Connection, OwnedObjectPath};

use crate::boottime::monotonic_us;
use crate::daemon::Daemon;
use crate::place::{LOGIND, MANAGER, MANAGER_PATH, SESSION, property};

/// The seat that cameras belong to unless udev says otherwise.
const SEAT: &str = "seat0";

/// Longest wait for logind before the first caller is served.
const FIRST_LOOK_LIMIT: Duration = Duration::from_secs(1);

/// The bus' word for an object that is not there.
const GONE: &str = "org.freedesktop.DBus.Error.UnknownObject";

/// What is known of the session's locks.
pub(crate) struct Locking {
    times: Mutex<LockedTimes>,
    /// Logind has told of the sessions before.
    told: AtomicBool,
    changed: (Sender<()>, Receiver<()>),
}

impl Default for Locking {
    fn default() -> Self {
        // One place: whoever looks after a change sees all the changes before.
        Self { times: Mutex::default(), told: AtomicBool::new(false), changed: async_channel::bounded(1) }
    }
}

impl Locking {
    /// Has the sessions looked at again, soon.
    pub(crate) fn look_again(&self) {
        let _ = self.changed.0.try_send(());
    }

    /// The times in which a plugged-in camera must not have come.
    pub(crate) fn times(&self) -> LockedTimes {
        *self.lock()
    }

    /// The cameras that are there now are approved.
    pub(crate) fn approve(&self) {
        self.lock().approve(monotonic_us());
    }

    /// `locked` is when the locked session began, where there is one: one that is locked when logind first tells of it
    /// may have been so since then.
    fn note(&self, locked: Option<u64>) {
        let first = !self.told.swap(true, Ordering::AcqRel);
        match locked {
            Some(began) => self.lock().begin(if first { began } else { monotonic_us() }),
            None if self.times().last() => self.lock().end(monotonic_us(), &plugged_in_us()),
            None => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, LockedTimes> {
        match self.times.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// Looks at the sessions before anybody is served.
pub(crate) async fn first_look(daemon: &Daemon, connection: &Connection) {
    let late = async {
        daemon.sleep(FIRST_LOOK_LIMIT).await;
        tracing::warn!("logind did not tell in time whether the session is locked");
    };
    look(daemon, connection).or(late).await;
}

/// Looks at the sessions now and after every change, for as long as it is polled.
pub(crate) async fn watch(daemon: Arc<Daemon>, connection: Connection) {
    loop {
        look(&daemon, &connection).await;
        if daemon.locking.changed.1.recv().await.is_err() {
            return;
        }
    }
}

async fn look(daemon: &Daemon, connection: &Connection) {
    match sessions(connection).await {
        Ok(sessions) => daemon.locking.note(locked_since(&sessions)),
        Err(error) => {
            tracing::debug!(%error, "logind does not tell of the sessions; what was known of their locks stays");
        }
    }
}

/// One of the seat's sessions.
#[derive(Clone, Debug)]
struct Session {
    /// A person's, not a greeter's.
    of_user: bool,
    /// In the foreground.
    active: bool,
    locked: bool,
    /// When it began, microseconds of `CLOCK_MONOTONIC`.
    began_us: u64,
}

/// Whether somebody's session is locked and nobody's is open in the foreground; if so, since when at the longest. At a
/// greeter beside a locked session nobody is known to sit there either.
fn locked_since(sessions: &[Session]) -> Option<u64> {
    let of_users = || sessions.iter().filter(|session| session.of_user);
    if of_users().any(|session| session.active && !session.locked) {
        return None;
    }
    of_users().filter(|session| session.locked).map(|session| session.began_us).min()
}

async fn sessions(connection: &Connection) -> zbus::Result<Vec<Session>> {
    type Listed = (String, u32, String, String, OwnedObjectPath);
    let reply =
        connection.call_method(Some(LOGIND), MANAGER_PATH, Some(MANAGER), "ListSessions", &()).await?;
    let listed: Vec<Listed> = reply.body().deserialize()?;
    let mut sessions = Vec::new();
    for (_, _, _, _, path) in listed.iter().filter(|(_, _, _, seat, _)| seat == SEAT) {
        match session(connection, path).await {
            Ok(session) => sessions.push(session),
            // It ended meanwhile. Anything else must not pass for "nobody's is locked".
            Err(zbus::Error::MethodError(name, ..)) if name.as_str() == GONE => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sessions)
}

async fn session(connection: &Connection, path: &OwnedObjectPath) -> zbus::Result<Session> {
    let class: String = property(connection, path, SESSION, "Class").await?.try_into()?;
    Ok(Session {
        of_user: class.starts_with("user"),
        active: property(connection, path, SESSION, "Active").await?.try_into()?,
        locked: property(connection, path, SESSION, "LockedHint").await?.try_into()?,
        began_us: property(connection, path, SESSION, "TimestampMonotonic").await?.try_into()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_locked_until_somebodys_is_open_in_the_foreground() {
        let session = |of_user, active, locked| Session { of_user, active, locked, began_us: 100 };
        let (open, locked) = (session(true, true, false), session(true, true, true));
        let (behind, greeter) = (session(true, false, true), session(false, true, false));
        let later = Session { began_us: 200, ..locked.clone() };
        for (what, sessions, since) in [
            ("nobody is logged in", vec![], None),
            ("a greeter before anybody", vec![greeter.clone()], None),
            ("at work", vec![open.clone()], None),
            ("locked", vec![locked.clone()], Some(100)),
            ("a greeter beside a locked session", vec![behind.clone(), greeter], Some(100)),
            ("another person at work beside it", vec![behind.clone(), open], None),
            ("two locked", vec![later, behind], Some(100)),
        ] {
            assert_eq!(locked_since(&sessions), since, "{what}");
        }
    }
}
