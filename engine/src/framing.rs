//! Whether somebody sits turned or tilted against their enrolment, so that they can be told before anything is judged.
//!
//! The nose lies before the shoulders, so its place against them tells how the torso stands to the camera (see
//! [`crate::turn`]). Small turns are the matcher's to make up for; beyond [`SMALL_TURN`] more of the view is made up.
//!
//! Rationale: nothing here looks at the arms, so whether somebody is told says nothing about the gesture. Which way they
//! are off is not told, and one attempt is told once, so that what a stranger can learn is one bit for each attempt
//! about how the enrolled person's nose stands over the shoulders. Without a template a usual body takes its place: that
//! somebody is told does not tell that there is an enrolment.

use crate::constants::SMALL_TURN;
use crate::normalise::Track;
use crate::sequence::Sequence;
use crate::template::Template;
use crate::turn;

/// Where people's noses are who face the camera, the median of development recordings (webcam signs).
const USUAL_NOSE: [f32; 2] = [0.0, -0.17];

/// How somebody is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// Turned about the upright axis, or the camera stands more to the side.
    Turned,
    /// The camera stands higher or lower, or looks up or down more, or the person leans forward or back.
    Tilted,
}

impl Off {
    /// What to do, for people.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Turned => "Turn to the camera as you did when you enrolled",
            Self::Tilted => "Sit upright, and set the camera as high and as level as when you enrolled",
        }
    }
}

/// How the person of a movement is off against the nearest of the templates; `None` where the matcher can bear it.
#[must_use]
pub fn off(templates: &[Template], movement: &Sequence) -> Option<Off> {
    let nose = turn::nose_of(&Track::of(movement))?;
    let enrolled = templates.iter().map(|t| t.reference().nose());
    let turn = enrolled
        .chain(templates.is_empty().then_some(USUAL_NOSE))
        .map(|before| turn::between(before, nose).unwrap_or_default())
        .min_by(|a, b| a.angle().total_cmp(&b.angle()))?;
    if turn.angle() <= SMALL_TURN {
        return None;
    }
    Some(if turn.yaw.abs() >= turn.pitch.abs() { Off::Turned } else { Off::Tilted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::RATE;
    use crate::sequence::Joint;
    use crate::turn::Turn;

    fn seen(track: &Track) -> Sequence {
        let frames = track.frames.iter().enumerate().map(|(i, f)| {
            let time = (i as f64 * 1.0e6 / RATE).round() as u64;
            (time, f.map(|[x, y]| Joint { x: 400.0 * x, y: 400.0 * y, visibility: 1.0 }))
        });
        Sequence::from_frames(frames)
    }

    #[test]
    fn a_large_turn_is_told_and_a_small_one_is_not() {
        let track = &crate::cohort::tracks(1, 3)[0];
        let templates = [Template::of_tracks([track.clone()])];
        let off_by = |yaw: f32, pitch: f32| {
            let turn = Turn { yaw: yaw.to_radians(), pitch: pitch.to_radians() };
            off(&templates, &seen(&turn::turned(track, turn)))
        };
        for degrees in [-5.0, 0.0, 5.0] {
            assert_eq!(off_by(degrees, 0.0), None, "{degrees}");
            assert_eq!(off_by(0.0, degrees), None, "{degrees}");
        }
        for degrees in [-22.0, 22.0] {
            assert_eq!(off_by(degrees, 0.0), Some(Off::Turned), "{degrees}");
            assert_eq!(off_by(0.0, degrees), Some(Off::Tilted), "{degrees}");
        }
    }

    #[test]
    fn the_nearest_of_several_enrolments_counts() {
        let tracks = crate::cohort::tracks(1, 3);
        let aside = turn::turned(&tracks[0], Turn { yaw: 0.4, pitch: 0.0 });
        let both = [tracks[0].clone(), aside.clone()].map(|t| Template::of_tracks([t]));
        assert_eq!(off(&both[..1], &seen(&aside)), Some(Off::Turned));
        assert_eq!(off(&both, &seen(&aside)), None);
    }

    #[test]
    fn what_shows_nobody_tells_of_no_turn() {
        assert_eq!(off(&[], &Sequence::default()), None);
    }
}
