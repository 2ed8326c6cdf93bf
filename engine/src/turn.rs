//! Undoes a camera that stands further to the side, higher or lower than at enrolment.
//!
//! The nose lies before the shoulders, so it moves against them when the view turns: its offset from where it was at
//! enrolment tells by how much. The movement is then given depth by a simple model (a bone that looks shorter than it
//! is points towards the camera) and turned back.

use crate::clean::{median, quantile};
use crate::normalise::{Frame, Track};
use crate::sequence::joint;

/// How far the nose lies before the middle of the shoulders, in sums of upper-bone lengths: 0.55 shoulder widths in
/// world landmarks of the landmark model.
const NOSE_DEPTH: f32 = 0.1375;
/// A nose that is nearer than this to its place at enrolment tells nothing: repetitions of one gesture differ as much.
const STEADY: f32 = 0.012;
/// Larger turns (sine) are not undone: too much of the body is hidden.
const LARGEST_SINE: f32 = 0.45;

/// How a view is turned against another, radians.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Turn {
    /// About the upright axis; positive where the nose moves to the picture's right.
    pub yaw: f32,
    /// About the line of the shoulders; positive where the nose moves down.
    pub pitch: f32,
}

impl Turn {
    /// The larger of the two angles, without its sign.
    #[must_use]
    pub fn angle(&self) -> f32 {
        self.yaw.abs().max(self.pitch.abs())
    }
}

/// Where the nose is, against the middle of the shoulders: the median over the movement; `None` without frames.
#[must_use]
pub fn nose_of(track: &Track) -> Option<[f32; 2]> {
    let over = |d: usize| median(&mut track.frames.iter().map(|f| f[joint::NOSE][d]).collect::<Vec<_>>());
    Some([over(0)?, over(1)?])
}

/// The turn that moved the nose from `before` to `now`; `None` where it is too small to tell.
#[must_use]
pub fn between(before: [f32; 2], now: [f32; 2]) -> Option<Turn> {
    let [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    let angle = |offset: f32| (offset / NOSE_DEPTH).clamp(-LARGEST_SINE, LARGEST_SINE).asin();
    (dx.hypot(dy) > STEADY).then(|| Turn { yaw: angle(dx), pitch: angle(dy) })
}

/// The movement as a camera would see it that is turned by so much.
#[must_use]
pub fn turned(track: &Track, turn: Turn) -> Track {
    let bones = Bones::of(track);
    let (yaw_sin, yaw_cos) = turn.yaw.sin_cos();
    let (pitch_sin, pitch_cos) = turn.pitch.sin_cos();
    let frames = track.frames.iter().map(|frame| {
        let depth = bones.depth(frame);
        std::array::from_fn(|k| {
            let [x, y] = frame[k];
            // Depth is negative towards the camera.
            let (x, z) = (yaw_cos * x - yaw_sin * depth[k], yaw_sin * x + yaw_cos * depth[k]);
            [x, pitch_cos * y - pitch_sin * z]
        })
    });
    Track { frames: frames.collect(), visibility: track.visibility }.normalised_again()
}

/// The movement turned back by so much.
#[must_use]
pub fn turned_back(track: &Track, turn: Turn) -> Track {
    turned(track, Turn { yaw: -turn.yaw, pitch: -turn.pitch })
}

/// Upper arm and forearm of either side.
const ARMS: [[usize; 3]; 2] = [
    [joint::LEFT_SHOULDER, joint::LEFT_ELBOW, joint::LEFT_WRIST],
    [joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW, joint::RIGHT_WRIST],
];

/// Lengths of the arm bones when they lie in the picture's plane: nearly the longest seen.
struct Bones([[f32; 2]; 2]);

impl Bones {
    fn of(track: &Track) -> Self {
        Self(ARMS.map(|arm| {
            std::array::from_fn(|bone| {
                let mut seen: Vec<f32> =
                    track.frames.iter().map(|f| length(f, arm[bone], arm[bone + 1])).collect();
                quantile(&mut seen, 0.95).unwrap_or(0.0)
            })
        }))
    }

    /// Depth of each joint against the shoulders.
    fn depth(&self, frame: &Frame) -> [f32; crate::sequence::JOINTS] {
        let mut depth = [0.0; crate::sequence::JOINTS];
        depth[joint::NOSE] = -NOSE_DEPTH;
        for (arm, lengths) in ARMS.iter().zip(self.0) {
            for (bone, whole) in lengths.iter().enumerate() {
                let seen = length(frame, arm[bone], arm[bone + 1]);
                depth[arm[bone + 1]] = depth[arm[bone]] - (whole * whole - seen * seen).max(0.0).sqrt();
            }
        }
        depth
    }
}

fn length(frame: &Frame, a: usize, b: usize) -> f32 {
    (frame[a][0] - frame[b][0]).hypot(frame[a][1] - frame[b][1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::{LARGE_TURN_PRICE, TURN_PRICE};
    use crate::matching::verify_track;
    use crate::simulate::{Rng, person};
    use crate::template::Template;

    #[test]
    fn a_turn_is_found_and_undone() {
        let track = &crate::cohort::tracks(1, 3)[0];
        for turn in
            [Turn { yaw: 0.2, pitch: 0.0 }, Turn { yaw: -0.15, pitch: 0.0 }, Turn { yaw: 0.0, pitch: 0.17 }]
        {
            let seen = turned(track, turn);
            let found = between(nose_of(track).unwrap(), nose_of(&seen).unwrap()).unwrap();
            assert!((found.yaw - turn.yaw).abs() < 0.08, "{turn:?} {found:?}");
            assert!((found.pitch - turn.pitch).abs() < 0.08, "{turn:?} {found:?}");
            let back = turned_back(&seen, found);
            let far = |a: &Track| {
                a.frames
                    .iter()
                    .zip(&track.frames)
                    .flat_map(|(p, q)| p.iter().zip(q).map(|(p, q)| (p[0] - q[0]).hypot(p[1] - q[1])))
                    .sum::<f32>()
            };
            assert!(far(&back) < 0.6 * far(&seen), "{turn:?}: {} {}", far(&back), far(&seen));
        }
    }

    #[test]
    fn turning_back_costs_more_beyond_a_small_turn() {
        let tracks: Vec<Track> = person(None, 4, &mut Rng::new(1)).iter().map(Track::of).collect();
        let template = Template::of_tracks(tracks[..3].iter().cloned());
        for (degrees, price) in [(8.0f32, TURN_PRICE), (20.0, LARGE_TURN_PRICE)] {
            let seen = turned(&tracks[3], Turn { yaw: degrees.to_radians(), pitch: 0.0 });
            let found = between(template.reference().nose(), nose_of(&seen).unwrap()).unwrap();
            let straight_on = verify_track(&template, &turned_back(&seen, found)).score;
            let score = verify_track(&template, &seen).score;
            assert!(
                (straight_on - score - price).abs() < 1e-6,
                "{degrees}, {found:?}: {straight_on} {score}"
            );
        }
    }

    #[test]
    fn a_steady_nose_tells_of_no_turn() {
        assert_eq!(between([0.0, -0.15], [0.005, -0.145]), None);
        assert_eq!(nose_of(&Track::default()), None);
    }
}
