//! Cleaning of sequences: spikes out, one time grid, light smoothing.
//!
//! Median of 3 frames, linear resampling to 15 frames a second on time stamps, Savitzky–Golay (5 points, order 2).

use crate::sequence::{JOINTS, Joint, Sequence};

/// Frames a second of every cleaned sequence.
pub const RATE: f64 = 15.0;
/// Longest cleaned sequence, frames (60 s).
pub const MAX_CLEAN_FRAMES: usize = 901;

/// Joints on the 15 Hz grid, cleaned, in the sequence's own units: `[frames × 7]`.
#[must_use]
pub fn clean(sequence: &Sequence) -> Vec<[Joint; JOINTS]> {
    let spikeless = median_of_3(sequence.frames());
    smooth(&resample(sequence.times_us(), &spikeless))
}

/// Median of the finite values; `None` for none. Reorders its input.
pub(crate) fn median(values: &mut [f32]) -> Option<f32> {
    quantile(values, 0.5)
}

/// The `q` quantile (0..1, linear between order statistics); `None` without values. Reorders its input.
pub(crate) fn quantile(values: &mut [f32], q: f32) -> Option<f32> {
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f32::total_cmp);
    let at = q.clamp(0.0, 1.0) * (values.len() - 1) as f32;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    Some(values[low] + (values[high] - values[low]) * (at - low as f32))
}

fn median_of_3(frames: &[[Joint; JOINTS]]) -> Vec<[Joint; JOINTS]> {
    let mid = |a: f32, b: f32, c: f32| a.max(b).min(a.min(b).max(c));
    let mut out = frames.to_vec();
    for (i, w) in frames.windows(3).enumerate() {
        for k in 0..JOINTS {
            out[i + 1][k].x = mid(w[0][k].x, w[1][k].x, w[2][k].x);
            out[i + 1][k].y = mid(w[0][k].y, w[1][k].y, w[2][k].y);
        }
    }
    out
}

fn resample(t_us: &[u64], frames: &[[Joint; JOINTS]]) -> Vec<[Joint; JOINTS]> {
    let (Some(&first), Some(&last)) = (t_us.first(), t_us.last()) else { return Vec::new() };
    let seconds = (last - first) as f64 / 1.0e6;
    let count = ((seconds * RATE + 1.0e-3).floor() as usize + 1).min(MAX_CLEAN_FRAMES);
    let mut right = 0;
    (0..count)
        .map(|n| {
            let t = first as f64 + n as f64 * 1.0e6 / RATE;
            while right + 1 < t_us.len() && (t_us[right] as f64) < t {
                right += 1;
            }
            let left = right.saturating_sub(1);
            let span = t_us[right].saturating_sub(t_us[left]) as f64;
            let w = if span > 0.0 { ((t - t_us[left] as f64) / span).clamp(0.0, 1.0) as f32 } else { 0.0 };
            blend(&frames[left], &frames[right], w)
        })
        .collect()
}

fn blend(a: &[Joint; JOINTS], b: &[Joint; JOINTS], w: f32) -> [Joint; JOINTS] {
    std::array::from_fn(|k| Joint {
        x: a[k].x + (b[k].x - a[k].x) * w,
        y: a[k].y + (b[k].y - a[k].y) * w,
        visibility: a[k].visibility + (b[k].visibility - a[k].visibility) * w,
    })
}

/// Least-squares parabola through 5 points, evaluated at the point 0, 1 or 2 of them.
const SAVITZKY_GOLAY: [[f32; 5]; 3] =
    [[31.0, 9.0, -3.0, -5.0, 3.0], [9.0, 13.0, 12.0, 6.0, -5.0], [-3.0, 12.0, 17.0, 12.0, -3.0]];

fn smooth(frames: &[[Joint; JOINTS]]) -> Vec<[Joint; JOINTS]> {
    let n = frames.len();
    if n < 5 {
        return frames.to_vec();
    }
    (0..n)
        .map(|i| {
            let start = i.saturating_sub(2).min(n - 5);
            let at = i - start;
            // The window's end mirrors its beginning.
            let (row, reversed) = if at <= 2 { (at, false) } else { (4 - at, true) };
            let mut out = frames[i];
            for (k, joint) in out.iter_mut().enumerate() {
                let (mut x, mut y) = (0.0, 0.0);
                for (j, frame) in frames[start..start + 5].iter().enumerate() {
                    let c = SAVITZKY_GOLAY[row][if reversed { 4 - j } else { j }] / 35.0;
                    x += c * frame[k].x;
                    y += c * frame[k].y;
                }
                (joint.x, joint.y) = (x, y);
            }
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ramp(points: impl Iterator<Item = (u64, f32)>) -> Sequence {
        Sequence::from_frames(points.map(|(t, v)| (t, [Joint { x: v, y: 2.0 * v, visibility: 1.0 }; JOINTS])))
    }

    #[test]
    fn a_single_frame_spike_is_removed() {
        let mut values: Vec<f32> = (0..30).map(|i| i as f32).collect();
        values[12] = 500.0;
        let out = clean(&ramp(values.iter().enumerate().map(|(i, &v)| (i as u64 * 66_667, v))));
        assert!(out.iter().all(|f| f[3].x < 31.0), "{:?}", out[12][3]);
    }

    #[test]
    fn a_linear_movement_is_the_same_at_any_frame_rate() {
        let at = |fps: u64| clean(&ramp((0..=2 * fps).map(|i| (i * 1_000_000 / fps, i as f32 / fps as f32))));
        for fps in [8, 15, 24, 30, 60] {
            let out = at(fps);
            assert_eq!(out.len(), 31, "{fps}");
            for (n, frame) in out.iter().enumerate() {
                assert!((frame[0].x - n as f32 / 15.0).abs() < 0.02, "{fps} {n} {}", frame[0].x);
            }
        }
    }

    proptest! {
        #[test]
        fn any_input_gives_finite_output(
            rows in prop::collection::vec((any::<u32>(), prop::array::uniform7((any::<f32>(), any::<f32>()))), 0..80)
        ) {
            let frames = rows.into_iter().map(|(t, js)| {
                (u64::from(t), js.map(|(x, y)| Joint { x, y, visibility: x }))
            });
            let out = clean(&Sequence::from_frames(frames));
            prop_assert!(out.iter().flatten().all(|j| j.x.is_finite() && j.y.is_finite()));
            prop_assert!(out.len() <= MAX_CLEAN_FRAMES);
        }
    }
}
