//! Other conditions than those of the recording: a moved camera, another camera, hurry, noise, a hidden hand.

use pose_engine::sequence::{JOINTS, Joint, Sequence, joint};

use super::recordings::Recording;
use super::rng::Rng;

type Frame = [Joint; JOINTS];

/// Turned in the picture's plane, degrees.
pub(crate) fn rolled(sequence: &Sequence, degrees: f32) -> Sequence {
    let (s, c) = degrees.to_radians().sin_cos();
    each(sequence, |f| f.map(|j| Joint { x: c * j.x - s * j.y, y: s * j.x + c * j.y, ..j }))
}

/// Seen by a camera that stands further to the side (yaw) or higher (pitch), degrees.
///
/// A depth sensor's recording is turned as it was measured. Others are given depth: each arm bone as long as its 95th
/// percentile, pointing forward as far as it looks shorter; the nose before the shoulders by `nose` shoulder widths.
pub(crate) fn turned(recording: &Recording, yaw: f32, pitch: f32, nose: f32) -> Sequence {
    let (yaw, pitch) = (yaw.to_radians().sin_cos(), pitch.to_radians().sin_cos());
    let turn = |x: f32, y: f32, z: f32| {
        let (x, z) = (yaw.1 * x + yaw.0 * z, yaw.1 * z - yaw.0 * x);
        [x, pitch.1 * y - pitch.0 * z, pitch.0 * y + pitch.1 * z]
    };
    if let Some(space) = &recording.space {
        let rows: Vec<Vec<[f32; 3]>> =
            space.rows.iter().map(|r| r.iter().map(|&[x, y, z]| turn(x, y, z)).collect()).collect();
        return Sequence::from_j13(space.fps, &rows);
    }
    let sequence = &recording.sequence;
    let longest = |a: usize, b: usize| quantile(sequence.frames().iter().map(|f| distance(f, a, b)), 0.95);
    let width = quantile(
        sequence.frames().iter().map(|f| distance(f, joint::LEFT_SHOULDER, joint::RIGHT_SHOULDER)),
        0.5,
    );
    let bones = ARMS.map(|(a, b)| (a, b, longest(a, b)));
    each(sequence, |f| {
        let mut z = [0.0; JOINTS];
        z[joint::NOSE] = -nose * width;
        for (a, b, whole) in bones {
            z[b] = z[a] - (whole * whole - distance(f, a, b).powi(2)).max(0.0).sqrt();
        }
        std::array::from_fn(|k| {
            let [x, y, _] = turn(f[k].x, f[k].y, z[k]);
            Joint { x, y, ..f[k] }
        })
    })
}

/// Done in another time: a factor of 1.25 takes a quarter longer.
pub(crate) fn slowed(sequence: &Sequence, factor: f64) -> Sequence {
    timed(sequence, |t| (t as f64 * factor) as u64)
}

/// By a camera of so many pictures a second; between two of the recording's pictures a joint moves straight.
pub(crate) fn resampled(sequence: &Sequence, rate: f64) -> Sequence {
    let (times, frames) = (sequence.times_us(), sequence.frames());
    let Some((&first, &last)) = times.first().zip(times.last()) else { return Sequence::default() };
    let count = ((last - first) as f64 * rate / 1.0e6) as usize + 1;
    Sequence::from_frames((0..count).map(|i| {
        let t = first + (i as f64 * 1.0e6 / rate) as u64;
        let right = times.partition_point(|at| *at < t).min(times.len() - 1);
        let left = right.saturating_sub(1);
        let span = (times[right] - times[left]) as f32;
        let share = if span > 0.0 { (t - times[left]) as f32 / span } else { 0.0 };
        (t, between(&frames[left], &frames[right], share))
    }))
}

/// Without this share of the pictures.
pub(crate) fn dropped(sequence: &Sequence, share: f64, rng: &mut Rng) -> Sequence {
    let pairs = sequence.times_us().iter().zip(sequence.frames());
    Sequence::from_frames(pairs.filter(|_| rng.uniform() >= share).map(|(t, f)| (*t, *f)).collect::<Vec<_>>())
}

/// Normal noise on every coordinate of every picture, in shoulder widths.
pub(crate) fn jittered(sequence: &Sequence, share: f32, rng: &mut Rng) -> Sequence {
    let width = quantile(
        sequence.frames().iter().map(|f| distance(f, joint::LEFT_SHOULDER, joint::RIGHT_SHOULDER)),
        0.5,
    );
    let mut off = || share * width * rng.normal() as f32;
    each(sequence, |f| f.map(|j| Joint { x: j.x + off(), y: j.y + off(), ..j }))
}

/// With the hand that moves less out of view: the landmark model then invents it somewhere below the elbow.
pub(crate) fn idle_hand_hidden(sequence: &Sequence, rng: &mut Rng) -> Sequence {
    let range = |k: usize| {
        let side = |of: fn(&Joint) -> f32| {
            let values = sequence.frames().iter().map(|f| of(&f[k]));
            values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
        };
        side(|j| j.x).hypot(side(|j| j.y))
    };
    let (wrist, elbow) = if range(joint::LEFT_WRIST) < range(joint::RIGHT_WRIST) {
        (joint::LEFT_WRIST, joint::LEFT_ELBOW)
    } else {
        (joint::RIGHT_WRIST, joint::RIGHT_ELBOW)
    };
    let length = quantile(sequence.frames().iter().map(|f| distance(f, wrist, elbow)), 0.95);
    let (dx, dy) = (0.4 * length * rng.normal() as f32, length);
    each(sequence, |f| {
        let mut out = *f;
        out[wrist] = Joint { x: f[elbow].x + dx, y: f[elbow].y + dy, visibility: 0.1 };
        out
    })
}

/// A part of `other`, by the same body, and then the movement itself, with six pictures of travel and so many of rest
/// between, at 15 a second: what a camera sees of somebody who settles down before the gesture.
pub(crate) fn after(other: &Sequence, rest: u16, sequence: &Sequence) -> Sequence {
    let before = resized(&other.between_us(&(300_000..1_700_000)), sequence);
    let (Some(from), Some(to)) = (before.frames().last(), sequence.frames().first()) else {
        return sequence.clone();
    };
    let begun = before.times_us().first().copied().unwrap_or(0);
    let mut frames: Vec<(u64, Frame)> =
        before.times_us().iter().map(|t| t - begun).zip(before.frames().iter().copied()).collect();
    let mut now = frames.last().map_or(0, |f| f.0);
    for i in 1..=6 + rest {
        now += 66_667;
        frames.push((now, between(from, to, (f32::from(i) / 6.0).min(1.0))));
    }
    let first = sequence.times_us().first().copied().unwrap_or(0);
    frames.extend(
        sequence.times_us().iter().map(|t| now + 66_667 + t - first).zip(sequence.frames().iter().copied()),
    );
    Sequence::from_frames(frames)
}

/// Moved and scaled so that the shoulders lie where those of `like` begin.
fn resized(sequence: &Sequence, like: &Sequence) -> Sequence {
    let shoulders = |s: &Sequence, at: fn(&[Frame]) -> Option<&Frame>| {
        at(s.frames()).map(|f| {
            let (l, r) = (f[joint::LEFT_SHOULDER], f[joint::RIGHT_SHOULDER]);
            ((l.x + r.x) / 2.0, (l.y + r.y) / 2.0, (l.x - r.x).hypot(l.y - r.y))
        })
    };
    let (Some(here), Some(there)) = (shoulders(sequence, <[_]>::last), shoulders(like, <[_]>::first)) else {
        return sequence.clone();
    };
    let scale = if here.2 > 0.0 { there.2 / here.2 } else { 1.0 };
    each(sequence, |f| {
        f.map(|j| Joint { x: there.0 + (j.x - here.0) * scale, y: there.1 + (j.y - here.1) * scale, ..j })
    })
}

/// Arm bones, upper before lower.
const ARMS: [(usize, usize); 4] = [
    (joint::LEFT_SHOULDER, joint::LEFT_ELBOW),
    (joint::LEFT_ELBOW, joint::LEFT_WRIST),
    (joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW),
    (joint::RIGHT_ELBOW, joint::RIGHT_WRIST),
];

fn each(sequence: &Sequence, mut change: impl FnMut(&Frame) -> Frame) -> Sequence {
    Sequence::from_frames(sequence.times_us().iter().zip(sequence.frames()).map(|(t, f)| (*t, change(f))))
}

fn timed(sequence: &Sequence, time: impl Fn(u64) -> u64) -> Sequence {
    Sequence::from_frames(sequence.times_us().iter().map(|t| time(*t)).zip(sequence.frames().iter().copied()))
}

fn between(a: &Frame, b: &Frame, share: f32) -> Frame {
    std::array::from_fn(|k| Joint {
        x: a[k].x + (b[k].x - a[k].x) * share,
        y: a[k].y + (b[k].y - a[k].y) * share,
        visibility: a[k].visibility,
    })
}

fn distance(frame: &Frame, a: usize, b: usize) -> f32 {
    (frame[a].x - frame[b].x).hypot(frame[a].y - frame[b].y)
}

fn quantile(values: impl Iterator<Item = f32>, q: f32) -> f32 {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_unstable_by(f32::total_cmp);
    sorted.get((q * sorted.len().saturating_sub(1) as f32).round() as usize).copied().unwrap_or(0.0)
}
