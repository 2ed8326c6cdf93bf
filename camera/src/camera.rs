//! What every camera does, and how it fails: the V4L2 device and the recording stand behind this.

use std::fmt;
use std::time::Duration;

use crate::frame::{Frame, PixelFormat};
use crate::recording::{ClipError, ScriptError};

/// Without a frame for this long a camera that was delivering counts as stalled; until then a missed deadline is only
/// [`CameraError::TimedOut`]. Chosen: far above any frame interval, well below a login's patience.
pub const STALL_LIMIT: Duration = Duration::from_secs(2);
/// The same before the first frame: some webcams take seconds to start. Chosen.
pub const START_LIMIT: Duration = Duration::from_secs(5);

/// A source of pictures.
pub trait Camera: Send {
    /// The newest picture that was not handed out yet, waiting at most `timeout` for one. Pictures that the caller
    /// was too slow for are dropped, never queued.
    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError>;

    /// What this camera is and how it is set.
    fn describe(&self) -> CameraInfo;

    /// An instruction with this code (`pose_contract::instruction`) is on the screen now. A recording picks its
    /// clip by it; a real camera has no use for it.
    fn cue(&mut self, _code: &str) {}
}

/// What a camera is, for logs, `posectl devices` and device pinning.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraInfo {
    /// Name for people ("Integrated Camera", "recording good.avi").
    pub name: String,
    /// Device node or file.
    pub source: String,
    /// Layout of the pictures.
    pub format: PixelFormat,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// Negotiated frames per second.
    pub fps: f64,
    /// True for a recording.
    pub recorded: bool,
    /// True for a camera that delivers luma only, which is taken for infrared.
    pub infrared: bool,
    /// True for a device without hardware behind it (v4l2loopback, vivid).
    pub virtual_device: bool,
    /// Kernel driver, empty for recordings.
    pub driver: String,
    /// Where it is plugged in, as the driver says; empty for recordings.
    pub bus: String,
}

/// Why there is no picture. `Display` ends with the next step to take.
#[derive(Debug)]
pub enum CameraError {
    /// No camera that may be used is there.
    Missing {
        /// What was looked for, or what was found instead.
        what: String,
    },
    /// Only built-in cameras may be used, and the lid over them is closed.
    LidClosed,
    /// Another program has the camera.
    Busy {
        /// Device node.
        node: String,
    },
    /// The device node may not be opened.
    Permission {
        /// Device node.
        node: String,
    },
    /// No picture within the caller's wait; asking again is fine.
    TimedOut,
    /// The camera is there and delivers nothing any more.
    Stalled,
    /// The camera went away while in use.
    Unplugged,
    /// The camera has no format or size that can be used.
    Unsupported {
        /// What was offered, or refused.
        what: String,
    },
    /// The kernel refused an operation.
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The recording is over (scripts with `at_end = "end"` only).
    EndOfRecording,
    /// The recording cannot be read.
    Recording(ClipError),
    /// The recording's script cannot be read.
    Script(ScriptError),
}

impl fmt::Display for CameraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what } => {
                write!(f, "no usable camera: {what}; connect one, then look at `posectl devices`")
            }
            Self::LidClosed => write!(f, "the lid over the built-in camera is closed; open it and try again"),
            Self::Busy { node } => {
                write!(
                    f,
                    "{node} is in use by another program; close it (`fuser -v {node}` names it) and try again"
                )
            }
            Self::Permission { node } => {
                write!(f, "{node} may not be opened by this user; run as a member of group video, or as root")
            }
            Self::TimedOut => write!(f, "no picture arrived in time; try again"),
            Self::Stalled => {
                write!(f, "the camera stopped delivering pictures; unplug and replug it, then try again")
            }
            Self::Unplugged => write!(f, "the camera was unplugged; plug it in and try again"),
            Self::Unsupported { what } => {
                write!(f, "the camera cannot be used: {what}; look at `posectl devices` and choose another")
            }
            Self::Io { doing, source } => {
                write!(f, "{doing}: {source}; replug the camera, and look at `journalctl -k` if it stays so")
            }
            Self::EndOfRecording => write!(f, "the recording is over; start again to play it once more"),
            Self::Recording(e) => e.fmt(f),
            Self::Script(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for CameraError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Recording(e) => Some(e),
            Self::Script(e) => Some(e),
            _ => None,
        }
    }
}

impl From<ClipError> for CameraError {
    fn from(e: ClipError) -> Self {
        Self::Recording(e)
    }
}

impl From<ScriptError> for CameraError {
    fn from(e: ScriptError) -> Self {
        Self::Script(e)
    }
}
