//! What can be wrong with a recording, said so that the reader knows what to do next.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A recording that cannot be used, and why.
#[derive(Debug)]
pub struct ClipError {
    /// The recording.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: ClipFault,
}

/// What is wrong with a recording.
#[derive(Debug)]
pub enum ClipFault {
    /// The file system said no.
    Unreadable(io::Error),
    /// It is something else; the text says what it looks like.
    NotAClip(&'static str),
    /// A recording in a form that is not read; the text says which.
    Unsupported(String),
    /// Its structure contradicts itself.
    Malformed(String),
    /// It holds no picture.
    NoFrames,
    /// It ends in the middle. Nothing is read from such a file, so that half a movement is not judged as a whole.
    CutShort {
        /// Whole pictures before the cut.
        whole_frames: usize,
        /// Time of the last whole one, seconds.
        last_at_s: f64,
    },
    /// One picture differs in size from the recording.
    WrongSize {
        /// Its number, from 0.
        frame: usize,
        /// The recording's size, pixels.
        expected: (u32, u32),
        /// This picture's size, pixels.
        found: (u32, u32),
    },
    /// One picture is unusable.
    BadFrame {
        /// Its number, from 0.
        frame: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Larger than any recording this is made for.
    TooLarge(String),
}

impl ClipError {
    pub(crate) fn new(path: &Path, fault: ClipFault) -> Self {
        Self { path: path.to_owned(), fault }
    }
}

const MAKE: &str = "make a readable copy with `ffmpeg -i IN -an -c:v mjpeg -q:v 3 OUT.avi`";

impl fmt::Display for ClipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Debug form of the path: odd names stay on one line and cannot drive the terminal.
        write!(f, "{:?}: {}", self.path, self.fault)
    }
}

impl fmt::Display for ClipFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(e) => write!(f, "cannot be read ({e}); check the name and its permissions"),
            Self::NotAClip(what) => write!(
                f,
                "{what}, not a recording (MJPEG in AVI, a directory of JPEGs, or Y4M); give a recording, or {MAKE}"
            ),
            Self::Unsupported(what) => write!(f, "{what} is not read here; {MAKE}"),
            Self::Malformed(why) => write!(f, "the recording is damaged: {why}; record it again, or {MAKE}"),
            Self::NoFrames => write!(f, "the recording holds no picture; record it again"),
            Self::CutShort { whole_frames: 0, .. } => {
                write!(f, "the recording is cut short before its first whole picture; record it again")
            }
            Self::CutShort { whole_frames, last_at_s } => write!(
                f,
                "the recording is cut short: {whole_frames} whole pictures, the last is number {} at {last_at_s:.2} s; \
                 copy it again from its source, or keep the whole part with `ffmpeg -i IN -c copy OUT.avi`",
                whole_frames - 1
            ),
            Self::WrongSize { frame, expected, found } => write!(
                f,
                "picture {frame} is {}×{} in a recording of {}×{}; give all pictures one size",
                found.0, found.1, expected.0, expected.1
            ),
            Self::BadFrame { frame, why } => {
                write!(f, "picture {frame} cannot be used: {why}; record it again, or {MAKE}")
            }
            Self::TooLarge(what) => {
                write!(f, "the recording is too large ({what}); cut it, or scale it down")
            }
        }
    }
}

impl std::error::Error for ClipError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            ClipFault::Unreadable(e) => Some(e),
            _ => None,
        }
    }
}

impl From<io::Error> for ClipFault {
    fn from(e: io::Error) -> Self {
        Self::Unreadable(e)
    }
}
