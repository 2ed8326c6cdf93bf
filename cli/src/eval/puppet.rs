//! A puppeteer: somebody who moves a puppet (or a rendered person) that knows the gesture, sees what is asked, and
//! answers it some time after the instruction. How late is too late, and how early is too early?

use std::fmt::Write as _;

use pose_engine::challenge::{Movement, ResponseWindow, judge_sequence};
use pose_engine::sequence::{Joint, Sequence, joint};
use rayon::prelude::*;

use super::presentations::{Count, named};
use super::recordings::Recording;

/// Delays looked at, microseconds: 0 to 6 s, closer together around the time that reading takes.
const FINE_US: u64 = 100_000;
const FINE_UNTIL_US: u64 = 1_000_000;
const STEP_US: u64 = 250_000;
const LAST_US: u64 = 6_000_000;
/// When the instruction is shown on the puppet's clock; far enough from 0 to have a time before.
const ASKED_US: u64 = 60_000_000;
/// A movement has set out at this share of its way.
const SET_OUT: f32 = 0.1;

/// Acceptance of one right answer by its delay, milliseconds, over the recordings named after a movement; empty if
/// there are none.
pub(crate) fn judge(recordings: &[Recording]) -> Vec<(u64, Count)> {
    let answers: Vec<(Movement, &Sequence, u64)> = recordings
        .iter()
        .filter(|r| r.kind.is_live())
        .filter_map(|r| Some((named(r)?, &r.sequence, set_out(&r.sequence)?)))
        .collect();
    if answers.is_empty() {
        return Vec::new();
    }
    let fine = (0..FINE_UNTIL_US / FINE_US).map(|step| step * FINE_US);
    fine.chain((FINE_UNTIL_US / STEP_US..=LAST_US / STEP_US).map(|step| step * STEP_US))
        .map(|delay| {
            let accepted =
                answers.par_iter().filter(|(m, answer, out)| passes(*m, answer, *out, delay)).count();
            (delay / 1_000, Count { n: answers.len(), accepted })
        })
        .collect()
}

/// The table; nothing without figures.
pub(crate) fn table(delays: &[(u64, Count)]) -> String {
    let mut out = String::new();
    let Some((_, Count { n, .. })) = delays.first() else { return out };
    let window = ResponseWindow::default();
    let _ = writeln!(
        out,
        "puppeteer: {n} right answers, each setting out DELAY after its instruction (counted from {:.1} s to {:.1} s)",
        window.read_us as f64 / 1.0e6,
        window.limit_us as f64 / 1.0e6
    );
    let _ = writeln!(out, "{:>8}{:>16}{:>24}", "delay s", "one accepted %", "two in order accepted %");
    for (delay, count) in delays {
        let share = count.accepted as f64 / count.n as f64;
        let (one, two) = (100.0 * share, 100.0 * share * share);
        let _ = writeln!(out, "{:>8.2}{one:>16.1}{two:>24.1}", *delay as f64 / 1_000.0);
    }
    out
}

/// Whether the answer counts when it sets out `delay_us` after the instruction. Until then the puppet rests.
fn passes(movement: Movement, answer: &Sequence, out_us: u64, delay_us: u64) -> bool {
    let Some(first) = answer.frames().first() else { return false };
    let shifted = answer
        .times_us()
        .iter()
        .zip(answer.frames())
        .map(|(t, frame)| ((t + ASKED_US + delay_us).saturating_sub(out_us), *frame))
        .filter(|(t, _)| *t > ASKED_US);
    let played = Sequence::from_frames(std::iter::once((ASKED_US, *first)).chain(shifted));
    judge_sequence(movement, &played, None, ASKED_US, &ResponseWindow::default()).shown
}

/// When the hand or nose that goes farthest leaves its place: [`SET_OUT`] of its way, for the last time before half of it.
/// People sway before they move.
fn set_out(sequence: &Sequence) -> Option<u64> {
    let first = sequence.frames().first()?;
    let far = |a: &Joint, b: &Joint| (a.x - b.x).hypot(a.y - b.y);
    let way = |k: usize| -> Vec<f32> { sequence.frames().iter().map(|f| far(&f[k], &first[k])).collect() };
    let farthest = |way: &[f32]| way.iter().copied().fold(0.0, f32::max);
    let way = [joint::NOSE, joint::LEFT_WRIST, joint::RIGHT_WRIST]
        .map(way)
        .into_iter()
        .max_by(|a, b| farthest(a).total_cmp(&farthest(b)))?;
    let goal = farthest(&way);
    let half = way.iter().position(|d| *d >= 0.5 * goal)?;
    let at = way[..half].iter().rposition(|d| *d < SET_OUT * goal)? + 1;
    sequence.times_us().get(at).copied()
}
