//! A client of the daemon, plain and blocking.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pose_contract::{BUS_NAME, INTERFACE, OBJECT_PATH};
use zbus::{Connection, OwnedVariant, Variant, connection};

/// One answer of `Next`.
#[derive(Debug)]
pub struct Event {
    pub kind: String,
    pub code: String,
    pub text: String,
    pub details: HashMap<String, OwnedVariant>,
}

/// A peer on the bus.
pub struct Client(pub Connection);

/// A refused call: the error's name.
pub type Refused = String;

impl Client {
    pub fn new(address: &str) -> Self {
        Self(zbus::block_on(connection::Builder::address(address).build()).expect("the bus"))
    }

    /// A peer of another uid; needs root. The kernel takes the credentials when the socket connects, and
    /// `setresuid` by itself changes the calling thread alone.
    pub fn with_uid(address: &str, uid: u32) -> Self {
        let path: PathBuf = address
            .strip_prefix("unix:path=")
            .and_then(|rest| rest.split(',').next())
            .expect("a path")
            .into();
        let stream = std::thread::spawn(move || {
            // SAFETY: plain numbers; the thread ends right after.
            let result = unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) };
            assert_eq!(result, 0, "needs root");
            UnixStream::connect(path).expect("the bus")
        })
        .join()
        .expect("connected");
        Self(zbus::block_on(connection::Builder::unix_stream(stream).user_id(uid).build()).expect("the bus"))
    }

    pub fn call<B: serde::Serialize + zbus::wire::DynamicType>(
        &self,
        method: &str,
        body: &B,
    ) -> Result<zbus::Message, Refused> {
        let call = self.0.call_method(Some(BUS_NAME), OBJECT_PATH, Some(INTERFACE), method, body);
        zbus::block_on(call).map_err(|error| match error {
            zbus::Error::MethodError(name, ..) => name.to_string(),
            other => other.to_string(),
        })
    }

    fn attempt<B: serde::Serialize + zbus::wire::DynamicType>(
        &self,
        method: &str,
        body: &B,
    ) -> Result<String, Refused> {
        self.call(method, body).map(|reply| reply.body().deserialize().expect("an attempt"))
    }

    pub fn begin(&self, user: &str, options: &[(&str, Variant<'_>)]) -> Result<String, Refused> {
        self.attempt("Begin", &(user, "sudo", dictionary(options)))
    }

    /// A pose-only login through that service, by a host that can show nothing where `silent`.
    pub fn begin_through(&self, service: &str, user: &str, silent: bool) -> Result<String, Refused> {
        let origin = [("mode", Variant::from("pose-only")), ("silent", Variant::from(silent))];
        self.attempt("Begin", &(user, service, dictionary(&origin)))
    }

    pub fn begin_pose_only(&self, user: &str) -> Result<String, Refused> {
        self.begin(user, &[("mode", Variant::from("pose-only"))])
    }

    pub fn enroll(&self, user: &str, repetitions: u32) -> Result<String, Refused> {
        self.attempt("Enroll", &(user, dictionary(&[("repetitions", Variant::from(repetitions))])))
    }

    /// An enrolment of somebody who cannot do these movements.
    pub fn enroll_without(&self, user: &str, cannot: &str) -> Result<String, Refused> {
        let options = [("repetitions", Variant::from(3u32)), ("cannot", Variant::from(cannot))];
        self.attempt("Enroll", &(user, dictionary(&options)))
    }

    pub fn reset_adaptation(&self, user: &str) -> Result<String, Refused> {
        self.attempt("Enroll", &(user, dictionary(&[("reset_adaptation", Variant::from(true))])))
    }

    pub fn change(&self, method: &str, user: &str) -> Result<String, Refused> {
        self.attempt(method, &(user, dictionary(&[])))
    }

    pub fn next(&self, attempt: &str) -> Result<Event, Refused> {
        self.call("Next", &(attempt,)).map(|reply| {
            let (kind, code, text, details) = reply.body().deserialize().expect("an event");
            Event { kind, code, text, details }
        })
    }

    pub fn answer(&self, attempt: &str, secret: &[u8]) -> Result<(), Refused> {
        self.call("Answer", &(attempt, zbus::Fd::from(sealed(secret)))).map(drop)
    }

    pub fn cancel(&self, attempt: &str) -> Result<(), Refused> {
        self.call("Cancel", &(attempt,)).map(drop)
    }

    /// Runs an attempt to its verdict; `answers` gives what is asked. Progress is left out of what comes back.
    pub fn run(&self, attempt: &str, mut answers: impl FnMut(&str) -> Vec<u8>) -> Vec<Event> {
        let start = Instant::now();
        let mut events = Vec::new();
        loop {
            assert!(start.elapsed() < Duration::from_secs(120), "no verdict: {events:?}");
            let event = self.next(attempt).expect("an event");
            match event.kind.as_str() {
                "progress" => continue,
                "ask" => self.answer(attempt, &answers(&event.code)).expect("the answer is taken"),
                _ => {}
            }
            let end = event.kind == "verdict";
            events.push(event);
            if end {
                return events;
            }
        }
    }

    /// Waits for an instruction with that code.
    pub fn wait_for(&self, attempt: &str, code: &str) {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < Duration::from_secs(60), "no {code}");
            let event = self.next(attempt).expect("an event");
            assert_ne!(event.kind, "verdict", "{event:?}");
            if event.code == code {
                return;
            }
        }
    }

    /// Leaves the bus without a word.
    pub fn vanish(self) {
        let _ = zbus::block_on(self.0.close());
    }
}

pub fn dictionary<'a>(pairs: &[(&'a str, Variant<'a>)]) -> HashMap<&'a str, Variant<'a>> {
    pairs.iter().map(|(key, value)| (*key, value.try_clone().expect("no descriptor"))).collect()
}

/// A memfd as the contract wants it.
pub fn sealed(secret: &[u8]) -> OwnedFd {
    let memfd = memfd(secret);
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: a live descriptor and plain numbers.
    let result = unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&memfd), libc::F_ADD_SEALS, seals) };
    assert_eq!(result, 0);
    memfd
}

/// A memfd without seals.
pub fn memfd(secret: &[u8]) -> OwnedFd {
    // SAFETY: a NUL-terminated name and plain flags.
    let raw = unsafe { libc::memfd_create(c"secret".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    assert!(raw >= 0);
    // SAFETY: just made, nobody else has it.
    let mut file = unsafe { std::fs::File::from_raw_fd(raw) };
    file.write_all(secret).expect("written");
    file.into()
}
