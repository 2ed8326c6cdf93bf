//! Anchors, decoding and suppression against hand-made tensors.

use super::*;

/// Tensors in which the given anchors report a person of `size` input pixels centred on the anchor.
fn tensors(hits: &[(usize, f32, f32)]) -> (Vec<f32>, Vec<f32>) {
    let mut boxes = vec![0.0; ANCHOR_COUNT * BOX_VALUES];
    let mut logits = vec![-50.0; ANCHOR_COUNT];
    for &(anchor, logit, size) in hits {
        logits[anchor] = logit;
        boxes[anchor * BOX_VALUES + 2] = size;
        boxes[anchor * BOX_VALUES + 3] = size;
        boxes[anchor * BOX_VALUES + 7] = -56.0; // scale point a quarter of the picture above the hips
    }
    (boxes, logits)
}

#[test]
fn anchors_cover_three_grids_in_mediapipes_order() {
    let anchors = anchors();
    assert_eq!(anchors.len(), ANCHOR_COUNT);
    assert_eq!(anchors[0], [0.5 / 28.0; 2], "first cell of stride 8, two anchors");
    assert_eq!(anchors[1], anchors[0]);
    assert_eq!(anchors[2], [1.5 / 28.0, 0.5 / 28.0], "columns run first");
    assert_eq!(anchors[28 * 28 * 2], [0.5 / 14.0; 2], "stride 16 follows");
    assert_eq!(anchors[28 * 28 * 2 + 14 * 14 * 2 + 5], [0.5 / 7.0; 2], "stride 32 has six a cell");
    assert_eq!(anchors[ANCHOR_COUNT - 1], [6.5 / 7.0; 2]);
}

#[test]
fn nobody_below_one_half() {
    let anchors = anchors();
    for (logit, count) in [(-0.01, 0), (0.0, 1), (f32::NAN, 0), (f32::NEG_INFINITY, 0), (1e9, 1)] {
        let (boxes, logits) = tensors(&[(2000, logit, 40.0)]);
        assert_eq!(people(&boxes, &logits, &anchors).len(), count, "logit {logit}");
    }
    let (mut boxes, logits) = tensors(&[(2000, 3.0, 40.0)]);
    boxes[2000 * BOX_VALUES + 5] = f32::NAN;
    assert!(people(&boxes, &logits, &anchors).is_empty(), "a person without a place is none");
}

#[test]
fn key_points_are_relative_to_the_anchor() {
    let anchors = anchors();
    let (boxes, logits) = tensors(&[(2000, 3.0, 40.0)]);
    let person = people(&boxes, &logits, &anchors)[0];
    assert_eq!(person.points[0], anchors[2000]);
    assert!((person.points[1][1] - (anchors[2000][1] - 0.25)).abs() < 1e-6, "{person:?}");
    assert!((person.corners[2] - person.corners[0] - 40.0 / 224.0).abs() < 1e-6, "{person:?}");
}

#[test]
fn overlapping_people_melt_by_weight_and_distant_ones_stay() {
    let anchors = anchors();
    let near = 1568 + 2 * (14 * 5 + 5); // stride 16, row 5, column 5
    let far = 1568 + 2 * (14 * 11 + 11);
    let (boxes, logits) = tensors(&[(near, 2.0, 60.0), (near + 2, 1.0, 60.0), (far, 4.0, 60.0)]);
    let found = people(&boxes, &logits, &anchors);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!((found[0].points[0][0] - anchors[far][0]).abs() < 1e-6, "the surest first: {found:?}");
    let (a, b) = (1.0 / (1.0 + (-2.0_f32).exp()), 1.0 / (1.0 + (-1.0_f32).exp()));
    let mean = (anchors[near][0] * a + anchors[near + 2][0] * b) / (a + b);
    assert!((found[1].points[0][0] - mean).abs() < 1e-6, "{found:?}");
    assert_eq!(found[1].score, a, "the highest score stays");
}

#[test]
fn boxes_without_area_end_the_search_instead_of_looping() {
    let anchors = anchors();
    let (boxes, logits) = tensors(&[(2000, 3.0, 0.0), (2100, 3.0, -5.0), (100, 2.0, 30.0)]);
    assert!(!people(&boxes, &logits, &anchors).is_empty());
}
