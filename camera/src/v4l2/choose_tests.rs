//! The decisions that a person with one, two or odd cameras would expect.

use std::path::Path;

use super::*;
use crate::v4l2::device::Usb;

fn mode(format: PixelFormat, width: u32, height: u32, fps: &[u32]) -> Mode {
    Mode { format, width, height, intervals: fps.iter().map(|f| (1, *f)).collect() }
}

fn camera(number: u32, placement: Placement, modes: Vec<Mode>) -> Device {
    let infrared = modes.iter().all(|m| is_luma(m.format));
    Device {
        node: format!("/dev/video{number}").into(),
        name: "Camera".into(),
        driver: "uvcvideo".into(),
        bus: String::new(),
        by_id: vec![format!("/dev/v4l/by-id/usb-cam{number}").into()],
        by_path: Vec::new(),
        virtual_device: false,
        infrared,
        placement,
        seat: "seat0".into(),
        usb: Some(Usb {
            vendor: 1,
            product: 2,
            serial: Some(format!("S{number}")),
            port: format!("1-{number}"),
        }),
        modes,
        plugged_in_us: None,
        other_formats: Vec::new(),
        problem: None,
    }
}

fn webcam() -> Vec<Mode> {
    use PixelFormat::{Mjpg, Yuyv};
    vec![
        mode(Mjpg, 1920, 1080, &[30]),
        mode(Mjpg, 1280, 720, &[60, 30]),
        mode(Mjpg, 640, 480, &[60, 30]),
        mode(Yuyv, 1280, 720, &[10]),
        mode(Yuyv, 640, 480, &[30, 15]),
        mode(Yuyv, 320, 240, &[30]),
        mode(Yuyv, 160, 120, &[30]),
    ]
}

fn pick(modes: Vec<Mode>, request: &Request) -> (PixelFormat, (u32, u32), Option<(u32, u32)>) {
    let choice = choose(&[camera(0, Placement::BuiltIn, modes)], request).unwrap();
    (choice.format, choice.size, choice.interval)
}

#[test]
fn a_mode_is_chosen_by_what_the_model_needs() {
    use PixelFormat::{Grey, Mjpg, Yuyv};
    let any = Request::default();
    let table = [
        ("uncompressed at the wanted size and rate", webcam(), (Yuyv, (640, 480), Some((1, 30)))),
        (
            "thirty rather than sixty",
            vec![mode(Mjpg, 640, 480, &[60, 30, 15])],
            (Mjpg, (640, 480), Some((1, 30))),
        ),
        (
            "compressed where uncompressed is too slow",
            vec![mode(Yuyv, 640, 480, &[7]), mode(Mjpg, 640, 480, &[30])],
            (Mjpg, (640, 480), Some((1, 30))),
        ),
        (
            "half the rate rather than a quarter of the pixels",
            vec![mode(Yuyv, 640, 480, &[15]), mode(Yuyv, 320, 240, &[30])],
            (Yuyv, (640, 480), Some((1, 15))),
        ),
        (
            "anything rather than a stamp",
            vec![mode(Yuyv, 160, 120, &[30]), mode(Mjpg, 1920, 1080, &[30])],
            (Mjpg, (1920, 1080), Some((1, 30))),
        ),
        ("infrared", vec![mode(Grey, 640, 360, &[15])], (Grey, (640, 360), Some((1, 15)))),
        ("a driver that tells no rate", vec![mode(Yuyv, 640, 480, &[])], (Yuyv, (640, 480), None)),
    ];
    for (name, modes, want) in table {
        assert_eq!(pick(modes, &any), want, "{name}");
    }
}

#[test]
fn a_request_for_a_format_or_size_is_kept_or_refused() {
    let request = Request { format: Some(PixelFormat::Mjpg), size: Some((1280, 720)), ..Request::default() };
    assert_eq!(pick(webcam(), &request), (PixelFormat::Mjpg, (1280, 720), Some((1, 30))));
    let odd = Request { size: Some((641, 480)), ..Request::default() };
    let refused = choose(&[camera(0, Placement::BuiltIn, webcam())], &odd);
    assert!(matches!(refused, Err(CameraError::Unsupported { .. })));
}

#[test]
fn cameras_that_anybody_could_attach_are_used_only_when_allowed() {
    let external = [camera(0, Placement::External, webcam()), camera(1, Placement::Unknown, webcam())];
    let error = choose(&external, &Request::default()).unwrap_err();
    assert!(matches!(&error, CameraError::Missing { what } if what.contains("/dev/video1")), "{error}");
    let open = Request { external: true, ..Request::default() };
    assert_eq!(choose(&external, &open).unwrap().node, Path::new("/dev/video0"));
    let mut loopback = camera(2, Placement::Unknown, webcam());
    loopback.virtual_device = true;
    assert!(choose(&[loopback.clone()], &open).is_err());
    let named = Request { device: Some("/dev/video2".into()), virtual_devices: true, ..Request::default() };
    assert_eq!(choose(&[loopback], &named).unwrap().node, Path::new("/dev/video2"));
}

#[test]
fn a_named_camera_is_found_by_node_link_or_port_but_not_by_a_name_it_claims() {
    let both = [camera(0, Placement::BuiltIn, webcam()), camera(1, Placement::External, webcam())];
    for name in ["/dev/video1", "/dev/v4l/by-id/usb-cam1", "usb-cam1", "1-1"] {
        let request = Request { device: Some(name.into()), ..Request::default() };
        assert_eq!(choose(&both, &request).unwrap().node, Path::new("/dev/video1"), "{name}");
    }
    for name in ["Camera", "/dev/video7", "", "video1"] {
        let request = Request { device: Some(name.into()), ..Request::default() };
        assert!(matches!(choose(&both, &request), Err(CameraError::Missing { .. })), "{name}");
    }
}

#[test]
fn infrared_comes_first_only_when_preferred() {
    let grey = vec![mode(PixelFormat::Grey, 640, 360, &[30])];
    let pair = [camera(0, Placement::BuiltIn, grey), camera(2, Placement::BuiltIn, webcam())];
    assert_eq!(choose(&pair, &Request::default()).unwrap().node, Path::new("/dev/video2"));
    let preferred = Request { prefer_infrared: true, ..Request::default() };
    assert_eq!(choose(&pair, &preferred).unwrap().node, Path::new("/dev/video0"));
    let only = &pair[..1];
    assert_eq!(choose(only, &Request::default()).unwrap().node, Path::new("/dev/video0"));
}

#[test]
fn every_refusal_says_what_to_do_next() {
    let mut odd = camera(0, Placement::BuiltIn, Vec::new());
    odd.other_formats = vec!["H264".into()];
    let mut locked = camera(0, Placement::BuiltIn, Vec::new());
    locked.problem = Some("it may not be opened".into());
    for (devices, part) in
        [(vec![], "none is connected"), (vec![odd], "H264"), (vec![locked], "may not be opened")]
    {
        let text = choose(&devices, &Request::default()).unwrap_err().to_string();
        assert!(text.contains(part) && text.contains("posectl devices"), "{text}");
    }
}

#[test]
fn a_closed_lid_counts_for_built_in_cameras_alone() {
    let (inside, outside) =
        (camera(0, Placement::BuiltIn, webcam()), camera(2, Placement::External, webcam()));
    let closed = Request { lid_closed: true, ..Request::default() };
    let both = [inside.clone(), outside];
    assert!(matches!(choose(&both, &closed), Err(CameraError::LidClosed)), "the other one is not allowed");
    let open = Request { external: true, ..closed.clone() };
    assert_eq!(choose(&both, &open).unwrap().node, Path::new("/dev/video2"));
    assert!(matches!(choose(&[inside], &open), Err(CameraError::LidClosed)));
    for (name, node) in [("/dev/video0", None), ("/dev/video2", Some("/dev/video2"))] {
        let named = Request { device: Some(name.into()), ..closed.clone() };
        assert_eq!(choose(&both, &named).ok().map(|choice| choice.node), node.map(Into::into), "{name}");
    }
    assert!(matches!(choose(&[], &closed), Err(CameraError::Missing { .. })));
}
