//! Whether a camera may watch a login, and if not, why. Pure: `posectl devices` and `posectl doctor` give the reason
//! that a login goes by.

use std::fmt;
use std::path::{Path, PathBuf};

use super::choose::Request;
use super::device::{Device, Placement, Usb};

/// Cameras without a mark of udev belong to this seat.
const FIRST_SEAT: &str = "seat0";

/// Why a camera may not watch a login. `Display` ends with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// The configuration names another one.
    NotNamed,
    /// A program feeds it, and it was not named.
    Virtual,
    /// A program feeds it; it was named, but software cameras are not allowed.
    VirtualNamed,
    /// Somebody plugged it in.
    External,
    /// Somebody may have plugged it in.
    PerhapsExternal,
    /// It is not the device that the configuration describes, though it may sit in its place.
    OtherDevice {
        /// What was asked for, `vendor:product` or `vendor:product:serial`.
        wanted: String,
        /// What it says of itself.
        found: String,
    },
    /// Several cameras say that they are the one that was asked for.
    Doubled,
    /// It belongs to another seat of this machine.
    OtherSeat(String),
    /// It is not built in and came while the session was locked.
    WhileLocked,
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNamed => write!(f, "[camera] device names another; name this one to use it"),
            Self::Virtual => write!(
                f,
                "it is a software camera, which shows whatever a program feeds it; name it as [camera] device and set \
                 allow_virtual to use it all the same"
            ),
            Self::VirtualNamed => {
                write!(f, "it is a software camera; set [camera] allow_virtual to use it all the same")
            }
            Self::External => {
                write!(f, "somebody plugged it in; name it as [camera] device, or set allow_external")
            }
            Self::PerhapsExternal => write!(
                f,
                "the firmware does not say that it is built in; name it as [camera] device, or set allow_external"
            ),
            Self::OtherDevice { wanted, found } => write!(
                f,
                "it says that it is {found}, and [camera] identity is {wanted}; put the right camera back, or change \
                 the key"
            ),
            Self::Doubled => write!(
                f,
                "another camera claims to be the same one; unplug the wrong one, or name the right one by its port \
                 below /dev/v4l/by-path"
            ),
            Self::OtherSeat(seat) => {
                write!(
                    f,
                    "it belongs to {seat}; attach it here (loginctl attach), or name it as [camera] device"
                )
            }
            Self::WhileLocked => write!(
                f,
                "it was plugged in while the session was locked; pull it out and plug it in again while you work, or \
                 run `posectl devices --approve` as root"
            ),
        }
    }
}

/// Whether `device`, one of `devices`, may watch a login.
///
/// # Errors
/// The first reason against it.
pub fn trust(device: &Device, devices: &[Device], request: &Request) -> Result<(), Distrust> {
    let named = match &request.device {
        Some(name) if !is_named(device, name) => return Err(Distrust::NotNamed),
        name => name.is_some(),
    };
    match (device.virtual_device, named) {
        (true, false) => return Err(Distrust::Virtual),
        (true, true) if !request.virtual_devices => return Err(Distrust::VirtualNamed),
        _ => {}
    }
    if let Some(wanted) = &request.identity
        && !device.usb.as_ref().is_some_and(|usb| is_identity(usb, wanted))
    {
        let found = device.usb.as_ref().map_or_else(|| "no USB device".to_owned(), identity);
        return Err(Distrust::OtherDevice { wanted: wanted.clone(), found });
    }
    if is_doubled(device, devices, request) {
        return Err(Distrust::Doubled);
    }
    if device.placement != Placement::BuiltIn && request.locked.cover(device.plugged_in_us) {
        return Err(Distrust::WhileLocked);
    }
    if named {
        return Ok(());
    }
    if device.seat != FIRST_SEAT {
        return Err(Distrust::OtherSeat(device.seat.clone()));
    }
    match device.placement {
        Placement::External if !request.external => Err(Distrust::External),
        Placement::Unknown if !request.external => Err(Distrust::PerhapsExternal),
        _ => Ok(()),
    }
}

/// What a USB camera says of itself: `vendor:product`, and its serial number if it has one.
pub fn identity(usb: &Usb) -> String {
    let serial = usb.serial.as_ref().map(|serial| format!(":{serial}")).unwrap_or_default();
    format!("{:04x}:{:04x}{serial}", usb.vendor, usb.product)
}

/// Never by the camera's own name: anybody's device can claim one.
pub(super) fn is_named(device: &Device, name: &str) -> bool {
    let link = |l: &PathBuf| l == Path::new(name) || l.file_name().is_some_and(|n| n == name);
    device.node == Path::new(name)
        || device.by_id.iter().chain(&device.by_path).any(link)
        || device.usb.as_ref().is_some_and(|u| u.port == name)
}

/// An identity without a serial number stands for every device of that make.
fn is_identity(usb: &Usb, wanted: &str) -> bool {
    let own = identity(usb);
    own.eq_ignore_ascii_case(wanted)
        || format!("{:04x}:{:04x}", usb.vendor, usb.product).eq_ignore_ascii_case(wanted)
}

/// Who is pinned by what it says of itself, and not by where it is, must be the only one to say so: a device can
/// claim any descriptors. The nodes of one device (its colour and its infrared sensor) are not rivals.
fn is_doubled(device: &Device, devices: &[Device], request: &Request) -> bool {
    let by_id = |d: &Device, name: &str| {
        d.by_id.iter().any(|l| l == Path::new(name) || l.file_name().is_some_and(|n| n == name))
    };
    let by_claim = match &request.device {
        Some(name) => by_id(device, name),
        None => request.identity.is_some(),
    };
    let Some(own) = device.usb.as_ref().filter(|_| by_claim) else { return false };
    devices
        .iter()
        .filter_map(|d| d.usb.as_ref())
        .any(|other| other.port != own.port && identity(other) == identity(own))
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
