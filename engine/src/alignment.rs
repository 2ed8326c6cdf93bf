//! Aligns two movements in time and measures in what they differ along the alignment.
//!
//! The alignment is DTW over positions ([`crate::dtw`] says how); along its path the parts of the body, speeds,
//! bone directions, timing and the constant offset are compared one by one, so that the matcher can weigh them.

use crate::clean::RATE;
use crate::normalise::{Frame, Track};
use crate::sequence::{JOINTS, joint};

/// Half-width of the alignment's band, as a share of the longer movement: wide enough for a rest at either end.
const BAND: f32 = 0.3;
/// Number of differences.
pub const DIFFERENCES: usize = 9;
/// Names of the differences, in order.
pub const NAMES: [&str; DIFFERENCES] =
    ["position", "nose", "shoulders", "elbows", "wrists", "velocity", "bones", "timing", "offset"];
/// Means along the path, in sums of upper-bone lengths (velocity: a second; bones: of unit vectors; timing: share
/// of the movement; offset: root mean square over the coordinates of their mean difference).
pub type Differences = [f64; DIFFERENCES];

/// The bones whose directions are compared: arms, and the head over the middle of the shoulders.
const BONES: [(usize, usize); 4] = [
    (joint::LEFT_SHOULDER, joint::LEFT_ELBOW),
    (joint::LEFT_ELBOW, joint::LEFT_WRIST),
    (joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW),
    (joint::RIGHT_ELBOW, joint::RIGHT_WRIST),
];
/// Added to a bone's length before dividing by it: a bone seen end-on has no direction.
const SHORT_BONE: f32 = 1.0e-3;

/// A movement with what is compared along an alignment.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    positions: Vec<Frame>,
    /// Of elbows and wrists, a second.
    velocities: Vec<[[f32; 2]; 4]>,
    bones: Vec<[[f32; 2]; 5]>,
}

impl Movement {
    /// Prepares a track.
    #[must_use]
    pub fn of(track: &Track) -> Self {
        let frames = &track.frames;
        let last = frames.len().saturating_sub(1);
        let velocities = (0..frames.len())
            .map(|i| {
                let (a, b) = (i.saturating_sub(1), (i + 1).min(last));
                let per_second = if b > a { RATE as f32 / (b - a) as f32 } else { 0.0 };
                std::array::from_fn(|k| {
                    let (p, q) = (frames[a][k + 3], frames[b][k + 3]);
                    [(q[0] - p[0]) * per_second, (q[1] - p[1]) * per_second]
                })
            })
            .collect();
        Self { positions: frames.clone(), velocities, bones: frames.iter().map(bones_of).collect() }
    }

    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is no frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }
}

fn bones_of(frame: &Frame) -> [[f32; 2]; 5] {
    let unit = |x: f32, y: f32| {
        let length = x.hypot(y) + SHORT_BONE;
        [x / length, y / length]
    };
    let mut out = [[0.0; 2]; 5];
    for (slot, (a, b)) in out.iter_mut().zip(BONES) {
        *slot = unit(frame[b][0] - frame[a][0], frame[b][1] - frame[a][1]);
    }
    out[4] = unit(frame[joint::NOSE][0], frame[joint::NOSE][1]);
    out
}

/// The differences between two movements; `None` if either is empty.
#[must_use]
pub fn differences(a: &Movement, b: &Movement) -> Option<Differences> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let grid = Grid::fill(a, b);
    let mut sums = Sums::default();
    grid.walk(|i, j, weight| sums.add(a, b, i, j, weight));
    Some(sums.differences(grid.distance()))
}

/// Accumulated costs of the alignment.
struct Grid {
    n: usize,
    m: usize,
    cost: Vec<f32>,
    /// `[(n + 1) × (m + 1)]`, the first row and column unreachable.
    total: Vec<f32>,
}

impl Grid {
    fn fill(a: &Movement, b: &Movement) -> Self {
        let (n, m) = (a.len(), b.len());
        let mut grid = Self { n, m, cost: vec![0.0; n * m], total: vec![f32::INFINITY; (n + 1) * (m + 1)] };
        let slope = if n > 1 { (m - 1) as f32 / (n - 1) as f32 } else { 0.0 };
        let radius = (BAND * n.max(m) as f32).ceil().max(slope.ceil()).max(1.0);
        for i in 0..n {
            let (centre, reach) =
                if n > 1 { (i as f32 * slope, radius) } else { ((m - 1) as f32 / 2.0, m as f32) };
            let low = (centre - reach).ceil().max(0.0) as usize;
            let high = ((centre + reach).floor() as usize).min(m - 1);
            for j in low..=high {
                let cost = position_cost(&a.positions[i], &b.positions[j]);
                grid.cost[i * m + j] = cost;
                let (diagonal, up, left) = grid.ways(i, j);
                grid.total[(i + 1) * (m + 1) + j + 1] =
                    if i == 0 && j == 0 { 2.0 * cost } else { diagonal.min(up).min(left) };
            }
        }
        grid
    }

    /// Total cost of reaching a cell diagonally, from the frame of `a` before, from the frame of `b` before.
    fn ways(&self, i: usize, j: usize) -> (f32, f32, f32) {
        let row = self.m + 1;
        let cost = self.cost[i * self.m + j];
        (
            self.total[i * row + j] + 2.0 * cost,
            self.total[i * row + j + 1] + cost,
            self.total[(i + 1) * row + j] + cost,
        )
    }

    fn distance(&self) -> f64 {
        f64::from(self.total[self.total.len() - 1]) / (self.n + self.m) as f64
    }

    /// Visits the cells of the best path, last first, with their weights.
    fn walk(&self, mut visit: impl FnMut(usize, usize, f64)) {
        let (mut i, mut j) = (self.n - 1, self.m - 1);
        while (i, j) != (0, 0) {
            let (diagonal, up, left) = self.ways(i, j);
            if i > 0 && j > 0 && diagonal <= up && diagonal <= left {
                visit(i, j, 2.0);
                (i, j) = (i - 1, j - 1);
            } else if i > 0 && (j == 0 || up <= left) {
                visit(i, j, 1.0);
                i -= 1;
            } else {
                visit(i, j, 1.0);
                j -= 1;
            }
        }
        visit(0, 0, 2.0);
    }
}

fn position_cost(a: &Frame, b: &Frame) -> f32 {
    let mut sum = 0.0;
    for (p, q) in a.iter().zip(b) {
        let (dx, dy) = (p[0] - q[0], p[1] - q[1]);
        sum += dx * dx + dy * dy;
    }
    (sum / JOINTS as f32).sqrt()
}

/// Weighted sums along a path.
#[derive(Default)]
struct Sums {
    weight: f64,
    parts: [f64; 7],
    offset: [[f64; 2]; JOINTS],
}

impl Sums {
    fn add(&mut self, a: &Movement, b: &Movement, i: usize, j: usize, weight: f64) {
        let mut square = [0.0f64; JOINTS];
        for (k, (p, q)) in a.positions[i].iter().zip(&b.positions[j]).enumerate() {
            let (dx, dy) = (f64::from(p[0] - q[0]), f64::from(p[1] - q[1]));
            self.offset[k][0] += weight * dx;
            self.offset[k][1] += weight * dy;
            square[k] = dx * dx + dy * dy;
        }
        let [nose, ls, rs, le, re, lw, rw] = square;
        let share = |i: usize, n: usize| i as f64 / (n - 1).max(1) as f64;
        let parts = [
            nose.sqrt(),
            (ls + rs).sqrt(),
            (le + re).sqrt(),
            (lw + rw).sqrt(),
            distance(a.velocities[i].as_flattened(), b.velocities[j].as_flattened()),
            distance(a.bones[i].as_flattened(), b.bones[j].as_flattened()),
            (share(i, a.len()) - share(j, b.len())).abs(),
        ];
        for (sum, part) in self.parts.iter_mut().zip(parts) {
            *sum += weight * part;
        }
        self.weight += weight;
    }

    fn differences(&self, position: f64) -> Differences {
        let mut out = [0.0; DIFFERENCES];
        out[0] = position;
        for (slot, part) in out[1..].iter_mut().zip(self.parts) {
            *slot = part / self.weight;
        }
        let square: f64 = self.offset.as_flattened().iter().map(|v| (v / self.weight).powi(2)).sum();
        out[DIFFERENCES - 1] = (square / JOINTS as f64).sqrt();
        out
    }
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    f64::from(a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn track() -> impl Strategy<Value = Track> {
        let frame = prop::array::uniform7(prop::array::uniform2(-1f32..1.0));
        prop::collection::vec(frame, 1..50).prop_map(|frames| Track { frames, visibility: [1.0; JOINTS] })
    }

    proptest! {
        #[test]
        fn a_movement_does_not_differ_from_itself(t in track()) {
            let m = Movement::of(&t);
            prop_assert_eq!(differences(&m, &m), Some([0.0; DIFFERENCES]));
        }

        #[test]
        fn differences_are_finite_whatever_the_lengths(a in track(), b in track()) {
            let d = differences(&Movement::of(&a), &Movement::of(&b)).unwrap();
            prop_assert!(d.iter().all(|v| v.is_finite() && *v >= 0.0), "{d:?}");
        }
    }

    #[test]
    fn a_shifted_movement_differs_by_the_shift() {
        let frames: Vec<Frame> = (0..30).map(|i| [[i as f32 * 0.01, 0.3]; JOINTS]).collect();
        let shifted = frames.iter().map(|f| f.map(|p| [p[0], p[1] + 0.1])).collect();
        let of = |frames| Movement::of(&Track { frames, visibility: [1.0; JOINTS] });
        let d = differences(&of(frames), &of(shifted)).unwrap();
        assert!((d[0] - 0.1).abs() < 0.01 && (d[8] - 0.1).abs() < 0.01 && d[7] < 1e-6, "{d:?}");
    }
}
