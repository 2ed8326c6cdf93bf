//! Makes a movement independent of place, size and camera roll.
//!
//! The median shoulder line is turned level, the mid-shoulder point of each frame becomes the origin, and the sum
//! of the five median upper-bone lengths becomes 1.

use crate::clean::{clean, median};
use crate::sequence::{JOINTS, Joint, PARTNER, Sequence, joint};

/// The upper bones: shoulder line, upper arms, forearms.
pub const BONES: [(usize, usize); 5] = [
    (joint::RIGHT_SHOULDER, joint::LEFT_SHOULDER),
    (joint::LEFT_SHOULDER, joint::LEFT_ELBOW),
    (joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW),
    (joint::LEFT_ELBOW, joint::LEFT_WRIST),
    (joint::RIGHT_ELBOW, joint::RIGHT_WRIST),
];

/// One normalised frame: x to the person's left, y down, in sums of upper-bone lengths.
pub type Frame = [[f32; 2]; JOINTS];

/// A normalised movement at 15 frames a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// `[frames × 7 × (x, y)]`
    pub frames: Vec<Frame>,
    /// Visibility by joint, averaged over the recording, 0..1.
    pub visibility: [f32; JOINTS],
}

impl Track {
    /// Cleans and normalises. Empty when the sequence is, or when it shows no body (all joints in one point).
    #[must_use]
    pub fn of(sequence: &Sequence) -> Self {
        let cleaned = clean(sequence);
        match Frame2Body::of(&cleaned) {
            Some(map) => {
                let n = cleaned.len() as f32;
                let visibility =
                    std::array::from_fn(|k| cleaned.iter().map(|f| f[k].visibility).sum::<f32>() / n);
                Self { frames: cleaned.iter().map(|f| map.apply(f)).collect(), visibility }
            }
            None => Self::default(),
        }
    }

    /// Levelled and scaled again, after its joints were moved, and the size that they then had (1: as before); `None` when
    /// they now lie in one point.
    pub(crate) fn normalised_again(&self) -> Option<(Self, f32)> {
        let joints = |f: &Frame| f.map(|[x, y]| Joint { x, y, visibility: 1.0 });
        let frames: Vec<[Joint; JOINTS]> = self.frames.iter().map(joints).collect();
        let map = Frame2Body::of(&frames)?;
        let frames = frames.iter().map(|f| map.apply(f)).collect();
        Some((Self { frames, visibility: self.visibility }, 1.0 / map.scale))
    }

    /// So many times as large.
    pub(crate) fn scaled(&self, factor: f32) -> Self {
        let frames = self.frames.iter().map(|f| f.map(|p| p.map(|v| factor * v))).collect();
        Self { frames, visibility: self.visibility }
    }

    /// Duration in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames.len() as f64 / crate::clean::RATE
    }

    /// The same movement by the other side of the body.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let flip = |f: &Frame| PARTNER.map(|k| [-f[k][0], f[k][1]]);
        Self {
            frames: self.frames.iter().map(flip).collect(),
            visibility: PARTNER.map(|k| self.visibility[k]),
        }
    }

    /// Diagonal of the area that joint `k` moves in, sums of upper-bone lengths.
    #[must_use]
    pub fn range(&self, k: usize) -> f32 {
        let side = |d: usize| {
            let values = self.frames.iter().map(|f| f[k][d]);
            values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
        };
        if self.is_empty() { 0.0 } else { side(0).hypot(side(1)) }
    }

    /// Whether nothing can be compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

/// Rotation and scale of one recording.
struct Frame2Body {
    cos: f32,
    sin: f32,
    scale: f32,
}

impl Frame2Body {
    fn of(frames: &[[Joint; JOINTS]]) -> Option<Self> {
        let over = |f: &dyn Fn(&[Joint; JOINTS]) -> f32| {
            let mut values: Vec<f32> = frames.iter().map(f).collect();
            median(&mut values)
        };
        let (r, l) = BONES[0];
        let (dx, dy) = (over(&|f| f[l].x - f[r].x)?, over(&|f| f[l].y - f[r].y)?);
        let mut size = 0.0;
        for (a, b) in BONES {
            size += over(&|f| (f[a].x - f[b].x).hypot(f[a].y - f[b].y))?;
        }
        let line = dx.hypot(dy);
        // A body seen exactly from the side has no shoulder line to level.
        let (cos, sin) = if line > size * 1.0e-4 { (dx / line, -dy / line) } else { (1.0, 0.0) };
        (size.is_normal() && size > 0.0).then(|| Self { cos, sin, scale: 1.0 / size })
    }

    fn apply(&self, frame: &[Joint; JOINTS]) -> Frame {
        let (l, r) = (frame[joint::LEFT_SHOULDER], frame[joint::RIGHT_SHOULDER]);
        let (cx, cy) = ((l.x + r.x) / 2.0, (l.y + r.y) / 2.0);
        frame.map(|j| {
            let (x, y) = ((j.x - cx) * self.scale, (j.y - cy) * self.scale);
            [self.cos * x - self.sin * y, self.sin * x + self.cos * y]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wave(map: impl Fn(f32, f32) -> (f32, f32)) -> Sequence {
        Sequence::from_frames((0..40u64).map(|i| {
            let a = i as f32 * 0.15;
            let points = [
                (0.0, -60.0),
                (50.0, 0.0),
                (-50.0, 0.0),
                (60.0, 60.0),
                (-60.0, 60.0),
                (60.0 + 50.0 * a.sin(), 60.0 - 50.0 * a.cos()),
                (-60.0, 110.0),
            ];
            let frame = points.map(|(x, y)| {
                let (x, y) = map(x, y);
                Joint { x, y, visibility: 1.0 }
            });
            (i * 66_667, frame)
        }))
    }

    proptest! {
        #[test]
        fn place_size_and_roll_do_not_matter(
            roll in -0.6f32..0.6, scale in 0.2f32..5.0, dx in -500f32..500.0, dy in -500f32..500.0
        ) {
            let plain = Track::of(&wave(|x, y| (x, y)));
            let moved = Track::of(&wave(|x, y| {
                let (s, c) = roll.sin_cos();
                (scale * (c * x - s * y) + dx, scale * (s * x + c * y) + dy)
            }));
            prop_assert_eq!(plain.frames.len(), moved.frames.len());
            for (a, b) in plain.frames.iter().flatten().zip(moved.frames.iter().flatten()) {
                prop_assert!((a[0] - b[0]).abs() < 2e-3 && (a[1] - b[1]).abs() < 2e-3, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_body_shrunk_to_a_point_gives_an_empty_track() {
        assert!(Track::of(&wave(|_, _| (3.0, 3.0))).is_empty());
        assert!(Track::of(&Sequence::default()).is_empty());
    }
}
