//! A movement looked at in five ways: the streams that are aligned and compared.

use crate::clean::RATE;
use crate::normalise::{Frame, Track};
use crate::sequence::{JOINTS, joint};

/// Number of streams.
pub const STREAMS: usize = 5;
/// Names of the streams, in order.
pub const NAMES: [&str; STREAMS] = ["position", "bones", "elbows", "velocity", "nose"];
/// One number a stream.
pub type ByStream = [f64; STREAMS];
/// Which joints are compared.
pub type Seen = [bool; JOINTS];
/// Every joint is compared.
pub const ALL_SEEN: Seen = [true; JOINTS];

/// One frame of positions, whitened.
pub(crate) type Position = [f32; 2 * JOINTS];

/// The position stream is whitened: each joint's coordinates are scaled by the inverse of how much they differ between
/// repetitions of one gesture by one person, so that every coordinate has the same spread there and the distance
/// weighs a joint by how much it can be trusted. The values are the rounded square root of the inverse of the pooled
/// covariance of differences along genuine alignments (webcam signs, cross-distance gestures, exercises). Left and right
/// are alike by construction; x and y came out within 15 % of each other, and what is left out here is below 0.15.
mod whitening {
    pub(super) const NOSE: f32 = 1.35;
    /// The shoulders are opposite to each other about the origin, so each counts for both.
    pub(super) const SHOULDER: f32 = 1.9;
    pub(super) const ELBOW: f32 = 1.18;
    pub(super) const WRIST: f32 = 0.76;
    /// Elbow and wrist of an arm err together: this share of the one is taken off the other.
    pub(super) const COUPLING: f32 = 0.22;
    /// An elbow whose wrist is not compared.
    pub(super) const ELBOW_ALONE: f32 = 0.96;
}

/// Scale of unit vectors, so that a skipped frame costs as much in every stream.
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
    pub(crate) positions: Vec<Position>,
    pub(crate) bones: Vec<[f32; 8]>,
    pub(crate) elbows: Vec<[f32; 4]>,
    pub(crate) velocities: Vec<Position>,
    pub(crate) nose: Vec<[f32; 2]>,
}

impl Movement {
    /// Prepares a track.
    #[must_use]
    pub fn of(track: &Track) -> Self {
        Self::of_seen(track, &ALL_SEEN)
    }

    /// Prepares a track of which only some joints are compared. What is left out is zero, and the rest is scaled up
    /// so that the root mean square stays that of the compared joints.
    #[must_use]
    pub fn of_seen(track: &Track, seen: &Seen) -> Self {
        let frames = &track.frames;
        let joints = share(JOINTS, seen.iter().filter(|s| **s).count());
        let bone = ARMS.map(|(from, to)| seen[from] && seen[to]);
        let bones = share(ARMS.len(), bone.iter().filter(|s| **s).count());
        let elbow = [bone[0] && bone[1], bone[2] && bone[3]];
        let bends = share(elbow.len(), elbow.iter().filter(|s| **s).count());
        let directions: Vec<[[f32; 2]; 4]> = frames.iter().map(directions).collect();
        Self {
            positions: frames.iter().map(|f| flat(masked(&whitened(f, seen), seen, joints))).collect(),
            bones: directions.iter().map(|d| flat(masked(d, &bone, DIRECTION * bones))).collect(),
            elbows: directions
                .iter()
                .map(|d| flat(masked(&bends_of(d), &elbow, DIRECTION * bends)))
                .collect(),
            velocities: (0..frames.len()).map(|i| flat(masked(&velocity(frames, i), seen, joints))).collect(),
            nose: frames.iter().map(|f| f[joint::NOSE]).collect(),
        }
    }

    /// How much the positions move: their root mean square difference from their mean; 0 without frames.
    pub(crate) fn extent(&self) -> f64 {
        let n = self.positions.len().max(1) as f64;
        let over = |d: usize| self.positions.iter().map(move |p| f64::from(p[d]));
        let variance = |d: usize| {
            let mean = over(d).sum::<f64>() / n;
            over(d).map(|v| (v - mean).powi(2)).sum::<f64>() / n
        };
        (0..2 * JOINTS).map(variance).sum::<f64>().sqrt()
    }

    /// Whether there is no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
}

/// What a coordinate is multiplied by when only `seen` of `all` points count, so that the mean square stays theirs.
fn share(all: usize, seen: usize) -> f32 {
    if seen == 0 { 0.0 } else { (all as f32 / seen as f32).sqrt() }
}

fn masked<const N: usize>(points: &[[f32; 2]; N], seen: &[bool; N], scale: f32) -> [[f32; 2]; N] {
    std::array::from_fn(|k| points[k].map(|v| if seen[k] { v * scale } else { 0.0 }))
}

fn whitened(frame: &Frame, seen: &Seen) -> Frame {
    let mut out = [[0.0; 2]; JOINTS];
    for d in 0..2 {
        out[joint::NOSE][d] = whitening::NOSE * frame[joint::NOSE][d];
        for shoulder in [joint::LEFT_SHOULDER, joint::RIGHT_SHOULDER] {
            out[shoulder][d] = whitening::SHOULDER * frame[shoulder][d];
        }
        for (elbow, wrist) in
            [(joint::LEFT_ELBOW, joint::LEFT_WRIST), (joint::RIGHT_ELBOW, joint::RIGHT_WRIST)]
        {
            let (e, w) = (frame[elbow][d], frame[wrist][d]);
            if seen[wrist] {
                out[elbow][d] = whitening::ELBOW * e - whitening::COUPLING * w;
                out[wrist][d] = whitening::WRIST * w - whitening::COUPLING * e;
            } else {
                out[elbow][d] = whitening::ELBOW_ALONE * e;
            }
        }
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
fn bends_of(directions: &[[f32; 2]; 4]) -> [[f32; 2]; 2] {
    let [lu, lf, ru, rf] = *directions;
    let bend = |u: [f32; 2], f: [f32; 2]| [u[0] * f[0] + u[1] * f[1], u[1] * f[0] - u[0] * f[1]];
    [bend(lu, lf), bend(ru, rf)]
}

/// Central difference, one-sided at the ends.
fn velocity(frames: &[Frame], i: usize) -> Frame {
    let (a, b) = (i.saturating_sub(1), (i + 1).min(frames.len() - 1));
    let scale = if b > a { SPEED * RATE as f32 / (b - a) as f32 } else { 0.0 };
    std::array::from_fn(|k| std::array::from_fn(|d| (frames[b][k][d] - frames[a][k][d]) * scale))
}

fn flat<const N: usize, const D: usize>(vectors: [[f32; 2]; N]) -> [f32; D] {
    let mut out = [0.0; D];
    out.copy_from_slice(vectors.as_flattened());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(place: impl Fn(usize) -> [f32; 2]) -> Track {
        let frames = vec![std::array::from_fn(place); 10];
        Track { frames, visibility: [1.0; JOINTS] }
    }

    #[test]
    fn a_joint_that_is_left_out_has_no_influence() {
        let mut seen = ALL_SEEN;
        seen[joint::LEFT_WRIST] = false;
        let at = |wrist: f32| {
            track(move |k| if k == joint::LEFT_WRIST { [wrist, wrist] } else { [0.1 * k as f32, 0.2] })
        };
        let (a, b) = (Movement::of_seen(&at(0.3), &seen), Movement::of_seen(&at(-2.0), &seen));
        assert_eq!(a, b);
        assert_ne!(Movement::of(&at(0.3)), Movement::of(&at(-2.0)));
    }

    #[test]
    fn an_equal_difference_of_every_joint_is_as_large_with_a_joint_left_out() {
        let mut seen = ALL_SEEN;
        seen[joint::RIGHT_WRIST] = false;
        let square = |m: &Movement| m.velocities[5].iter().map(|v| v * v).sum::<f32>();
        let moving = Track {
            frames: (0..10).map(|i| [[0.02 * i as f32, 0.0]; JOINTS]).collect(),
            visibility: [1.0; JOINTS],
        };
        let (all, some) = (square(&Movement::of(&moving)), square(&Movement::of_seen(&moving, &seen)));
        assert!((all - some).abs() < 1e-4 * all, "{all} {some}");
    }
}
