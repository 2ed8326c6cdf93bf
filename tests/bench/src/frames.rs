//! Pictures to landmarks on one processor: JPEG in, tracked person out, as the worker does it.

use std::time::Instant;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use pose_camera::Frame;
use pose_camera::recording::Clip;
use pose_system::runner::Scene;
use pose_system::{Result, place};
use pose_vision::{Assets, Tracker, TrackerOptions, Variant};
use serde_json::{Value, json};

use crate::figures;

/// Recordings of 640 × 480 pictures in motion JPEG.
const CLIPS: [&str; 6] = [
    "ben_circle_touch_0",
    "chidi_open_head_1",
    "anna_circle_touch_3",
    "ben_t_pose",
    "chidi_lean_left",
    "ben_arms_crossed",
];

pub(crate) fn measure(_scene: &Scene) -> Result<Value> {
    let mut one = CpuSet::new();
    one.set(0)?;
    sched_setaffinity(Pid::from_raw(0), &one)?;
    let clips: Vec<Vec<Frame>> = CLIPS
        .iter()
        .map(|name| Ok(Clip::open(&place::clip(name))?.frames().collect::<std::result::Result<_, _>>()?))
        .collect::<Result<_>>()?;
    Ok(json!({
        "processors": 1,
        "full": variant(Variant::Full, &clips)?,
        "lite": variant(Variant::Lite, &clips)?,
    }))
}

fn variant(variant: Variant, clips: &[Vec<Frame>]) -> Result<Value> {
    let assets = Assets { models: place::models(), runtime: place::runtime()? };
    let (mut first, mut next, mut total) = (Vec::new(), Vec::new(), 0.0);
    let mut pictures = 0_u32;
    for clip in clips {
        let mut tracker = Tracker::new(&assets, &TrackerOptions { variant, ..TrackerOptions::default() })?;
        for (i, frame) in clip.iter().enumerate() {
            let begun = Instant::now();
            tracker.observe(frame)?;
            let ms = begun.elapsed().as_secs_f64() * 1e3;
            if i == 0 { &mut first } else { &mut next }.push(ms);
            total += ms;
            pictures += 1;
        }
    }
    Ok(json!({
        "first_picture_ms": figures::of(first),
        "further_picture_ms": figures::of(next),
        "fps": f64::from(pictures) / total * 1e3,
    }))
}
