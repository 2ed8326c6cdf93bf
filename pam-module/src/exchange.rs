//! One attempt with the helper: reach it, begin, take its events until the verdict.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::User;
use pose_contract::{BUS_NAME, HELPER_USER, INTERFACE, OBJECT_PATH, Outcome, SYSTEM_BUS_SOCKET, error, kind};

use crate::dbus::message::{Call, Incoming};
use crate::dbus::wire::Writer;
use crate::dbus::{Bus, BusError, strings};
use crate::deadline::Deadline;
use crate::secret::SealedSecret;

/// Budget of connect, handshake, start of the helper and `Begin` together.
const REACH: Duration = Duration::from_secs(2);
/// What a `Cancel` may cost.
const PARTING: Duration = Duration::from_millis(100);

/// Why an exchange ended without a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No bus, no helper, or it went away.
    Unavailable(String),
    /// The deadline passed.
    Deadline,
    /// The helper does not serve this caller for that user.
    Refused(String),
    /// The helper stores nothing for that user (answers to changes; a login learns it from a verdict).
    NotEnrolled,
    /// The helper does not know the attempt, or not in this state: it has given it up, or was started anew.
    Gone(String),
    /// The program's conversation failed.
    Conversation,
    /// A signal for the host ended the wait.
    Interrupted,
    /// The helper, or somebody in its place, broke the contract.
    Fault(String),
    /// Out of memory or descriptors.
    Memory,
}

/// What `Next` answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The helper waits for a secret; the code says which.
    Ask(String),
    /// Something for the person to do.
    Instruction {
        /// The instruction's code.
        code: String,
        /// Text for people.
        text: String,
    },
    /// Still going on.
    Progress,
    /// The end.
    Verdict(Outcome, String),
}

/// What a call of the helper says about where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// One of `pose_contract::mode`; "" for changes, which have none.
    pub mode: &'static str,
    /// The terminal, as the program states it.
    pub tty: String,
    /// The remote host, as the program states it.
    pub rhost: String,
    /// Whether nothing can be shown.
    pub silent: bool,
    /// Who logged in that the program comes from, if anybody did.
    pub login_uid: Option<u32>,
    /// The process that the program asks for, where it is a service that another one has connected to.
    pub asker: Option<u32>,
    /// The caller's own limit.
    pub timeout: Duration,
}

/// A running attempt. Cancelled when dropped before its verdict.
#[derive(Debug)]
pub struct Attempt {
    bus: Bus,
    owner: String,
    name: String,
    ended: bool,
}

impl Attempt {
    /// Reserves a try for a login of `user`.
    ///
    /// # Errors
    /// Every [`Failure`] but a conversation's.
    pub fn begin(user: &str, service: &str, origin: &Origin, deadline: Deadline) -> Result<Self, Failure> {
        let mut body = Writer::default();
        body.string(user);
        body.string(service);
        write_origin(&mut body, origin);
        Self::start("Begin", "ssa{sv}", &body.finish(), deadline)
    }

    /// Starts a change of the password that the helper stores for `user`.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn set_password(user: &str, deadline: Deadline) -> Result<Self, Failure> {
        let mut body = Writer::default();
        body.string(user);
        body.array8(|_| ());
        Self::start("SetPassword", "sa{sv}", &body.finish(), deadline)
    }

    /// A bus that starts the helper is told by systemd when the unit cannot be started, and not when the started
    /// program fails: then nothing comes until the time to reach it is over.
    fn start(member: &str, signature: &str, body: &[u8], deadline: Deadline) -> Result<Self, Failure> {
        Self::reach(member, signature, body, deadline.within(REACH)).map_err(|failure| match failure {
            Failure::Deadline if !deadline.passed() => Failure::Unavailable(format!(
                "the helper did not answer within {} s; see `systemctl status pose-helperd`",
                REACH.as_secs()
            )),
            other => other,
        })
    }

    fn reach(member: &str, signature: &str, body: &[u8], deadline: Deadline) -> Result<Self, Failure> {
        let mut bus = Bus::connect(Path::new(SYSTEM_BUS_SOCKET), deadline).map_err(failure)?;
        let owner = bus.owner(BUS_NAME, deadline).map_err(absent)?;
        trust(bus.uid_of(&owner, deadline).map_err(failure)?)?;
        let mut attempt = Self { bus, owner, name: String::new(), ended: true };
        let reply = attempt.call(member, signature, body, None, deadline)?;
        let [name] = strings(reply.body("s").map_err(failure)?).map_err(failure)?;
        attempt.name = name;
        attempt.ended = false;
        Ok(attempt)
    }

    /// The next event; the helper answers within a second, with [`Event::Progress`] if nothing is new.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn next(&mut self, deadline: Deadline) -> Result<Event, Failure> {
        let body = self.name_argument();
        let reply = self.call("Next", "s", &body.finish(), None, deadline)?;
        let [kind, code, text] = strings(reply.body("sssa{sv}").map_err(failure)?).map_err(failure)?;
        match kind.as_str() {
            kind::ASK => Ok(Event::Ask(code)),
            kind::INSTRUCTION => Ok(Event::Instruction { code, text }),
            kind::PROGRESS => Ok(Event::Progress),
            kind::VERDICT => {
                self.ended = true;
                let outcome = Outcome::parse(&code);
                outcome.map(|outcome| Event::Verdict(outcome, text)).ok_or_else(|| unknown("verdict", &code))
            }
            other => Err(unknown("event", other)),
        }
    }

    /// Answers the last [`Event::Ask`].
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn answer(&mut self, secret: &[u8], deadline: Deadline) -> Result<(), Failure> {
        let sealed = SealedSecret::new(secret).map_err(|errno| match errno {
            Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE | Errno::ENOSPC => Failure::Memory,
            other => Failure::Fault(format!("no memory file for the password: {other}")),
        })?;
        let mut body = self.name_argument();
        // `h`: index of the descriptor that travels with the message.
        body.u32(0);
        self.call("Answer", "sh", &body.finish(), Some(&sealed), deadline).map(drop)
    }

    fn name_argument(&self) -> Writer {
        let mut body = Writer::default();
        body.string(&self.name);
        body
    }

    fn call(
        &mut self,
        member: &str,
        signature: &str,
        body: &[u8],
        secret: Option<&SealedSecret>,
        deadline: Deadline,
    ) -> Result<Incoming, Failure> {
        let call = Call { fds: secret.map_or(0, |_| 1), ..to_helper(&self.owner, member, signature, body) };
        self.bus.call(&call, secret.map(AsFd::as_fd), deadline).map_err(failure)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            // The helper also notices when we leave the bus; this is quicker and waits for nothing.
            let body = self.name_argument().finish();
            let cancel = Call { wants_reply: false, ..to_helper(&self.owner, "Cancel", "s", &body) };
            let _ = self.bus.send(&cancel, None, Deadline::after(PARTING));
        }
    }
}

fn to_helper<'a>(owner: &'a str, member: &'a str, signature: &'a str, body: &'a [u8]) -> Call<'a> {
    Call {
        destination: owner,
        path: OBJECT_PATH,
        interface: INTERFACE,
        member,
        signature,
        body,
        fds: 0,
        wants_reply: true,
    }
}

fn write_origin(body: &mut Writer, origin: &Origin) {
    let text = |entries: &mut Writer, key: &str, value: &str| {
        entries.align(8);
        entries.string(key);
        entries.signature("s");
        entries.string(value);
    };
    let number = |entries: &mut Writer, key: &str, signature: &str, value: u32| {
        entries.align(8);
        entries.string(key);
        entries.signature(signature);
        entries.u32(value);
    };
    body.array8(|entries| {
        text(entries, "mode", origin.mode);
        text(entries, "tty", &origin.tty);
        text(entries, "rhost", &origin.rhost);
        number(entries, "silent", "b", u32::from(origin.silent));
        if let Some(uid) = origin.login_uid {
            number(entries, "login_uid", "u", uid);
        }
        if let Some(pid) = origin.asker {
            number(entries, "asker", "u", pid);
        }
        let timeout = u32::try_from(origin.timeout.as_millis()).unwrap_or(u32::MAX);
        number(entries, "timeout_ms", "u", timeout);
    });
}

/// The bus policy lets only the helper's user own the name; a bus that was configured otherwise must not be
/// enough to collect passwords or to open doors.
fn trust(uid: u32) -> Result<(), Failure> {
    let helper = || User::from_name(HELPER_USER).ok().flatten().map(|user| user.uid.as_raw());
    if uid == 0 || helper() == Some(uid) {
        Ok(())
    } else {
        Err(Failure::Fault(format!(
            "{BUS_NAME} is owned by uid {uid}, which is neither root nor {HELPER_USER}"
        )))
    }
}

/// Errors while looking for the helper: the bus says that it is not there and cannot be started.
fn absent(error: BusError) -> Failure {
    match error {
        BusError::Answer { .. } => Failure::Unavailable(format!("the helper is not running: {error}")),
        other => failure(other),
    }
}

fn failure(error: BusError) -> Failure {
    match &error {
        BusError::Deadline => Failure::Deadline,
        BusError::Interrupted => Failure::Interrupted,
        BusError::Unreachable(Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE) => Failure::Memory,
        BusError::Unreachable(_) | BusError::NotAdmitted | BusError::Closed => {
            Failure::Unavailable(error.to_string())
        }
        BusError::Malformed(_) => Failure::Fault(error.to_string()),
        BusError::Answer { from_bus: true, .. } => Failure::Unavailable(error.to_string()),
        BusError::Answer { name, .. } => match name.as_str() {
            error::NOT_AUTHORIZED => Failure::Refused(error.to_string()),
            error::NO_SUCH_ATTEMPT | error::WRONG_STATE => Failure::Gone(error.to_string()),
            error::NOT_ENROLLED => Failure::NotEnrolled,
            error::BUSY => Failure::Unavailable(error.to_string()),
            _ => Failure::Fault(error.to_string()),
        },
    }
}

fn unknown(what: &str, name: &str) -> Failure {
    Failure::Fault(format!(
        "the helper sent the unknown {what} \"{}\"; are both of one version?",
        name.escape_debug()
    ))
}
