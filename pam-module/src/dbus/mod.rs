//! A D-Bus client for one exchange with one service: on the caller's thread, under one deadline.
//!
//! It owns no thread, reads no environment, keeps no state between exchanges and believes no length that a peer
//! states. It makes calls and reads their answers; signals and everything else on the connection is skipped.

pub mod message;
pub mod socket;
pub mod wire;

use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::geteuid;

use self::message::{Call, Incoming, Kind};
use self::socket::Socket;
use self::wire::{Reader, Writer};
use crate::deadline::Deadline;

/// The bus itself, as a peer.
pub const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

/// How talking to the bus can end early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusError {
    /// No bus to connect to.
    Unreachable(Errno),
    /// The bus refused this process.
    NotAdmitted,
    /// The bus closed the connection.
    Closed,
    /// The deadline passed.
    Deadline,
    /// A signal for the host ended the wait.
    Interrupted,
    /// A peer sent what the specification or the contract does not allow.
    Malformed(&'static str),
    /// An error instead of an answer.
    Answer {
        /// Whether the bus itself sent it (nobody there), not the peer.
        from_bus: bool,
        /// Its D-Bus name.
        name: String,
        /// Its text.
        text: String,
    },
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(errno) => write!(f, "the system bus cannot be reached: {errno}"),
            Self::NotAdmitted => f.write_str("the system bus does not admit this process"),
            Self::Closed => f.write_str("the system bus closed the connection"),
            Self::Deadline => f.write_str("no answer in time"),
            Self::Interrupted => f.write_str("interrupted by a signal"),
            Self::Malformed(what) => write!(f, "the peer sent {what}"),
            Self::Answer { name, text, .. } => write!(f, "{}: {}", name.escape_debug(), text.escape_debug()),
        }
    }
}

/// A connection with its serial counter.
#[derive(Debug)]
pub struct Bus {
    socket: Socket,
    serial: u32,
}

impl Bus {
    /// Connects to the bus at `path`, authenticates as the effective user and registers.
    ///
    /// # Errors
    /// Every [`BusError`].
    pub fn connect(path: &Path, deadline: Deadline) -> Result<Self, BusError> {
        let mut bus = Self { socket: Socket::connect(path, deadline)?, serial: 0 };
        bus.authenticate(deadline)?;
        bus.call_bus("Hello", "", &[], deadline)?.body("s")?.string()?;
        Ok(bus)
    }

    /// `EXTERNAL`: the bus knows our uid from the socket and wants to hear it once, in hexadecimal ASCII.
    fn authenticate(&mut self, deadline: Deadline) -> Result<(), BusError> {
        let uid: String = geteuid().to_string().bytes().map(|digit| format!("{digit:02x}")).collect();
        let hello = format!("\0AUTH EXTERNAL {uid}\r\nNEGOTIATE_UNIX_FD\r\n");
        self.socket.send(hello.as_bytes(), None, deadline)?;
        if !self.socket.line(deadline)?.starts_with("OK ") {
            return Err(BusError::NotAdmitted);
        }
        if self.socket.line(deadline)? != "AGREE_UNIX_FD" {
            return Err(BusError::Malformed("no agreement to pass descriptors"));
        }
        self.socket.send(b"BEGIN\r\n", None, deadline)
    }

    /// Calls a method and waits for its answer from that very peer; everything else that arrives is skipped.
    ///
    /// # Errors
    /// Every [`BusError`].
    pub fn call(
        &mut self,
        call: &Call<'_>,
        fd: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<Incoming, BusError> {
        let serial = self.send(call, fd, deadline)?;
        loop {
            let reply = self.socket.message(deadline)?;
            if reply.reply_serial != Some(serial) || reply.kind == Kind::Other {
                continue;
            }
            let sender = reply.sender.as_deref();
            // The bus answers in the name of peers that are not there, with errors alone.
            let from_bus = sender == Some(BUS);
            match reply.kind {
                Kind::Return if sender == Some(call.destination) => return Ok(reply),
                Kind::Error if from_bus || sender == Some(call.destination) => {
                    return Err(BusError::Answer {
                        from_bus,
                        text: reply.error_text().to_owned(),
                        name: reply.error_name.unwrap_or_default(),
                    });
                }
                _ => {}
            }
        }
    }

    /// Sends a call and does not wait.
    ///
    /// # Errors
    /// As [`Socket::send`].
    pub fn send(
        &mut self,
        call: &Call<'_>,
        fd: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<u32, BusError> {
        self.serial = self.serial.wrapping_add(1).max(1);
        self.socket.send(&call.marshal(self.serial), fd, deadline)?;
        Ok(self.serial)
    }

    /// Unique name of the owner of `name`, started by the bus if nobody owns it.
    ///
    /// # Errors
    /// Every [`BusError`]; an [`BusError::Answer`] means that there is no such service.
    pub fn owner(&mut self, name: &str, deadline: Deadline) -> Result<String, BusError> {
        match self.name_call("GetNameOwner", name, deadline) {
            Err(BusError::Answer { .. }) => {
                let mut body = Writer::default();
                body.string(name);
                body.u32(0);
                self.call_bus("StartServiceByName", "su", &body.finish(), deadline)?;
                self.name_call("GetNameOwner", name, deadline)
            }
            other => other,
        }
        .and_then(|reply| Ok(reply.body("s")?.string()?.to_owned()))
        .and_then(|owner| {
            if owner.starts_with(':') { Ok(owner) } else { Err(BusError::Malformed("no unique name")) }
        })
    }

    /// The uid behind a unique name, as the bus knows it from the kernel.
    ///
    /// # Errors
    /// Every [`BusError`].
    pub fn uid_of(&mut self, unique: &str, deadline: Deadline) -> Result<u32, BusError> {
        self.name_call("GetConnectionUnixUser", unique, deadline)?.body("u")?.u32()
    }

    fn name_call(&mut self, member: &str, name: &str, deadline: Deadline) -> Result<Incoming, BusError> {
        let mut body = Writer::default();
        body.string(name);
        self.call_bus(member, "s", &body.finish(), deadline)
    }

    fn call_bus(
        &mut self,
        member: &str,
        signature: &str,
        body: &[u8],
        deadline: Deadline,
    ) -> Result<Incoming, BusError> {
        let call = Call {
            destination: BUS,
            path: BUS_PATH,
            interface: BUS,
            member,
            signature,
            body,
            fds: 0,
            wants_reply: true,
        };
        self.call(&call, None, deadline)
    }
}

/// First arguments of an answer as strings.
///
/// # Errors
/// Fewer or broken strings.
pub fn strings<const N: usize>(mut reader: Reader<'_>) -> Result<[String; N], BusError> {
    let mut out = [const { String::new() }; N];
    for place in &mut out {
        reader.string()?.clone_into(place);
    }
    Ok(out)
}
