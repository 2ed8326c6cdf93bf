//! Finds the gesture within a continuous take, so that nobody has to say when it begins or ends.
//!
//! A take is everything from the first movement after the instruction to the rest that ends the phase. It may hold
//! more than the gesture: a hand that comes from the keyboard, a chair pushed back, a start over. Compared are the take
//! as a whole, what follows each moment at which the arms slow down (a gesture may begin there), and the part that lies
//! nearest to the enrolment recordings by an alignment that may begin and end anywhere; the best score counts.
//!
//! Rationale: an alignment alone finds where the gesture is, but not where it begins: it skips the rest that
//! recordings begin with, and every distance and duration then suffers. People slow down before they begin.
//!
//! When the phase ends is decided by movement, rest and time alone, the same for everybody, so what is shown next tells
//! nothing about the match. Only the take before the first challenge is searched: a gesture that could follow the
//! challenge could be a clip chosen after it was shown. Each further look gives an impostor another chance, so each costs
//! [`LOOK_PRICE`]; `posectl eval --conditions` counts what is left.

use std::ops::Range;

use crate::alignment;
use crate::clean::{RATE, quantile};
use crate::constants::{ACCEPT, LOOK_PRICE};
use crate::matching::{self, MatchScore};
use crate::normalise::Track;
use crate::sequence::Sequence;
use crate::streams::Movement;
use crate::template::Template;
use crate::trim::arm_speeds;

/// Kept before and after the nearest part, seconds, as around a recording.
const MARGIN: f64 = 0.25;
/// A part that lacks less than this share of the take is the take.
const NEARLY_ALL: f64 = 0.9;

/// A slow moment is slower than this share of the take's fast part (90th percentile)…
const SLOW: f32 = 0.3;
/// …and the slowest within so many frames on either side.
const AROUND: usize = 3;
/// What follows a slow moment is compared if it is at least so many frames long.
const SHORTEST: usize = 12;
/// Kept before a slow moment, seconds: recordings begin with a little rest.
const LEAD: f64 = 0.2;
/// At most so many slow moments are looked at, the last ones: a take that is all trembling costs no more.
const MOST: usize = 12;

/// Compares a take with several templates and keeps the best score.
#[must_use]
pub fn verify_any(templates: &[Template], take: &Sequence) -> MatchScore {
    let looks = looks(take);
    best(templates.iter().map(|t| verify_in(t, take, &looks)))
}

/// Compares a take with one template.
#[must_use]
pub fn verify(template: &Template, take: &Sequence) -> MatchScore {
    verify_in(template, take, &looks(take))
}

fn verify_in(template: &Template, take: &Sequence, looks: &[Track]) -> MatchScore {
    let part = looks.first().and_then(|whole| nearest_part(template, whole));
    let part = part.map(|part| Track::of(&take.between_us(&part)));
    best(looks.iter().chain(&part).enumerate().map(|(i, look)| {
        let mut score = matching::verify_track(template, look);
        if i > 0 {
            score.score -= LOOK_PRICE;
            score.accepted = score.score >= ACCEPT;
        }
        score
    }))
}

fn best(scores: impl Iterator<Item = MatchScore>) -> MatchScore {
    scores.max_by(|a, b| a.score.total_cmp(&b.score)).unwrap_or_else(MatchScore::worst)
}

/// The take as a whole, and what follows each of its slow moments.
fn looks(take: &Sequence) -> Vec<Track> {
    let whole = Track::of(take);
    let from = |frame: usize| Track::of(&take.between_us(&(at_us(frame, -LEAD)..u64::MAX)));
    let rest: Vec<Track> = slow_moments(&whole).into_iter().map(from).collect();
    std::iter::once(whole).chain(rest).collect()
}

/// Frames at which the arms are slowest, in order.
fn slow_moments(take: &Track) -> Vec<usize> {
    let speeds = arm_speeds(take);
    let fast = quantile(&mut speeds.clone(), 0.9).unwrap_or(0.0);
    let is_slow = |i: usize| {
        let around = &speeds[i.saturating_sub(AROUND)..(i + AROUND + 1).min(speeds.len())];
        speeds[i] < SLOW * fast && around.iter().all(|speed| speeds[i] <= *speed)
    };
    let mut moments: Vec<usize> = Vec::new();
    for i in 1..speeds.len().saturating_sub(SHORTEST) {
        if is_slow(i) && moments.last().is_none_or(|last| i - last > AROUND) {
            moments.push(i);
        }
    }
    moments.split_off(moments.len().saturating_sub(MOST))
}

/// The time of a frame, microseconds from the take's beginning.
fn at_us(frame: usize, margin: f64) -> u64 {
    ((frame as f64 / RATE + margin).max(0.0) * 1.0e6) as u64
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
    Some(at_us(frames.start, -MARGIN)..at_us(frames.end, MARGIN))
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

    #[test]
    fn where_one_movement_follows_another_is_a_slow_moment() {
        let strangers = cohort::tracks(6, 77);
        let first = strangers[1].frames.len();
        let take = Track::of(&played(&[&strangers[1], &strangers[0]]));
        let moments = slow_moments(&take);
        assert!(moments.iter().any(|m| m.abs_diff(first) <= 12), "{moments:?} of {first}");
    }

    #[test]
    fn a_take_that_stops_and_goes_on_and_on_is_looked_at_a_bounded_number_of_times() {
        let mut stopping = cohort::tracks(1, 77)[0].clone();
        stopping.frames = (0..600)
            .map(|i| {
                let mut frame = stopping.frames[0];
                frame[6][0] += 0.2 * (i as f32 * 0.4).sin();
                frame
            })
            .collect();
        assert_eq!(slow_moments(&stopping).len(), MOST);
        assert!(slow_moments(&Track::default()).is_empty());
    }
}
