//! Cues of the stream itself: order, beat and sameness of its pictures. They deny what a working camera never does
//! and let pass what an overworked one does: missing pictures, pictures delivered several times at low light.

use std::collections::HashSet;

use super::NotLive;
use crate::clean::median;
use crate::landmarks::{Observation, part};

/// A freeze is more equal pictures in a row than this, for longer than [`MIN_FREEZE_US`]: at low light some cameras
/// deliver each exposure four times.
const MAX_REPEATS: usize = 4;
/// See [`MAX_REPEATS`], microseconds.
const MIN_FREEZE_US: u64 = 200_000;
/// Largest share of pictures that come again after others: sensor noise makes every real picture new.
const MAX_DUPLICATES: f64 = 0.2;
/// So many pictures in a row that all came before are a loop; a driver's stale buffer is a single one.
const LOOP: usize = 4;
/// Longest time without a picture, microseconds. A loaded machine stays far below; a cut has room within it.
const MAX_GAP_US: u64 = 1_000_000;
/// The frame counter may run ahead of time by fewer pictures than this.
const COUNTER_LEAP: u32 = 8;
/// A counter that leaps takes less than this share of the stream's own time a picture.
const COUNTER_HASTE: f64 = 0.2;
/// Least time between pictures, microseconds: no camera before a login delivers more than 250 a second.
const LEAST_US: u64 = 4_000;
/// So many intervals in a row that are too short, or at all: one alone may be a hiccup.
const INTERVALS: usize = 8;
/// Longest median time between pictures, microseconds: below 3 a second anything could happen unseen.
const MAX_BEAT_US: f32 = 340_000.0;
/// Head and shoulders leap when they move this much farther from one picture to the next than just before and just
/// after, shoulder widths: at most 0.033 over 1,247 signs before a webcam; 2 of 225 gestures at up to 6 m exceed it
/// (somebody turns round, and left and right change places).
const MAX_LEAP: f32 = 0.25;
/// For so long after an instruction to do more than move the arms a leap is not looked for, microseconds: whoever is
/// leaning comes back. For the arms alone [`super::body`] looks for hops at any time.
const LEAP_GRACE_US: u64 = 500_000;
/// Across more time than this without a person a leap is a person who moved, microseconds.
const LEAP_SPAN_US: u64 = 250_000;
/// No attempt has more pictures: 120 s, the longest, at 136 a second.
const MAX_MARKS: usize = 16_384;

/// What the stream's cues look at, of one picture.
#[derive(Clone, Copy, Debug)]
struct Mark {
    t_us: u64,
    sequence: u32,
    digest: u64,
    body: Option<Trunk>,
    /// Set where an instruction was shown just before: whether nothing but the arms is to move. What was missed before it
    /// is nobody's to judge.
    opens: Option<TrunkRests>,
}

/// Nose and shoulders, pixels.
type Trunk = [[f32; 2]; 3];

/// Whether nothing but the arms is asked to move.
type TrunkRests = bool;

/// Whether a stream is denied.
type Cue = fn(&[Mark]) -> bool;

/// The stream of a whole attempt, across its instructions.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    marks: Vec<Mark>,
    full: bool,
    instructed: Option<TrunkRests>,
}

impl Ledger {
    /// Takes one picture in, in the order of delivery.
    pub fn add(&mut self, observation: &Observation) {
        if self.marks.len() < MAX_MARKS {
            let opens = self.instructed.take();
            self.marks.push(Mark { opens, ..Mark::of(observation) });
        } else {
            self.full = true;
        }
    }

    /// The next picture is the first after an instruction, for the arms alone or for more.
    pub fn instructed(&mut self, trunk_rests: bool) {
        self.instructed = Some(trunk_rests);
    }

    /// The cues that deny.
    #[must_use]
    pub fn denials(&self) -> Vec<NotLive> {
        let mut out = denials(&self.marks);
        if self.full && !out.contains(&NotLive::Rate) {
            out.push(NotLive::Rate);
        }
        out
    }
}

/// The cues of a part of a stream that deny.
#[must_use]
pub fn stream_denials(observations: &[Observation]) -> Vec<NotLive> {
    denials(&observations.iter().map(Mark::of).collect::<Vec<_>>())
}

fn denials(marks: &[Mark]) -> Vec<NotLive> {
    let cues: [(NotLive, Cue); 8] = [
        (NotLive::TimeStamps, |m| m.windows(2).any(|w| w[1].t_us <= w[0].t_us)),
        (NotLive::Counter, counter_is_wrong),
        (NotLive::Rate, beat_is_impossible),
        (NotLive::Gap, |m| {
            m.windows(2).any(|w| w[1].opens.is_none() && w[1].t_us.saturating_sub(w[0].t_us) > MAX_GAP_US)
        }),
        (NotLive::Frozen, is_frozen),
        (NotLive::Looped, is_looped),
        (NotLive::Repeated, repeats),
        (NotLive::Leap, leaps),
    ];
    cues.into_iter().filter(|(_, denies)| denies(marks)).map(|(cue, _)| cue).collect()
}

impl Mark {
    fn of(observation: &Observation) -> Self {
        let (w, h) = (f32::from(observation.width), f32::from(observation.height));
        let body = observation.pose.as_ref().map(|pose| {
            [part::NOSE, part::LEFT_SHOULDER, part::RIGHT_SHOULDER]
                .map(|k| [pose.landmarks[k].x * w, pose.landmarks[k].y * h])
        });
        let Observation { t_us, sequence, stats, .. } = observation;
        Self { t_us: *t_us, sequence: *sequence, digest: stats.digest, body, opens: None }
    }
}

/// Whether the counter stands still, falls, or runs ahead of the time that its own beat allows.
fn counter_is_wrong(marks: &[Mark]) -> bool {
    let steps: Vec<(u64, u32)> = marks
        .windows(2)
        .map(|w| (w[1].t_us.saturating_sub(w[0].t_us), w[1].sequence.wrapping_sub(w[0].sequence)))
        .collect();
    if steps.iter().any(|&(_, counted)| counted == 0 || counted > u32::MAX / 2) {
        return true;
    }
    let each = |&(time, counted): &(u64, u32)| (time as f64 / f64::from(counted)) as f32;
    let Some(beat) = median(&mut steps.iter().map(each).collect::<Vec<_>>()) else { return false };
    let leap =
        |step: &(u64, u32)| step.1 >= COUNTER_LEAP && f64::from(each(step)) < COUNTER_HASTE * f64::from(beat);
    steps.len() >= INTERVALS && steps.iter().any(leap)
}

fn beat_is_impossible(marks: &[Mark]) -> bool {
    let steps: Vec<u64> = marks.windows(2).map(|w| w[1].t_us.saturating_sub(w[0].t_us)).collect();
    let too_fast = |run: &[u64]| run.iter().all(|&step| step < LEAST_US);
    let slow = median(&mut steps.iter().map(|&step| step as f32).collect::<Vec<_>>());
    steps.windows(INTERVALS).any(too_fast)
        || (steps.len() >= INTERVALS && slow.is_some_and(|beat| beat > MAX_BEAT_US))
}

fn is_frozen(marks: &[Mark]) -> bool {
    marks.chunk_by(|a, b| a.digest == b.digest).any(|run| {
        let time = run.last().zip(run.first()).map_or(0, |(l, f)| l.t_us.saturating_sub(f.t_us));
        run.len() > MAX_REPEATS && time > MIN_FREEZE_US
    })
}

/// For each picture whether an earlier one was the same. Neighbours count once: a slow shutter makes some drivers
/// deliver each picture several times, and a freeze is told by [`is_frozen`].
fn came_before(marks: &[Mark]) -> Vec<bool> {
    let mut distinct: Vec<u64> = marks.iter().map(|m| m.digest).collect();
    distinct.dedup();
    let mut seen = HashSet::new();
    distinct.into_iter().map(|digest| !seen.insert(digest)).collect()
}

fn is_looped(marks: &[Mark]) -> bool {
    came_before(marks).chunk_by(|a, b| a == b).any(|run| run[0] && run.len() >= LOOP)
}

fn repeats(marks: &[Mark]) -> bool {
    let came_before = came_before(marks);
    let again = came_before.iter().filter(|again| **again).count();
    again > 1 && again as f64 > MAX_DUPLICATES * came_before.len() as f64
}

/// Whether the body is somewhere else from one picture to the next, as where two recordings were put together.
fn leaps(marks: &[Mark]) -> bool {
    let mut free_until_us = 0;
    let mut bodies: Vec<(u64, bool, Trunk)> = Vec::new();
    for mark in marks {
        if let Some(trunk_rests) = mark.opens {
            free_until_us = if trunk_rests { 0 } else { mark.t_us.saturating_add(LEAP_GRACE_US) };
        }
        bodies.extend(mark.body.map(|body| (mark.t_us, mark.t_us < free_until_us, body)));
    }
    let mut widths: Vec<f32> = bodies.iter().map(|(_, _, b)| distance(b[1], b[2])).collect();
    let Some(width) = median(&mut widths).filter(|width| *width > 0.0) else { return false };
    let step = |a: &Trunk, b: &Trunk| -> [f32; 3] { std::array::from_fn(|k| distance(a[k], b[k])) };
    bodies.windows(4).any(|w| {
        let near = w.windows(2).all(|w| w[1].0.saturating_sub(w[0].0) <= LEAP_SPAN_US);
        let steps = [step(&w[0].2, &w[1].2), step(&w[1].2, &w[2].2), step(&w[2].2, &w[3].2)];
        let excess: f32 =
            (0..3).map(|k| (steps[1][k] - steps[0][k].max(steps[2][k])).max(0.0)).sum::<f32>() / 3.0;
        near && !w[2].1 && excess > MAX_LEAP * width
    })
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}
