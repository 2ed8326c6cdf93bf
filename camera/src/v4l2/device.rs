//! Which cameras there are, where they are and what they can do.

use std::io;
use std::path::{Path, PathBuf};

use super::node::Node;
use super::sysfs;
use crate::camera::CameraError;
use crate::frame::PixelFormat;

/// One camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Device node, `/dev/videoN`.
    pub node: PathBuf,
    /// The driver's name for it.
    pub name: String,
    /// Kernel driver; empty if the node could not be opened.
    pub driver: String,
    /// Where it is plugged in, as the driver says; empty if the node could not be opened.
    pub bus: String,
    /// Names that stay when it moves to another port.
    pub by_id: Vec<PathBuf>,
    /// Names that stay with the port.
    pub by_path: Vec<PathBuf>,
    /// No hardware behind it (v4l2loopback, vivid).
    pub virtual_device: bool,
    /// It delivers luma only (GREY, Y10, Y16), as infrared cameras do.
    pub infrared: bool,
    /// Part of the machine or plugged in.
    pub placement: Placement,
    /// The seat that udev gave it to, `seat0` without a word of udev.
    pub seat: String,
    /// USB descriptors, if it is on USB.
    pub usb: Option<Usb>,
    /// When it came, microseconds of `CLOCK_MONOTONIC` since boot, by udev's word; `None` without one.
    pub plugged_in_us: Option<u64>,
    /// What it delivers that can be used here.
    pub modes: Vec<Mode>,
    /// Four-character codes of formats that cannot be used here.
    pub other_formats: Vec<String>,
    /// Why it could not be looked at, with the next step.
    pub problem: Option<String>,
}

/// Whether somebody could have plugged a camera in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Part of the machine.
    BuiltIn,
    /// Plugged in.
    External,
    /// The firmware does not say.
    Unknown,
}

/// What pins a USB camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usb {
    /// Vendor.
    pub vendor: u16,
    /// Product.
    pub product: u16,
    /// Serial number, which many cameras lack.
    pub serial: Option<String>,
    /// Bus and port, such as `1-4.2`.
    pub port: String,
}

/// A format and size with its rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// Layout of the pictures.
    pub format: PixelFormat,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// Frame intervals, seconds as a ratio (1, 30), shortest first; empty if the driver does not say.
    pub intervals: Vec<(u32, u32)>,
}

/// Where the kernel's file systems are: elsewhere in tests only.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/sys`.
    pub sys: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
    /// `/run/udev/data`: what udev knows of each device.
    pub udev: PathBuf,
}

impl Default for Roots {
    fn default() -> Self {
        Self { sys: PathBuf::from("/sys"), dev: PathBuf::from("/dev"), udev: PathBuf::from("/run/udev/data") }
    }
}

/// All cameras, by number. Nodes that carry metadata or output, and cameras' second nodes, are left out.
pub fn devices() -> Vec<Device> {
    devices_in(&Roots::default())
}

/// As [`devices`], from other file systems.
pub fn devices_in(roots: &Roots) -> Vec<Device> {
    sysfs::entries(roots).into_iter().filter_map(|e| device(roots, e)).collect()
}

/// When the nodes that are there came, without opening any; built-in cameras are left out. Clock and source are those
/// of [`Device::plugged_in_us`].
pub fn plugged_in_us() -> Vec<u64> {
    plugged_in_us_in(&Roots::default())
}

/// As [`plugged_in_us`], from other file systems.
pub fn plugged_in_us_in(roots: &Roots) -> Vec<u64> {
    let entries = sysfs::entries(roots).into_iter();
    entries.filter(|e| e.placement != Placement::BuiltIn).filter_map(|e| e.plugged_in_us).collect()
}

/// `None` for a node that delivers no pictures.
fn device(roots: &Roots, entry: sysfs::Entry) -> Option<Device> {
    let mut device = Device {
        by_id: sysfs::links(roots, "by-id", &entry.node),
        by_path: sysfs::links(roots, "by-path", &entry.node),
        node: entry.node,
        name: entry.name,
        driver: String::new(),
        bus: String::new(),
        virtual_device: entry.virtual_device,
        infrared: false,
        placement: entry.placement,
        seat: entry.seat,
        usb: entry.usb,
        plugged_in_us: entry.plugged_in_us,
        modes: Vec::new(),
        other_formats: Vec::new(),
        problem: None,
    };
    match Node::open(&device.node) {
        Ok(node) if !device.look(&node) => return None,
        Ok(_) => {}
        Err(e) => device.problem = Some(open_error(&device.node, e).to_string()),
    }
    Some(device)
}

/// What failing to open a node means.
pub(super) fn open_error(node: &Path, e: io::Error) -> CameraError {
    let node = node.display().to_string();
    match e.raw_os_error() {
        Some(libc::EACCES | libc::EPERM) => CameraError::Permission { node },
        Some(libc::EBUSY) => CameraError::Busy { node },
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO | libc::ENOTTY | libc::ENOTDIR) => {
            CameraError::Missing { what: format!("{node} is not there, or not a camera") }
        }
        _ => CameraError::Io { doing: "opening the camera", source: e },
    }
}

impl Device {
    /// Fills in what the node itself says; false if it delivers no pictures.
    fn look(&mut self, node: &Node) -> bool {
        let Ok(capability) = node.capability() else { return false };
        if !capability.captures {
            return false;
        }
        self.driver = capability.driver;
        self.bus = capability.bus;
        // A loopback on older kernels sits below no telling directory.
        self.virtual_device |=
            self.usb.is_none() && matches!(self.driver.as_str(), "v4l2 loopback" | "vivid" | "vimc");
        if !capability.card.is_empty() {
            self.name = capability.card;
        }
        for fourcc in node.formats() {
            match format_of(fourcc) {
                Some(format) => self.modes.extend(modes(node, fourcc, format)),
                None => self
                    .other_formats
                    .push(String::from_utf8_lossy(&fourcc).trim().escape_default().to_string()),
            }
        }
        self.infrared = self.other_formats.is_empty()
            && !self.modes.is_empty()
            && self.modes.iter().all(|m| is_luma(m.format));
        true
    }
}

/// True for the formats that infrared cameras deliver.
pub(crate) fn is_luma(format: PixelFormat) -> bool {
    matches!(format, PixelFormat::Grey | PixelFormat::Y10 | PixelFormat::Y16)
}

const FORMATS: [([u8; 4], PixelFormat); 9] = [
    (*b"MJPG", PixelFormat::Mjpg),
    (*b"JPEG", PixelFormat::Mjpg),
    (*b"YUYV", PixelFormat::Yuyv),
    (*b"NV12", PixelFormat::Nv12),
    (*b"YU12", PixelFormat::I420),
    (*b"GREY", PixelFormat::Grey),
    (*b"Y10 ", PixelFormat::Y10),
    (*b"Y16 ", PixelFormat::Y16),
    (*b"RGB3", PixelFormat::Rgb24),
];

/// The format of a V4L2 four-character code.
pub(super) fn format_of(fourcc: [u8; 4]) -> Option<PixelFormat> {
    FORMATS.iter().find(|(code, _)| *code == fourcc).map(|(_, format)| *format)
}

/// The V4L2 four-character codes of a format, the usual one first.
pub(super) fn codes_of(format: PixelFormat) -> impl Iterator<Item = [u8; 4]> {
    FORMATS.iter().filter(move |(_, f)| *f == format).map(|(code, _)| *code)
}

/// Sizes that are tried within a driver's range.
const COMMON_SIZES: [(u32, u32); 6] =
    [(320, 240), (640, 360), (640, 480), (800, 600), (1280, 720), (1920, 1080)];
/// Intervals that are tried within a driver's range.
const COMMON_INTERVALS: [(u32, u32); 3] = [(1, 30), (1, 15), (1, 10)];

fn modes(node: &Node, fourcc: [u8; 4], format: PixelFormat) -> Vec<Mode> {
    let sizes = node.sizes(fourcc).into_iter().flat_map(|[smallest, largest]| sizes_in(smallest, largest));
    sizes
        .map(|(width, height)| {
            let ranges = node.intervals(fourcc, width, height);
            let mut intervals: Vec<_> = ranges.into_iter().flat_map(|[s, l]| intervals_in(s, l)).collect();
            intervals.sort_by(|a, b| seconds(*a).total_cmp(&seconds(*b)));
            intervals.dedup();
            Mode { format, width, height, intervals }
        })
        .collect()
}

fn sizes_in(smallest: (u32, u32), largest: (u32, u32)) -> Vec<(u32, u32)> {
    if smallest == largest {
        return vec![smallest];
    }
    let fits =
        |s: &(u32, u32)| (smallest.0..=largest.0).contains(&s.0) && (smallest.1..=largest.1).contains(&s.1);
    let common: Vec<_> = COMMON_SIZES.into_iter().filter(fits).collect();
    if common.is_empty() { vec![largest] } else { common }
}

fn intervals_in(shortest: (u32, u32), longest: (u32, u32)) -> Vec<(u32, u32)> {
    let valid = |i: &(u32, u32)| i.0 != 0 && i.1 != 0;
    if shortest == longest {
        return Some(shortest).into_iter().filter(valid).collect();
    }
    let fits = |i: &(u32, u32)| (seconds(shortest)..=seconds(longest)).contains(&seconds(*i));
    let common: Vec<_> = COMMON_INTERVALS.into_iter().filter(fits).collect();
    if common.is_empty() { Some(shortest).into_iter().filter(valid).collect() } else { common }
}

pub(super) fn seconds(interval: (u32, u32)) -> f64 {
    f64::from(interval.0) / f64::from(interval.1)
}

impl Mode {
    /// The highest rate, frames per second; `None` if the driver does not say.
    pub fn fps(&self) -> Option<f64> {
        self.intervals.first().map(|i| 1.0 / seconds(*i))
    }
}
