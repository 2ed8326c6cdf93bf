//! Adaptation over time: beside the enrolled recordings, which never change, a template may carry one recording of a
//! later login.
//!
//! Rules, each of which holds by itself:
//! - That login passed as a whole, and its gesture scored [`ADAPT`] or better against the *enrolled* recordings alone
//!   ([`nearness`]), so that no chain of small steps leads away from them. The bound is looked at again whenever the
//!   recording is used.
//! - One recording: a newer one replaces the older.
//! - It may raise the score of a movement by [`ADAPT_GAIN`] at most. Whoever is further than that below the threshold
//!   against the enrolled recordings stays out, whatever was kept.
//! - What is expected of a repetition is still the spread of the enrolled recordings alone.
//! - It never lowers a score: whom the enrolled recordings let in, they still let in.

use crate::constants::{ACCEPT, ADAPT, ADAPT_GAIN};
use crate::matching::{MatchScore, steady_score};
use crate::normalise::Track;
use crate::template::Template;

/// How near a login's gesture is to the enrolled recordings: its score with no more spread allowed than the median user
/// has. Otherwise a careless enrolment would be the easiest to pull along.
#[must_use]
pub fn nearness(enrolled: &Template, gesture: &Track) -> f64 {
    steady_score(enrolled, gesture)
}

/// Whether a login's gesture is so near to the enrolled recordings that it may be carried beside them.
#[must_use]
pub fn worth_keeping(enrolled: &Template, gesture: &Track) -> bool {
    nearness(enrolled, gesture) >= ADAPT
}

/// The template that logins are compared with: the enrolled recordings and the one of `later`, if it is still worth
/// keeping; otherwise as enrolled.
#[must_use]
pub fn adapted(enrolled: &Template, later: &Template) -> Template {
    match later.recordings().first() {
        Some(later) if worth_keeping(enrolled, later) => enrolled.carrying(later),
        _ => enrolled.clone(),
    }
}

/// The score of a movement from those against the enrolled recordings alone and with the later one beside them.
pub(crate) fn bounded(enrolled: MatchScore, with_later: MatchScore) -> MatchScore {
    if with_later.score <= enrolled.score {
        return enrolled;
    }
    let score = with_later.score.min(enrolled.score + ADAPT_GAIN);
    MatchScore { score, accepted: score >= ACCEPT, ..with_later }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::MovementSet;
    use crate::matching::verify_track;
    use crate::simulate::{Rng, Style, imitation, person};

    /// Imitators better than any that were measured, so that some get in.
    const SKILLED: Style = Style { bones: 0.06, posture: 0.1, path: 0.1, tempo: 0.1, skill: 0.4 };
    /// The movement itself, but for a little.
    const NEARLY_THE_SAME: Style = Style { bones: 0.01, posture: 0.02, path: 0.02, tempo: 0.02, skill: 0.4 };

    fn enrolled(seed: u64) -> (Template, Vec<Track>) {
        let tracks: Vec<Track> = person(None, 8, &mut Rng::new(seed)).iter().map(Track::of).collect();
        (Template::of_tracks(tracks[..4].iter().cloned()), tracks[4..].to_vec())
    }

    fn kept(track: &Track) -> Template {
        Template::of_tracks([track.clone()])
    }

    #[test]
    fn a_near_repetition_is_carried_beside_the_enrolled_recordings() {
        let (template, later) = enrolled(1);
        let own = later.iter().find(|t| worth_keeping(&template, t)).expect("one near repetition");
        let decoys = MovementSet::of_bits(5).expect("two movements");
        let template = template.with_decoys(decoys);
        let both = adapted(&template, &kept(own));
        assert_eq!(both.recordings(), template.recordings());
        assert_eq!((both.decoys(), both.encode()), (decoys, template.encode()));
        let score = |t: &Template| verify_track(t, own).score;
        assert!(score(&both) > score(&template), "it counts: {} {}", score(&both), score(&template));
    }

    #[test]
    fn what_is_only_just_accepted_is_not_kept() {
        let (template, _) = enrolled(2);
        let mut rng = Rng::new(7);
        let mut tried = 0;
        for _ in 0..400 {
            let track = imitation(&template.recordings()[0], &SKILLED, &mut rng);
            let near = nearness(&template, &track);
            // Only just: storing rounds coordinates.
            if verify_track(&template, &track).accepted && near < ADAPT - 0.02 {
                tried += 1;
                assert!(!worth_keeping(&template, &track));
                assert_eq!(adapted(&template, &kept(&track)), template);
            }
        }
        assert!(tried > 0, "no imitator was just accepted: the test shows nothing");
    }

    #[test]
    fn a_carried_recording_neither_lowers_a_score_nor_raises_it_by_more_than_the_bound() {
        let (template, later) = enrolled(3);
        let own = later.iter().find(|t| worth_keeping(&template, t)).expect("one near repetition");
        let both = adapted(&template, &kept(own));
        let mut rng = Rng::new(8);
        let mut raised = 0;
        for n in 0..200 {
            // Near the carried recording, so that it would gain most.
            let probe = match n % 2 {
                0 => imitation(own, &NEARLY_THE_SAME, &mut rng),
                _ => imitation(&later[0], &SKILLED, &mut rng),
            };
            let (alone, with) = (verify_track(&template, &probe), verify_track(&both, &probe));
            assert!(
                (alone.score..=alone.score + ADAPT_GAIN + 1.0e-9).contains(&with.score),
                "{alone:?} {with:?}"
            );
            assert_eq!(with.accepted, with.score >= ACCEPT);
            raised += usize::from(with.score > alone.score + 0.9 * ADAPT_GAIN);
        }
        assert!(raised > 0, "nothing reached the bound: the test shows nothing");
    }

    /// Whoever knows password and gesture and gets in now and then tries fifty times to pull the template along.
    #[test]
    fn fifty_attempts_of_an_attacker_do_not_raise_the_attacker_s_rate() {
        let mut passed = 0;
        for seed in 10..13 {
            let (template, _) = enrolled(seed);
            let mut rng = Rng::new(seed);
            let attempts: Vec<Track> =
                (0..50).map(|n| imitation(&template.recordings()[n % 4], &SKILLED, &mut rng)).collect();
            let passing = |t: &Template| attempts.iter().filter(|a| verify_track(t, a).accepted).count();
            let before = passing(&template);
            let mut used = template.clone();
            for attempt in &attempts {
                if verify_track(&used, attempt).accepted && worth_keeping(&template, attempt) {
                    used = adapted(&template, &kept(attempt));
                }
            }
            passed += before;
            assert!(passing(&used) <= before + 1, "{before} of 50 passed before, {} after", passing(&used));
        }
        assert!(passed > 0, "nobody got in: the test shows nothing");
    }
}
