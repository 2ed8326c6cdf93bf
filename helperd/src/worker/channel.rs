//! The socket between daemon and worker: one packet, one message, with a deadline for everything that waits.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, Shutdown, SockFlag, SockType, UnixAddr, recvmsg, sendmsg,
    shutdown, socketpair,
};

use super::wire::MAX_MESSAGE;

/// One end of the socket.
#[derive(Debug)]
pub struct Channel(OwnedFd);

/// What a wait ended with.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A whole message.
    Message(Vec<u8>),
    /// Nothing came in time.
    Nothing,
    /// The other descriptor that was waited for became readable.
    Woken,
    /// The other end is closed.
    Closed,
}

impl Channel {
    /// Both ends, closed on exec.
    ///
    /// # Errors
    /// The system call failed.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        Ok((Self(one), Self(other)))
    }

    /// Takes an end that was inherited.
    #[must_use]
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Gives the descriptor away.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.0
    }

    /// Tells the other end that nothing more will come or be read.
    pub fn close(&self) {
        // It fails where the other end is gone already.
        let _ = shutdown(self.0.as_raw_fd(), Shutdown::Both);
    }

    /// Sends one message, without waiting when `now` is set.
    ///
    /// # Errors
    /// The other end is closed, or its queue is full and `now` is set.
    pub fn send(&self, message: &[u8], now: bool) -> io::Result<()> {
        let mut flags = MsgFlags::MSG_NOSIGNAL;
        if now {
            flags |= MsgFlags::MSG_DONTWAIT;
        }
        loop {
            match sendmsg::<UnixAddr>(self.0.as_raw_fd(), &[IoSlice::new(message)], &[], flags, None) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for a message, for `wake` to become readable, or for the time to pass.
    ///
    /// # Errors
    /// The socket failed, or a message was longer than allowed or carried descriptors.
    pub fn receive(&self, wake: Option<BorrowedFd<'_>>, timeout: Duration) -> io::Result<Received> {
        let mut watched = vec![PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        watched.extend(wake.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        // Rounded up: a wait of less than a millisecond must not spin.
        let millis = u16::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        match poll(&mut watched, PollTimeout::from(millis)) {
            Ok(0) | Err(Errno::EINTR) => return Ok(Received::Nothing),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let readable = |index: usize| {
            watched.get(index).and_then(PollFd::revents).is_some_and(|events| !events.is_empty())
        };
        if readable(1) {
            return Ok(Received::Woken);
        }
        self.read()
    }

    fn read(&self) -> io::Result<Received> {
        let mut buffer = [0u8; MAX_MESSAGE + 1];
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let mut ancillary = nix::cmsg_space!([std::os::fd::RawFd; 4]);
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
        let message = match recvmsg::<UnixAddr>(self.0.as_raw_fd(), &mut parts, Some(&mut ancillary), flags) {
            Ok(message) => message,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(Received::Nothing),
            Err(Errno::ECONNRESET | Errno::EPIPE) => return Ok(Received::Closed),
            Err(error) => return Err(error.into()),
        };
        let length = message.bytes;
        let descriptors = close_descriptors(message.cmsgs()?);
        if descriptors || length > MAX_MESSAGE {
            return Err(io::Error::other("a message that is too long or carries descriptors"));
        }
        match buffer.get(..length) {
            Some([]) | None => Ok(Received::Closed),
            Some(bytes) => Ok(Received::Message(bytes.to_vec())),
        }
    }
}

/// Descriptors have no place here; those that came are closed.
#[allow(unsafe_code)]
fn close_descriptors(messages: nix::sys::socket::CmsgIterator<'_>) -> bool {
    use std::os::fd::FromRawFd;
    let mut any = false;
    for message in messages {
        if let ControlMessageOwned::ScmRights(descriptors) = message {
            any = true;
            for fd in descriptors {
                // SAFETY: the kernel has just installed this descriptor for us and nobody else knows it.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
            }
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_their_borders_and_an_end_is_seen() {
        let (one, other) = Channel::pair().unwrap();
        one.send(b"first", true).unwrap();
        one.send(b"second", true).unwrap();
        let wait = Duration::from_secs(5);
        assert_eq!(other.receive(None, wait).unwrap(), Received::Message(b"first".to_vec()));
        assert_eq!(other.receive(None, wait).unwrap(), Received::Message(b"second".to_vec()));
        assert_eq!(other.receive(None, Duration::ZERO).unwrap(), Received::Nothing);
        drop(one);
        assert_eq!(other.receive(None, wait).unwrap(), Received::Closed);
    }

    #[test]
    fn descriptors_and_overlong_messages_are_refused() {
        use nix::sys::socket::ControlMessage;
        let (one, other) = Channel::pair().unwrap();
        let fds = [one.0.as_raw_fd()];
        let rights = [ControlMessage::ScmRights(&fds)];
        sendmsg::<UnixAddr>(one.0.as_raw_fd(), &[IoSlice::new(b"x")], &rights, MsgFlags::empty(), None)
            .unwrap();
        assert!(other.receive(None, Duration::from_secs(5)).is_err());
        one.send(&[1; MAX_MESSAGE + 1], true).unwrap();
        assert!(other.receive(None, Duration::from_secs(5)).is_err());
    }
}
