//! A private mapping of its own, so that locking, leaving it out of dumps and giving it back cover nothing else.

use std::num::NonZeroUsize;
use std::ptr::NonNull;

use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mlock, mmap_anonymous, munmap};
use zeroize::Zeroize;

/// Anonymous zeroed memory, excluded from core dumps and wiped in forked children; wiped and given back to the
/// kernel on drop. Starts at a page boundary.
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is owned by this value alone and plain bytes; moving it between threads moves the ownership.
#[allow(unsafe_code)]
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `len` zeroed bytes.
    pub(crate) fn new(len: usize) -> nix::Result<Self> {
        let size = NonZeroUsize::new(len).ok_or(nix::Error::EINVAL)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_ANONYMOUS;
        #[allow(unsafe_code)]
        // SAFETY: an anonymous private mapping at an address of the kernel's choice aliases nothing; the advice
        // is applied to exactly the mapped range.
        let start = unsafe {
            let start = mmap_anonymous(None, size, protection, flags)?;
            let _ = madvise(start, len, MmapAdvise::MADV_DONTDUMP);
            let _ = madvise(start, len, MmapAdvise::MADV_WIPEONFORK);
            start
        };
        Ok(Self { start: start.cast(), len })
    }

    /// Locks it against swapping, best effort: a small memlock limit must not stop a login.
    pub(crate) fn locked(self) -> Self {
        // SAFETY: locking changes neither the contents nor the validity of the range, which `self` owns.
        #[allow(unsafe_code)]
        let _ = unsafe { mlock(self.start.cast(), self.len) };
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the range is mapped readable for as long as `self` lives, initialised (zero-filled by the
        // kernel) and borrowed together with `self`.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(self.start.as_ptr(), self.len)
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes the borrow exclusive.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len)
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        // SAFETY: the mapping was made with this start and length and nothing borrows it any more.
        #[allow(unsafe_code)]
        unsafe {
            let _ = munmap(self.start.cast(), self.len);
        }
    }
}
