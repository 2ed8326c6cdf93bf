//! One recording and its pictures. Only the places of the pictures are kept; each is read when it is asked for.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::{ClipError, ClipFault};
use super::{avi, jpeg_dir, y4m};
use crate::frame::{Frame, PixelFormat};
use crate::jpeg;

/// Longest side of a picture, pixels: above any webcam's.
pub(crate) const MAX_SIDE: u32 = 8192;
/// Largest single picture, bytes (8192 × 8192 in 4:2:0 would be 100 MB; a 4K frame in 4:2:2 is 17 MB).
pub(crate) const MAX_FRAME_BYTES: u64 = 64 << 20;
/// Most pictures in one recording: an hour at 60 per second.
pub(crate) const MAX_FRAMES: usize = 216_000;
/// Frame rates outside of this are a damaged header, frames per second.
const FPS_RANGE: std::ops::RangeInclusive<f64> = 0.1..=1000.0;

/// A recording, opened and checked as a whole.
#[derive(Debug)]
pub struct Clip {
    path: PathBuf,
    pub(crate) layout: Layout,
}

/// Where the pictures are and what they are, as the container said.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) format: PixelFormat,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rate: Rate,
    pub(crate) pictures: Pictures,
}

/// Frames per second as a ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) num: u32,
    pub(crate) den: u32,
}

/// Where the pictures are.
#[derive(Debug)]
pub(crate) enum Pictures {
    /// Places in one file.
    InFile(File, Vec<Place>),
    /// One whole file each, already read: a sandboxed reader can open nothing later.
    Read(Vec<Vec<u8>>),
}

/// One picture's place in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its position in time, in frames; a container may skip some.
    pub(crate) slot: u32,
    pub(crate) offset: u64,
    pub(crate) length: u32,
}

impl Rate {
    /// Used where a container does not say.
    pub(crate) const DEFAULT: Self = Self { num: 30, den: 1 };

    /// `None` for a rate that no recording has.
    pub(crate) fn new(num: u32, den: u32) -> Option<Self> {
        let rate = Self { num, den };
        (den != 0 && FPS_RANGE.contains(&rate.fps())).then_some(rate)
    }

    pub(crate) fn fps(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// Time of a slot from the start, microseconds.
    pub(crate) fn time_us(self, slot: u64) -> u64 {
        (u128::from(slot) * u128::from(self.den) * 1_000_000 / u128::from(self.num)) as u64
    }
}

impl Clip {
    /// Opens a recording: MJPEG in AVI, a directory of JPEGs, or Y4M. A file that ends in the middle is refused.
    pub fn open(path: &Path) -> Result<Self, ClipError> {
        let layout = Self::layout(path).map_err(|fault| ClipError::new(path, fault))?;
        let clip = Self { path: path.to_owned(), layout };
        if clip.is_empty() {
            return Err(ClipError::new(path, ClipFault::NoFrames));
        }
        Ok(clip)
    }

    fn layout(path: &Path) -> Result<Layout, ClipFault> {
        let meta = fs::metadata(path)?;
        if meta.is_dir() {
            return jpeg_dir::read(path);
        }
        if !meta.is_file() {
            return Err(ClipFault::NotAClip("this is a device, pipe or socket"));
        }
        // Non-blocking: were the file swapped for a pipe since, opening it must not hang.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let length = file.metadata()?.len();
        let mut head = [0u8; 16];
        let read = read_up_to(&file, &mut head)?;
        match head.get(..read).unwrap_or_default() {
            [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => avi::read(file, length),
            [b'Y', b'U', b'V', b'4', b'M', b'P', b'E', b'G', b'2', ..] => y4m::read(file, length),
            other => Err(ClipFault::NotAClip(guess(other))),
        }
    }

    /// The file or directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of pictures, at least 1.
    pub fn len(&self) -> usize {
        match &self.layout.pictures {
            Pictures::InFile(_, places) => places.len(),
            Pictures::Read(files) => files.len(),
        }
    }

    /// Never true for an opened clip.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Layout of the pictures.
    pub fn format(&self) -> PixelFormat {
        self.layout.format
    }

    /// Width, pixels.
    pub fn width(&self) -> u32 {
        self.layout.width
    }

    /// Height, pixels.
    pub fn height(&self) -> u32 {
        self.layout.height
    }

    /// Frames per second.
    pub fn fps(&self) -> f64 {
        self.layout.rate.fps()
    }

    /// From the first picture to the end of the last, microseconds.
    pub fn duration_us(&self) -> u64 {
        self.layout.rate.time_us(u64::from(self.slot(self.len().saturating_sub(1))) + 1)
    }

    /// Time of a picture from the start, microseconds.
    pub fn time_us(&self, index: usize) -> u64 {
        self.layout.rate.time_us(self.slot(index).into())
    }

    /// The newest picture at a time from the start, microseconds.
    pub(crate) fn index_at(&self, t_us: u64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.time_us(middle) <= t_us { low = middle } else { high = middle }
        }
        low
    }

    /// Reads one picture, stamped with its time in the recording.
    pub fn frame(&self, index: usize) -> Result<Frame, ClipError> {
        self.read_frame(index).map_err(|fault| ClipError::new(&self.path, fault))
    }

    /// All pictures in order, as fast as they are asked for.
    pub fn frames(&self) -> impl Iterator<Item = Result<Frame, ClipError>> + '_ {
        (0..self.len()).map(|i| self.frame(i))
    }

    fn slot(&self, index: usize) -> u32 {
        match &self.layout.pictures {
            Pictures::InFile(_, places) => places.get(index).map_or(index as u32, |p| p.slot),
            Pictures::Read(_) => index as u32,
        }
    }

    fn read_frame(&self, index: usize) -> Result<Frame, ClipFault> {
        let bytes = match &self.layout.pictures {
            Pictures::InFile(file, places) => {
                let place = places.get(index).ok_or_else(|| past_the_end(index))?;
                let mut bytes = vec![0; place.length as usize];
                file.read_exact_at(&mut bytes, place.offset).map_err(|e| match e.kind() {
                    ErrorKind::UnexpectedEof => ClipFault::CutShort {
                        whole_frames: index,
                        last_at_s: self.seconds(index.saturating_sub(1)),
                    },
                    _ => e.into(),
                })?;
                bytes
            }
            Pictures::Read(files) => files.get(index).ok_or_else(|| past_the_end(index))?.clone(),
        };
        let (width, height) = (self.width(), self.height());
        let (stride, data) = match self.format() {
            PixelFormat::Mjpg => (0, self.check_jpeg(index, bytes)?),
            PixelFormat::Yuyv => (width * 2, y4m::pack_422(&bytes, width, height)),
            _ => (width, bytes),
        };
        let (t_us, sequence) = (self.time_us(index), self.slot(index));
        Ok(Frame { width, height, stride, format: self.format(), data, t_us, sequence })
    }

    fn check_jpeg(&self, frame: usize, bytes: Vec<u8>) -> Result<Vec<u8>, ClipFault> {
        let (info, data) =
            jpeg::complete(bytes).map_err(|e| ClipFault::BadFrame { frame, why: e.text().to_owned() })?;
        let (expected, found) = ((self.width(), self.height()), (info.width, info.height));
        if expected == found { Ok(data) } else { Err(ClipFault::WrongSize { frame, expected, found }) }
    }

    fn seconds(&self, index: usize) -> f64 {
        self.time_us(index) as f64 / 1e6
    }
}

/// Refuses sizes that no camera has before anything is allocated by them.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), ClipFault> {
    if width == 0 || height == 0 {
        return Err(ClipFault::Malformed(format!("a picture size of {width}×{height}")));
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(ClipFault::TooLarge(format!("{width}×{height} pixels, at most {MAX_SIDE} a side")));
    }
    Ok(())
}

/// What a file that ends in the middle is reported as.
pub(crate) fn cut_short(places: &[Place], rate: Rate) -> ClipFault {
    let last_at_s = places.last().map_or(0.0, |p| rate.time_us(p.slot.into()) as f64 / 1e6);
    ClipFault::CutShort { whole_frames: places.len(), last_at_s }
}

fn past_the_end(index: usize) -> ClipFault {
    ClipFault::BadFrame { frame: index, why: "it lies behind the recording's end".to_owned() }
}

fn read_up_to(file: &File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|r| !r.is_empty()) {
        match file.read_at(rest, done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

fn guess(head: &[u8]) -> &'static str {
    match head {
        [] => "this is an empty file",
        [0xff, 0xd8, ..] => "this is a single JPEG picture (a directory of them is a recording)",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "this is a Matroska or WebM file",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "this is an MP4 or QuickTime file",
        [b'R', b'I', b'F', b'F', ..] => "this is a RIFF file without video",
        _ => "this is a file of another kind",
    }
}
