//! How far two movements differ, looked at in five ways, each aligned in time on its own.
//!
//! The alignment is dynamic time warping with open ends: either movement may skip up to [`SLACK`] of its frames
//! before and after at a fixed price a frame, because recordings begin a little late, end cut short, or hold a rest
//! that the other lacks. Steps as in [`crate::dtw`] (diagonal weight 2), divided by n + m.

use crate::clean::RATE;
use crate::normalise::{Frame, Track};
use crate::sequence::{JOINTS, joint};

/// Half-width of the alignment's band, as a share of the longer movement.
const BAND: f32 = 0.5;
/// Share of a movement's frames that may be skipped at either end.
const SLACK: f32 = 0.4;
/// Price of a skipped frame, in the streams' units: a little above the local cost between honest repetitions.
const SKIP: f32 = 0.02;
/// Distances are not believed to be smaller than this.
const SMALLEST: f32 = 1.0e-5;

/// Number of streams.
pub const STREAMS: usize = 5;
/// Names of the streams, in order.
pub const NAMES: [&str; STREAMS] = ["position", "bones", "elbows", "velocity", "nose"];
/// One number a stream.
pub type ByStream = [f64; STREAMS];

/// Weights of the joints in the position stream: the head keeps its place, hands vary most between repetitions.
const JOINT_WEIGHTS: [f32; JOINTS] = [3.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.7];
/// Scale of unit vectors, so that [`SKIP`] means as much in every stream.
const DIRECTION: f32 = 0.2;
/// Scale of speeds, seconds.
const SPEED: f32 = 0.15;
/// A shorter bone, in sums of upper-bone lengths, has no direction.
const SHORTEST_BONE: f32 = 1.0e-6;

/// The bones whose directions are compared, upper arm before forearm.
const ARMS: [(usize, usize); 4] = [
    (joint::LEFT_SHOULDER, joint::LEFT_ELBOW),
    (joint::LEFT_ELBOW, joint::LEFT_WRIST),
    (joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW),
    (joint::RIGHT_ELBOW, joint::RIGHT_WRIST),
];

/// A movement as five streams of equal length.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    positions: Vec<[f32; 2 * JOINTS]>,
    bones: Vec<[f32; 8]>,
    elbows: Vec<[f32; 4]>,
    velocities: Vec<[f32; 2 * JOINTS]>,
    nose: Vec<[f32; 2]>,
}

impl Movement {
    /// Prepares a track.
    #[must_use]
    pub fn of(track: &Track) -> Self {
        let frames = &track.frames;
        let directions: Vec<[[f32; 2]; 4]> = frames.iter().map(directions).collect();
        Self {
            positions: frames.iter().map(weighted).collect(),
            bones: directions.iter().map(|d| flat(d.map(|v| v.map(|c| c * DIRECTION)))).collect(),
            elbows: directions.iter().map(elbows).collect(),
            velocities: (0..frames.len()).map(|i| velocity(frames, i)).collect(),
            nose: frames.iter().map(|f| f[joint::NOSE]).collect(),
        }
    }

    /// Whether there is no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
}

/// Log distances of two movements, one a stream; `None` if either is empty.
#[must_use]
pub fn log_distances(a: &Movement, b: &Movement) -> Option<ByStream> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let distances = [
        open_ended(&a.positions, &b.positions),
        open_ended(&a.bones, &b.bones),
        open_ended(&a.elbows, &b.elbows),
        open_ended(&a.velocities, &b.velocities),
        open_ended(&a.nose, &b.nose),
    ];
    Some(distances.map(|d| f64::from(d.max(SMALLEST)).ln()))
}

fn weighted(frame: &Frame) -> [f32; 2 * JOINTS] {
    let total: f32 = JOINT_WEIGHTS.iter().sum();
    let mut out = [0.0; 2 * JOINTS];
    for (k, joint) in frame.iter().enumerate() {
        let weight = (JOINT_WEIGHTS[k] * JOINTS as f32 / total).sqrt();
        out[2 * k] = weight * joint[0];
        out[2 * k + 1] = weight * joint[1];
    }
    out
}

fn directions(frame: &Frame) -> [[f32; 2]; 4] {
    ARMS.map(|(from, to)| {
        let (x, y) = (frame[to][0] - frame[from][0], frame[to][1] - frame[from][1]);
        let length = x.hypot(y).max(SHORTEST_BONE);
        [x / length, y / length]
    })
}

/// Cosine and sine of the angle from forearm to upper arm, left then right.
fn elbows(directions: &[[f32; 2]; 4]) -> [f32; 4] {
    let [lu, lf, ru, rf] = *directions;
    let bend = |u: [f32; 2], f: [f32; 2]| [u[0] * f[0] + u[1] * f[1], u[1] * f[0] - u[0] * f[1]];
    let ([lc, ls], [rc, rs]) = (bend(lu, lf), bend(ru, rf));
    [lc, ls, rc, rs].map(|v| v * DIRECTION)
}

/// Central difference, one-sided at the ends.
fn velocity(frames: &[Frame], i: usize) -> [f32; 2 * JOINTS] {
    let (a, b) = (i.saturating_sub(1), (i + 1).min(frames.len() - 1));
    let scale = if b > a { SPEED * RATE as f32 / (b - a) as f32 } else { 0.0 };
    let mut out = [0.0; 2 * JOINTS];
    for k in 0..JOINTS {
        out[2 * k] = (frames[b][k][0] - frames[a][k][0]) * scale;
        out[2 * k + 1] = (frames[b][k][1] - frames[a][k][1]) * scale;
    }
    out
}

fn flat(vectors: [[f32; 2]; 4]) -> [f32; 8] {
    let mut out = [0.0; 8];
    out.copy_from_slice(vectors.as_flattened());
    out
}

/// Dynamic time warping with open ends between two movements, neither empty.
fn open_ended<const D: usize>(a: &[[f32; D]], b: &[[f32; D]]) -> f32 {
    let (n, m) = (a.len(), b.len());
    let skip = |length: usize| (SLACK * length as f32) as usize;
    let (skip_a, skip_b) = (skip(n), skip(m));
    let radius = (BAND * n.max(m) as f32).ceil();
    let price = |frames: usize| SKIP * frames as f32;
    let mut previous: Vec<f32> =
        (0..=m).map(|j| if j <= skip_b { price(j) } else { f32::INFINITY }).collect();
    let mut current = vec![f32::INFINITY; m + 1];
    let mut best = f32::INFINITY;
    for i in 1..=n {
        current.fill(f32::INFINITY);
        if i <= skip_a {
            current[0] = price(i);
        }
        // A single frame lies opposite the middle; the band then reaches every frame of the other movement.
        let centre =
            if n > 1 { 1.0 + (i - 1) as f32 * (m - 1) as f32 / (n - 1) as f32 } else { (m + 1) as f32 / 2.0 };
        let low = (centre - radius).floor().max(1.0) as usize;
        let high = ((centre + radius).ceil() as usize).min(m);
        for j in low..=high {
            let cost = rms(&a[i - 1], &b[j - 1]);
            // The border is left diagonally only: its cells stand for skipped frames.
            let up = if i > 1 { previous[j] + cost } else { f32::INFINITY };
            let left = if j > 1 { current[j - 1] + cost } else { f32::INFINITY };
            current[j] = (previous[j - 1] + 2.0 * cost).min(up).min(left);
            if i == n && j + skip_b >= m {
                best = best.min(current[j] + price(m - j));
            } else if j == m && i + skip_a >= n {
                best = best.min(current[j] + price(n - i));
            }
        }
        std::mem::swap(&mut previous, &mut current);
    }
    best / (n + m) as f32
}

fn rms<const D: usize>(a: &[f32; D], b: &[f32; D]) -> f32 {
    (a.iter().zip(b).map(|(p, q)| (p - q) * (p - q)).sum::<f32>() / D as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn track() -> impl Strategy<Value = Track> {
        let frame = prop::array::uniform7(prop::array::uniform2(-1f32..1.0));
        prop::collection::vec(frame, 1..50).prop_map(|frames| Track { frames, visibility: [1.0; JOINTS] })
    }

    fn movement(frames: Vec<Frame>) -> Movement {
        Movement::of(&Track { frames, visibility: [1.0; JOINTS] })
    }

    /// A hand that travels.
    fn travelling(from: i32, to: i32) -> Vec<Frame> {
        (from..to)
            .map(|i| {
                let mut f = [[0.1; 2]; JOINTS];
                f[6][0] += i as f32 * 0.5;
                f
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_movement_does_not_differ_from_itself(t in track()) {
            let m = Movement::of(&t);
            let smallest = f64::from(SMALLEST).ln();
            prop_assert!(log_distances(&m, &m).unwrap().iter().all(|d| (d - smallest).abs() < 1e-9));
        }

        #[test]
        fn distances_are_finite_whatever_the_lengths(a in track(), b in track()) {
            let d = log_distances(&Movement::of(&a), &Movement::of(&b)).unwrap();
            prop_assert!(d.iter().all(|v| v.is_finite()), "{d:?}");
        }
    }

    #[test]
    fn a_movement_cut_short_costs_its_skipped_frames_and_no_more() {
        let (whole, cut) = (movement(travelling(0, 40)), movement(travelling(0, 30)));
        let d = open_ended(&whole.positions, &cut.positions);
        assert!((d - SKIP * 10.0 / 70.0).abs() < 1e-4, "{d}");
    }

    #[test]
    fn no_more_than_the_slack_is_skipped() {
        let (whole, cut) = (movement(travelling(0, 40)), movement(travelling(0, 10)));
        assert!(open_ended(&whole.positions, &cut.positions) > SKIP * 30.0 / 50.0);
    }
}
