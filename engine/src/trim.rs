//! The active part of a movement: without the rest before and after.

use std::ops::Range;

use crate::clean::{RATE, quantile};
use crate::normalise::Track;

/// An arm moves when it is faster than this, sums of upper-bone lengths a second…
const MOVING: f32 = 0.12;
/// …and than this share of the movement's fast part (95th percentile).
const MOVING_SHARE: f32 = 0.12;
/// Frames kept before and after.
const MARGIN: usize = 3;
/// A shorter active part is taken for noise.
const SHORTEST: usize = 6;

/// Frames from the first to the last movement of an arm, with a margin; all frames if nothing clearly moves.
#[must_use]
pub fn active(track: &Track) -> Range<usize> {
    let n = track.frames.len();
    let all = 0..n;
    if n < 8 {
        return all;
    }
    let speeds = arm_speeds(track);
    let threshold = MOVING.max(MOVING_SHARE * quantile(&mut speeds.clone(), 0.95).unwrap_or(0.0));
    let first = speeds.iter().position(|v| *v > threshold);
    let last = speeds.iter().rposition(|v| *v > threshold);
    let (Some(first), Some(last)) = (first, last) else { return all };
    let part = first.saturating_sub(MARGIN)..(last + 2 + MARGIN).min(n);
    if part.len() < SHORTEST { all } else { part }
}

/// Duration of the active part, seconds.
#[must_use]
pub fn active_seconds(track: &Track) -> f64 {
    active(track).len() as f64 / RATE
}

/// Speed of the fastest elbow or wrist between frames, averaged over three, sums of upper-bone lengths a second.
pub(crate) fn arm_speeds(track: &Track) -> Vec<f32> {
    let raw: Vec<f32> = track
        .frames
        .windows(2)
        .map(|w| {
            (3..7).map(|k| (w[1][k][0] - w[0][k][0]).hypot(w[1][k][1] - w[0][k][1])).fold(0.0, f32::max)
                * RATE as f32
        })
        .collect();
    let at = |i: usize| raw.get(i).copied().unwrap_or(0.0);
    (0..raw.len()).map(|i| (i.checked_sub(1).map_or(0.0, at) + at(i) + at(i + 1)) / 3.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::JOINTS;

    #[test]
    fn rest_at_both_ends_is_left_out() {
        let frames = (0..60)
            .map(|i: i32| {
                let mut f = [[0.0, 0.3]; JOINTS];
                f[5][0] = (i - 20).clamp(0, 20) as f32 * 0.03;
                f
            })
            .collect();
        let part = active(&Track { frames, visibility: [1.0; JOINTS] });
        assert!((14..=20).contains(&part.start) && (40..=47).contains(&part.end), "{part:?}");
    }

    #[test]
    fn a_still_track_is_kept_whole() {
        let track = Track { frames: vec![[[0.1; 2]; JOINTS]; 30], visibility: [1.0; JOINTS] };
        assert_eq!(active(&track), 0..30);
    }
}
