//! The buffer loop: newest picture only, deadlines kept, every buffer given back, whatever the device does.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::choose::{Choice, Request, choose, ranked};
use super::controls::is_standard;
use super::device::{Device, codes_of, devices, format_of, is_luma, open_error, seconds};
use super::node::{Filled, Node, SetFormat};
use super::picture::{Defect, Expected};
use super::raw::Mapping;
use crate::camera::{Camera, CameraError, CameraInfo, STALL_LIMIT, START_LIMIT};
use crate::clock::monotonic_us;
use crate::frame::{Frame, PixelFormat};

/// One being filled, one being read, two against jitter.
const BUFFERS: u32 = 4;
/// Damaged pictures in a row after which the camera counts as unusable: about a second.
const MAX_DEFECTS: u32 = 30;
/// Errors in a row while taking buffers; a driver may report a lost signal once or twice (EIO).
const MAX_ERRORS: u32 = 5;
/// When every buffer was full the driver had to drop pictures, and the newest buffer may be of any age. One older
/// than this is thrown away, microseconds.
const MAX_AGE_US: u64 = 100_000;

/// A V4L2 camera that is delivering pictures.
pub struct V4l2Camera {
    // Before the node: buffers are unmapped before the device is closed.
    buffers: Vec<Mapping>,
    node: Node,
    info: CameraInfo,
    expected: Expected,
    /// Controls to put back.
    old_controls: Vec<(u32, i32)>,
    started_us: u64,
    /// When the last picture was handed out.
    seen_us: Option<u64>,
    last_t_us: u64,
    defects: u32,
    errors: u32,
    counts: Counts,
}

/// What became of the pictures that were not handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// A newer one was there, or it was too old.
    pub superseded: u64,
    /// Damaged, by the driver's word or by their own bytes.
    pub damaged: u64,
}

impl V4l2Camera {
    /// Opens the camera that [`choose`] picks and starts it.
    pub fn open(request: &Request) -> Result<Self, CameraError> {
        let devices = devices();
        let choice = choose(&devices, request)?;
        let device = devices.iter().find(|d| d.node == choice.node);
        Self::open_device(device.ok_or(CameraError::Unplugged)?, request)
    }

    /// Opens a certain camera in its best mode that the bus has room for.
    pub fn open_device(device: &Device, request: &Request) -> Result<Self, CameraError> {
        let mut refused = None;
        for choice in ranked(device, request) {
            match Self::start(device, &choice, request) {
                // No bandwidth left on the bus for this mode: a compressed or smaller one may fit.
                Err(CameraError::Io { source, doing }) if source.raw_os_error() == Some(libc::ENOSPC) => {
                    refused = Some(CameraError::Io { doing, source });
                }
                other => return other,
            }
        }
        let what = device
            .problem
            .clone()
            .unwrap_or_else(|| format!("{} has no mode that fits", device.node.display()));
        Err(refused.unwrap_or(CameraError::Unsupported { what }))
    }

    /// What became of the pictures that were not handed out.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn start(device: &Device, choice: &Choice, request: &Request) -> Result<Self, CameraError> {
        let node = Node::open(&choice.node).map_err(|e| open_error(&choice.node, e))?;
        let name = choice.node.display().to_string();
        let format = negotiate(&node, choice).map_err(|e| failure(e, "setting the picture format", &name))?;
        let expected = check_format(format, choice)?;
        // Drivers without a choice of rates refuse this, and deliver all the same.
        let interval = choice.interval.and_then(|i| node.set_interval(i).ok()).or(choice.interval);
        let fps = interval.filter(|i| i.0 != 0 && i.1 != 0).map_or(0.0, |i| 1.0 / seconds(i));
        let buffers = node.buffers(BUFFERS).map_err(|e| failure(e, "asking for buffers", &name))?;
        let mut camera = Self {
            buffers,
            info: info(device, &expected, fps),
            node,
            expected,
            old_controls: Vec::new(),
            started_us: monotonic_us(),
            seen_us: None,
            last_t_us: 0,
            defects: 0,
            errors: 0,
            counts: Counts::default(),
        };
        camera.set_controls(&request.controls);
        for index in 0..camera.buffers.len() as u32 {
            camera.queue(index)?;
        }
        camera.node.stream(true).map_err(|e| failure(e, "starting the camera", &name))?;
        Ok(camera)
    }

    /// Sets the controls that the camera has. One that it lacks or refuses changes nothing about its pictures
    /// that a login could not live with.
    fn set_controls(&mut self, controls: &[(u32, i32)]) {
        for &(id, value) in controls.iter().filter(|c| is_standard(c.0)) {
            if let Ok(old) = self.node.control(id)
                && old != value
                && self.node.set_control(id, value).is_ok()
            {
                self.old_controls.push((id, old));
            }
        }
    }

    fn queue(&self, index: u32) -> Result<(), CameraError> {
        self.node.queue(index).map_err(|e| failure(e, "giving a buffer back", &self.info.source))
    }

    /// Takes every filled buffer, keeps the newest whole one, and gives them all back.
    fn drain(&mut self) -> Result<Option<Frame>, CameraError> {
        let mut newest: Option<Filled> = None;
        let mut taken = 0;
        // A driver that fills as fast as buffers come back must not hold the loop.
        while taken < 2 * self.buffers.len() {
            let Some(filled) = self.dequeue()? else { break };
            taken += 1;
            if filled.damaged {
                self.counts.damaged += 1;
                self.queue(filled.index)?;
            } else if let Some(older) = newest.replace(filled) {
                self.counts.superseded += 1;
                self.queue(older.index)?;
            }
        }
        let Some(filled) = newest else { return Ok(None) };
        let was_full = taken >= self.buffers.len();
        let now = monotonic_us();
        if was_full && filled.t_us.is_some_and(|t| t + MAX_AGE_US < now) {
            self.counts.superseded += 1;
            self.queue(filled.index)?;
            return Ok(None);
        }
        let data =
            self.buffers.get(filled.index as usize).map(|b| b.copy(filled.used as usize)).unwrap_or_default();
        self.queue(filled.index)?;
        match self.expected.take(data) {
            Ok(data) => Ok(Some(self.frame(filled, data, now))),
            Err(defect) => self.note(defect).map(|()| None),
        }
    }

    fn dequeue(&mut self) -> Result<Option<Filled>, CameraError> {
        match self.node.dequeue() {
            Ok(filled) => {
                self.errors = if filled.is_some() { 0 } else { self.errors };
                Ok(filled)
            }
            Err(e) if e.raw_os_error() == Some(libc::EIO) => {
                self.errors += 1;
                // Whichever call meets the last of them, waiting or this one, it means the same.
                if self.errors > MAX_ERRORS { Err(self.gone()) } else { Ok(None) }
            }
            Err(e) => Err(failure(e, "taking a picture", &self.info.source)),
        }
    }

    fn frame(&mut self, filled: Filled, data: Vec<u8>, now: u64) -> Frame {
        // Some drivers' stamps run ahead or step back (uvcvideo's conversion of device clocks has done both).
        let t_us = filled.t_us.filter(|t| *t <= now).unwrap_or(now).max(self.last_t_us + 1);
        (self.last_t_us, self.seen_us, self.defects) = (t_us, Some(now), 0);
        let Expected { format, width, height, stride, .. } = self.expected;
        Frame { width, height, stride, format, data, t_us, sequence: filled.sequence }
    }

    fn note(&mut self, defect: Defect) -> Result<(), CameraError> {
        self.counts.damaged += 1;
        self.defects += 1;
        if self.defects < MAX_DEFECTS {
            return Ok(());
        }
        let what = match defect {
            Defect::TooShort { bytes, needed } => format!("its pictures have {bytes} of {needed} bytes"),
            Defect::Jpeg(why) => format!("none of its pictures can be read ({why})"),
            Defect::WrongSize { width, height } => {
                format!("its pictures are {width}×{height}, not what was agreed")
            }
        };
        Err(CameraError::Unsupported { what })
    }

    /// Waits for a filled buffer; returns also when there is an error to be found by taking one.
    fn wait(&mut self, until_us: u64) -> Result<(), CameraError> {
        let left = until_us.saturating_sub(monotonic_us()).div_ceil(1000);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(self.node.fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(()),
            Err(e) => return Err(failure(e.into(), "waiting for a picture", &self.info.source)),
        }
        let seen = fds.first().and_then(PollFd::revents).unwrap_or(PollFlags::empty());
        let broken = seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL);
        if broken && !seen.contains(PollFlags::POLLIN) {
            // Taking a buffer tells what happened. Should that find nothing, asking on would spin.
            self.errors += 1;
            if self.errors > MAX_ERRORS {
                return Err(self.gone());
            }
        }
        Ok(())
    }

    fn gone(&self) -> CameraError {
        if std::path::Path::new(&self.info.source).exists() {
            CameraError::Stalled
        } else {
            CameraError::Unplugged
        }
    }

    fn silence(&self, now: u64) -> CameraError {
        let (since, limit) = match self.seen_us {
            Some(seen) => (seen, STALL_LIMIT),
            None => (self.started_us, START_LIMIT),
        };
        let stalled = Duration::from_micros(now.saturating_sub(since)) >= limit;
        if stalled { CameraError::Stalled } else { CameraError::TimedOut }
    }
}

impl Camera for V4l2Camera {
    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        let until = monotonic_us().saturating_add(u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX));
        loop {
            if let Some(frame) = self.drain()? {
                return Ok(frame);
            }
            let now = monotonic_us();
            if now >= until {
                return Err(self.silence(now));
            }
            self.wait(until)?;
        }
    }

    fn describe(&self) -> CameraInfo {
        self.info.clone()
    }
}

impl Drop for V4l2Camera {
    /// Turns the camera and its light off at once. After an unplug every call fails, and nothing is left to undo.
    fn drop(&mut self) {
        let _ = self.node.stream(false);
        for (id, value) in self.old_controls.drain(..).rev() {
            let _ = self.node.set_control(id, value);
        }
    }
}

fn info(device: &Device, expected: &Expected, fps: f64) -> CameraInfo {
    CameraInfo {
        name: device.name.clone(),
        source: device.node.display().to_string(),
        format: expected.format,
        width: expected.width,
        height: expected.height,
        fps,
        recorded: false,
        infrared: is_luma(expected.format),
        virtual_device: device.virtual_device,
        driver: device.driver.clone(),
        bus: device.bus.clone(),
    }
}

/// Sets the format by whichever of its codes the driver takes.
fn negotiate(node: &Node, choice: &Choice) -> io::Result<SetFormat> {
    let mut last = Err(io::ErrorKind::InvalidInput.into());
    for code in codes_of(choice.format) {
        last = node.set_format(code, choice.size.0, choice.size.1);
        if last.as_ref().is_ok_and(|set| format_of(set.fourcc) == Some(choice.format)) {
            break;
        }
    }
    last
}

/// The driver's answer may be another format or size than asked for.
fn check_format(set: SetFormat, choice: &Choice) -> Result<Expected, CameraError> {
    let given = format_of(set.fourcc);
    let sane = (16..=8192).contains(&set.width) && (16..=8192).contains(&set.height);
    if given != Some(choice.format) || !sane || set.interlaced {
        let code = String::from_utf8_lossy(&set.fourcc).escape_default().to_string();
        let fields = if set.interlaced { " in half pictures" } else { "" };
        let what =
            format!("asked for {:?} it gives {code} {}×{}{fields}", choice.format, set.width, set.height);
        return Err(CameraError::Unsupported { what });
    }
    let stride = if choice.format == PixelFormat::Mjpg { 0 } else { set.stride };
    if stride > 4 * set.width + 4096 {
        return Err(CameraError::Unsupported { what: format!("its lines have {stride} bytes") });
    }
    Ok(Expected::new(choice.format, set.width, set.height, stride))
}

fn failure(e: io::Error, doing: &'static str, node: &str) -> CameraError {
    match e.raw_os_error() {
        Some(libc::ENODEV | libc::ENXIO | libc::ESHUTDOWN) => CameraError::Unplugged,
        Some(libc::EBUSY) => CameraError::Busy { node: node.to_owned() },
        _ => CameraError::Io { doing, source: e },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_driver_answers_is_taken_only_if_it_can_be_a_picture() {
        let choice = Choice {
            node: "/dev/video0".into(),
            format: PixelFormat::Yuyv,
            size: (640, 480),
            interval: None,
            why: String::new(),
        };
        let good = SetFormat { fourcc: *b"YUYV", width: 640, height: 480, stride: 1280, interlaced: false };
        let nearest = SetFormat { width: 800, height: 600, stride: 0, ..good };
        assert_eq!(check_format(good, &choice).unwrap().stride, 1280);
        assert_eq!(check_format(nearest, &choice).unwrap().stride, 1600);
        for bad in [
            SetFormat { fourcc: *b"H264", ..good },
            SetFormat { fourcc: *b"MJPG", ..good },
            SetFormat { width: 0, ..good },
            SetFormat { height: 100_000, ..good },
            SetFormat { stride: u32::MAX, ..good },
            SetFormat { interlaced: true, ..good },
        ] {
            assert!(matches!(check_format(bad, &choice), Err(CameraError::Unsupported { .. })), "{bad:?}");
        }
    }

    #[test]
    fn errors_of_the_kernel_get_their_meaning() {
        let meaning = |code| failure(io::Error::from_raw_os_error(code), "testing", "/dev/video0");
        assert!(matches!(meaning(libc::ENODEV), CameraError::Unplugged));
        assert!(matches!(meaning(libc::EBUSY), CameraError::Busy { .. }));
        assert!(matches!(meaning(libc::EPROTO), CameraError::Io { .. }));
        let missing = open_error("/dev/video9".as_ref(), io::Error::from_raw_os_error(libc::ENOENT));
        assert!(matches!(missing, CameraError::Missing { .. }));
    }
}
