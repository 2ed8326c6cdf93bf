//! Each manipulation of a camera, and the reason by which it is refused.

use super::*;
use crate::v4l2::choose::choose;
use crate::v4l2::locked::LockedTimes;
use crate::{CameraError, PixelFormat, v4l2::Mode};

const PORT: &str = "/dev/v4l/by-path/pci-usb-0:4:1.0-video-index0";
const ID: &str = "/dev/v4l/by-id/usb-Maker_Camera_AB12-video-index0";

/// A built-in USB camera in port 1-4.
fn camera() -> Device {
    Device {
        node: "/dev/video0".into(),
        name: "Camera".into(),
        driver: "uvcvideo".into(),
        bus: "usb-0000:00:14.0-4".into(),
        by_id: vec![ID.into()],
        by_path: vec![PORT.into()],
        virtual_device: false,
        infrared: false,
        placement: Placement::BuiltIn,
        seat: FIRST_SEAT.into(),
        usb: Some(Usb { vendor: 0x046d, product: 0x0825, serial: Some("AB12".into()), port: "1-4".into() }),
        plugged_in_us: Some(7_000_000),
        modes: vec![Mode { format: PixelFormat::Mjpg, width: 640, height: 480, intervals: vec![(1, 30)] }],
        other_formats: Vec::new(),
        problem: None,
    }
}

/// A program's camera, which has no place on USB.
fn software() -> Device {
    Device { virtual_device: true, placement: Placement::Unknown, usb: None, by_id: Vec::new(), ..camera() }
}

fn with_usb(change: impl FnOnce(&mut Usb)) -> Device {
    let mut device = camera();
    device.usb.as_mut().map(change);
    device
}

fn named(name: &str) -> Request {
    Request { device: Some(name.into()), ..Request::default() }
}

fn described(identity: &str) -> Request {
    Request { identity: Some(identity.into()), ..Request::default() }
}

/// The named port, in a session that is locked since then.
fn since(us: u64) -> Request {
    Request { locked: LockedTimes::of(&[[us, u64::MAX]]), ..named(PORT) }
}

#[test]
fn each_manipulation_is_refused_by_its_own_reason() {
    let pinned = Request { identity: Some("046d:0825:AB12".into()), ..named(PORT) };
    let other = |found: &str| Distrust::OtherDevice { wanted: "046d:0825:AB12".into(), found: found.into() };
    let placed = |placement| Device { placement, ..camera() };
    let table = [
        (
            "a software camera",
            software(),
            Request { external: true, ..Request::default() },
            Distrust::Virtual,
        ),
        (
            "one whose switch is set, but not its name",
            software(),
            Request { virtual_devices: true, ..Request::default() },
            Distrust::Virtual,
        ),
        ("one that is named, without its switch", software(), named("/dev/video0"), Distrust::VirtualNamed),
        (
            "a camera in another port than the pinned one",
            camera(),
            named("/dev/v4l/by-path/elsewhere"),
            Distrust::NotNamed,
        ),
        (
            "another make in the pinned port",
            with_usb(|usb| usb.product = 1),
            pinned.clone(),
            other("046d:0001:AB12"),
        ),
        (
            "the same make in the pinned port",
            with_usb(|usb| usb.serial = Some("CD".into())),
            pinned.clone(),
            other("046d:0825:CD"),
        ),
        (
            "one without a serial number there",
            with_usb(|usb| usb.serial = None),
            pinned.clone(),
            other("046d:0825"),
        ),
        (
            "a software camera in its place",
            Device { virtual_device: false, ..software() },
            pinned,
            other("no USB device"),
        ),
        ("a plugged-in camera", placed(Placement::External), Request::default(), Distrust::External),
        (
            "one of unknown placement",
            placed(Placement::Unknown),
            Request::default(),
            Distrust::PerhapsExternal,
        ),
        (
            "another seat's camera",
            Device { seat: "seat1".into(), ..camera() },
            Request::default(),
            Distrust::OtherSeat("seat1".into()),
        ),
        (
            "the pinned camera, plugged in anew while the session was locked",
            placed(Placement::External),
            Request { locked: LockedTimes::of(&[[5_000_000, 9_000_000]]), ..named(PORT) },
            Distrust::WhileLocked,
        ),
        (
            "one of which nobody knows when it came, while it is locked",
            Device { plugged_in_us: None, ..placed(Placement::Unknown) },
            Request {
                external: true,
                locked: LockedTimes::of(&[[5_000_000, u64::MAX]]),
                ..Request::default()
            },
            Distrust::WhileLocked,
        ),
    ];
    for (what, device, request, reason) in table {
        let devices = [device];
        assert_eq!(trust(&devices[0], &devices, &request), Err(reason.clone()), "{what}");
        // And the choice goes by it.
        match choose(&devices, &request) {
            Err(CameraError::Missing { what: told }) => assert!(
                reason == Distrust::NotNamed && told.contains("is not connected")
                    || told.contains(&reason.to_string()),
                "{what}: {told}"
            ),
            chosen => panic!("{what}: {chosen:?}"),
        }
    }
}

#[test]
fn a_clone_beside_the_camera_it_imitates_is_refused_unless_the_port_tells_them_apart() {
    let clone = Device {
        node: "/dev/video2".into(),
        by_path: vec!["/dev/v4l/by-path/pci-usb-0:5:1.0-video-index0".into()],
        ..with_usb(|usb| usb.port = "1-5".into())
    };
    // udev's link leads to whichever came last.
    let original = Device { by_id: Vec::new(), ..camera() };
    let devices = [original, clone];
    for request in [named(ID), described("046d:0825:AB12"), described("046d:0825")] {
        assert_eq!(trust(&devices[1], &devices, &request), Err(Distrust::Doubled), "{request:?}");
        assert!(choose(&devices, &request).is_err(), "{request:?}");
    }
    let pinned = Request { identity: Some("046d:0825:AB12".into()), ..named(PORT) };
    assert_eq!(choose(&devices, &pinned).unwrap().node, Path::new("/dev/video0"));
}

#[test]
fn the_two_sensors_of_one_device_are_no_rivals() {
    let infrared = Device { node: "/dev/video2".into(), infrared: true, ..camera() };
    let devices = [camera(), infrared];
    for device in &devices {
        assert_eq!(trust(device, &devices, &described("046d:0825:AB12")), Ok(()));
    }
}

#[test]
fn what_the_administrator_named_or_allowed_is_trusted() {
    let plugged = Device { placement: Placement::External, ..camera() };
    let table = [
        ("built in", camera(), Request::default()),
        ("built in, described", camera(), described("046D:0825:ab12")),
        ("described by its make", camera(), described("046d:0825")),
        ("external, allowed", plugged.clone(), Request { external: true, ..Request::default() }),
        ("external, named by port", plugged.clone(), named(PORT)),
        ("external, named by id", plugged.clone(), named(ID)),
        ("external, there before the session was locked", plugged.clone(), since(7_000_001)),
        ("built in, which hides from a switch or over a sleep", camera(), since(5_000_000)),
        ("another seat's, named", Device { seat: "seat1".into(), ..plugged }, named(PORT)),
        (
            "software, named and allowed",
            software(),
            Request { virtual_devices: true, ..named("/dev/video0") },
        ),
    ];
    for (what, device, request) in table {
        let devices = [device];
        assert_eq!(trust(&devices[0], &devices, &request), Ok(()), "{what}");
        assert!(choose(&devices, &request).is_ok(), "{what}");
    }
}
