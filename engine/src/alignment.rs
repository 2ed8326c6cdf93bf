//! How far two movements differ, looked at in five ways, each aligned in time on its own.
//!
//! The alignment is dynamic time warping with open ends: either movement may skip up to [`SLACK`] of its frames
//! before and after at a fixed price a frame, because recordings begin a little late, end cut short, or hold a rest
//! that the other lacks. Steps as in [`crate::dtw`] (diagonal weight 2), divided by n + m.

use crate::streams::Position;
use std::ops::{Range, RangeInclusive};

pub use crate::streams::{ByStream, Movement, NAMES, STREAMS};

/// Half-width of the alignment's band, as a share of the longer movement.
const BAND: f32 = 0.5;
/// Share of a movement's frames that may be skipped at either end.
const SLACK: f32 = 0.4;
/// Price of a skipped frame, in the streams' units: a little above the local cost between honest repetitions.
const SKIP: f32 = 0.02;
/// Distances are not believed to be smaller than this.
const SMALLEST: f32 = 1.0e-5;

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

/// The frames of `take` that are nearest to `recording` by positions, with their distance: the same alignment, but one
/// that begins and ends anywhere in `take` at no price. `None` if either is empty.
#[must_use]
pub(crate) fn nearest_part(recording: &Movement, take: &Movement) -> Option<(Range<usize>, f32)> {
    let (a, b) = (&recording.positions, &take.positions);
    let skip = (SLACK * a.len() as f32) as usize;
    let price = |frames: usize| SKIP * frames as f32;
    let nowhere = Path { cost: f32::INFINITY, start: 0 };
    let frames = Costs::to(b);
    let mut costs = vec![0.0; b.len()];
    let mut previous = vec![nowhere; b.len() + 1];
    let mut current = previous.clone();
    let mut best: Option<(Range<usize>, f32)> = None;
    for (i, frame) in a.iter().enumerate() {
        frames.of(frame, 0..b.len(), &mut costs);
        current[0] = nowhere;
        let left_out = a.len() - i - 1;
        for j in 1..=b.len() {
            let cost = costs[j - 1];
            let begins = if i <= skip { Path { cost: price(i), start: j - 1 } } else { nowhere };
            let diagonal = previous[j - 1].or(begins).and(2.0 * cost);
            current[j] = diagonal.or(previous[j].and(cost)).or(current[j - 1].and(cost));
            if left_out <= skip {
                let Path { cost, start } = current[j];
                let distance = (cost + price(left_out)) / (a.len() + j - start) as f32;
                if best.as_ref().is_none_or(|b| distance < b.1) {
                    best = Some((start..j, distance));
                }
            }
        }
        std::mem::swap(&mut previous, &mut current);
    }
    best.filter(|b| b.1.is_finite())
}

/// The cheapest way to a cell, and where in the take it began.
#[derive(Clone, Copy)]
struct Path {
    cost: f32,
    start: usize,
}

impl Path {
    fn and(self, cost: f32) -> Self {
        Self { cost: self.cost + cost, ..self }
    }

    fn or(self, other: Self) -> Self {
        if other.cost < self.cost { other } else { self }
    }
}

/// Dynamic time warping with open ends between two movements, neither empty.
fn open_ended<const D: usize>(a: &[[f32; D]], b: &[[f32; D]]) -> f32 {
    let (n, m) = (a.len(), b.len());
    let skip = |length: usize| (SLACK * length as f32) as usize;
    let (skip_a, skip_b) = (skip(n), skip(m));
    let price = |frames: usize| SKIP * frames as f32;
    let others = Costs::to(b);
    let mut previous: Vec<f32> =
        (0..=m).map(|j| if j <= skip_b { price(j) } else { f32::INFINITY }).collect();
    let unreached = vec![f32::INFINITY; m + 1];
    let mut current = unreached.clone();
    let (mut costs, mut from_before) = (vec![0.0; m], vec![0.0; m]);
    let mut best = f32::INFINITY;
    for i in 1..=n {
        let band = band(i, n, m);
        let (low, high) = (*band.start(), *band.end());
        let (costs, from_before) = (&mut costs[low - 1..high], &mut from_before[low - 1..high]);
        others.of(&a[i - 1], low - 1..high, costs);
        // The border is left diagonally only: its cells stand for skipped frames.
        let above = if i > 1 { &previous[low..=high] } else { &unreached[low..=high] };
        let cells = costs.iter().zip(&previous[low - 1..high]).zip(above).zip(from_before.iter_mut());
        for (((cost, diagonal), above), cell) in cells {
            *cell = smaller(diagonal + 2.0 * cost, above + cost);
        }
        current.fill(f32::INFINITY);
        if i <= skip_a {
            current[0] = price(i);
        }
        let mut left = f32::INFINITY;
        for ((cost, before), cell) in costs.iter().zip(&*from_before).zip(&mut current[low..=high]) {
            left = smaller(*before, left + cost);
            *cell = left;
        }
        if i == n {
            let from = (m - skip_b).max(1);
            let ends = current[from..].iter().zip(from..).map(|(cost, j)| cost + price(m - j));
            best = ends.fold(best, smaller);
        } else if i + skip_a >= n {
            best = smaller(best, current[m] + price(n - i));
        }
        std::mem::swap(&mut previous, &mut current);
    }
    best / (n + m) as f32
}

/// The frames, counted from 1, of a movement of `m` that frame `i` of one of `n` may lie opposite.
fn band(i: usize, n: usize, m: usize) -> RangeInclusive<usize> {
    let radius = (BAND * n.max(m) as f32).ceil();
    // A single frame lies opposite the middle; the band then reaches every frame of the other movement.
    let centre =
        if n > 1 { 1.0 + (i - 1) as f32 * (m - 1) as f32 / (n - 1) as f32 } else { (m + 1) as f32 / 2.0 };
    (centre - radius).floor().max(1.0) as usize..=((centre + radius).ceil() as usize).min(m)
}

/// Of numbers, without a place for what is none: several are compared at a time.
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// Local costs to a movement's frames. The frames are kept coordinate by coordinate, so that the processor does
/// several of them at a time.
struct Costs<const D: usize> {
    coordinates: Vec<f32>,
    frames: usize,
}

impl<const D: usize> Costs<D> {
    fn to(frames: &[[f32; D]]) -> Self {
        let coordinates = (0..D).flat_map(|d| frames.iter().map(move |f| f[d])).collect();
        Self { coordinates, frames: frames.len() }
    }

    /// The root mean square differences of a frame from those of a range.
    fn of(&self, frame: &[f32; D], range: Range<usize>, costs: &mut [f32]) {
        costs.fill(0.0);
        for (d, here) in frame.iter().enumerate() {
            let there = &self.coordinates[d * self.frames + range.start..d * self.frames + range.end];
            for (cost, there) in costs.iter_mut().zip(there) {
                *cost += (here - there) * (here - there);
            }
        }
        for cost in costs {
            *cost = (*cost / D as f32).sqrt();
        }
    }
}

/// Log distance of positions alone; `None` if either is empty.
#[must_use]
pub(crate) fn position_log_distance(a: &[Position], b: &[Position]) -> Option<f64> {
    (!a.is_empty() && !b.is_empty()).then(|| f64::from(open_ended(a, b).max(SMALLEST)).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::{Frame, Track};
    use crate::sequence::JOINTS;
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
