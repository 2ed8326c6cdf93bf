//! A password on its way to the helper: in a sealed memory file, never inside a message.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::uio::pwrite;
use nix::unistd::ftruncate;

/// A memory file that holds one secret; its size is the secret's length. Overwritten when dropped.
///
/// Sealed against shrinking, growing and further seals, so that the helper can map it without fear of SIGBUS,
/// and not against writing, so that the helper overwrites it as soon as it has read it.
#[derive(Debug)]
pub struct SealedSecret {
    file: OwnedFd,
    length: usize,
}

impl SealedSecret {
    /// Copies `secret` into a new sealed memory file. Nothing else keeps a copy.
    ///
    /// # Errors
    /// The kernel's own, out of memory or descriptors among them.
    pub fn new(secret: &[u8]) -> Result<Self, Errno> {
        let file = memfd_create(c"pam_pose secret", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        let sealed = Self { file, length: secret.len() };
        ftruncate(&sealed.file, i64::try_from(secret.len()).map_err(|_| Errno::EFBIG)?)?;
        if sealed.write(secret)? != secret.len() {
            return Err(Errno::ENOSPC);
        }
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(&sealed.file, FcntlArg::F_ADD_SEALS(seals))?;
        Ok(sealed)
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        pwrite(&self.file, bytes, 0)
    }
}

impl AsFd for SealedSecret {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for SealedSecret {
    fn drop(&mut self) {
        // The helper has wiped it already unless it died before reading; a failure leaves nothing to do better.
        let _ = self.write(&vec![0; self.length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn the_file_has_the_length_of_the_secret_and_the_agreed_seals() {
        let secret = SealedSecret::new(b"correct horse").unwrap();
        let path = format!("/proc/self/fd/{}", secret.as_fd().as_raw_fd());
        assert_eq!(std::fs::read(&path).unwrap(), b"correct horse");
        let seals = fcntl(&secret, FcntlArg::F_GET_SEALS).unwrap();
        let expected = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        assert_eq!(seals, expected.bits());
        assert_eq!(ftruncate(&secret, 1), Err(Errno::EPERM));
        let flags = fcntl(&secret, FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    }

    #[test]
    fn dropping_overwrites_what_the_helper_left() {
        let secret = SealedSecret::new(b"correct horse").unwrap();
        let second = secret.file.try_clone().unwrap();
        drop(secret);
        let left = std::fs::read(format!("/proc/self/fd/{}", second.as_raw_fd())).unwrap();
        assert_eq!(left, vec![0; 13]);
    }
}
