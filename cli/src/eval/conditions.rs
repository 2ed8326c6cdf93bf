//! False rejects and accepts at the shipped threshold when the login differs from the enrolment, by simulation.
//!
//! Templates stay as recorded; every probe, genuine or not, is changed in the same way.

use std::fmt::Write as _;

use pose_engine::normalise::Track;
use pose_engine::sequence::{Sequence, joint};
use pose_engine::template::Template;
use pose_engine::{live, matching};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::protocol::{Cell, Trials};
use super::rates::share;
use super::recordings::Recording;
use super::rng::Rng;
use super::simulate;

/// Impostor trials of either kind that are taken of each cell: simulation is slow, and these rates are of one
/// threshold.
const IMPOSTORS: usize = 4;

/// One way in which probes are changed.
#[derive(Clone, Copy)]
enum Change {
    None,
    Roll(f32),
    /// Yaw and pitch, degrees, and the depth of the nose in shoulder widths.
    Turn(f32, f32, f32),
    Slow(f64),
    Rate(f64),
    Drop(f64),
    Jitter(f32),
    HideIdleHand,
    After,
}

/// How a probe is compared.
#[derive(Clone, Copy)]
enum By {
    /// As one recording.
    Whole,
    /// As a take that may hold more than the gesture, like a live session.
    Live,
}

/// 0.55 is the median of world landmarks; people differ.
const NOSE: f32 = 0.55;

const CONDITIONS: [(&str, Change, By); 26] = [
    ("as recorded", Change::None, By::Whole),
    ("as recorded, live", Change::None, By::Live),
    ("after other movement, taken whole", Change::After, By::Whole),
    ("after other movement, live", Change::After, By::Live),
    ("camera rolled by +10 degrees", Change::Roll(10.0), By::Live),
    ("camera rolled by -10 degrees", Change::Roll(-10.0), By::Live),
    ("yaw +10", Change::Turn(10.0, 0.0, NOSE), By::Live),
    ("yaw -10", Change::Turn(-10.0, 0.0, NOSE), By::Live),
    ("yaw +20", Change::Turn(20.0, 0.0, NOSE), By::Live),
    ("yaw -20", Change::Turn(-20.0, 0.0, NOSE), By::Live),
    ("pitch +10", Change::Turn(0.0, 10.0, NOSE), By::Live),
    ("pitch -10", Change::Turn(0.0, -10.0, NOSE), By::Live),
    ("pitch +20", Change::Turn(0.0, 20.0, NOSE), By::Live),
    ("pitch -20", Change::Turn(0.0, -20.0, NOSE), By::Live),
    ("yaw +10, a flat face (0.4)", Change::Turn(10.0, 0.0, 0.4), By::Live),
    ("yaw +10, a head held forward (0.7)", Change::Turn(10.0, 0.0, 0.7), By::Live),
    ("8 pictures a second", Change::Rate(8.0), By::Live),
    ("30 pictures a second", Change::Rate(30.0), By::Live),
    ("60 pictures a second", Change::Rate(60.0), By::Live),
    ("30 % of the pictures lost", Change::Drop(0.3), By::Live),
    ("jitter of 1 % of the shoulder width", Change::Jitter(0.01), By::Live),
    ("jitter of 3 % of the shoulder width", Change::Jitter(0.03), By::Live),
    ("25 % slower", Change::Slow(1.25), By::Live),
    ("25 % faster", Change::Slow(0.8), By::Live),
    ("one-handed gestures, as recorded", Change::None, By::Live),
    ("one-handed gestures, idle hand out of view", Change::HideIdleHand, By::Live),
];

/// Rates of one condition.
pub(crate) struct Row {
    name: &'static str,
    genuine: usize,
    frr: Option<f64>,
    far_zero_effort: Option<f64>,
    far_informed: Option<f64>,
}

/// Number of steps that [`measure`] reports.
pub(crate) fn steps(trials: &Trials) -> usize {
    CONDITIONS.len() * trials.cells.len()
}

/// Measures every condition; `done` is told after each cell.
pub(crate) fn measure(recordings: &[Recording], trials: &Trials, done: &(dyn Fn() + Sync)) -> Vec<Row> {
    CONDITIONS
        .iter()
        .map(|&(name, change, by)| {
            let one_handed = name.starts_with("one-handed");
            let counts = trials
                .cells
                .par_iter()
                .map(|cell| {
                    let counts = count(recordings, cell, change, by, one_handed);
                    done();
                    counts
                })
                .reduce(Default::default, add);
            let rate = |(accepted, all): (usize, usize)| share(accepted, all);
            Row {
                name,
                genuine: counts[0].1,
                frr: rate((counts[0].1 - counts[0].0, counts[0].1)),
                far_zero_effort: rate(counts[1]),
                far_informed: rate(counts[2]),
            }
        })
        .collect()
}

/// Accepted and all: genuine, zero-effort, informed.
type Counts = [(usize, usize); 3];

fn add(a: Counts, b: Counts) -> Counts {
    std::array::from_fn(|k| (a[k].0 + b[k].0, a[k].1 + b[k].1))
}

fn count(recordings: &[Recording], cell: &Cell, change: Change, by: By, one_handed: bool) -> Counts {
    let tracks: Vec<Track> = cell.templates.iter().map(|&i| recordings[i].track.clone()).collect();
    if one_handed && !is_one_handed(&tracks) {
        return Counts::default();
    }
    let template = Template::of_tracks(tracks);
    let kinds = [
        every(&cell.genuine, usize::MAX),
        every(&cell.zero_effort, IMPOSTORS),
        every(&cell.informed, IMPOSTORS),
    ];
    kinds.map(|probes| {
        let accepted = probes.iter().filter(|&&i| {
            let probe = changed(recordings, i, change);
            match by {
                By::Whole => matching::verify(&template, &probe).accepted,
                By::Live => live::verify(&template, &probe).accepted,
            }
        });
        (accepted.count(), probes.len())
    })
}

/// Up to `most` of them, evenly spread.
fn every(all: &[usize], most: usize) -> Vec<usize> {
    let step = all.len().div_ceil(most).max(1);
    all.iter().copied().step_by(step).collect()
}

/// Whether one hand hardly moves in any recording while the other does.
fn is_one_handed(tracks: &[Track]) -> bool {
    let range = |k: usize| tracks.iter().map(|t| t.range(k)).fold(0.0, f32::max);
    let (l, r) = (range(joint::LEFT_WRIST), range(joint::RIGHT_WRIST));
    l.min(r) <= 0.1_f32.min(0.4 * l.max(r))
}

fn changed(recordings: &[Recording], index: usize, change: Change) -> Sequence {
    let recording = &recordings[index];
    let sequence = &recording.sequence;
    let mut rng = Rng::new(index as u64);
    match change {
        Change::None => sequence.clone(),
        Change::Roll(degrees) => simulate::rolled(sequence, degrees),
        Change::Turn(yaw, pitch, nose) => simulate::turned(recording, yaw, pitch, nose),
        Change::Slow(factor) => simulate::slowed(sequence, factor),
        Change::Rate(rate) => simulate::resampled(sequence, rate),
        Change::Drop(share) => simulate::dropped(sequence, share, &mut rng),
        Change::Jitter(share) => simulate::jittered(sequence, share, &mut rng),
        Change::HideIdleHand => simulate::idle_hand_hidden(sequence, &mut rng),
        Change::After => simulate::after(&another(recordings, index, &mut rng).sequence, sequence),
    }
}

/// Another gesture of the same person.
fn another<'a>(recordings: &'a [Recording], index: usize, rng: &mut Rng) -> &'a Recording {
    let this = &recordings[index];
    let others: Vec<&Recording> = recordings
        .iter()
        .filter(|r| r.kind.is_live() && r.user == this.user && r.gesture != this.gesture)
        .collect();
    if others.is_empty() { this } else { others[rng.below(others.len())] }
}

/// For people.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out = format!(
        "{:<46}{:>8}{:>8}{:>20}{:>16}\n",
        "condition of the probes", "genuine", "FRR %", "FAR zero-effort %", "FAR informed %"
    );
    for row in rows {
        let _ = writeln!(
            out,
            "{:<46}{:>8}{:>8}{:>20}{:>16}",
            row.name,
            row.genuine,
            percent(row.frr),
            percent(row.far_zero_effort),
            percent(row.far_informed)
        );
    }
    out
}

/// For programs.
pub(crate) fn to_json(rows: &[Row]) -> Value {
    rows.iter()
        .map(|row| {
            json!({
                "condition": row.name, "genuine": row.genuine, "frr": row.frr,
                "far_zero_effort": row.far_zero_effort, "far_informed": row.far_informed,
            })
        })
        .collect()
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |r| format!("{:.2}", 100.0 * r))
}
