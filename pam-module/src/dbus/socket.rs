//! The bus socket: non-blocking, every wait under a deadline, no signal raised by a closed peer.

use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, connect, recv, sendmsg, socket,
};
use nix::sys::time::{TimeSpec, TimeValLike};

use super::BusError;
use super::message::{FIXED_HEADER, Incoming};
use crate::deadline::Deadline;

/// Longest single wait: poll's clock stands still while the machine sleeps, the deadline's does not.
const SLICE: Duration = Duration::from_secs(1);
/// Pause before a connect is tried again while the bus has no room for another client.
const RETRY: Duration = Duration::from_millis(10);
/// Longest line of the authentication dialogue, bytes. The real ones are under 50.
const MAX_LINE: usize = 1024;

/// Signals that do not end a wait: house-keeping of the host, delivered when the wait is over. All others mean
/// that somebody wants the host to stop waiting.
const HOUSE_KEEPING: [Signal; 7] = [
    Signal::SIGCHLD,
    Signal::SIGWINCH,
    Signal::SIGCONT,
    Signal::SIGURG,
    Signal::SIGIO,
    Signal::SIGPROF,
    Signal::SIGVTALRM,
];

/// Signals by which a person or the system ends the host.
const STOP: [Signal; 4] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];

/// A connected socket and what has been read from it but not used.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    inbox: Vec<u8>,
    used: usize,
}

impl Socket {
    /// Connects to the bus at `path`.
    ///
    /// # Errors
    /// [`BusError::Unreachable`], [`BusError::Deadline`], [`BusError::Interrupted`].
    pub fn connect(path: &Path, deadline: Deadline) -> Result<Self, BusError> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Unix, SockType::Stream, flags, None).map_err(BusError::Unreachable)?;
        let address = UnixAddr::new(path).map_err(BusError::Unreachable)?;
        loop {
            match connect(fd.as_raw_fd(), &address) {
                Ok(()) | Err(Errno::EISCONN) => return Ok(Self { fd, inbox: Vec::new(), used: 0 }),
                // A full backlog; Unix sockets cannot be polled for room in it.
                Err(Errno::EAGAIN) => wait(None, deadline.within(RETRY)).or_else(|error| match error {
                    BusError::Deadline if !deadline.passed() => Ok(()),
                    other => Err(other),
                })?,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(BusError::Unreachable(errno)),
            }
        }
    }

    /// Sends all of `bytes`, and `fd` with the first of them.
    ///
    /// # Errors
    /// [`BusError::Closed`], [`BusError::Deadline`], [`BusError::Interrupted`].
    pub fn send(
        &mut self,
        bytes: &[u8],
        fd: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<(), BusError> {
        let mut rest = bytes;
        let mut raw = fd.map(|fd| [fd.as_raw_fd()]);
        while !rest.is_empty() {
            let rights = raw.as_ref().map(|fds| [ControlMessage::ScmRights(fds)]);
            let control = rights.as_ref().map_or(&[][..], |rights| &rights[..]);
            // MSG_NOSIGNAL: a bus that has gone away is an error for us, not the end of the host.
            let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
            match sendmsg::<()>(self.fd.as_raw_fd(), &[IoSlice::new(rest)], control, flags, None) {
                Ok(sent) => {
                    raw = None;
                    rest = rest.get(sent..).unwrap_or_default();
                }
                Err(Errno::EAGAIN) => wait(Some((self.fd.as_fd(), PollFlags::POLLOUT)), deadline)?,
                Err(Errno::EINTR) => {}
                Err(_) => return Err(BusError::Closed),
            }
        }
        Ok(())
    }

    /// One line of the authentication dialogue, without its end.
    ///
    /// # Errors
    /// As [`Self::send`], and [`BusError::Malformed`].
    pub fn line(&mut self, deadline: Deadline) -> Result<String, BusError> {
        loop {
            let unread = self.unread();
            if let Some(end) = unread.windows(2).position(|pair| pair == b"\r\n") {
                let line = unread.get(..end).unwrap_or_default().to_vec();
                self.used += end + 2;
                return String::from_utf8(line).map_err(|_| BusError::Malformed("an authentication line"));
            }
            if unread.len() > MAX_LINE {
                return Err(BusError::Malformed("an endless authentication line"));
            }
            self.fill(deadline)?;
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn message(&mut self, deadline: Deadline) -> Result<Incoming, BusError> {
        while self.unread().len() < FIXED_HEADER {
            self.fill(deadline)?;
        }
        let length = Incoming::length(self.unread())?;
        while self.unread().len() < length {
            self.fill(deadline)?;
        }
        let message = Incoming::parse(self.unread().get(..length).unwrap_or_default());
        self.used += length;
        message
    }

    fn unread(&self) -> &[u8] {
        self.inbox.get(self.used..).unwrap_or_default()
    }

    /// Waits for bytes and stores them. A peer that drips single bytes is held by the deadline, which is looked
    /// at before every read.
    fn fill(&mut self, deadline: Deadline) -> Result<(), BusError> {
        self.inbox.drain(..self.used.min(self.inbox.len()));
        self.used = 0;
        let mut chunk = [0; 4096];
        loop {
            wait(Some((self.fd.as_fd(), PollFlags::POLLIN)), deadline)?;
            // Without a control buffer the kernel discards descriptors that a peer sends along.
            match recv(self.fd.as_raw_fd(), &mut chunk, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Err(BusError::Closed),
                Ok(count) => {
                    self.inbox.extend_from_slice(chunk.get(..count).unwrap_or_default());
                    return Ok(());
                }
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(_) => return Err(BusError::Closed),
            }
        }
    }
}

/// Waits until `target` is ready; with none, until the deadline.
fn wait(target: Option<(BorrowedFd<'_>, PollFlags)>, deadline: Deadline) -> Result<(), BusError> {
    let mask = mask_while_waiting();
    loop {
        let left = deadline.remaining();
        if left.is_zero() {
            return Err(BusError::Deadline);
        }
        if stop_is_held_back() {
            return Err(BusError::Interrupted);
        }
        let mut fds: Vec<PollFd<'_>> =
            target.into_iter().map(|(fd, events)| PollFd::new(fd, events)).collect();
        let slice = TimeSpec::nanoseconds(i64::try_from(left.min(SLICE).as_nanos()).unwrap_or(i64::MAX));
        match ppoll(&mut fds, Some(slice), mask) {
            Ok(0) => {}
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => return Err(BusError::Interrupted),
            Err(errno) => return Err(BusError::Unreachable(errno)),
        }
    }
}

/// The host's own signal mask, and house-keeping signals held back too. In force only inside `ppoll`.
fn mask_while_waiting() -> Option<SigSet> {
    let mut mask = SigSet::empty();
    pthread_sigmask(SigmaskHow::SIG_BLOCK, None, Some(&mut mask)).ok()?;
    for signal in HOUSE_KEEPING {
        mask.add(signal);
    }
    Some(mask)
}

/// Whether somebody asked the host to end and the host takes that up later only: sudo blocks Ctrl-C while PAM works,
/// and no wait is cut short by a blocked signal. It stays pending for the host.
#[allow(unsafe_code, reason = "nix has no sigpending")]
fn stop_is_held_back() -> bool {
    let mut pending = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is good for one set, which is read only after the call has filled it.
    unsafe {
        libc::sigpending(pending.as_mut_ptr()) == 0
            && STOP.iter().any(|signal| libc::sigismember(pending.as_ptr(), *signal as i32) == 1)
    }
}
