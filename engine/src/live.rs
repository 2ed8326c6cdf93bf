//! Finds the gesture within a continuous take, so that nobody has to say when it begins or ends.
//!
//! A take is everything from the first movement after the instruction to the rest that ends the phase. It may hold
//! more than the gesture: a hand that comes from the keyboard, a chair pushed back, a start over. The take as a whole
//! is compared, and so is the part of it that lies nearest to the enrolment recordings by an alignment that may begin
//! and end anywhere; the better of the two scores counts.
//!
//! Rationale: when the phase ends is decided by movement, rest and time alone, the same for everybody, so what is shown
//! next tells nothing about the match. Only the take before the first challenge is searched: a gesture that could
//! follow the challenge could be a clip chosen after it was shown. The second look gives an impostor a second chance;
//! `posectl eval --conditions` counts what it costs.

use std::ops::Range;

use crate::alignment;
use crate::clean::RATE;
use crate::matching::{self, MatchScore};
use crate::normalise::Track;
use crate::sequence::Sequence;
use crate::streams::Movement;
use crate::template::Template;

/// Kept before and after the part found, seconds, as around a recording.
const MARGIN: f64 = 0.25;
/// A part that lacks less than this share of the take is the take.
const NEARLY_ALL: f64 = 0.9;

/// Compares a take with several templates and keeps the best score.
#[must_use]
pub fn verify_any(templates: &[Template], take: &Sequence) -> MatchScore {
    let whole = Track::of(take);
    templates
        .iter()
        .map(|t| verify_in(t, take, &whole))
        .max_by(|a, b| a.score.total_cmp(&b.score))
        .unwrap_or_else(MatchScore::worst)
}

/// Compares a take with one template.
#[must_use]
pub fn verify(template: &Template, take: &Sequence) -> MatchScore {
    verify_in(template, take, &Track::of(take))
}

fn verify_in(template: &Template, take: &Sequence, whole: &Track) -> MatchScore {
    let all = matching::verify_track(template, whole);
    let Some(part) = nearest_part(template, whole) else { return all };
    let found = matching::verify_track(template, &Track::of(&take.between_us(&part)));
    if found.score > all.score { found } else { all }
}

/// The part of a take that is nearest to any enrolment recording, microseconds from its beginning; `None` where that
/// is nearly all of it.
fn nearest_part(template: &Template, take: &Track) -> Option<Range<u64>> {
    let movement = Movement::of(take);
    let (frames, _) = template
        .reference()
        .movements()
        .iter()
        .filter_map(|recording| alignment::nearest_part(recording, &movement))
        .min_by(|a, b| a.1.total_cmp(&b.1))?;
    if frames.len() as f64 >= NEARLY_ALL * take.frames.len() as f64 {
        return None;
    }
    let us = |frame: usize, margin: f64| ((frame as f64 / RATE + margin).max(0.0) * 1.0e6) as u64;
    Some(us(frames.start, -MARGIN)..us(frames.end, MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohort;
    use crate::sequence::Joint;

    /// Frames at the cleaned rate, as a camera of body-sized pixels would see them.
    fn played(tracks: &[&Track]) -> Sequence {
        let frames = tracks.iter().flat_map(|t| &t.frames).enumerate().map(|(i, f)| {
            let time = (i as f64 * 1.0e6 / RATE).round() as u64;
            (time, f.map(|[x, y]| Joint { x: 400.0 * x, y: 400.0 * y, visibility: 1.0 }))
        });
        Sequence::from_frames(frames)
    }

    /// Three repetitions of a gesture, the hands a little off each time.
    fn enrolled(gesture: &Track) -> Template {
        Template::of_tracks((0..3).map(|k| {
            let mut track = gesture.clone();
            for (i, frame) in track.frames.iter_mut().enumerate() {
                for joint in &mut frame[3..] {
                    joint[0] += 0.02 * (0.1 * i as f32 + 2.0 * k as f32).sin();
                }
            }
            track
        }))
    }

    #[test]
    fn a_gesture_among_other_movements_is_found() {
        let strangers = cohort::tracks(6, 77);
        let template = enrolled(&strangers[0]);
        let alone = verify(&template, &played(&[&strangers[0]]));
        let among = verify(&template, &played(&[&strangers[1], &strangers[0]]));
        let whole = matching::verify(&template, &played(&[&strangers[1], &strangers[0]]));
        assert!(alone.accepted && among.accepted, "{alone:?} {among:?}");
        assert!(!whole.accepted, "{whole:?}");
    }

    #[test]
    fn other_movements_are_not_taken_for_it() {
        let strangers = cohort::tracks(6, 77);
        let template = enrolled(&strangers[0]);
        for other in [[1, 2], [3, 4], [5, 1]] {
            let score = verify(&template, &played(&other.map(|k| &strangers[k])));
            assert!(!score.accepted, "{score:?}");
        }
        assert!(!verify(&template, &Sequence::default()).accepted);
    }
}
