//! Upper-body joints over time, in pixels: the raw material of signatures, from live pictures or recordings.

use crate::landmarks::{LANDMARK_COUNT, Observation, part};

/// Joints of a [`Sequence`] frame: nose, then shoulder, elbow, wrist, left (the person's own) before right.
///
/// Hips and legs are left out: on a seated user they are invented by the landmark model.
pub const JOINTS: usize = 7;
/// Index of each joint in a frame.
pub mod joint {
    #![allow(missing_docs, reason = "the names are the body's")]
    pub const NOSE: usize = 0;
    pub const LEFT_SHOULDER: usize = 1;
    pub const RIGHT_SHOULDER: usize = 2;
    pub const LEFT_ELBOW: usize = 3;
    pub const RIGHT_ELBOW: usize = 4;
    pub const LEFT_WRIST: usize = 5;
    pub const RIGHT_WRIST: usize = 6;
}
/// The landmark behind each joint.
pub(crate) const LANDMARKS: [usize; JOINTS] = [
    part::NOSE,
    part::LEFT_SHOULDER,
    part::RIGHT_SHOULDER,
    part::LEFT_ELBOW,
    part::RIGHT_ELBOW,
    part::LEFT_WRIST,
    part::RIGHT_WRIST,
];
/// Each joint's partner on the other side of the body.
pub const PARTNER: [usize; JOINTS] = [0, 2, 1, 4, 3, 6, 5];
/// Longest sequence that is looked at, microseconds; what comes later is cut off.
pub const MAX_DURATION_US: u64 = 60_000_000;
/// Coordinates beyond this many pixels are taken for missing.
const MAX_COORDINATE: f32 = 1.0e6;
/// Most frames kept: 60 s at 240 frames a second.
const MAX_FRAMES: usize = 14_400;

/// One joint in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Joint {
    /// Pixels from the left edge (or millimetres of a depth sensor: only ratios matter).
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
    /// Probability that the joint is in view, 0..1.
    pub visibility: f32,
}

impl Joint {
    /// A joint about which nothing is known.
    pub const MISSING: Self = Self { x: f32::NAN, y: f32::NAN, visibility: 0.0 };

    fn is_known(&self) -> bool {
        self.x.abs() <= MAX_COORDINATE && self.y.abs() <= MAX_COORDINATE
    }
}

/// Upper-body joints over time: `[frames × 7]` joints with strictly rising time stamps; every coordinate finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    t_us: Vec<u64>,
    frames: Vec<[Joint; JOINTS]>,
}

impl Sequence {
    /// From what the worker reported; frames without a person are left out.
    #[must_use]
    pub fn from_observations(observations: &[Observation]) -> Self {
        Self::from_frames(observations.iter().filter_map(|o| {
            let pose = o.pose.as_ref()?;
            let (w, h) = (f32::from(o.width), f32::from(o.height));
            let frame = LANDMARKS.map(|i| {
                let l = pose.landmarks[i];
                Joint { x: l.x * w, y: l.y * h, visibility: l.visibility }
            });
            Some((o.t_us, frame))
        }))
    }

    /// From a recording's `lm` frames at a fixed rate (frames a second): `[T][33][x, y, z, visibility]` with x, y
    /// in picture widths and heights. A frame or landmark that is missing stays missing (`NaN`, or a short row).
    #[must_use]
    pub fn from_lm(fps: f64, width: f32, height: f32, frames: &[Vec<[f32; 4]>]) -> Self {
        Self::from_frames(frames.iter().enumerate().map(|(i, rows)| {
            let frame = LANDMARKS.map(|k| match rows.get(k) {
                Some(&[x, y, _, visibility]) if rows.len() <= 2 * LANDMARK_COUNT => {
                    Joint { x: x * width, y: y * height, visibility }
                }
                _ => Joint::MISSING,
            });
            (frame_time_us(i, fps), frame)
        }))
    }

    /// From a depth sensor's `j13` frames: `[T][13][x, y, z]` (nose, left and right shoulder, elbow, wrist, …; y up).
    /// The depth is dropped; a sensor whose x axis runs to the person's right is mirrored into the picture's sense.
    #[must_use]
    pub fn from_j13(fps: f64, frames: &[Vec<[f32; 3]>]) -> Self {
        let mut across: Vec<f32> = frames
            .iter()
            .filter_map(|rows| Some(rows.get(joint::LEFT_SHOULDER)?[0] - rows.get(joint::RIGHT_SHOULDER)?[0]))
            .filter(|d| d.is_finite())
            .collect();
        let sign = if crate::clean::median(&mut across).unwrap_or(1.0) < 0.0 { -1.0 } else { 1.0 };
        Self::from_frames(frames.iter().enumerate().map(|(i, rows)| {
            let mut frame = [Joint::MISSING; JOINTS];
            for (slot, &[x, y, _]) in frame.iter_mut().zip(rows) {
                *slot = Joint { x: sign * x, y: -y, visibility: 1.0 };
            }
            (frame_time_us(i, fps), frame)
        }))
    }

    /// From time-stamped joints. Frames out of order, without any known joint, or beyond [`MAX_DURATION_US`] are
    /// left out; a joint that is missing for a while is interpolated over time and marked invisible.
    #[must_use]
    pub fn from_frames(frames: impl IntoIterator<Item = (u64, [Joint; JOINTS])>) -> Self {
        let mut sequence = Self::default();
        for (t, frame) in frames {
            let (first, last) = (sequence.t_us.first().copied(), sequence.t_us.last().copied());
            if last.is_some_and(|last| t <= last) || frame.iter().all(|j| !j.is_known()) {
                continue;
            }
            if first.is_some_and(|first| t - first > MAX_DURATION_US) || sequence.t_us.len() >= MAX_FRAMES {
                break;
            }
            sequence.t_us.push(t);
            sequence.frames.push(frame);
        }
        sequence.fill_missing();
        sequence
    }

    /// Time from the first to the last frame, microseconds.
    #[must_use]
    pub fn duration_us(&self) -> u64 {
        self.t_us.last().zip(self.t_us.first()).map_or(0, |(last, first)| last - first)
    }

    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no frame at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Time stamps, microseconds, strictly rising.
    #[must_use]
    pub fn times_us(&self) -> &[u64] {
        &self.t_us
    }

    /// Joints by frame, in pixels.
    #[must_use]
    pub fn frames(&self) -> &[[Joint; JOINTS]] {
        &self.frames
    }

    /// The part between two times, microseconds from the beginning.
    #[must_use]
    pub fn between_us(&self, part: &std::ops::Range<u64>) -> Self {
        let first = self.t_us.first().copied().unwrap_or(0);
        let from = self.t_us.partition_point(|t| t - first < part.start);
        let to = self.t_us.partition_point(|t| t - first < part.end).max(from);
        Self { t_us: self.t_us[from..to].to_vec(), frames: self.frames[from..to].to_vec() }
    }

    /// The same movement by the other side of the body: left and right exchanged, x mirrored.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let frames = self.frames.iter().map(|f| PARTNER.map(|k| Joint { x: -f[k].x, ..f[k] })).collect();
        Self { t_us: self.t_us.clone(), frames }
    }

    fn fill_missing(&mut self) {
        for k in 0..JOINTS {
            let known: Vec<usize> =
                (0..self.frames.len()).filter(|&i| self.frames[i][k].is_known()).collect();
            if known.len() == self.frames.len() {
                for frame in &mut self.frames {
                    frame[k].visibility = sane_probability(frame[k].visibility);
                }
                continue;
            }
            self.fill_joint(k, &known);
        }
    }

    /// Interpolates joint `k` between the frames where it is known; one that never is lies where the nose and
    /// shoulders are, so that it moves with the body and carries no gesture.
    fn fill_joint(&mut self, k: usize, known: &[usize]) {
        let mut next = 0;
        for i in 0..self.frames.len() {
            while next < known.len() && known[next] < i {
                next += 1;
            }
            if next < known.len() && known[next] == i {
                self.frames[i][k].visibility = sane_probability(self.frames[i][k].visibility);
                continue;
            }
            let before = next.checked_sub(1).map(|n| known[n]);
            let after = known.get(next).copied();
            let (x, y) = match (before, after) {
                (Some(a), Some(b)) => self.between(k, a, b, i),
                (Some(a), None) | (None, Some(a)) => (self.frames[a][k].x, self.frames[a][k].y),
                (None, None) => self.body_point(i),
            };
            self.frames[i][k] = Joint { x, y, visibility: 0.0 };
        }
    }

    fn between(&self, k: usize, a: usize, b: usize, i: usize) -> (f32, f32) {
        let span = (self.t_us[b] - self.t_us[a]) as f64;
        let w = ((self.t_us[i] - self.t_us[a]) as f64 / span) as f32;
        let (p, q) = (self.frames[a][k], self.frames[b][k]);
        (p.x + (q.x - p.x) * w, p.y + (q.y - p.y) * w)
    }

    fn body_point(&self, i: usize) -> (f32, f32) {
        let known: Vec<&Joint> = self.frames[i].iter().filter(|j| j.is_known()).collect();
        let n = known.len().max(1) as f32;
        (known.iter().map(|j| j.x).sum::<f32>() / n, known.iter().map(|j| j.y).sum::<f32>() / n)
    }
}

fn sane_probability(p: f32) -> f32 {
    if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 }
}

fn frame_time_us(index: usize, fps: f64) -> u64 {
    let fps = if fps.is_finite() && fps > 0.0 { fps.clamp(0.1, 1000.0) } else { 15.0 };
    (index as f64 * 1.0e6 / fps).round() as u64
}
