//! Challenge movements: what may be asked, and whether it was shown in its time.
//!
//! Sides are the person's own. A recording cannot know which movement is asked, nor when.

use crate::landmarks::Observation;
use crate::sequence::Sequence;

mod draw;
mod figure;
mod movement;
mod posture;
mod rules;

pub use draw::{Challenge, bits, draw, enough};
pub use figure::{Stroke, braille, figure, svg};
pub use movement::{Movement, MovementSet};
pub use posture::{Body, Rest, shown_in};

/// When a movement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseWindow {
    /// The movement may not begin before this long after the instruction: it could not have been read.
    pub read_us: u64,
    /// It must be complete this long after the instruction.
    pub limit_us: u64,
}

impl Default for ResponseWindow {
    /// 0.3 s is near the fastest choice reaction of a person; 5 s leaves time to read and move at ease.
    fn default() -> Self {
        Self { read_us: 300_000, limit_us: 5_000_000 }
    }
}

/// Whether a movement was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengeResult {
    /// Which movement was asked.
    pub movement: Movement,
    /// Whether it was a decoy, so that it does not matter what was seen.
    pub decoy: bool,
    /// Whether it was shown within its window.
    pub shown: bool,
    /// When the body set out for it; until then it rested.
    pub set_out_at_us: Option<u64>,
    /// When it was complete.
    pub completed_at_us: Option<u64>,
    /// What was seen.
    pub why: ChallengeReason,
}

/// What a challenge's judge saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeReason {
    /// The movement, within its window.
    Shown,
    /// It was there before the instruction could have been read, and did not begin anew.
    TooEarly,
    /// Another of the movements was shown instead.
    AnotherMovement(Movement),
    /// The pictures were frozen, repeated or out of order.
    BrokenStream,
    /// None of the movements.
    NotSeen,
}

impl ChallengeReason {
    /// A stable name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::TooEarly => "too_early",
            Self::AnotherMovement(_) => "another_movement",
            Self::BrokenStream => "broken_stream",
            Self::NotSeen => "not_seen",
        }
    }
}

/// Judges the observations made since the instruction was shown. Only frames from `asked_at_us` on count.
///
/// `rest` is how the body rests; without it the first frames are taken for its rest.
#[must_use]
pub fn judge(
    movement: Movement,
    observations: &[Observation],
    rest: Option<&Rest>,
    asked_at_us: u64,
    limits: &ResponseWindow,
) -> ChallengeResult {
    let from = observations.partition_point(|o| o.t_us < asked_at_us);
    let until = observations.partition_point(|o| o.t_us <= asked_at_us.saturating_add(limits.limit_us));
    let sequence = Sequence::from_observations(&observations[from..until.max(from)]);
    judge_sequence(movement, &sequence, rest, asked_at_us, limits)
}

/// [`judge`] on a sequence whose first frame is at or after the instruction.
#[must_use]
pub fn judge_sequence(
    movement: Movement,
    sequence: &Sequence,
    rest: Option<&Rest>,
    asked_at_us: u64,
    limits: &ResponseWindow,
) -> ChallengeResult {
    let shown = rules::judge_frames(movement, sequence, rest, asked_at_us, limits);
    ChallengeResult {
        movement,
        decoy: false,
        shown: shown.is_ok(),
        set_out_at_us: shown.as_ref().ok().map(|shown| shown.set_out_us),
        completed_at_us: shown.as_ref().ok().map(|shown| shown.completed_us),
        why: shown.err().unwrap_or(ChallengeReason::Shown),
    }
}

/// The movements that a recording of a gesture would answer when it is played again.
#[must_use]
pub fn contained(gesture: &Sequence) -> MovementSet {
    rules::contained(gesture)
}
