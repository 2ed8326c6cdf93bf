//! Resident memory of the daemon and its worker: idle, and at the peak of a login.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pose_system::Result;
use pose_system::runner::Scene;
use serde_json::{Value, json};

use crate::scene::{House, full_login, right_person, wait_until};

pub(crate) fn measure(scene: &Scene) -> Result<Value> {
    let worker_ends_soon = [("\nidle_exit_seconds = 60", "\nidle_exit_seconds = 5")];
    let house = House::start(scene, &right_person(0), &worker_ends_soon)?;
    let fresh = resident(house.pid(), "VmRSS")?;
    let over = AtomicBool::new(false);
    let (peak, worker) = std::thread::scope(|scope| -> Result<(f64, f64)> {
        let watcher = scope.spawn(|| watch(&house, &over));
        let login = full_login(&house);
        over.store(true, Ordering::Relaxed);
        login?;
        watcher.join().map_err(|_| "the watcher panicked".into())
    })?;
    wait_until("the worker ends", || house.workers().is_empty())?;
    std::thread::sleep(Duration::from_secs(1));
    Ok(json!({
        "fresh_mb": fresh,
        "idle_after_a_login_mb": resident(house.pid(), "VmRSS")?,
        "daemon_peak_mb": resident(house.pid(), "VmHWM")?,
        "worker_peak_mb": worker,
        "daemon_and_workers_peak_mb": peak,
    }))
}

/// The largest sum of all resident memory that was seen at once, and a worker's own peak.
fn watch(house: &House, over: &AtomicBool) -> (f64, f64) {
    let (mut peak, mut worker) = (0.0_f64, 0.0_f64);
    while !over.load(Ordering::Relaxed) {
        let workers: f64 = house.workers().iter().filter_map(|&pid| resident(pid, "VmRSS").ok()).sum();
        let own = house.workers().iter().filter_map(|&pid| resident(pid, "VmHWM").ok()).fold(0.0, f64::max);
        peak = peak.max(workers + resident(house.pid(), "VmRSS").unwrap_or_default());
        worker = worker.max(own);
        std::thread::sleep(Duration::from_millis(5));
    }
    (peak, worker)
}

/// A value of `/proc/PID/status`, MiB.
fn resident(pid: u32, name: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such process any more")?;
    let kib: f64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok((kib / 102.4).round() / 10.0)
}
