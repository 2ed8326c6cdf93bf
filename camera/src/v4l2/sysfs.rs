//! What the kernel's file systems say about a camera without opening it: names, place, descriptors, links.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::device::{Placement, Roots, Usb};
use super::node::printable;

/// Longest attribute that is read, bytes.
const MAX_ATTRIBUTE: u64 = 256;
/// Longest record of udev that is read, bytes.
const MAX_RECORD: u64 = 16 << 10;

/// One `video4linux` entry.
pub(super) struct Entry {
    /// N of videoN.
    pub(super) number: u32,
    pub(super) node: PathBuf,
    pub(super) name: String,
    pub(super) virtual_device: bool,
    pub(super) placement: Placement,
    pub(super) seat: String,
    pub(super) usb: Option<Usb>,
    pub(super) plugged_in_us: Option<u64>,
}

/// All entries that are named as cameras are, by number.
pub(super) fn entries(roots: &Roots) -> Vec<Entry> {
    let Ok(found) = fs::read_dir(roots.sys.join("class/video4linux")) else { return Vec::new() };
    let mut entries: Vec<Entry> = found
        .flatten()
        .filter_map(|e| Some((number(e.file_name().to_str()?)?, e.path())))
        .map(|(number, path)| entry(roots, number, &path))
        .collect();
    entries.sort_by_key(|e| e.number);
    entries
}

/// The links in `dev/v4l/<kind>` that lead to a node, sorted.
pub(super) fn links(roots: &Roots, kind: &str, node: &Path) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(roots.dev.join("v4l").join(kind)) else { return Vec::new() };
    let Ok(target) = fs::canonicalize(node) else { return Vec::new() };
    let mut links: Vec<PathBuf> = found
        .flatten()
        .map(|e| e.path())
        .filter(|l| fs::canonicalize(l).is_ok_and(|t| t == target))
        .collect();
    links.sort();
    links
}

/// `video` and decimal digits without leading zeros, as the kernel names nodes.
fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("video")?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| plain)
}

fn entry(roots: &Roots, number: u32, path: &Path) -> Entry {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let usb_dir = usb_device(&place, &roots.sys);
    let record = record(roots, &place).unwrap_or_default();
    Entry {
        number,
        node: roots.dev.join(format!("video{number}")),
        name: attribute(&place, "name").unwrap_or_default(),
        virtual_device: is_virtual(&place, usb_dir.is_some()),
        placement: usb_dir.as_deref().map_or(placement_off_usb(&place), placement_on_usb),
        seat: field(&record, "E:ID_SEAT=").map_or_else(|| "seat0".to_owned(), printable),
        usb: usb_dir.as_deref().and_then(usb),
        plugged_in_us: field(&record, "I:").and_then(|time| time.parse().ok()),
    }
}

/// The USB device that an entry belongs to: the nearest directory above with a vendor and a product.
fn usb_device(place: &Path, sys: &Path) -> Option<PathBuf> {
    let sys = fs::canonicalize(sys).ok()?;
    place
        .ancestors()
        .take_while(|a| a.starts_with(&sys))
        .find(|a| a.join("idVendor").is_file() && a.join("idProduct").is_file())
        .map(Path::to_owned)
}

/// No hardware behind it. A USB camera counts as real however it is attached.
fn is_virtual(place: &Path, on_usb: bool) -> bool {
    let simulated =
        |part: &str| ["vivid", "vimc", "vim2m", "v4l2loopback"].iter().any(|d| part.starts_with(d));
    !on_usb
        && place
            .components()
            .filter_map(|c| c.as_os_str().to_str())
            .any(|part| part == "virtual" || simulated(part))
}

/// A port's `removable` attribute comes from the firmware's tables or the hub's descriptor.
fn placement_on_usb(usb: &Path) -> Placement {
    match attribute(usb, "removable").as_deref() {
        Some("fixed") => Placement::BuiltIn,
        Some("removable") => Placement::External,
        _ => Placement::Unknown,
    }
}

/// Cameras on PCI or the SoC's own bus are part of the machine.
fn placement_off_usb(place: &Path) -> Placement {
    if is_virtual(place, false) { Placement::Unknown } else { Placement::BuiltIn }
}

/// udev's record of the node, which is named by the node's numbers.
fn record(roots: &Roots, place: &Path) -> Option<String> {
    let record = roots.udev.join(format!("c{}", attribute(place, "dev")?));
    let mut bytes = Vec::new();
    fs::File::open(record).ok()?.take(MAX_RECORD).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What follows a key in such a record. `I:` is when udev first saw the device: it stays the same for as long as that
/// is there, and is a new one when it comes back.
fn field<'a>(record: &'a str, key: &str) -> Option<&'a str> {
    record.lines().find_map(|line| line.strip_prefix(key))
}

fn usb(dir: &Path) -> Option<Usb> {
    Some(Usb {
        vendor: hex(&attribute(dir, "idVendor")?)?,
        product: hex(&attribute(dir, "idProduct")?)?,
        serial: attribute(dir, "serial").filter(|s| !s.is_empty()),
        port: dir.file_name().map(|n| printable(&n.to_string_lossy())).unwrap_or_default(),
    })
}

fn hex(text: &str) -> Option<u16> {
    u16::from_str_radix(text, 16).ok()
}

fn attribute(dir: &Path, name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(dir.join(name)).ok()?.take(MAX_ATTRIBUTE).read_to_end(&mut bytes).ok()?;
    Some(printable(&String::from_utf8_lossy(&bytes)))
}

#[cfg(test)]
#[path = "sysfs_tests.rs"]
mod tests;
