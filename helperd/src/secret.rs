//! Secrets in memory: read once out of a sealed memfd into a locked, wiped page.
//!
//! # Format of a secret on the bus
//! A secret (password, recovery code) travels as a memfd whose size is the secret's length in bytes
//! (0 to [`MAX_SECRET`]); the bytes are the secret itself, without terminator. It must be sealed with
//! `F_SEAL_SHRINK`, `F_SEAL_GROW` and `F_SEAL_SEAL`, so that its size cannot change between check and read, and
//! must not be sealed with `F_SEAL_WRITE` or `F_SEAL_FUTURE_WRITE`, because the helper overwrites it before it
//! replies. The descriptor must be open for reading and writing.
//!
//! The sender makes it with `memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)`, one `write`, then
//! `fcntl(F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)`.

mod page;
pub mod recovery;

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl};
use nix::sys::stat::fstat;
use nix::sys::uio::{pread, pwrite};
use pose_contract::MAX_SECRET;

pub(crate) use page::Mapping;

/// Why a descriptor does not hold a usable secret.
#[derive(Debug, PartialEq, Eq)]
pub enum SecretError {
    /// Not a memfd, or one without the required seals, or one that cannot be overwritten.
    Seals(&'static str),
    /// Longer than [`MAX_SECRET`].
    TooLong(u64),
    /// A system call failed.
    Io(nix::Error),
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seals(what) => write!(
                f,
                "the secret's descriptor {what}; send a memfd sealed with SHRINK, GROW and SEAL but not WRITE, \
                 open for reading and writing"
            ),
            Self::TooLong(size) => {
                write!(f, "the secret has {size} bytes; at most {MAX_SECRET} are taken, send a shorter one")
            }
            Self::Io(error) => {
                write!(f, "the secret could not be read ({error}); send it again in a new memfd")
            }
        }
    }
}

impl std::error::Error for SecretError {}

/// A secret in a page of its own: locked against swapping, left out of core dumps and children, wiped on drop.
pub struct Secret {
    page: Mapping,
    len: usize,
}

impl Secret {
    /// Takes the secret out of `memfd` (format above) and overwrites what the memfd holds, whether or not the
    /// secret is usable.
    ///
    /// # Errors
    /// See [`SecretError`]. A descriptor that is not a sealed memfd is left untouched.
    pub fn from_memfd(memfd: OwnedFd) -> Result<Self, SecretError> {
        let size = checked_size(memfd.as_fd())?;
        let secret = read_once(memfd.as_fd(), size);
        overwrite(memfd.as_fd(), size)?;
        secret
    }

    /// Moves a secret out of `bytes`, which are wiped.
    ///
    /// # Errors
    /// [`SecretError::TooLong`]; [`SecretError::Io`] when no page can be mapped.
    pub fn take(bytes: &mut [u8]) -> Result<Self, SecretError> {
        let len = bytes.len();
        let moved = if len > MAX_SECRET {
            Err(SecretError::TooLong(len as u64))
        } else {
            Mapping::new(MAX_SECRET).map_err(SecretError::Io).map(|page| {
                let mut page = page.locked();
                for (to, from) in page.bytes_mut().iter_mut().zip(bytes.iter()) {
                    *to = *from;
                }
                Self { page, len }
            })
        };
        zeroize::Zeroize::zeroize(bytes);
        moved
    }

    /// The secret's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.page.bytes().get(..self.len).unwrap_or_default()
    }

    /// Whether nothing was entered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn checked_size(memfd: BorrowedFd<'_>) -> Result<usize, SecretError> {
    let raw = fcntl(memfd, FcntlArg::F_GET_SEALS).map_err(|_| SecretError::Seals("is not a memfd"))?;
    let seals = SealFlag::from_bits_retain(raw);
    if !seals.contains(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL) {
        return Err(SecretError::Seals("is not sealed against resizing and further seals"));
    }
    if raw & (libc::F_SEAL_WRITE | libc::F_SEAL_FUTURE_WRITE) != 0 {
        return Err(SecretError::Seals("is sealed against writing, so it cannot be wiped"));
    }
    let flags = fcntl(memfd, FcntlArg::F_GETFL).map_err(SecretError::Io)?;
    if OFlag::from_bits_retain(flags) & OFlag::O_ACCMODE != OFlag::O_RDWR {
        return Err(SecretError::Seals("is not open for reading and writing"));
    }
    let size = fstat(memfd).map_err(SecretError::Io)?.st_size;
    match usize::try_from(size) {
        Ok(size) if size <= MAX_SECRET => Ok(size),
        _ => {
            // What the sender put there is wiped even so, as far as a wrong size allows.
            let _ = overwrite(memfd, MAX_SECRET);
            Err(SecretError::TooLong(u64::try_from(size).unwrap_or_default()))
        }
    }
}

fn read_once(memfd: BorrowedFd<'_>, size: usize) -> Result<Secret, SecretError> {
    let mut page = Mapping::new(MAX_SECRET).map_err(SecretError::Io)?.locked();
    let mut len = 0;
    while len < size {
        let rest = page.bytes_mut().get_mut(len..size).unwrap_or_default();
        let offset = i64::try_from(len).unwrap_or(i64::MAX);
        match pread(memfd, rest, offset) {
            Ok(0) => return Err(SecretError::Io(nix::Error::EIO)),
            Ok(count) => len += count,
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(SecretError::Io(error)),
        }
    }
    Ok(Secret { page, len })
}

fn overwrite(memfd: BorrowedFd<'_>, size: usize) -> Result<(), SecretError> {
    let zeros = [0_u8; MAX_SECRET];
    let mut done = 0;
    while done < size {
        let rest = zeros.get(done..size).unwrap_or_default();
        let offset = i64::try_from(done).unwrap_or(i64::MAX);
        match pwrite(memfd, rest, offset) {
            Ok(0) => return Err(SecretError::Io(nix::Error::EIO)),
            Ok(count) => done += count,
            Err(nix::Error::EINTR) => {}
            Err(error) => return Err(SecretError::Io(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
