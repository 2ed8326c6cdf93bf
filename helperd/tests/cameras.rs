//! While the session is locked, a camera that comes is not trusted, until root approves it.
#![allow(unsafe_code, reason = "the client makes memfds and connects with another uid")]

mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use pose_camera::v4l2::{Device, Distrust, LockedTimes, Placement, Request, trust};
use pose_helperd::config::{Camera, Config};
use support::client::Client;
use support::logind::{BEGAN_US, HERE, Session, lock, logind, slow_logind};
use support::{House, Script};
use zbus::OwnedVariant;

/// The times in which a plugged-in camera must not have come, once they fulfil that.
fn times_until(client: &Client, what: &str, holds: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    let start = Instant::now();
    loop {
        let status: HashMap<String, OwnedVariant> =
            client.call("Status", &()).unwrap().body().deserialize().unwrap();
        let times = Vec::<u64>::try_from(status["locked_times"].clone()).unwrap();
        if holds(&times) {
            return times;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: {times:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn cameras_that_come_to_a_locked_session_are_not_trusted_until_it_is_unlocked_or_root_approves_them() {
    let house = House::new(&Script::right_person());
    let logind = logind(&house, true, HERE, false);
    let client = house.client();
    assert_eq!(times_until(&client, "at work", |_| true), []);
    // The helper may be slow to listen; it is told again until it has heard.
    let locked = times_until(&client, "locked", |times| {
        lock(&logind, true);
        !times.is_empty()
    });
    assert!(locked[0] >= BEGAN_US && locked[1] == u64::MAX, "{locked:?}");
    client.call("ApproveCameras", &()).unwrap();
    let approved = times_until(&client, "approved", |_| true);
    assert!(approved[0] > locked[0] && approved[1] == u64::MAX, "what comes later is refused: {approved:?}");
    lock(&logind, false);
    assert_eq!(times_until(&client, "unlocked, and nothing had come", <[u64]>::is_empty), []);
}

#[test]
fn a_helper_that_starts_while_the_session_is_locked_trusts_nothing_that_came_since_the_session_began() {
    let house = House::new(&Script::right_person());
    let logind = logind(&house, true, Session { locked: true, ..HERE }, false);
    lock(&logind, true);
    let times = times_until(&house.client(), "locked", |times| !times.is_empty());
    assert_eq!(times, [BEGAN_US, u64::MAX]);
}

#[test]
fn no_caller_is_served_before_logind_has_told_that_the_session_is_locked() {
    const NODE: &str = "/dev/video2";
    // The two ways in which an administrator lets a camera in that is not built in.
    let any = Camera { allow_external: true, ..Camera::default() };
    let named = Camera { device: NODE.into(), ..Camera::default() };
    for (camera, device) in [(any, None), (named, Some(NODE.to_owned()))] {
        let config = Config { camera, ..Config::default() };
        let locked = Session { locked: true, ..HERE };
        // Long enough for a caller to come first, were it served.
        let (house, _logind) = House::after(&Script::right_person(), config, |address| {
            slow_logind(address, locked, Duration::from_millis(300))
        });
        let times = times_until(&house.client(), "at the first call", |_| true);
        assert_eq!(times, [BEGAN_US, u64::MAX], "{device:?}");
        let locked = LockedTimes::of(times.as_chunks().0);
        let request = Request { external: device.is_none(), locked, device, ..Request::default() };
        let plugged = |at| plugged_in(NODE, at);
        assert_eq!(trust(&plugged(BEGAN_US - 1), &[], &request), Ok(()), "it was there before");
        assert_eq!(trust(&plugged(BEGAN_US + 1), &[], &request), Err(Distrust::WhileLocked));
    }
}

/// A camera that came then.
fn plugged_in(node: &str, at_us: u64) -> Device {
    Device {
        node: node.into(),
        name: "Camera".into(),
        driver: "uvcvideo".into(),
        bus: "usb-0000:00:14.0-4".into(),
        by_id: Vec::new(),
        by_path: Vec::new(),
        virtual_device: false,
        infrared: false,
        placement: Placement::External,
        seat: "seat0".into(),
        usb: None,
        plugged_in_us: Some(at_us),
        modes: Vec::new(),
        other_formats: Vec::new(),
        problem: None,
    }
}
