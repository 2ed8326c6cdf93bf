//! Recordings to observations: decoding and tracking, several clips at a time where the machine allows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pose_camera::recording::Clip;
use pose_engine::landmarks::Observation;
use pose_vision::{Assets, Tracker, TrackerOptions, VisionError};

use crate::exit::{Exit, Failure};

/// Memory that one tracker with both models takes, with room to spare; measured at about 150 MB.
const TRACKER_MIB: u64 = 512;

/// One recording, seen by the tracker.
#[derive(Debug)]
pub(crate) struct Watched {
    /// One observation a frame, in order.
    pub(crate) observations: Vec<Observation>,
    /// Frames a second, as the container says.
    pub(crate) fps: f64,
    /// Width of the pictures, pixels.
    pub(crate) width: u32,
    /// Height of the pictures, pixels.
    pub(crate) height: u32,
}

/// The models and the runtime, beside this program or installed.
pub(crate) fn assets() -> Result<Assets, Failure> {
    Assets::beside_executable().map_err(|e| Failure::told(Exit::Assets, e))
}

/// Watches all clips, each by a tracker that remembers nothing of the one before. Results come in the clips'
/// order and do not depend on how many are watched at a time: each model runs on one thread.
pub(crate) fn watch_all(
    assets: &Assets,
    clips: &[PathBuf],
    smoothing: bool,
) -> Result<Vec<Result<Watched, Failure>>, Failure> {
    let options = TrackerOptions { smoothing, threads: 1, ..TrackerOptions::default() };
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<Watched, Failure>>>> =
        clips.iter().map(|_| Mutex::new(None)).collect();
    let work = || -> Result<(), Failure> {
        let mut tracker = Tracker::new(assets, &options).map_err(|e| Failure::told(Exit::Assets, e))?;
        while let Some((path, slot)) = take(&next, clips, &results) {
            let watched = watch(&mut tracker, path);
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(watched);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (1..worker_count(clips.len())).map(|_| scope.spawn(work)).collect();
        let mut outcome = work();
        for worker in workers {
            outcome = outcome.and(worker.join().unwrap_or_else(|_| Err(lost())));
        }
        outcome
    })?;
    results.into_iter().map(|slot| slot.into_inner().ok().flatten().ok_or_else(lost)).collect()
}

fn take<'a, T>(next: &AtomicUsize, clips: &'a [PathBuf], slots: &'a [T]) -> Option<(&'a Path, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((clips.get(index)?.as_path(), slots.get(index)?))
}

fn watch(tracker: &mut Tracker, path: &Path) -> Result<Watched, Failure> {
    let clip = Clip::open(path).map_err(|e| Failure::told(Exit::Input, e))?;
    tracker.reset();
    let observations = clip
        .frames()
        .map(|frame| {
            let frame = frame.map_err(|e| Failure::told(Exit::Input, e))?;
            tracker.observe(&frame).map_err(|e| unseen(path, &e))
        })
        .collect::<Result<_, _>>()?;
    Ok(Watched { observations, fps: clip.fps(), width: clip.width(), height: clip.height() })
}

fn unseen(path: &Path, error: &VisionError) -> Failure {
    match error {
        VisionError::Picture(_) => Failure::told(Exit::Input, error).about(path.display()),
        _ => Failure::told(Exit::Assets, error),
    }
}

fn lost() -> Failure {
    Failure::new(Exit::Internal, "a worker broke off", "report this with the recordings that led here")
}

fn worker_count(clips: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let by_memory = available_mib().map_or(1, |mib| (mib / TRACKER_MIB).max(1) as usize);
    clips.min(cores).min(by_memory).max(1)
}

fn available_mib() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_workers_than_clips_and_always_one() {
        assert_eq!(worker_count(0), 1);
        assert_eq!(worker_count(1), 1);
        assert!(worker_count(1_000) <= thread::available_parallelism().map_or(1, usize::from));
    }
}
