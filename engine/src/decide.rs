//! The one place where evidence becomes a verdict. Everything has to pass; nothing makes up for anything else.

use std::fmt;

use pose_contract::Outcome;

use crate::challenge::{ChallengeReason, ChallengeResult};
use crate::liveness::{Liveness, NotLive};
use crate::matching::MatchScore;

/// All that an attempt showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Best fit of the gesture to the user's templates.
    pub matching: MatchScore,
    /// Liveness during the gesture.
    pub liveness: Liveness,
    /// One result for each challenge that was asked, in order; what decoys show does not count.
    pub challenges: Vec<ChallengeResult>,
    /// How many challenges the service's policy asks for, of which one may be a decoy if there are several. Fewer
    /// results than this refuse.
    pub challenges_required: usize,
    /// The host could show no challenge and the policy let it go: the gesture has to fit better.
    pub unchallenged: bool,
}

/// The verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// [`Outcome::Success`], or the first thing that failed.
    pub outcome: Outcome,
    /// Whether everything passed.
    pub accept: bool,
    /// Everything that failed; empty exactly when accepted.
    pub reasons: Vec<Reason>,
    /// The numbers behind it, for root and for measuring.
    pub scores: Scores,
    /// When the last challenge that was shown was complete, microseconds on the frames' clock.
    pub moved_at_us: Option<u64>,
}

/// Numbers behind a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// The fused matching score, higher is better.
    pub matching: f64,
    /// The score that would just have been accepted.
    pub threshold: f64,
    /// See [`MatchScore::relative`].
    pub relative: f64,
    /// See [`MatchScore::duration`].
    pub duration: f64,
    /// See [`crate::liveness::Motion::affine_residual`].
    pub affine_residual: f64,
    /// See [`crate::liveness::Motion::articulation`].
    pub articulation: f64,
    /// See [`crate::liveness::Motion::movement`].
    pub movement: f64,
    /// See [`crate::liveness::Motion::movement_deviation`].
    pub movement_deviation: f64,
}

/// One thing that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The movement is not the enrolled gesture of this person.
    WrongPose,
    /// A liveness cue denied.
    NotLive(NotLive),
    /// A challenge was missed.
    Challenge(ChallengeReason),
    /// Fewer challenges were answered than asked for.
    ChallengeLacking,
}

impl Reason {
    /// A stable name for programs: `wrong_pose`, `not_live:rigid`, `challenge:not_seen`, ….
    #[must_use]
    pub fn code(self) -> String {
        match self {
            Self::WrongPose => "wrong_pose".to_owned(),
            Self::NotLive(cue) => format!("not_live:{}", cue.as_str()),
            Self::Challenge(why) => format!("challenge:{}", why.as_str()),
            Self::ChallengeLacking => "challenge:lacking".to_owned(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPose => f.write_str(
                "the gesture was not recognised; repeat it as you enrolled it, facing the camera as you did then",
            ),
            Self::NotLive(cue) => cue.fmt(f),
            Self::Challenge(_) => f.write_str("the asked movement was not seen; do it when it is shown"),
            Self::ChallengeLacking => f.write_str("not every asked movement was shown; try again"),
        }
    }
}

/// Judges the evidence.
#[must_use]
pub fn decide(evidence: &Evidence) -> Decision {
    let mut reasons = Vec::new();
    if !evidence.liveness.live {
        reasons.extend(evidence.liveness.reasons.iter().copied().map(Reason::NotLive));
        if reasons.is_empty() {
            reasons.push(Reason::NotLive(NotLive::Still));
        }
    }
    if !evidence.matching.accepted || evidence.matching.score < threshold_of(evidence) {
        reasons.push(Reason::WrongPose);
    }
    let counting = || evidence.challenges.iter().filter(|c| !c.decoy);
    reasons.extend(counting().filter(|c| !c.shown).map(|c| Reason::Challenge(c.why)));
    let required = evidence.challenges_required;
    let must_count = required.saturating_sub(1).max(required.min(1));
    if evidence.challenges.len() < required || counting().count() < must_count {
        reasons.push(Reason::ChallengeLacking);
    }
    let outcome = match reasons.first() {
        None => Outcome::Success,
        Some(Reason::WrongPose) => Outcome::WrongPose,
        Some(Reason::NotLive(_)) => Outcome::NotLive,
        Some(Reason::Challenge(_) | Reason::ChallengeLacking) => Outcome::ChallengeMissed,
    };
    let moved_at_us = evidence.challenges.iter().filter_map(|challenge| challenge.completed_at_us).max();
    Decision { outcome, accept: reasons.is_empty(), reasons, scores: scores_of(evidence), moved_at_us }
}

fn threshold_of(evidence: &Evidence) -> f64 {
    if evidence.unchallenged { crate::constants::ACCEPT_UNCHALLENGED } else { crate::constants::ACCEPT }
}

fn scores_of(evidence: &Evidence) -> Scores {
    let (m, l) = (&evidence.matching, &evidence.liveness.motion);
    Scores {
        matching: m.score,
        threshold: threshold_of(evidence),
        relative: m.relative,
        duration: m.duration,
        affine_residual: l.affine_residual,
        articulation: l.articulation,
        movement: l.movement,
        movement_deviation: l.movement_deviation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::Movement;
    use crate::liveness::Motion;
    use proptest::prelude::*;

    fn evidence(accepted: bool, live: bool, shown: &[bool], required: usize) -> Evidence {
        let reasons = if live { Vec::new() } else { vec![NotLive::Rigid] };
        let result = |&shown: &bool| ChallengeResult {
            movement: Movement::TPose,
            decoy: false,
            shown,
            set_out_at_us: shown.then_some(0),
            completed_at_us: shown.then_some(1),
            why: if shown { ChallengeReason::Shown } else { ChallengeReason::NotSeen },
        };
        Evidence {
            matching: MatchScore {
                accepted,
                score: if accepted { 0.0 } else { -100.0 },
                ..MatchScore::worst()
            },
            liveness: Liveness { live, motion: Motion::default(), reasons },
            challenges: shown.iter().map(result).collect(),
            challenges_required: required,
            unchallenged: false,
        }
    }

    #[test]
    fn without_a_challenge_the_gesture_has_to_fit_better() {
        use crate::constants::{ACCEPT, ACCEPT_UNCHALLENGED};
        const { assert!(ACCEPT_UNCHALLENGED > ACCEPT) };
        for (score, unchallenged, accept) in [
            (ACCEPT, false, true),
            (ACCEPT, true, false),
            (ACCEPT_UNCHALLENGED - 1e-9, true, false),
            (ACCEPT_UNCHALLENGED, true, true),
        ] {
            let plain = evidence(true, true, &[], 0);
            let matching = MatchScore { score, ..plain.matching };
            let decision = decide(&Evidence { matching, unchallenged, ..plain });
            assert_eq!(decision.accept, accept, "{score} {unchallenged}");
            assert_eq!(decision.scores.threshold > ACCEPT, unchallenged);
        }
    }

    proptest! {
        #[test]
        fn only_a_full_pass_is_accepted(
            accepted: bool, live: bool, shown in prop::collection::vec(any::<bool>(), 0..4), required in 0usize..4
        ) {
            let decision = decide(&evidence(accepted, live, &shown, required));
            let all = accepted && live && shown.iter().all(|s| *s) && shown.len() >= required;
            prop_assert_eq!(decision.accept, all);
            prop_assert_eq!(decision.outcome == Outcome::Success, all);
            prop_assert_eq!(decision.reasons.is_empty(), all);
        }
    }

    #[test]
    fn what_a_decoy_shows_does_not_matter_but_one_challenge_counts() {
        let with = |decoys: &[bool], shown: &[bool]| {
            let mut evidence = evidence(true, true, shown, shown.len());
            evidence.challenges.iter_mut().zip(decoys).for_each(|(c, decoy)| c.decoy = *decoy);
            decide(&evidence).outcome
        };
        assert_eq!(with(&[true, false], &[false, true]), Outcome::Success);
        assert_eq!(with(&[true, false], &[true, false]), Outcome::ChallengeMissed);
        assert_eq!(with(&[true, true], &[true, true]), Outcome::ChallengeMissed);
        assert_eq!(with(&[true], &[true]), Outcome::ChallengeMissed);
        assert_eq!(with(&[true, true, false], &[true, true, true]), Outcome::ChallengeMissed);
    }

    #[test]
    fn a_wrong_pose_names_itself() {
        let decision = decide(&evidence(false, true, &[true], 1));
        assert_eq!(decision.outcome, Outcome::WrongPose);
        assert_eq!(decision.reasons.iter().map(|r| r.code()).collect::<Vec<_>>(), ["wrong_pose"]);
    }
}
