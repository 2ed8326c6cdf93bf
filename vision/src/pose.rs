//! The landmark model's tensors to landmarks in the picture: activation, refinement by heat map, projection.

use crate::VisionError;
use crate::model::Outputs;
use crate::region::Region;
use pose_engine::landmarks::{LANDMARK_COUNT, Landmark};

/// Side of the landmark model's input, pixels.
pub(crate) const INPUT_SIDE: usize = 256;
/// Landmarks that the model computes: 33 of the body, then auxiliary ones.
const OUTPUT_COUNT: usize = 39;
/// x, y, z, visibility logit, presence logit.
const VALUES: usize = 5;
/// The auxiliary landmarks that the next region is made from: hip centre and scale point.
const AUXILIARY: [usize; 2] = [33, 34];
/// A person is there above this probability (`ThresholdingCalculator` in MediaPipe's graph).
const FLAG_THRESHOLD: f32 = 0.5;

/// Cells of the heat map a side.
const HEATMAP_SIDE: usize = 64;
/// Cells on each side of a landmark that refine it: kernel 9, as in the wheel 0.10.21.
const HEATMAP_REACH: i32 = 4;
/// Refined only where some cell is at least this probable.
const HEATMAP_CONFIDENCE: f32 = 0.5;

/// Landmarks of one frame before smoothing.
pub(crate) struct RawPose {
    /// Body landmarks, x and z in picture widths, y in picture heights.
    pub(crate) landmarks: [Landmark; LANDMARK_COUNT],
    /// Hip centre and scale point, pixels.
    pub(crate) auxiliary: [[f32; 2]; 2],
    /// Metres, in the picture's rotation.
    pub(crate) world: [[f32; 3]; LANDMARK_COUNT],
    /// Probability that a person is in the region.
    pub(crate) score: f32,
}

/// Reads the model's answer for `region` of a picture of `size` (width, height) pixels; `None` if it sees nobody.
pub(crate) fn read(
    outputs: &Outputs<'_>,
    region: &Region,
    size: [f32; 2],
) -> Result<Option<RawPose>, VisionError> {
    let score = outputs.numbers("pose_flag", 1)?[0];
    if score.is_nan() || score <= FLAG_THRESHOLD {
        return Ok(None);
    }
    let values = outputs.numbers("landmarks", OUTPUT_COUNT * VALUES)?;
    let heatmap = outputs.numbers("heatmap", OUTPUT_COUNT * HEATMAP_SIDE * HEATMAP_SIDE)?;
    let world = outputs.numbers("world_landmarks", OUTPUT_COUNT * 3)?;
    if values.iter().chain(world).any(|v| !v.is_finite()) {
        return Ok(None);
    }
    let in_picture = |index: usize| {
        let row = &values[index * VALUES..][..VALUES];
        let raw = [row[0] / INPUT_SIDE as f32, row[1] / INPUT_SIDE as f32];
        region.to_picture(refine(raw, heatmap, index))
    };
    let landmarks = std::array::from_fn(|index| {
        let row = &values[index * VALUES..][..VALUES];
        let [x, y] = in_picture(index);
        Landmark {
            x: x / size[0],
            y: y / size[1],
            z: row[2] / INPUT_SIDE as f32 * region.side / size[0],
            visibility: sigmoid(row[3]),
            presence: sigmoid(row[4]),
        }
    });
    let world = std::array::from_fn(|index| {
        let row = &world[index * 3..][..3];
        let [x, y] = region.turn([row[0], row[1]]);
        [x, y, row[2]]
    });
    Ok(Some(RawPose { landmarks, auxiliary: AUXILIARY.map(in_picture), world, score }))
}

/// Moves a landmark (0..1 of the region) to the centre of mass of the heat map around it, if that is sure.
fn refine(raw: [f32; 2], heatmap: &[f32], index: usize) -> [f32; 2] {
    let side = HEATMAP_SIDE as i32;
    // Truncation towards zero and no lower limit for the row, as MediaPipe computes it.
    let [column, row] = raw.map(|c| (c * HEATMAP_SIDE as f32) as i32);
    if column < 0 || column >= side || row < 0 {
        return raw;
    }
    let cells = &heatmap[index * HEATMAP_SIDE * HEATMAP_SIDE..][..HEATMAP_SIDE * HEATMAP_SIDE];
    let columns = (column - HEATMAP_REACH).max(0)..(column + HEATMAP_REACH + 1).min(side);
    let rows = row.saturating_sub(HEATMAP_REACH).max(0)..row.saturating_add(HEATMAP_REACH + 1).min(side);
    let (mut sum, mut sum_x, mut sum_y, mut highest) = (0.0, 0.0, 0.0, 0.0_f32);
    for y in rows {
        for x in columns.clone() {
            let confidence = sigmoid(cells[(y * side + x) as usize]);
            sum += confidence;
            highest = highest.max(confidence);
            sum_x += x as f32 * confidence;
            sum_y += y as f32 * confidence;
        }
    }
    if highest >= HEATMAP_CONFIDENCE && sum > 0.0 {
        [sum_x / HEATMAP_SIDE as f32 / sum, sum_y / HEATMAP_SIDE as f32 / sum]
    } else {
        raw
    }
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heatmap_with(index: usize, hot: &[(usize, usize, f32)]) -> Vec<f32> {
        let mut map = vec![-20.0; OUTPUT_COUNT * HEATMAP_SIDE * HEATMAP_SIDE];
        for &(x, y, logit) in hot {
            map[index * HEATMAP_SIDE * HEATMAP_SIDE + y * HEATMAP_SIDE + x] = logit;
        }
        map
    }

    #[test]
    fn a_sure_heat_map_moves_the_landmark_to_its_centre_of_mass() {
        let map = heatmap_with(7, &[(20, 30, 5.0), (22, 30, 5.0)]);
        let [x, y] = refine([20.4 / 64.0, 30.9 / 64.0], &map, 7);
        assert!((x * 64.0 - 21.0).abs() < 1e-3 && (y * 64.0 - 30.0).abs() < 1e-3, "{x} {y}");
        let other = [20.4 / 64.0, 30.9 / 64.0];
        assert_eq!(refine(other, &map, 8), other, "another landmark's map does not count");
    }

    #[test]
    fn an_unsure_or_distant_heat_map_leaves_the_landmark() {
        let raw = [20.5 / 64.0, 30.5 / 64.0];
        assert_eq!(refine(raw, &heatmap_with(0, &[(20, 30, -0.1)]), 0), raw, "below one half");
        assert_eq!(refine(raw, &heatmap_with(0, &[(25, 30, 5.0)]), 0), raw, "five cells away");
        let [x, _] = refine(raw, &heatmap_with(0, &[(24, 30, 5.0)]), 0);
        assert!((x * 64.0 - 24.0).abs() < 1e-2, "four cells away counts: {x}");
    }

    #[test]
    fn landmarks_outside_the_region_stay_and_never_read_outside_the_map() {
        let map = heatmap_with(0, &[(0, 0, 9.0), (63, 63, 9.0)]);
        for raw in [[-0.5, 0.5], [1.0, 0.5], [0.5, -0.5], [0.5, 30.0], [0.5, f32::MAX]] {
            assert_eq!(refine(raw, &map, 0), raw);
        }
        assert_ne!(
            refine([0.99, 1.02], &map, 0),
            [0.99, 1.02],
            "just below the region the map still refines"
        );
    }
}
