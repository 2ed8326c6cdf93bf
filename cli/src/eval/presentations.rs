//! Liveness figures: how many live recordings are refused and how many attacks are accepted.

use pose_engine::challenge::{Movement, ResponseWindow, judge_sequence};
use pose_engine::liveness::motion_of;
use rayon::prelude::*;

use super::recordings::{Kind, Recording};

/// Figures of one kind of presentation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) n: usize,
    pub(crate) accepted: usize,
}

/// Figures of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Presentations {
    pub(crate) live: Count,
    pub(crate) still: Count,
    pub(crate) wobble: Count,
    pub(crate) replay: Count,
    /// Expected number of replays accepted when one random challenge is asked.
    pub(crate) one_challenge: f64,
    /// The same for two different challenges, one after the other.
    pub(crate) two_challenges: f64,
}

/// What the challenge figures assume, for the table.
pub(crate) const ASSUMPTION: &str = "the attacker plays the recording again from its beginning when a challenge is \
     shown, as if the instruction had just been read; every challenge is equally likely; two are different and \
     each must be met; the movement cues judge the gesture";

/// Judges every recording; `done` is told after each.
pub(crate) fn judge(recordings: &[Recording], done: &(dyn Fn() + Sync)) -> Presentations {
    let judged: Vec<(Kind, bool, usize)> = recordings
        .par_iter()
        .map(|r| {
            let passed = motion_of(&r.sequence).denials().is_empty();
            let answered = if r.kind == Kind::Replay && passed { answered(r) } else { 0 };
            done();
            (r.kind, passed, answered)
        })
        .collect();
    let count = |of: fn(Kind) -> bool| {
        let all = judged.iter().filter(|j| of(j.0));
        Count { n: all.clone().count(), accepted: all.filter(|j| j.1).count() }
    };
    let challenges = Movement::ALL.len() as f64;
    let one = |answered: f64| answered / challenges;
    // Drawn without putting back, so the second challenge is another one.
    let two = |answered: f64| (answered * (answered - 1.0)).max(0.0) / (challenges * (challenges - 1.0));
    let expected = |of: &dyn Fn(f64) -> f64| judged.iter().fold(0.0, |sum, j| sum + of(j.2 as f64));
    Presentations {
        live: count(Kind::is_live),
        still: count(|k| k == Kind::Still),
        wobble: count(|k| k == Kind::Wobble),
        replay: count(|k| k == Kind::Replay),
        one_challenge: expected(&one),
        two_challenges: expected(&two),
    }
}

/// How many of the challenges a recording meets.
fn answered(recording: &Recording) -> usize {
    let asked_at = recording.sequence.times_us().first().copied().unwrap_or(0);
    let window = ResponseWindow { read_us: 0, ..ResponseWindow::default() };
    Movement::ALL
        .into_iter()
        .filter(|&m| judge_sequence(m, &recording.sequence, asked_at, &window).shown)
        .count()
}
