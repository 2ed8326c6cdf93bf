//! Everything unsafe about V4L2: the `ioctl` call, zeroed C structures, mapped buffers. Checked against
//! linux/videodev2.h.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

/// A C structure that an `ioctl` reads and writes.
///
/// # Safety
/// The type is plain data, valid with all bits zero, and the kernel follows no pointer in it as used here: single
/// planes (`V4L2_BUF_TYPE_VIDEO_CAPTURE`) and mapped buffers only.
pub(super) unsafe trait Argument: Sized {
    fn zeroed() -> Self {
        // SAFETY: all bits zero is valid by this trait's contract.
        unsafe { mem::zeroed() }
    }
}

// SAFETY: integers, arrays and unions of such; the pointers in v4l2_format (overlay) and v4l2_buffer (planes,
// userptr) belong to other buffer and memory types than the ones used here.
unsafe impl Argument for sys::v4l2_capability {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_fmtdesc {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_frmsizeenum {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_frmivalenum {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_format {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_streamparm {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_requestbuffers {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_buffer {}
// SAFETY: as above.
unsafe impl Argument for sys::v4l2_control {}
// SAFETY: an integer.
unsafe impl Argument for libc::c_int {}

/// One `ioctl`, repeated when a signal interrupts it.
pub(super) fn call<A: Argument>(file: &File, request: vidioc::_IOC_TYPE, argument: &mut A) -> io::Result<()> {
    // The request's number holds the size that the kernel will copy: a wrong pairing ends here.
    if (request >> 16) as usize & 0x3fff != size_of::<A>() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    loop {
        // SAFETY: the descriptor is open, the argument is exclusively borrowed and as long as the kernel takes it
        // to be, and holds no pointer that the kernel follows (contract of `Argument`).
        match unsafe { v4l::v4l2::ioctl(file.as_raw_fd(), request, ptr::from_mut(argument).cast()) } {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// A driver's buffer in our address space.
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone and is not tied to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `length` bytes at the driver's `offset`, for reading.
    pub(super) fn new(file: &File, offset: u32, length: u32) -> io::Result<Self> {
        let length = length as usize;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                offset as libc::off_t,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }

    /// Copies the first `used` bytes, fewer if the buffer is shorter. Meant for a buffer that was dequeued and not
    /// queued again; of any other the bytes may be a mix of two pictures.
    pub(super) fn copy(&self, used: usize) -> Vec<u8> {
        let used = used.min(self.length);
        let mut data = Vec::with_capacity(used);
        // SAFETY: `used` bytes are mapped and readable, the vector has room for them, and the two do not overlap.
        // Bytes have no invalid values, so that even a driver that writes meanwhile leaves valid data.
        unsafe {
            ptr::copy_nonoverlapping(self.start.as_ptr(), data.as_mut_ptr(), used);
            data.set_len(used);
        }
        data
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly this range was mapped by `new`, and nothing refers to it any more. A failure leaves it
        // mapped until the process ends, which nothing here could mend.
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.length);
        }
    }
}

/// `v4l2_format.fmt.pix`.
pub(super) fn pix(format: &sys::v4l2_format) -> sys::v4l2_pix_format {
    // SAFETY: every bit pattern is a valid v4l2_pix_format.
    unsafe { format.fmt.pix }
}

/// Size of a `v4l2_frmsizeenum`: the smallest and the largest, equal for a discrete one.
pub(super) fn frame_sizes(e: &sys::v4l2_frmsizeenum) -> [(u32, u32); 2] {
    // SAFETY: both members are integers only; `type_` says which one the driver filled.
    unsafe {
        if e.type_ == sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
            let d = e.__bindgen_anon_1.discrete;
            [(d.width, d.height); 2]
        } else {
            let s = e.__bindgen_anon_1.stepwise;
            [(s.min_width, s.min_height), (s.max_width, s.max_height)]
        }
    }
}

/// Interval of a `v4l2_frmivalenum` in seconds as a ratio: the shortest and the longest, equal for a discrete one.
pub(super) fn frame_intervals(e: &sys::v4l2_frmivalenum) -> [(u32, u32); 2] {
    // SAFETY: both members are integers only; `type_` says which one the driver filled.
    let [shortest, longest] = unsafe {
        if e.type_ == sys::v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE {
            [e.__bindgen_anon_1.discrete; 2]
        } else {
            [e.__bindgen_anon_1.stepwise.min, e.__bindgen_anon_1.stepwise.max]
        }
    };
    [(shortest.numerator, shortest.denominator), (longest.numerator, longest.denominator)]
}

/// `v4l2_streamparm.parm.capture`.
pub(super) fn capture(parm: &sys::v4l2_streamparm) -> sys::v4l2_captureparm {
    // SAFETY: every bit pattern is a valid v4l2_captureparm.
    unsafe { parm.parm.capture }
}

/// `v4l2_buffer.m.offset`.
pub(super) fn offset(buffer: &sys::v4l2_buffer) -> u32 {
    // SAFETY: the union holds an integer for mapped buffers, and any bits are a valid one.
    unsafe { buffer.m.offset }
}
