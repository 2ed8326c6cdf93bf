//! Strangers to compare with: simulated people who do arm gestures that nobody recorded.
//!
//! A movement that is near to what strangers do has to be nearer to the template. The strangers come out of a small
//! model of a seated person (two arms of two bones, rest, one to four places to reach, minimum-jerk travel) and a fixed
//! seed, so there is nobody's recording in them; docs/matching.md compares them with a cohort of real people.

use std::sync::LazyLock;

use crate::alignment::position_log_distance;
use crate::normalise::Track;
use crate::random::SplitMix64;
use crate::sequence::{JOINTS, Joint, Sequence, joint};
use crate::streams::{Movement, Position};

/// How many strangers there are.
pub const MEMBERS: usize = 80;
/// So many of them, the nearest to a movement, say how common it is.
const NEAREST: usize = 8;
/// Strangers are compared over every second frame: rough is enough, and four times as fast.
const STRIDE: usize = 2;
/// Any number: another one draws other strangers, with error rates that differ within their intervals.
const SEED: u64 = 5;

/// How far a movement is from the nearest strangers: mean log position distance; `None` without frames.
#[must_use]
pub fn rarity(movement: &Movement) -> Option<f64> {
    static STRANGERS: LazyLock<Vec<Vec<Position>>> =
        LazyLock::new(|| tracks(MEMBERS, SEED).iter().map(|t| coarse(&Movement::of(t))).collect());
    let probe = coarse(movement);
    let mut distances: Vec<f64> = STRANGERS.iter().filter_map(|s| position_log_distance(s, &probe)).collect();
    distances.sort_unstable_by(f64::total_cmp);
    let nearest = &distances[..NEAREST.min(distances.len())];
    (!nearest.is_empty()).then(|| nearest.iter().sum::<f64>() / nearest.len() as f64)
}

/// `count` strangers' movements; the same seed gives the same strangers.
#[must_use]
pub fn tracks(count: usize, seed: u64) -> Vec<Track> {
    let mut random = Random(SplitMix64::new(seed));
    (0..count).map(|_| stranger(&mut random)).collect()
}

fn coarse(movement: &Movement) -> Vec<Position> {
    movement.positions.iter().step_by(STRIDE).copied().collect()
}

/// Where an arm is: radians of raising sideways from hanging, of reaching forward, of bending the elbow, and of the
/// forearm's turn about the upper arm.
type Posture = [f32; 4];

/// One stranger's body, in sums of upper-bone lengths, more or less.
struct Body {
    nose: [f32; 2],
    shoulders: f32,
    upper_arm: f32,
    forearm: f32,
}

impl Body {
    fn draw(random: &mut Random) -> Self {
        Self {
            nose: [random.normal(0.0, 0.012), random.normal(-0.2, 0.02)],
            shoulders: random.normal(0.21, 0.012),
            upper_arm: random.normal(0.21, 0.01),
            forearm: random.normal(0.19, 0.01),
        }
    }

    /// Elbow and wrist of the left arm, as seen from the front.
    fn arm(&self, [raise, reach, bend, turn]: Posture) -> [[f32; 2]; 2] {
        let upper = [raise.sin() * reach.cos(), raise.cos() * reach.cos(), reach.sin()];
        let sideways = [raise.cos(), -raise.sin(), 0.0];
        let across = [
            upper[1] * sideways[2] - upper[2] * sideways[1],
            upper[2] * sideways[0] - upper[0] * sideways[2],
            upper[0] * sideways[1] - upper[1] * sideways[0],
        ];
        let elbow: [f32; 2] = std::array::from_fn(
            |d| if d == 0 { self.shoulders / 2.0 } else { 0.0 } + self.upper_arm * upper[d],
        );
        let wrist = std::array::from_fn(|d| {
            let bent = turn.cos() * sideways[d] + turn.sin() * across[d];
            elbow[d] + self.forearm * (bend.cos() * upper[d] + bend.sin() * bent)
        });
        [elbow, wrist]
    }
}

/// One stranger doing one gesture.
fn stranger(random: &mut Random) -> Track {
    let body = Body::draw(random);
    let frames = (random.between(1.6, 4.5) * crate::clean::RATE as f32) as usize;
    let reached = 1 + random.below(4);
    let rest = random.between(0.0, 0.12);
    let mut times: Vec<f32> = (0..reached).map(|_| random.between(0.15, 0.85)).collect();
    times.extend([rest, 1.0 - rest]);
    times.sort_unstable_by(f32::total_cmp);
    // Two of five use the left arm, two the right, one both; three of five of those do the same with both.
    let (left, right) =
        [(true, false), (true, false), (false, true), (false, true), (true, true)][random.below(5)];
    let places: Vec<Posture> = (0..reached).map(|_| place(random)).collect();
    let alike = random.below(5) < 3;
    let other: Vec<Posture> =
        if alike { places.clone() } else { (0..reached).map(|_| place(random)).collect() };
    let arms = [(left, &places), (right, if left { &other } else { &places })].map(|(acts, reached)| {
        let hanging = at_rest(random);
        let mut keys = vec![hanging];
        for place in reached {
            keys.push(if acts { *place } else { hanging.map(|v| random.normal(v, 0.03)) });
        }
        keys.push(hanging.map(|v| random.normal(v, 0.05)));
        keys
    });
    let mut sway = [0.0; 2];
    let sequence = Sequence::from_frames((0..frames).map(|i| {
        let now = i as f32 / (frames.max(2) - 1) as f32;
        sway = sway.map(|v| v + random.normal(0.0, 0.0012));
        let mut at = [[0.0; 2]; JOINTS];
        at[joint::NOSE] = [body.nose[0] + sway[0], body.nose[1] + sway[1]];
        at[joint::LEFT_SHOULDER] = [body.shoulders / 2.0, 0.0];
        at[joint::RIGHT_SHOULDER] = [-body.shoulders / 2.0, 0.0];
        for (side, keys) in arms.iter().enumerate() {
            let mirror = if side == 0 { 1.0 } else { -1.0 };
            let [elbow, wrist] = body.arm(between_keys(keys, &times, now));
            at[joint::LEFT_ELBOW + side] = [mirror * elbow[0], elbow[1]];
            at[joint::LEFT_WRIST + side] = [mirror * wrist[0], wrist[1]];
        }
        let time_us = (i as f64 * 1.0e6 / crate::clean::RATE).round() as u64;
        (time_us, at.map(|[x, y]| Joint { x, y, visibility: 1.0 }))
    }));
    Track::of(&sequence)
}

/// A hanging or lying arm.
fn at_rest(random: &mut Random) -> Posture {
    [
        random.normal(0.12, 0.08),
        random.normal(0.15, 0.15),
        0.25 + random.normal(0.0, 0.3).abs(),
        random.normal(0.0, 0.5),
    ]
}

/// Somewhere that an arm can reach.
fn place(random: &mut Random) -> Posture {
    [
        random.between(-0.2, 2.6),
        random.between(-0.2, 1.3),
        random.between(0.1, 2.3),
        random.between(-1.2, 2.6),
    ]
}

/// Minimum-jerk travel between key postures at rising times; at rest before the first and after the last.
fn between_keys(keys: &[Posture], times: &[f32], now: f32) -> Posture {
    let next = times.partition_point(|t| *t <= now);
    let (Some(from), Some(to)) = (keys.get(next.saturating_sub(1)), keys.get(next.min(keys.len() - 1)))
    else {
        return [0.0; 4];
    };
    let begun = times.get(next.saturating_sub(1)).copied().unwrap_or(0.0);
    let ends = times.get(next).copied().unwrap_or(1.0);
    let share = if next == 0 { 0.0 } else { ((now - begun) / (ends - begun).max(1.0e-3)).clamp(0.0, 1.0) };
    let eased = share.powi(3) * (10.0 - 15.0 * share + 6.0 * share * share);
    std::array::from_fn(|k| from[k] + (to[k] - from[k]) * eased)
}

/// Draws of simulated people.
struct Random(SplitMix64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n)
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        self.0.between(low, high)
    }

    /// Normal by the sum of twelve uniform numbers.
    fn normal(&mut self, mean: f32, deviation: f32) -> f32 {
        mean + deviation * ((0..12).map(|_| self.between(0.0, 1.0)).sum::<f32>() - 6.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_repeatable_whole_and_different() {
        let (a, b) = (tracks(20, 1), tracks(20, 1));
        assert_eq!(a, b);
        assert_ne!(a, tracks(20, 2));
        for track in &a {
            assert!((20..=70).contains(&track.frames.len()), "{}", track.frames.len());
            assert!(track.frames.iter().flatten().flatten().all(|v| v.abs() < 1.0));
        }
        assert!(a.windows(2).all(|w| w[0] != w[1]));
    }

    #[test]
    fn what_a_stranger_does_is_common_and_an_odd_movement_is_rare() {
        let common = rarity(&Movement::of(&tracks(1, SEED)[0])).unwrap();
        let mut odd = tracks(1, 99)[0].clone();
        for frame in &mut odd.frames {
            frame[joint::NOSE] = [0.3, 0.4];
        }
        assert!(rarity(&Movement::of(&odd)).unwrap() > common + 0.5);
        assert_eq!(rarity(&Movement::of(&Track::default())), None);
    }
}
