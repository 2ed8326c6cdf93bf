//! Many hostile clients at once: the daemon stays small and a login in between still works.
//!
//! `POSE_FLOOD_SECONDS` sets how long it lasts (5 by default; 60 for the long run).
#![allow(unsafe_code, reason = "the client makes memfds and connects with another uid")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::house::{NOBODY, can_be_others, verdict};
use support::{Client, House, Script};
use zbus::Variant;

const CLIENTS: usize = 64;
/// What the whole process, daemon and clients together, may grow by.
const MORE_MEMORY_KB: u64 = 200 * 1024;
/// Descriptors of 64 clients (a socket and a poller each), the daemon's attempts and calls, and the tests' own.
const MOST_DESCRIPTORS: usize = 64 * 8 + 400;

#[test]
fn sixty_four_hostile_clients_do_not_keep_root_out() {
    if !can_be_others() {
        return;
    }
    let seconds = std::env::var("POSE_FLOOD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let house = House::enrolled(&Script::right_person());
    let before = memory_kb();
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (house, stop, calls) = (&house, &stop, &calls);
            scope.spawn(move || {
                let mut step = number;
                while !stop.load(Ordering::Relaxed) {
                    annoy(&house.client_of(NOBODY), &mut step, stop, calls);
                }
            });
        }
        let _end = StopAtEnd(&stop);
        let start = Instant::now();
        let root = house.client();
        let attempt = root
            .begin("root", &[("mode", Variant::from("pose-only")), ("timeout_ms", Variant::from(60_000u32))]);
        let attempt = attempt.expect("root gets in");
        root.wait_for(&attempt, "gesture");
        let mut worst = (0, 0);
        let watched = scope.spawn(move || root.run(&attempt, |_| Vec::new()));
        while !watched.is_finished() || start.elapsed() < Duration::from_secs(seconds) {
            worst = (worst.0.max(memory_kb()), worst.1.max(descriptors()));
            std::thread::sleep(Duration::from_millis(100));
        }
        stop.store(true, Ordering::Relaxed);
        let events = watched.join().expect("events");
        eprintln!(
            "{} calls in {:.1} s; memory {} KB, before {before} KB; {} descriptors; root: {}",
            calls.load(Ordering::Relaxed),
            start.elapsed().as_secs_f32(),
            worst.0,
            worst.1,
            verdict(&events).code
        );
        assert_eq!(verdict(&events).code, "success", "{events:?}");
        assert!(worst.0 < before + MORE_MEMORY_KB, "{} KB", worst.0);
        assert!(worst.1 < MOST_DESCRIPTORS, "{} descriptors", worst.1);
    });
    house.wait_until("all workers end", || house.workers() <= 1);
}

/// Ends the hostile clients also when an assertion fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One connection's worth of trouble; then it vanishes.
fn annoy(client: &Client, step: &mut usize, stop: &AtomicBool, calls: &AtomicUsize) {
    let long = "x".repeat(100_000);
    let mut held = None;
    for _ in 0..20 {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        *step += 1;
        calls.fetch_add(1, Ordering::Relaxed);
        match *step % 8 {
            0 => held = client.begin_pose_only("nobody").ok(),
            1 => drop(client.begin("nobody", &[("tty", Variant::from(long.as_str()))])),
            2 => drop(client.next(held.as_deref().unwrap_or("guess"))),
            3 => drop(client.answer(held.as_deref().unwrap_or("guess"), b"wrong")),
            4 => drop(client.begin("root", &[])),
            5 => drop(client.call("Status", &())),
            6 => drop(client.change("Remove", "nobody")),
            _ => drop(client.call("List", &(long.as_str(),))),
        }
    }
}

fn memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("descriptors").count()
}
