//! A made-up /sys and /dev, with names that no kernel should have but somebody's firmware or loopback does.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;
use crate::v4l2::device::devices_in;

/// A tree as the kernel makes it: entries of the class are links into `devices`.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(tree.0.path().join("sys/class/video4linux")).unwrap();
        fs::create_dir_all(tree.0.path().join("dev/v4l/by-id")).unwrap();
        tree
    }

    fn roots(&self) -> Roots {
        Roots {
            sys: self.0.path().join("sys"),
            dev: self.0.path().join("dev"),
            udev: self.0.path().join("udev"),
        }
    }

    fn entry(&self, place: &str, name: &str, attributes: &[(&str, &[u8])]) {
        let device = self.0.path().join("sys/devices").join(place);
        let real = device.join("video4linux").join(name);
        fs::create_dir_all(&real).unwrap();
        symlink(&real, self.0.path().join("sys/class/video4linux").join(name)).unwrap();
        for (attribute, text) in attributes {
            fs::write(device.join(attribute), text).unwrap();
        }
    }
}

fn usb_camera(removable: &'static [u8]) -> [(&'static str, &'static [u8]); 4] {
    [
        ("../idVendor", b"046d\n"),
        ("../idProduct", b"0825\n"),
        ("../serial", b"AB\x1b12\n"),
        ("../removable", removable),
    ]
}

#[test]
fn entries_are_found_by_number_whatever_else_is_named_there() {
    let tree = Tree::new();
    let names = [
        "video10",
        "video2",
        "video02",
        "video",
        "videox",
        "video-1",
        "vbi0",
        "v4l-subdev0",
        "video99999999999",
    ];
    for name in names {
        tree.entry("pci0000:00/0000:00:14.0", name, &[]);
    }
    fs::create_dir(tree.0.path().join("sys/class/video4linux").join(OsStr::from_bytes(b"video\xff3")))
        .unwrap();
    let numbers: Vec<_> = entries(&tree.roots()).iter().map(|e| e.number).collect();
    assert_eq!(numbers, [2, 10]);
    let nowhere = Roots { sys: "/nowhere".into(), dev: "/nowhere".into(), udev: "/nowhere".into() };
    assert!(entries(&nowhere).is_empty());
}

#[test]
fn place_and_descriptors_come_from_the_usb_device_above() {
    use Placement::{BuiltIn, External, Unknown};
    let tree = Tree::new();
    tree.entry("pci0000:00/usb1/1-4/1-4:1.0", "video0", &usb_camera(b"fixed\n"));
    tree.entry("pci0000:00/usb1/1-5/1-5:1.0", "video1", &usb_camera(b"removable\n"));
    tree.entry("platform/vhci_hcd.0/usb3/3-1/3-1:1.0", "video2", &usb_camera(b"unknown\n"));
    tree.entry("virtual", "video3", &[]);
    tree.entry("platform/vivid.0", "video4", &[]);
    tree.entry("pci0000:00/0000:00:05.0", "video5", &[]);
    let found = entries(&tree.roots());
    let seen: Vec<_> = found.iter().map(|e| (e.placement, e.virtual_device)).collect();
    let want = [
        (BuiltIn, false),
        (External, false),
        (Unknown, false),
        (Unknown, true),
        (Unknown, true),
        (BuiltIn, false),
    ];
    assert_eq!(seen, want);
    let usb = found[0].usb.clone().unwrap();
    assert_eq!((usb.vendor, usb.product, usb.port.as_str()), (0x046d, 0x0825, "1-4"));
    assert_eq!(usb.serial.as_deref(), Some("AB\u{fffd}12"));
}

#[test]
fn links_that_lead_to_the_node_are_found_and_dangling_ones_are_not() {
    let tree = Tree::new();
    let dev = tree.0.path().join("dev");
    fs::write(dev.join("video0"), "").unwrap();
    symlink("../../video0", dev.join("v4l/by-id/usb-cam-video-index0")).unwrap();
    symlink("../../video1", dev.join("v4l/by-id/usb-gone-video-index0")).unwrap();
    let found = links(&tree.roots(), "by-id", &dev.join("video0"));
    assert_eq!(found, [dev.join("v4l/by-id/usb-cam-video-index0")]);
    assert!(links(&tree.roots(), "by-path", &dev.join("video0")).is_empty());
}

#[test]
fn a_camera_that_cannot_be_opened_is_listed_with_the_reason() {
    let tree = Tree::new();
    tree.entry("pci0000:00/0000:00:05.0", "video0", &[]);
    let found = devices_in(&tree.roots());
    let problem = found[0].problem.as_deref().unwrap();
    assert!(problem.contains("video0") && problem.contains("posectl devices"), "{problem}");
}

#[test]
fn seat_and_time_of_arrival_are_those_that_udev_wrote_down() {
    let tree = Tree::new();
    let udev = tree.0.path().join("udev");
    fs::create_dir(&udev).unwrap();
    for (number, record) in [
        (0, Some("S:v4l/by-id/x\nI:81723456\nE:ID_SEAT=seat1\nG:seat\n")),
        (1, Some("E:ID_V4L_VERSION=2\n")),
        (2, None),
    ] {
        let place = format!("pci0000:00/0000:00:0{number}.0");
        tree.entry(
            &place,
            &format!("video{number}"),
            &[(&format!("video4linux/video{number}/dev"), format!("81:{number}\n").as_bytes())],
        );
        if let Some(record) = record {
            fs::write(udev.join(format!("c81:{number}")), record).unwrap();
        }
    }
    let found: Vec<_> = entries(&tree.roots()).into_iter().map(|e| (e.seat, e.plugged_in_us)).collect();
    let told = |seat: &str, came| (seat.to_owned(), came);
    assert_eq!(found, [told("seat1", Some(81_723_456)), told("seat0", None), told("seat0", None)]);
}
