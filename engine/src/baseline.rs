//! The seed of this project, kept as the baseline that every evaluation prints beside the shipped matcher: the
//! mean pose of a recording, compared by cosine.

use crate::normalise::Track;
use crate::sequence::JOINTS;

/// Mean over the frames of the normalised upper-body coordinates.
#[must_use]
pub fn mean_pose(track: &Track) -> [f64; 2 * JOINTS] {
    let mut mean = [0.0; 2 * JOINTS];
    for frame in &track.frames {
        for (slot, v) in mean.iter_mut().zip(frame.iter().flatten()) {
            *slot += f64::from(*v);
        }
    }
    mean.map(|v| v / track.frames.len().max(1) as f64)
}

/// Mean of several mean poses.
#[must_use]
pub fn mean_of(poses: &[[f64; 2 * JOINTS]]) -> [f64; 2 * JOINTS] {
    std::array::from_fn(|d| poses.iter().map(|p| p[d]).sum::<f64>() / poses.len().max(1) as f64)
}

/// Cosine distance, 0 (same direction) to 2; 1 when either has no direction.
#[must_use]
pub fn cosine_distance(a: &[f64; 2 * JOINTS], b: &[f64; 2 * JOINTS]) -> f64 {
    let dot: f64 = a.iter().zip(b).map(|(x, y)| x * y).sum();
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let scale = norm(a) * norm(b);
    if scale > 0.0 { 1.0 - dot / scale } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_pose_has_no_distance_and_the_opposite_one_the_largest() {
        let pose: [f64; 2 * JOINTS] = std::array::from_fn(|i| i as f64 - 3.0);
        assert!(cosine_distance(&pose, &pose).abs() < 1e-12);
        assert!((cosine_distance(&pose, &pose.map(|v| -v)) - 2.0).abs() < 1e-12);
        assert_eq!(cosine_distance(&pose, &[0.0; 2 * JOINTS]), 1.0);
    }
}
