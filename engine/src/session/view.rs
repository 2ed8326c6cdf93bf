//! What the pictures of a phase say about the view: nobody, several people, too dark.

use pose_contract::Outcome;

use crate::landmarks::Observation;

/// Mean luma below which a body cannot be followed.
const DARK: f32 = 0.06;
/// So many pictures in a row with more than one person end the attempt (about half a second).
const SEVERAL: usize = 8;
/// So many pictures in a row with a person mean that somebody is there.
const BACK: usize = 5;

pub(super) fn several_people(observations: &[Observation]) -> bool {
    observations.len() >= SEVERAL && observations.iter().rev().take(SEVERAL).all(|o| o.people > 1)
}

pub(super) fn nobody_yet(observations: &[Observation]) -> bool {
    observations.iter().rev().take(BACK).all(|o| o.pose.is_none())
}

pub(super) fn is_back(observations: &[Observation]) -> bool {
    observations.len() >= BACK && observations.iter().rev().take(BACK).all(|o| o.pose.is_some())
}

/// Why a whole recording cannot be judged, if it cannot: nobody, or several people, or too dark.
#[must_use]
pub fn unjudgeable(observations: &[Observation]) -> Option<Outcome> {
    if observations.windows(SEVERAL).any(several_people) {
        return Some(Outcome::SeveralPeople);
    }
    Some(why_nothing(observations)).filter(|outcome| *outcome != Outcome::NotFinished)
}

/// Why a phase ended without a gesture.
pub(super) fn why_nothing(observations: &[Observation]) -> Outcome {
    if observations.is_empty() {
        return Outcome::CameraFailed;
    }
    let seen = observations.iter().filter(|o| o.pose.is_some()).count();
    if 2 * seen >= observations.len() {
        return Outcome::NotFinished;
    }
    let dark = observations.iter().filter(|o| o.stats.luma_mean < DARK).count();
    if 2 * dark > observations.len() { Outcome::TooDark } else { Outcome::NobodyInView }
}

pub(super) fn advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NobodyInView => {
            "Nobody was in view: sit so that head, shoulders and both arms are seen, and try again"
        }
        Outcome::TooDark => "It is too dark: turn a light on and try again",
        Outcome::SeveralPeople => "Several people are in view: let one person alone be seen and try again",
        Outcome::NotFinished => "The gesture was not finished in time: move, then rest, and try again",
        Outcome::CameraFailed => {
            "The camera delivered no pictures: check it with 'posectl devices' and try again"
        }
        _ => "The attempt failed: see the journal of pose-helperd and try again",
    }
}
