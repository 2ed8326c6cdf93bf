//! The numbers that decide security, in one place, with how each was chosen and how to measure it again.
//!
//! `posectl eval` prints the error rates that these give on any recordings; docs/matching.md keeps the measured
//! tables.

use crate::simulate::Style;
use crate::streams::ByStream;

/// Median distance between two recordings of the same gesture by the same user, in sums of upper-bone lengths.
/// It steadies the reference of a user whose few recordings happen to be nearly equal.
pub const DEVELOPMENT_MEDIAN: f64 = 0.0124;

/// Medians over development cells (webcam signs) of the mean log distances between the recordings of one user and
/// gesture, in the order of [`crate::streams::NAMES`].
pub const MEDIANS: ByStream = [-5.08, -4.90, -4.77, -5.45, -5.89];
/// Share of the user's own spread in the reference; the rest is [`MEDIANS`].
pub const OWN_SHARE: f64 = 0.5;
/// Added to the log distance of the mirrored movement before it may stand for the straight one.
pub const MIRROR_PRICE: f64 = 0.3;
/// Absolute log duration ratios are cut here: beyond it, longer is not more different.
pub const LONGEST_DURATION_RATIO: f64 = 0.5;

/// Share of the nearest recording in the distance to a template; the rest is the mean over all.
pub const NEAREST_SHARE: f64 = 0.3;

/// Weights of the log relative distances, in the order of [`crate::streams::NAMES`].
///
/// Chosen by hand on a coarse grid over development recordings of three sets (webcam signs, cross-distance gestures,
/// depth-sensor exercises) in the middle of a flat region: with so few users a logistic fit of the same terms did worse
/// on users that it had not seen. docs/matching.md has the figures and the neighbouring choices.
pub const WEIGHTS: ByStream = [1.0, 0.2, 0.4, 0.3, 0.2];
/// Weight of the absolute log duration ratio, of the same grid.
pub const DURATION_WEIGHT: f64 = 1.5;
/// Weight of [`crate::cohort::rarity`], of the same grid.
pub const RARITY_WEIGHT: f64 = 0.4;
/// Median rarity of development recordings (webcam signs): there it changes no score.
pub const RARITY_MEDIAN: f64 = -3.2;

/// A turn of the view against the enrolment up to this (radians) is left to the matcher; who is turned or tilted further
/// is told, see [`crate::framing`]. Told from 12 degrees on, twice as many would be told at 10, and hardly fewer refused.
pub const SMALL_TURN: f32 = 13.0 * std::f32::consts::PI / 180.0;
/// Taken off the score of a movement that was compared with the recordings as a turned camera sees them, however far: a
/// second chance. docs/matching.md has the figures of other prices.
pub const TURN_PRICE: f64 = 0.1;
/// Taken off the score of a part of a take, see [`crate::live`]: with it no more impostors pass among other movements
/// than with recordings cut to the gesture, on each of the three development sets, but for one of 500 who know the
/// gesture on webcam signs (`posectl eval --conditions`); docs/matching.md has the figures of other prices.
pub const LOOK_PRICE: f64 = 0.1;

/// A joint with a lower mean visibility is out of view. Development recordings before a webcam stay above 0.7.
pub const OUT_OF_VIEW: f32 = 0.5;
/// An elbow or wrist that moves in a smaller area than this (diagonal, sums of upper-bone lengths)…
pub const IDLE_RANGE: f64 = 0.1;
/// …and than this share of the busier wrist's area, carries nothing of a gesture.
pub const IDLE_SHARE: f64 = 0.4;

/// A movement is accepted at this score or above.
///
/// Chosen by the rule that no more than 1 % of people who know the gesture pass, on webcam signs: the lowest hundredth is
/// taken (the lowest score that then passes is -1.339). It lies well between the bound on zero-effort false accepts (0.1 %
/// would pass at -1.598) and that on false rejects (3 % would be refused at -1.049), and 1 % of genuine attempts are
/// refused. `posectl eval` prints the three scores beside the threshold; measure them again whenever weights, prices or
/// the landmark model change.
pub const ACCEPT: f64 = -1.34;

/// The same where no challenge was asked, because the host can show none and the service's policy let it go
/// (`challenge_policy = "when-shown"`).
///
/// Chosen by the rule that a tenth as many people who know the gesture pass as at [`ACCEPT`]: on webcam signs that is
/// reached at -1.049 ("threshold without a challenge" of `posectl eval`; measure it again whenever [`ACCEPT`] is), and the
/// next hundredth above is taken.
/// It does nothing against a video of the user.
pub const ACCEPT_UNCHALLENGED: f64 = -1.04;

/// Score of what cannot be compared; far below any other.
pub const WORST_SCORE: f64 = -100.0;

/// Liveness: smallest 90th percentile of the upper joints' misfit to the best affine map from the median frame,
/// in sums of upper-bone lengths. A photo moved by hand is an affine motion of one skeleton; what is left is the
/// landmark model's noise: at most 0.027 over 20 moved photos, at least 0.041 over 1,247 signs before a webcam.
pub const MIN_AFFINE_RESIDUAL: f64 = 0.034;

/// Liveness: smallest articulation, radians: the largest range of an elbow or shoulder angle. Moved photos reach
/// 0.9, live signs begin at 1.2.
pub const MIN_ARTICULATION: f64 = 1.0;

/// Liveness: smallest product of that misfit and that articulation. A photo that is bent, or whose landmarks jump, may
/// reach one of the two; moved photos reach at most 0.019 in both together, live signs begin at 0.077.
pub const MIN_MISFIT_TIMES_ARTICULATION: f64 = 0.05;

/// Enrolment: smallest number of recordings.
pub const MIN_RECORDINGS: usize = 3;
/// Enrolment: largest number of recordings.
pub const MAX_RECORDINGS: usize = 8;
/// Enrolment: shortest gesture, seconds.
pub const MIN_SECONDS: f64 = 1.0;
/// Longest gesture, seconds.
pub const MAX_SECONDS: f64 = 15.0;
/// Enrolment: smallest movement: the sum over the wrists of the diagonal of their range, in sums of upper-bone lengths.
pub const MIN_RANGE: f64 = 0.18;
/// Enrolment: largest mean distance of a recording to the others before nothing counts as repeated, in sums of
/// upper-bone lengths. Cells of three recordings reach 0.039 (webcam signs) and 0.050 (95 % of exercises); other
/// gestures begin at 0.03 and lie at 0.07 in the median.
pub const MAX_OWN_SPREAD: f64 = 0.05;
/// Enrolment: a recording is named as an outlier when it is this many times as far from the others as they are
/// from one another, and beyond [`OUTLIER_SPREAD`]; 99 % of genuine cells stay below 4.1 times or 0.03.
pub const OUTLIER_RATIO: f64 = 2.5;
/// See [`OUTLIER_RATIO`].
pub const OUTLIER_SPREAD: f64 = 0.03;

/// Liveness: smallest mean speed of the wrists relative to the shoulders, sums of upper-bone lengths a second.
pub const MIN_MOVEMENT: f64 = 0.08;
/// Liveness: smallest standard deviation of that speed: a gesture starts, turns and stops.
pub const MIN_MOVEMENT_DEVIATION: f64 = 0.06;

/// Strength: how simulated imitators differ from the person they imitate. Chosen so that their scores have about the
/// mean and spread of real people's who did the same gesture (informed trials of the development sets); `posectl eval
/// --strength` prints both.
pub const IMITATORS: Style = Style { bones: 0.12, posture: 0.2, path: 0.2, tempo: 0.25, skill: 0.35 };
/// Strength: a mean distance between the recordings beyond this is worth an advice, sums of upper-bone lengths.
pub const STEADY_SPREAD: f64 = 2.0 * DEVELOPMENT_MEDIAN;
/// Strength: both wrists together should travel at least so far, sums of upper-bone lengths.
pub const LONG_PATH: f64 = 2.0;
/// Enrolment: a gesture is too common when the paths of its hands are as near as this to how every tenth simulated
/// person makes an everyday gesture, shoulder widths. 5 % of development signs, which are short and one-handed like
/// everyday gestures, are nearer.
pub const COMMON_BOUND: f64 = 0.14;
/// Strength: nearer than this it counts as rather like an everyday gesture. 96 % of simulated people who enrol one are.
pub const COMMON_NEAR: f64 = 0.2;
/// Enrolment: a gesture is too common when more than this share of simulated strangers would pass.
pub const MOST_STRANGERS: f64 = 0.005;

/// Adaptation: a login's recording is carried beside the enrolled ones from this score on, against them alone. About
/// the median of genuine logins; no informed impostor of the development sets of webcam recordings reaches it.
/// `posectl eval --adaptation` prints both.
pub const ADAPT: f64 = -0.3;
/// Adaptation: a carried recording raises the score of a movement by this at most.
pub const ADAPT_GAIN: f64 = 0.15;
