//! The person detector's tensors to people: anchors, decoding and weighted non-maximum suppression, with the
//! constants of MediaPipe's `pose_detection_cpu.pbtxt`.

/// Side of the detector's input, pixels.
pub const INPUT_SIDE: usize = 224;
/// Number of anchors, and of rows in both output tensors.
pub const ANCHOR_COUNT: usize = 2254;
/// Numbers in a row of `boxes`: cx, cy, w, h, then x, y of four key points.
pub const BOX_VALUES: usize = 12;

/// Strides of the five feature maps; each has two anchors a cell.
const STRIDES: [usize; 5] = [8, 16, 32, 32, 32];
/// A person counts from this probability on.
const SCORE_THRESHOLD: f32 = 0.5;
/// Boxes that overlap more than this (intersection over union) are one person.
const OVERLAP_THRESHOLD: f32 = 0.3;
/// Logits are clipped here before they become probabilities.
const LOGIT_LIMIT: f32 = 100.0;

/// One detected person, in units of the detector's input side (0..1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Probability.
    pub score: f32,
    /// Left, top, right, bottom of the face box.
    pub corners: [f32; 4],
    /// Key points: hip centre, full-body scale and rotation, shoulder centre, upper-body scale.
    pub points: [[f32; 2]; 4],
}

/// Centres of all anchors, in units of the input side. Cells row by row, maps of one stride together.
pub fn anchors() -> Vec<[f32; 2]> {
    let mut centres = Vec::with_capacity(ANCHOR_COUNT);
    let mut layer = 0;
    while layer < STRIDES.len() {
        let stride = STRIDES[layer];
        let same = STRIDES[layer..].iter().take_while(|&&s| s == stride).count();
        let cells = INPUT_SIDE.div_ceil(stride);
        for row in 0..cells {
            for column in 0..cells {
                let centre = [column, row].map(|c| (c as f32 + 0.5) / cells as f32);
                centres.extend(std::iter::repeat_n(centre, 2 * same));
            }
        }
        layer += same;
    }
    centres
}

/// The people in the detector's outputs, most probable first.
///
/// `boxes` is `[2254 × 12]` in pixels of the input relative to the anchors, `logits` is `[2254]`.
pub fn people(boxes: &[f32], logits: &[f32], anchors: &[[f32; 2]]) -> Vec<Person> {
    let candidates = boxes
        .chunks_exact(BOX_VALUES)
        .zip(logits)
        .zip(anchors)
        .filter_map(|((values, &logit), &anchor)| decode(values, logit, anchor))
        .collect();
    suppress(candidates)
}

fn decode(values: &[f32], logit: f32, anchor: [f32; 2]) -> Option<Person> {
    let score = 1.0 / (1.0 + (-logit.clamp(-LOGIT_LIMIT, LOGIT_LIMIT)).exp());
    if score.is_nan() || score < SCORE_THRESHOLD || values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let side = INPUT_SIDE as f32;
    let [cx, cy] = [values[0] / side + anchor[0], values[1] / side + anchor[1]];
    let [half_w, half_h] = [values[2] / side / 2.0, values[3] / side / 2.0];
    let points =
        std::array::from_fn(|i| [values[4 + 2 * i] / side + anchor[0], values[5 + 2 * i] / side + anchor[1]]);
    Some(Person { score, corners: [cx - half_w, cy - half_h, cx + half_w, cy + half_h], points })
}

/// Weighted non-maximum suppression: overlapping boxes melt into their mean, weighted by score, under the
/// highest score among them.
fn suppress(mut remaining: Vec<Person>) -> Vec<Person> {
    // Stable, so equal scores keep the order of the anchors.
    remaining.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = Vec::new();
    while let Some(&best) = remaining.first() {
        let (same, others): (Vec<_>, Vec<_>) =
            remaining.iter().partition(|other| overlap(&other.corners, &best.corners) > OVERLAP_THRESHOLD);
        kept.push(if same.is_empty() { best } else { weighted_mean(&same, best.score) });
        if others.len() == remaining.len() {
            break;
        }
        remaining = others;
    }
    kept
}

fn weighted_mean(people: &[Person], score: f32) -> Person {
    let total: f32 = people.iter().map(|p| p.score).sum();
    let mean =
        |value: &dyn Fn(&Person) -> f32| people.iter().map(|p| value(p) * p.score).sum::<f32>() / total;
    Person {
        score,
        corners: std::array::from_fn(|i| mean(&|p| p.corners[i])),
        points: std::array::from_fn(|i| std::array::from_fn(|axis| mean(&|p| p.points[i][axis]))),
    }
}

/// Intersection over union of two boxes; 0 for boxes without area.
fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let width = a[2].min(b[2]) - a[0].max(b[0]);
    let height = a[3].min(b[3]) - a[1].max(b[1]);
    if width.is_nan() || height.is_nan() || width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let area = |c: &[f32; 4]| (c[2] - c[0]) * (c[3] - c[1]);
    let union = area(a) + area(b) - width * height;
    if union > 0.0 { width * height / union } else { 0.0 }
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
