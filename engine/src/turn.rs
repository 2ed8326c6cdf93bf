//! A camera that stands further to the side, higher or lower than at enrolment.
//!
//! The nose lies before the shoulders, so it moves against them when the view turns: its offset from where it was at
//! enrolment tells by how much. The enrolled recordings are then given depth by a simple model (a bone that looks shorter
//! than it is points towards the camera) and seen from there.
//!
//! Rationale: it is the recordings that are turned, not the movement that is judged. Their view is the one in which arms
//! reach towards the camera, so a bone's depth has one sign, and its length is the enrolled person's, whoever stands
//! before the camera.

use crate::clean::{median, quantile};
use crate::normalise::{Frame, Track};
use crate::sequence::{JOINTS, joint};

/// How far the nose lies before the middle of the shoulders, in shoulder widths: the median of the landmark model's world
/// landmarks.
const NOSE_DEPTH: f32 = 0.55;
/// Shoulder width of a usual body, in sums of upper-bone lengths.
const USUAL_WIDTH: f32 = 0.25;
/// A nose that is nearer than this to its place at enrolment tells nothing: repetitions of one gesture differ as much.
const STEADY: f32 = 0.012;
/// Larger turns (sine) are not made up for: too much of the body is hidden.
const LARGEST_SINE: f32 = 0.45;
/// How often a turn is corrected by where it puts the nose: the body's size as seen changes with it.
const CORRECTIONS: usize = 3;

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

    /// The turn that moves a nose so deep (sums of upper-bone lengths) from `before` to `now`.
    fn of_nose(before: [f32; 2], now: [f32; 2], depth: f32) -> Self {
        let angle = |d: usize| ((now[d] - before[d]) / depth).clamp(-LARGEST_SINE, LARGEST_SINE).asin();
        Self { yaw: angle(0), pitch: angle(1) }
    }

    fn and(self, other: Self) -> Self {
        let sum = |a: f32, b: f32| (a + b).clamp(-LARGEST_SINE.asin(), LARGEST_SINE.asin());
        Self { yaw: sum(self.yaw, other.yaw), pitch: sum(self.pitch, other.pitch) }
    }
}

/// Where the nose is, against the middle of the shoulders: the median over the movement; `None` without frames.
#[must_use]
pub fn nose_of(track: &Track) -> Option<[f32; 2]> {
    let over = |d: usize| median(&mut track.frames.iter().map(|f| f[joint::NOSE][d]).collect::<Vec<_>>());
    Some([over(0)?, over(1)?])
}

/// Where the nose is, the mean over several recordings.
pub(crate) fn mean_nose<'a>(recordings: impl IntoIterator<Item = &'a Track>) -> [f32; 2] {
    let places: Vec<[f32; 2]> = recordings.into_iter().filter_map(nose_of).collect();
    std::array::from_fn(|d| places.iter().map(|p| p[d]).sum::<f32>() / places.len().max(1) as f32)
}

/// The turn that moved a usual body's nose from `before` to `now`; `None` where it is too small to tell.
#[must_use]
pub fn between(before: [f32; 2], now: [f32; 2]) -> Option<Turn> {
    tells(before, now).then(|| Turn::of_nose(before, now, NOSE_DEPTH * USUAL_WIDTH))
}

fn tells(before: [f32; 2], now: [f32; 2]) -> bool {
    (now[0] - before[0]).hypot(now[1] - before[1]) > STEADY
}

/// The movement as a camera would see it that is turned by so much.
#[must_use]
pub fn turned(track: &Track, turn: Turn) -> Track {
    Body::of(std::slice::from_ref(track)).seen(track, turn).unwrap_or_default().0
}

/// Upper arm and forearm of either side.
const ARMS: [[usize; 3]; 2] = [
    [joint::LEFT_SHOULDER, joint::LEFT_ELBOW, joint::LEFT_WRIST],
    [joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW, joint::RIGHT_WRIST],
];

/// A person's lengths in the picture's plane, which tell depth; sums of upper-bone lengths.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body {
    /// Upper arm and forearm of either side: nearly the longest seen.
    arms: [[f32; 2]; 2],
    /// How far the nose lies before the middle of the shoulders.
    nose: f32,
}

/// One person's recordings as a turned camera sees them.
pub(crate) struct View {
    pub(crate) recordings: Vec<Track>,
    /// How large the person is there, 1 as before: the recordings keep this size, so that the same difference of places
    /// counts as much from every side.
    pub(crate) size: f32,
}

impl Body {
    /// The mean over recordings of one person.
    pub(crate) fn of(recordings: &[Track]) -> Self {
        let mean = |a: usize, b: usize, q: f32| {
            let seen =
                |t: &Track| quantile(&mut t.frames.iter().map(|f| length(f, a, b)).collect::<Vec<_>>(), q);
            recordings.iter().filter_map(seen).sum::<f32>() / recordings.len().max(1) as f32
        };
        Self {
            arms: ARMS.map(|arm| std::array::from_fn(|bone| mean(arm[bone], arm[bone + 1], 0.95))),
            nose: NOSE_DEPTH * mean(joint::LEFT_SHOULDER, joint::RIGHT_SHOULDER, 0.5),
        }
    }

    /// The recordings as the camera sees them that stands where their noses are `now`; `None` where it stands as before.
    pub(crate) fn view(&self, recordings: &[Track], before: [f32; 2], now: [f32; 2]) -> Option<View> {
        let turn = self.turn(recordings, before, now)?;
        let seen: Vec<(Track, f32)> = recordings.iter().map(|t| self.seen(t, turn)).collect::<Option<_>>()?;
        let size = seen.iter().map(|s| s.1).sum::<f32>() / seen.len().max(1) as f32;
        Some(View { recordings: seen.iter().map(|s| s.0.scaled(size)).collect(), size })
    }

    /// The turn that puts the recordings' noses where one is now; `None` where it is too small to tell.
    fn turn(&self, recordings: &[Track], before: [f32; 2], now: [f32; 2]) -> Option<Turn> {
        let step = |turn: Turn, _| {
            let seen: Vec<Track> =
                recordings.iter().filter_map(|t| self.seen(t, turn)).map(|s| s.0).collect();
            turn.and(Turn::of_nose(mean_nose(&seen), now, self.nose))
        };
        tells(before, now).then(|| (0..CORRECTIONS).fold(Turn::of_nose(before, now, self.nose), step))
    }

    /// A recording of this person as a camera would see it that is turned by so much, and how large it shows the person
    /// (1: as before); `None` where all joints now lie in one point.
    fn seen(&self, track: &Track, turn: Turn) -> Option<(Track, f32)> {
        let (yaw_sin, yaw_cos) = turn.yaw.sin_cos();
        let (pitch_sin, pitch_cos) = turn.pitch.sin_cos();
        let frames = track.frames.iter().map(|frame| {
            let depth = self.depth(frame);
            std::array::from_fn(|k| {
                let [x, y] = frame[k];
                // Depth is negative towards the camera.
                let (x, z) = (yaw_cos * x - yaw_sin * depth[k], yaw_sin * x + yaw_cos * depth[k]);
                [x, pitch_cos * y - pitch_sin * z]
            })
        });
        Track { frames: frames.collect(), visibility: track.visibility }.normalised_again()
    }

    /// Depth of each joint against the shoulders.
    fn depth(&self, frame: &Frame) -> [f32; JOINTS] {
        let mut depth = [0.0; JOINTS];
        depth[joint::NOSE] = -self.nose;
        for (arm, lengths) in ARMS.iter().zip(self.arms) {
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
    use crate::constants::ACCEPT;
    use crate::matching::verify_track;
    use crate::simulate::{Rng, person};
    use crate::template::Template;

    /// One person's repetitions of a gesture.
    fn repetitions(seed: u64) -> Vec<Track> {
        person(None, 4, &mut Rng::new(seed)).iter().map(Track::of).collect()
    }

    #[test]
    fn a_turn_is_found_by_where_it_puts_the_nose() {
        let tracks = &repetitions(1)[..3];
        let body = Body::of(tracks);
        for (yaw, pitch) in [(0.2, 0.0), (-0.15, 0.0), (0.0, 0.17), (0.0, -0.17), (0.1, -0.1)] {
            let turn = Turn { yaw, pitch };
            let seen: Vec<Track> = tracks.iter().map(|t| body.seen(t, turn).unwrap().0).collect();
            let found = body.turn(tracks, mean_nose(tracks), mean_nose(&seen)).unwrap();
            assert!(
                (found.yaw - yaw).abs() < 0.02 && (found.pitch - pitch).abs() < 0.02,
                "{turn:?} {found:?}"
            );
        }
    }

    #[test]
    fn a_gesture_is_known_from_a_turned_camera() {
        for seed in 1..5 {
            let tracks = repetitions(seed);
            let template = Template::of_tracks(tracks[..3].iter().cloned());
            let straight_on = verify_track(&template, &tracks[3]).score;
            for (yaw, pitch) in [(10.0f32, 0.0f32), (-10.0, 0.0), (0.0, 10.0), (0.0, -10.0), (20.0, 0.0)] {
                let turn = Turn { yaw: yaw.to_radians(), pitch: pitch.to_radians() };
                let score = verify_track(&template, &turned(&tracks[3], turn)).score;
                assert!(
                    score > ACCEPT && score > straight_on - 0.8,
                    "{seed} {turn:?}: {score} of {straight_on}"
                );
            }
        }
    }

    #[test]
    fn a_bone_is_as_long_as_the_enrolled_persons() {
        let tracks = repetitions(1);
        let body = Body::of(&tracks);
        let forearm = ARMS[0][1];
        let mut bent = tracks[0].frames[0];
        bent[ARMS[0][2]] = bent[forearm];
        let depth = body.depth(&bent);
        assert!((depth[forearm] - depth[ARMS[0][2]] - body.arms[0][1]).abs() < 1e-6, "{depth:?}");
    }

    #[test]
    fn a_steady_nose_tells_of_no_turn() {
        assert_eq!(between([0.0, -0.15], [0.005, -0.145]), None);
        assert_eq!(nose_of(&Track::default()), None);
    }
}
