//! One device node and its calls, in this crate's own terms.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

use super::raw::{self, Argument, Mapping};

/// Drivers end their lists with an error; one that does not is cut off here.
const MAX_ENTRIES: u32 = 256;
const CAPTURE: u32 = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
const MMAP: u32 = sys::v4l2_memory_V4L2_MEMORY_MMAP;

pub(super) struct Node {
    file: File,
}

/// What a node is.
pub(super) struct Capability {
    pub(super) driver: String,
    pub(super) card: String,
    pub(super) bus: String,
    /// It delivers pictures through mapped buffers in single planes.
    pub(super) captures: bool,
}

/// A format as the driver set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SetFormat {
    pub(super) fourcc: [u8; 4],
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes per line.
    pub(super) stride: u32,
    /// Interlaced or field-wise pictures.
    pub(super) interlaced: bool,
}

/// A filled buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) index: u32,
    /// Bytes that hold the picture.
    pub(super) used: u32,
    /// The driver says that the picture is damaged.
    pub(super) damaged: bool,
    /// Time of capture on the monotonic clock, microseconds, if the driver stamps with that clock.
    pub(super) t_us: Option<u64>,
    pub(super) sequence: u32,
}

impl Node {
    /// Opens a character device without waiting for it; closed in child processes.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        // The standard library adds O_CLOEXEC.
        let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        if !file.metadata()?.file_type().is_char_device() {
            return Err(io::Error::from_raw_os_error(libc::ENOTTY));
        }
        Ok(Self { file })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(super) fn capability(&self) -> io::Result<Capability> {
        let mut c = sys::v4l2_capability::zeroed();
        raw::call(&self.file, vidioc::VIDIOC_QUERYCAP, &mut c)?;
        // `capabilities` is the whole device's; a metadata node of a camera differs in `device_caps` only.
        let own =
            if c.capabilities & sys::V4L2_CAP_DEVICE_CAPS != 0 { c.device_caps } else { c.capabilities };
        let needed = sys::V4L2_CAP_VIDEO_CAPTURE | sys::V4L2_CAP_STREAMING;
        Ok(Capability {
            driver: text(&c.driver),
            card: text(&c.card),
            bus: text(&c.bus_info),
            captures: own & needed == needed,
        })
    }

    /// Four-character codes of the formats.
    pub(super) fn formats(&self) -> Vec<[u8; 4]> {
        self.list(vidioc::VIDIOC_ENUM_FMT, |index| {
            let mut e = sys::v4l2_fmtdesc::zeroed();
            (e.index, e.type_) = (index, CAPTURE);
            e
        })
        .map(|e| e.pixelformat.to_le_bytes())
        .collect()
    }

    /// Sizes of a format, smallest and largest for a range.
    pub(super) fn sizes(&self, fourcc: [u8; 4]) -> Vec<[(u32, u32); 2]> {
        self.list(vidioc::VIDIOC_ENUM_FRAMESIZES, |index| {
            let mut e = sys::v4l2_frmsizeenum::zeroed();
            (e.index, e.pixel_format) = (index, u32::from_le_bytes(fourcc));
            e
        })
        .map(|e| raw::frame_sizes(&e))
        .collect()
    }

    /// Frame intervals of a size, seconds as a ratio, shortest and longest for a range.
    pub(super) fn intervals(&self, fourcc: [u8; 4], width: u32, height: u32) -> Vec<[(u32, u32); 2]> {
        self.list(vidioc::VIDIOC_ENUM_FRAMEINTERVALS, |index| {
            let mut e = sys::v4l2_frmivalenum::zeroed();
            (e.index, e.pixel_format, e.width, e.height) = (index, u32::from_le_bytes(fourcc), width, height);
            e
        })
        .map(|e| raw::frame_intervals(&e))
        .collect()
    }

    fn list<A: Argument>(
        &self,
        request: vidioc::_IOC_TYPE,
        entry: impl Fn(u32) -> A,
    ) -> impl Iterator<Item = A> {
        (0..MAX_ENTRIES).map_while(move |index| {
            let mut e = entry(index);
            raw::call(&self.file, request, &mut e).is_ok().then_some(e)
        })
    }

    /// Sets a format; the driver answers with the nearest that it has.
    pub(super) fn set_format(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<SetFormat> {
        let mut pix = raw::pix(&sys::v4l2_format::zeroed());
        (pix.width, pix.height, pix.pixelformat) = (width, height, u32::from_le_bytes(fourcc));
        pix.field = sys::v4l2_field_V4L2_FIELD_NONE;
        let mut format = sys::v4l2_format { type_: CAPTURE, fmt: sys::v4l2_format__bindgen_ty_1 { pix } };
        raw::call(&self.file, vidioc::VIDIOC_S_FMT, &mut format)?;
        let pix = raw::pix(&format);
        Ok(SetFormat {
            fourcc: pix.pixelformat.to_le_bytes(),
            width: pix.width,
            height: pix.height,
            stride: pix.bytesperline,
            interlaced: pix.field > sys::v4l2_field_V4L2_FIELD_NONE,
        })
    }

    /// Sets the frame interval, seconds as a ratio; answers with the one in force.
    pub(super) fn set_interval(&self, interval: (u32, u32)) -> io::Result<(u32, u32)> {
        let mut parm = sys::v4l2_streamparm::zeroed();
        let mut capture = raw::capture(&parm);
        capture.timeperframe = sys::v4l2_fract { numerator: interval.0, denominator: interval.1 };
        parm.type_ = CAPTURE;
        parm.parm = sys::v4l2_streamparm__bindgen_ty_1 { capture };
        raw::call(&self.file, vidioc::VIDIOC_S_PARM, &mut parm)?;
        let set = raw::capture(&parm).timeperframe;
        Ok((set.numerator, set.denominator))
    }

    /// Asks for mapped buffers and maps them all. None are queued yet.
    pub(super) fn buffers(&self, count: u32) -> io::Result<Vec<Mapping>> {
        let mut request = sys::v4l2_requestbuffers::zeroed();
        (request.count, request.type_, request.memory) = (count, CAPTURE, MMAP);
        raw::call(&self.file, vidioc::VIDIOC_REQBUFS, &mut request)?;
        (0..request.count.min(MAX_ENTRIES))
            .map(|index| {
                let mut b = buffer(index);
                raw::call(&self.file, vidioc::VIDIOC_QUERYBUF, &mut b)?;
                Mapping::new(&self.file, raw::offset(&b), b.length)
            })
            .collect()
    }

    /// Gives a buffer to the driver.
    pub(super) fn queue(&self, index: u32) -> io::Result<()> {
        raw::call(&self.file, vidioc::VIDIOC_QBUF, &mut buffer(index))
    }

    /// Takes the oldest filled buffer; `None` if there is none.
    pub(super) fn dequeue(&self) -> io::Result<Option<Filled>> {
        let mut b = buffer(0);
        match raw::call(&self.file, vidioc::VIDIOC_DQBUF, &mut b) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
            Ok(()) => Ok(Some(Filled {
                index: b.index,
                used: b.bytesused,
                damaged: b.flags & sys::V4L2_BUF_FLAG_ERROR != 0,
                t_us: time_stamp(&b),
                sequence: b.sequence,
            })),
        }
    }

    /// Starts or stops the flow of pictures.
    pub(super) fn stream(&self, on: bool) -> io::Result<()> {
        let request = if on { vidioc::VIDIOC_STREAMON } else { vidioc::VIDIOC_STREAMOFF };
        raw::call(&self.file, request, &mut (CAPTURE as libc::c_int))
    }

    /// A control's value.
    pub(super) fn control(&self, id: u32) -> io::Result<i32> {
        let mut c = sys::v4l2_control { id, value: 0 };
        raw::call(&self.file, vidioc::VIDIOC_G_CTRL, &mut c)?;
        Ok(c.value)
    }

    pub(super) fn set_control(&self, id: u32, value: i32) -> io::Result<()> {
        raw::call(&self.file, vidioc::VIDIOC_S_CTRL, &mut sys::v4l2_control { id, value })
    }
}

fn buffer(index: u32) -> sys::v4l2_buffer {
    let mut b = sys::v4l2_buffer::zeroed();
    (b.index, b.type_, b.memory) = (index, CAPTURE, MMAP);
    b
}

fn time_stamp(b: &sys::v4l2_buffer) -> Option<u64> {
    let monotonic = b.flags & sys::V4L2_BUF_FLAG_TIMESTAMP_MASK == sys::V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    let seconds = u64::try_from(b.timestamp.tv_sec).ok()?;
    let micros = u64::try_from(b.timestamp.tv_usec).ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(micros).filter(|_| monotonic)
}

/// A C string in a fixed field. Drivers cut names in the middle of a character and pass on what a device's
/// firmware says: whatever cannot be shown is replaced.
pub(super) fn text(field: &[u8]) -> String {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    printable(&String::from_utf8_lossy(field.get(..end).unwrap_or_default()))
}

/// Without control characters, which could drive a terminal or a log.
pub(super) fn printable(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_device_names_become_text_that_can_be_shown() {
        assert_eq!(text(b"Integrated Camera: Integrated C\0"), "Integrated Camera: Integrated C");
        assert_eq!(text(b"Cam\xc3\xa9ra\0junk"), "Caméra");
        assert_eq!(text(b"cut in half \xe2\x82"), "cut in half \u{fffd}");
        assert_eq!(text(b"\x1b[31mred\n\0"), "\u{fffd}[31mred");
        assert_eq!(text(b"\0"), "");
    }

    #[test]
    fn a_file_is_not_taken_for_a_device() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Node::open(file.path()).is_err());
    }

    #[test]
    fn a_device_that_is_no_camera_answers_with_an_error_and_empty_lists() {
        let null = Node::open(Path::new("/dev/null")).unwrap();
        assert!(null.capability().is_err());
        assert!(null.formats().is_empty());
        assert!(null.buffers(4).is_err());
        assert!(null.dequeue().is_err());
    }
}
