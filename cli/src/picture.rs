//! A camera picture with the tracked skeleton drawn on it, as PNG.

use std::io;
use std::path::Path;

use pose_camera::Frame;
use pose_engine::landmarks::{Pose, part};
use pose_vision::VisionError;
use pose_vision::picture::Picture;

use crate::png_file;

/// The bones of the upper body: what the matcher looks at.
const BONES: [(usize, usize); 7] = [
    (part::LEFT_SHOULDER, part::RIGHT_SHOULDER),
    (part::LEFT_SHOULDER, part::LEFT_ELBOW),
    (part::LEFT_ELBOW, part::LEFT_WRIST),
    (part::RIGHT_SHOULDER, part::RIGHT_ELBOW),
    (part::RIGHT_ELBOW, part::RIGHT_WRIST),
    (part::NOSE, part::LEFT_SHOULDER),
    (part::NOSE, part::RIGHT_SHOULDER),
];
/// Below this visibility a joint is drawn pale: the model guesses it.
const SEEN: f32 = 0.5;
const SURE: [u8; 3] = [0, 230, 90];
const GUESSED: [u8; 3] = [240, 170, 40];

/// Pixels of a picture, `[height × width × 3]` bytes R G B.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    /// The decoded frame.
    pub(crate) fn of(frame: &Frame) -> Result<Self, VisionError> {
        let mut picture = Picture::default();
        picture.decode(frame)?;
        let rgb = picture.rgba().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        Ok(Canvas { width: picture.width(), height: picture.height(), rgb })
    }

    /// Draws the upper body.
    pub(crate) fn draw(&mut self, pose: &Pose) {
        let place = |joint: usize| {
            let l = &pose.landmarks[joint];
            ([l.x * self.width as f32, l.y * self.height as f32], l.visibility >= SEEN)
        };
        let bones: Vec<_> = BONES.iter().map(|&(a, b)| (place(a), place(b))).collect();
        for ((a, a_seen), (b, b_seen)) in bones {
            self.line(a, b, if a_seen && b_seen { SURE } else { GUESSED });
        }
    }

    /// Writes a PNG file.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        png_file::write(path, self.width, self.height, &self.rgb)
    }

    fn line(&mut self, from: [f32; 2], to: [f32; 2], colour: [u8; 3]) {
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        if !length.is_finite() {
            return;
        }
        // A joint far outside the picture must not cost more than the picture's diagonal is long.
        let steps = length.ceil().min((2 * (self.width + self.height)) as f32).max(1.0);
        for step in 0..=steps as usize {
            let t = step as f32 / steps;
            self.dot(from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t, colour);
        }
    }

    /// Three by three pixels; those outside the picture are left out.
    fn dot(&mut self, x: f32, y: f32, colour: [u8; 3]) {
        for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
            let (column, row) = (x.round() as i64 + dx, y.round() as i64 + dy);
            let (Ok(column), Ok(row)) = (usize::try_from(column), usize::try_from(row)) else { continue };
            if column >= self.width || row >= self.height {
                continue;
            }
            let at = (row * self.width + column) * 3;
            if let Some(pixel) = self.rgb.get_mut(at..at + 3) {
                pixel.copy_from_slice(&colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pose_engine::landmarks::{LANDMARK_COUNT, Landmark};

    fn black() -> Canvas {
        Canvas { width: 40, height: 30, rgb: vec![0; 40 * 30 * 3] }
    }

    fn pose(place: impl Fn(usize) -> [f32; 2]) -> Pose {
        let landmarks = std::array::from_fn(|i| {
            let [x, y] = place(i);
            Landmark { x, y, visibility: 0.9, ..Landmark::default() }
        });
        Pose { landmarks, world: [[0.0; 3]; LANDMARK_COUNT], score: 1.0 }
    }

    #[test]
    fn bones_run_between_their_joints() {
        let mut canvas = black();
        canvas.draw(&pose(|joint| if joint == part::LEFT_SHOULDER { [0.25, 0.5] } else { [0.75, 0.5] }));
        let pixel = |x: usize, y: usize| &canvas.rgb[(y * 40 + x) * 3..][..3];
        assert_eq!(pixel(20, 15), SURE);
        assert_eq!(pixel(20, 5), [0, 0, 0]);
    }

    #[test]
    fn joints_outside_the_picture_or_nowhere_do_no_harm() {
        let mut canvas = black();
        canvas.draw(&pose(|joint| if joint % 2 == 0 { [1e9, -1e9] } else { [f32::NAN, 0.5] }));
        canvas.draw(&pose(|joint| [joint as f32 - 16.0, 0.5]));
        assert_eq!(canvas.rgb.len(), 40 * 30 * 3);
    }
}
