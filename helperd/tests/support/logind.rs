//! logind as the tests want it, on their bus.

use std::time::Duration;

use zbus::{OwnedObjectPath, interface};

use super::House;
use super::house::serve_as;

/// Whether processes belong to a session or only to a user's services.
struct Logind {
    in_session: bool,
    of_user: bool,
    /// The one process that belongs to the session all the same.
    only: Option<u32>,
    lid_closed: bool,
    /// How long it takes to list sessions.
    hesitation: Duration,
}

fn path(text: &'static str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(text).expect("a path")
}

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.login1")]
enum None_ {
    NoSessionForPID(String),
    NoUserForPID(String),
}

#[interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    #[zbus(name = "GetSessionByPID")]
    fn session_by_pid(&self, pid: u32) -> Result<OwnedObjectPath, None_> {
        if self.in_session || self.only == Some(pid) {
            Ok(path("/session"))
        } else {
            Err(None_::NoSessionForPID(String::new()))
        }
    }

    fn list_sessions(&self) -> Vec<(String, u32, String, String, OwnedObjectPath)> {
        std::thread::sleep(self.hesitation);
        vec![("1".to_owned(), 0, "root".to_owned(), "seat0".to_owned(), path("/session"))]
    }

    #[zbus(name = "GetUserByPID")]
    fn user_by_pid(&self, _pid: u32) -> Result<OwnedObjectPath, None_> {
        if self.of_user { Ok(path("/user")) } else { Err(None_::NoUserForPID(String::new())) }
    }

    #[zbus(property)]
    fn lid_closed(&self) -> bool {
        self.lid_closed
    }
}

/// The user's sessions: the graphical one at "/session" and, where said, one from elsewhere.
struct User {
    also_remote: bool,
}

#[interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn display(&self) -> (String, OwnedObjectPath) {
        ("1".to_owned(), path("/session"))
    }

    #[zbus(property)]
    fn sessions(&self) -> Vec<(String, OwnedObjectPath)> {
        let all = [("1".to_owned(), path("/session")), ("2".to_owned(), path("/elsewhere"))];
        all.into_iter().take(if self.also_remote { 2 } else { 1 }).collect()
    }
}

/// A session as logind tells of it.
#[derive(Clone)]
pub struct Session {
    pub remote: bool,
    pub seat: &'static str,
    pub active: bool,
    pub owner: u32,
    pub locked: bool,
}

#[interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn remote(&self) -> bool {
        self.remote
    }

    #[zbus(property)]
    fn user(&self) -> (u32, OwnedObjectPath) {
        (self.owner, path("/user"))
    }

    #[zbus(property)]
    fn active(&self) -> bool {
        self.active
    }

    #[zbus(property)]
    fn class(&self) -> &str {
        "user"
    }

    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        self.locked
    }

    #[zbus(property)]
    fn timestamp_monotonic(&self) -> u64 {
        BEGAN_US
    }

    #[zbus(property)]
    fn seat(&self) -> (String, OwnedObjectPath) {
        (self.seat.to_owned(), path("/seat"))
    }
}

/// When sessions began, microseconds of the monotonic clock.
pub const BEGAN_US: u64 = 1_000_000;

/// Locks or unlocks the session and says so, as logind does when a locker tells it.
pub fn lock(logind: &zbus::Connection, locked: bool) {
    zbus::block_on(async {
        let session = logind.object_server().interface::<_, Session>("/session").await.unwrap();
        session.get_mut().await.locked = locked;
        session.get().await.locked_hint_changed(session.signal_emitter()).await.unwrap();
    });
}

/// At the machine's own seat, in the foreground.
pub const HERE: Session = Session { remote: false, seat: "seat0", active: true, owner: 0, locked: false };

/// A logind that says the same of every process; the lid is open.
pub fn logind(house: &House, in_session: bool, session: Session, also_remote: bool) -> zbus::Connection {
    let manager =
        Logind { in_session, of_user: true, only: None, lid_closed: false, hesitation: Duration::ZERO };
    serve(&house.address, manager, session, also_remote)
}

/// A logind for which everybody sits here, with the lid closed.
pub fn logind_with_closed_lid(house: &House) -> zbus::Connection {
    let manager =
        Logind { in_session: true, of_user: true, only: None, lid_closed: true, hesitation: Duration::ZERO };
    serve(&house.address, manager, HERE, false)
}

/// A logind that has every process for a service of the system's.
pub fn logind_without_users(house: &House) -> zbus::Connection {
    let manager = Logind {
        in_session: false,
        of_user: false,
        only: None,
        lid_closed: false,
        hesitation: Duration::ZERO,
    };
    serve(&house.address, manager, HERE, false)
}

/// The same, but one process belongs to that session.
pub fn logind_with_one(house: &House, only: u32, session: Session) -> zbus::Connection {
    let only = Some(only);
    let manager =
        Logind { in_session: false, of_user: false, only, lid_closed: false, hesitation: Duration::ZERO };
    serve(&house.address, manager, session, false)
}

/// A logind that takes its time to list the sessions, on the bus of that address.
pub fn slow_logind(address: &str, session: Session, hesitation: Duration) -> zbus::Connection {
    serve(
        address,
        Logind { in_session: true, of_user: true, only: None, lid_closed: false, hesitation },
        session,
        false,
    )
}

fn serve(address: &str, manager: Logind, session: Session, also_remote: bool) -> zbus::Connection {
    let logind = serve_as(address, "org.freedesktop.login1", "/org/freedesktop/login1", manager);
    zbus::block_on(async {
        let server = logind.object_server();
        server.at("/session", session).await.unwrap();
        server.at("/user", User { also_remote }).await.unwrap();
        server.at("/elsewhere", Session { remote: true, seat: "", ..HERE }).await.unwrap();
    });
    logind
}
