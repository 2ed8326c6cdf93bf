//! Rotated square regions of a picture: where the landmark model looks.

use std::f32::consts::{FRAC_PI_2, PI};

/// Regions are this much larger than the circle that two alignment points span
/// (`pose_detection_to_roi.pbtxt` and `pose_landmarks_to_roi.pbtxt` of MediaPipe 0.10.21).
const MARGIN: f32 = 1.25;

/// A square of a picture, turned about its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Centre, pixels.
    pub center: [f32; 2],
    /// Side, pixels.
    pub side: f32,
    /// Rotation, radians, clockwise on the screen; 0 is upright.
    pub rotation: f32,
}

impl Region {
    /// The region of a person whose hip centre and scale point are known, pixels: an upright person's scale
    /// point lies straight above the hips. `None` where the points make no region.
    pub fn from_alignment(hips: [f32; 2], scale_point: [f32; 2]) -> Option<Self> {
        let [dx, dy] = [scale_point[0] - hips[0], scale_point[1] - hips[1]];
        let side = 2.0 * dx.hypot(dy) * MARGIN;
        let rotation = normalised_angle(FRAC_PI_2 - (-dy).atan2(dx));
        let region = Self { center: hips, side, rotation };
        region.is_usable().then_some(region)
    }

    /// The smallest upright square around a whole picture, for the detector.
    pub fn around_picture(width: usize, height: usize) -> Self {
        let (width, height) = (width as f32, height as f32);
        Self { center: [width / 2.0, height / 2.0], side: width.max(height), rotation: 0.0 }
    }

    /// Side before the margin, pixels: the size that smoothing measures speed by.
    pub fn object_size(&self) -> f32 {
        self.side / MARGIN
    }

    /// From region coordinates (0..1 from the top left corner of the unturned square) to picture pixels.
    pub fn to_picture(&self, [u, v]: [f32; 2]) -> [f32; 2] {
        let [x, y] = self.turn([u - 0.5, v - 0.5]);
        [self.center[0] + x * self.side, self.center[1] + y * self.side]
    }

    /// Turns a vector by the region's rotation.
    pub fn turn(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (sin, cos) = self.rotation.sin_cos();
        [cos * x - sin * y, sin * x + cos * y]
    }

    /// Finite, not empty and not absurdly large or far away: the crop's arithmetic has room for this.
    fn is_usable(&self) -> bool {
        const FARTHEST: f32 = 1e5;
        self.side >= 1.0
            && self.side < FARTHEST
            && self.center.iter().all(|c| c.abs() < FARTHEST)
            && self.rotation.is_finite()
    }
}

/// Into [-π, π).
fn normalised_angle(angle: f32) -> f32 {
    angle - 2.0 * PI * ((angle + PI) / (2.0 * PI)).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upright_person_gives_an_upright_region() {
        let region = Region::from_alignment([100.0, 200.0], [100.0, 120.0]).expect("usable");
        assert_eq!(region.center, [100.0, 200.0]);
        assert!((region.side - 200.0).abs() < 1e-3, "2 × 80 × 1.25: {region:?}");
        assert!(region.rotation.abs() < 1e-6, "{region:?}");
        assert!((region.object_size() - 160.0).abs() < 1e-3);
    }

    #[test]
    fn rotation_follows_the_scale_point() {
        // Scale point to the right of the hips: the person lies with the head to the right, turned clockwise.
        let region = Region::from_alignment([0.0, 0.0], [50.0, 0.0]).expect("usable");
        assert!((region.rotation - FRAC_PI_2).abs() < 1e-6, "{region:?}");
        let [x, y] = region.to_picture([0.5, 0.0]);
        assert!((x - 62.5).abs() < 1e-3 && y.abs() < 1e-3, "the region's top looks right: {x} {y}");
    }

    #[test]
    fn degenerate_points_give_no_region() {
        for (hips, scale) in [
            ([1.0, 1.0], [1.0, 1.0]),
            ([f32::NAN, 0.0], [1.0, 1.0]),
            ([0.0, 0.0], [f32::INFINITY, 0.0]),
            ([1e9, 0.0], [0.0, 0.0]),
        ] {
            assert_eq!(Region::from_alignment(hips, scale), None, "{hips:?} {scale:?}");
        }
    }
}
