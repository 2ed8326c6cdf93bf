//! Adaptation over time: beside the enrolled recordings, which never change, a template may carry one recording of a
//! later login.
//!
//! Rules: that login passed as a whole; its gesture scored [`ADAPT`] or better against the *enrolled* recordings alone,
//! so that no chain of small steps leads away from them; a newer such recording replaces the older one; and the bound is
//! looked at again whenever the recording is used. A stranger who gets in by chance scores near [`crate::constants::ACCEPT`], far below it.

use crate::constants::{ADAPT, MAX_RECORDINGS};
use crate::matching::verify_track;
use crate::normalise::Track;
use crate::template::Template;

/// Whether a login's gesture is so near to the enrolled recordings that it may be carried beside them.
#[must_use]
pub fn worth_keeping(enrolled: &Template, gesture: &Track) -> bool {
    enrolled.recordings().len() < MAX_RECORDINGS && verify_track(enrolled, gesture).score >= ADAPT
}

/// The template that logins are compared with: the enrolled recordings and the one of `adapted`, if it is still worth
/// keeping; otherwise as enrolled.
#[must_use]
pub fn adapted(enrolled: &Template, adapted: &Template) -> Template {
    match adapted.recordings().first() {
        Some(later) if worth_keeping(enrolled, later) => {
            let recordings = enrolled.recordings().iter().chain([later]).cloned();
            Template::of_tracks(recordings).with_decoys(enrolled.decoys())
        }
        _ => enrolled.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::MovementSet;
    use crate::constants::ACCEPT;
    use crate::simulate::{Rng, Style, imitation, person};

    /// Imitators better than any that were measured, so that some get in.
    const SKILLED: Style = Style { bones: 0.06, posture: 0.1, path: 0.1, tempo: 0.1, skill: 0.4 };

    fn enrolled(seed: u64) -> (Template, Vec<Track>) {
        let tracks: Vec<Track> = person(None, 8, &mut Rng::new(seed)).iter().map(Track::of).collect();
        (Template::of_tracks(tracks[..4].iter().cloned()), tracks[4..].to_vec())
    }

    #[test]
    fn a_near_repetition_is_carried_beside_the_enrolled_recordings() {
        let (template, later) = enrolled(1);
        let own = later.iter().find(|t| worth_keeping(&template, t)).expect("one near repetition");
        let both = adapted(&template, &Template::of_tracks([own.clone()]));
        assert_eq!(both.recordings()[..4], template.recordings()[..]);
        assert_eq!(both.recordings().len(), 5);
        let all = MovementSet::of_bits(5).expect("two movements");
        let with_decoys = template.with_decoys(all);
        assert_eq!(adapted(&with_decoys, &Template::of_tracks([own.clone()])).decoys(), all);
    }

    #[test]
    fn what_is_only_just_accepted_is_not_kept() {
        let (template, _) = enrolled(2);
        let mut rng = Rng::new(7);
        let mut tried = 0;
        for _ in 0..400 {
            let track = imitation(&template.recordings()[0], &SKILLED, &mut rng);
            let score = verify_track(&template, &track).score;
            // Only just: storing rounds coordinates.
            if (ACCEPT..ADAPT - 0.02).contains(&score) {
                tried += 1;
                assert!(!worth_keeping(&template, &track));
                assert_eq!(adapted(&template, &Template::of_tracks([track])), template);
            }
        }
        assert!(tried > 0, "no imitator was just accepted: the test shows nothing");
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
                    used = adapted(&template, &Template::of_tracks([attempt.clone()]));
                }
            }
            passed += before;
            assert!(passing(&used) <= before + 1, "{before} of 50 passed before, {} after", passing(&used));
        }
        assert!(passed > 0, "nobody got in: the test shows nothing");
    }

    #[test]
    fn a_full_template_takes_nothing_more() {
        let tracks: Vec<Track> = person(None, 8, &mut Rng::new(3)).iter().map(Track::of).collect();
        let template = Template::of_tracks(tracks.iter().cloned());
        assert!(!worth_keeping(&template, &tracks[0]));
    }
}
