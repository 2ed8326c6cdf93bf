//! Which camera to use and how to set it. Pure: `posectl devices` prints the same decision that a login takes.

use std::path::PathBuf;

use super::device::{Device, Mode, Placement, is_luma, seconds};
use super::locked::LockedTimes;
use super::trust::{is_named, trust};
use crate::camera::CameraError;
use crate::frame::PixelFormat;

/// What is wanted of a camera.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The administrator's choice: a node, a link in /dev/v4l, a link's name, or a USB port ("1-4"). Only a camera
    /// that is named may be virtual, and one that is named may be external.
    pub device: Option<String>,
    /// What the camera must say of itself, whichever it is and wherever: `vendor:product` or `vendor:product:serial`.
    pub identity: Option<String>,
    /// Cameras that are plugged in may be used without being named.
    pub external: bool,
    /// Built-in cameras see nothing now.
    pub lid_closed: bool,
    /// A camera that is named may be a software one.
    pub virtual_devices: bool,
    /// A camera that is not built in must not have been plugged in in these times.
    pub locked: LockedTimes,
    /// An infrared camera goes before a colour one.
    pub prefer_infrared: bool,
    /// This format only.
    pub format: Option<PixelFormat>,
    /// This size only, pixels.
    pub size: Option<(u32, u32)>,
    /// Controls to set while the camera is in use, id and value; the old values are put back afterwards. Standard
    /// controls only: vendors' own can brick a camera.
    pub controls: Vec<(u32, i32)>,
}

/// A camera and how to set it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Device node.
    pub node: PathBuf,
    /// Layout of the pictures.
    pub format: PixelFormat,
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// Frame interval to ask for, seconds as a ratio; `None` if the driver does not say which it has.
    pub interval: Option<(u32, u32)>,
    /// The reasons, for people.
    pub why: String,
}

impl Choice {
    /// Frames per second to ask for.
    pub fn fps(&self) -> Option<f64> {
        self.interval.map(|i| 1.0 / seconds(i))
    }
}

/// The pose model looks at 256 × 256 pixels around the upper body (BlazePose model card); at 640 × 480 a person
/// in front of a laptop fills about that much, so that more pixels only cost time.
const WANTED_SIZE: (u32, u32) = (640, 480);
/// Below this height a seated person's wrists are a few pixels.
const LEAST_HEIGHT: u32 = 240;
/// Rates above this cost time and show no more of a gesture.
const WANTED_FPS: f64 = 30.0;

/// Picks the camera and its best mode.
pub fn choose(devices: &[Device], request: &Request) -> Result<Choice, CameraError> {
    let (device, why) = choose_device(devices, request)?;
    let mut choices = ranked(device, request);
    if choices.is_empty() {
        return Err(no_mode(device, request));
    }
    let mut best = choices.swap_remove(0);
    best.why = format!("{why}; {}", best.why);
    Ok(best)
}

fn choose_device<'a>(devices: &'a [Device], request: &Request) -> Result<(&'a Device, String), CameraError> {
    let trusted: Vec<_> = devices.iter().filter(|d| trust(d, devices, request).is_ok()).collect();
    let rank = |d: &Device| {
        (d.modes.is_empty(), d.infrared != request.prefer_infrared, d.placement != Placement::BuiltIn)
    };
    let usable = trusted.iter().copied().filter(|d| !under_lid(d, request));
    let best = usable.min_by_key(|d| rank(d)).ok_or_else(|| match trusted.is_empty() {
        false => CameraError::LidClosed,
        true => nothing_trusted(devices, request),
    })?;
    let why = if request.device.is_some() {
        "named in the configuration".to_owned()
    } else {
        reason(best, request)
    };
    Ok((best, why))
}

fn under_lid(device: &Device, request: &Request) -> bool {
    request.lid_closed && device.placement == Placement::BuiltIn
}

fn reason(device: &Device, request: &Request) -> String {
    let kind = if device.infrared { "infrared" } else { "colour" };
    let place = match device.placement {
        Placement::BuiltIn => "built in",
        Placement::External => "external, which is allowed",
        Placement::Unknown => "perhaps external, which is allowed",
    };
    let wanted =
        if device.infrared == request.prefer_infrared { "" } else { " (none of the preferred kind)" };
    format!("{kind}{wanted}, {place}")
}

/// With the reason for each camera; where one was named, for that one only.
fn nothing_trusted(devices: &[Device], request: &Request) -> CameraError {
    let meant = |d: &&Device| request.device.as_ref().is_none_or(|name| is_named(d, name));
    let reasons: Vec<_> = devices
        .iter()
        .filter(meant)
        .filter_map(|d| trust(d, devices, request).err().map(|why| format!("{}: {why}", d.node.display())))
        .collect();
    let what = match (&request.device, reasons.is_empty()) {
        (Some(name), true) => format!("{name:?} is not connected"),
        (None, true) => "none is connected".to_owned(),
        _ => reasons.join("; "),
    };
    CameraError::Missing { what }
}

fn no_mode(device: &Device, request: &Request) -> CameraError {
    let node = device.node.display();
    let what = match (&device.problem, request.format, request.size) {
        (Some(problem), _, _) => problem.clone(),
        (None, None, None) => format!("{node} offers only {}", device.other_formats.join(", ")),
        (None, format, size) => format!("{node} does not offer format {format:?}, size {size:?}"),
    };
    CameraError::Unsupported { what }
}

/// All modes of a camera that fit the request, best first.
pub(super) fn ranked(device: &Device, request: &Request) -> Vec<Choice> {
    let fits = |m: &&Mode| {
        request.format.is_none_or(|f| f == m.format) && request.size.is_none_or(|s| s == (m.width, m.height))
    };
    let mut modes: Vec<_> = device.modes.iter().filter(fits).map(|m| (cost(m), m)).collect();
    modes.sort_by(|a, b| a.0.total_cmp(&b.0));
    modes
        .into_iter()
        .map(|(_, mode)| Choice {
            node: device.node.clone(),
            format: mode.format,
            size: (mode.width, mode.height),
            interval: interval(mode),
            why: mode_reason(mode),
        })
        .collect()
}

/// The interval nearest to the wanted rate.
fn interval(mode: &Mode) -> Option<(u32, u32)> {
    let distance = |i: (u32, u32)| (1.0 / seconds(i) - WANTED_FPS).abs();
    mode.intervals.iter().copied().min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
}

/// Lower is better. In doublings of the picture's area, against which a low rate is weighed: half the area is
/// worth giving up for 30 instead of 15 pictures per second, but not a third.
fn cost(mode: &Mode) -> f64 {
    let area = f64::from(mode.width) * f64::from(mode.height);
    let wanted = f64::from(WANTED_SIZE.0) * f64::from(WANTED_SIZE.1);
    let size = (area / wanted).log2().abs() + if mode.height < LEAST_HEIGHT { 8.0 } else { 0.0 };
    let rate = match interval(mode).map(|i| 1.0 / seconds(i)) {
        Some(fps) if fps >= 24.0 => 0.0,
        Some(fps) if fps >= 14.0 => 1.0,
        Some(fps) if fps >= 9.0 => 3.0,
        Some(_) => 8.0,
        None => 1.0,
    };
    // Ties: what needs no decoding before what does, colour before luma.
    let format = match mode.format {
        PixelFormat::Yuyv | PixelFormat::Nv12 | PixelFormat::I420 => 0.0,
        PixelFormat::Rgb24 => 0.01,
        PixelFormat::Mjpg => 0.02,
        PixelFormat::Grey => 0.03,
        PixelFormat::Y10 | PixelFormat::Y16 => 0.04,
    };
    size + rate + format
}

fn mode_reason(mode: &Mode) -> String {
    let size = if (mode.width, mode.height) == WANTED_SIZE {
        "the size the model needs"
    } else {
        "the nearest size"
    };
    let coding = match mode.format {
        PixelFormat::Mjpg => "compressed",
        f if is_luma(f) => "luma only",
        _ => "uncompressed",
    };
    match interval(mode) {
        Some(i) => format!("{size}, {:.0} pictures per second, {coding}", 1.0 / seconds(i)),
        None => format!("{size}, rate not told by the driver, {coding}"),
    }
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
