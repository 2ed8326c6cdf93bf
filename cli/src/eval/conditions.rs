//! False rejects and accepts at the shipped threshold when the login differs from the enrolment, by simulation.
//!
//! Templates stay as recorded; every probe, genuine or not, is changed in the same way.

mod table;

use pose_engine::baseline::{cosine_distance, mean_of, mean_pose};
use pose_engine::normalise::Track;
use pose_engine::sequence::{Sequence, joint};
use pose_engine::template::Template;
use pose_engine::{framing, live, matching};
use rayon::prelude::*;

use super::protocol::{Cell, Trials};
use super::rates::{self, Sorted, Trial, share};
use super::recordings::Recording;
use super::rng::Rng;
use super::simulate;

pub(crate) use table::{markdown, table, to_json};

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
    /// After another movement, with so many pictures of rest between.
    After(u16),
}

/// How a probe is compared.
#[derive(Clone, Copy)]
enum Look {
    /// As one recording.
    Whole,
    /// As a take that may hold more than the gesture, like a live session.
    Live,
}

/// 0.55 is the median of world landmarks; people differ.
const NOSE: f32 = 0.55;

type Condition = (&'static str, Change, Look);

const CONDITIONS: [Condition; 27] = [
    ("as recorded", Change::None, Look::Whole),
    ("as recorded, live", Change::None, Look::Live),
    ("after other movement and a rest, taken whole", Change::After(6), Look::Whole),
    ("after other movement and a rest, live", Change::After(6), Look::Live),
    ("after other movement without a rest, live", Change::After(0), Look::Live),
    ("camera rolled by +10 degrees", Change::Roll(10.0), Look::Live),
    ("camera rolled by -10 degrees", Change::Roll(-10.0), Look::Live),
    ("yaw +10", Change::Turn(10.0, 0.0, NOSE), Look::Live),
    ("yaw -10", Change::Turn(-10.0, 0.0, NOSE), Look::Live),
    ("yaw +20", Change::Turn(20.0, 0.0, NOSE), Look::Live),
    ("yaw -20", Change::Turn(-20.0, 0.0, NOSE), Look::Live),
    ("pitch +10", Change::Turn(0.0, 10.0, NOSE), Look::Live),
    ("pitch -10", Change::Turn(0.0, -10.0, NOSE), Look::Live),
    ("pitch +20", Change::Turn(0.0, 20.0, NOSE), Look::Live),
    ("pitch -20", Change::Turn(0.0, -20.0, NOSE), Look::Live),
    ("yaw +10, a flat face (0.4)", Change::Turn(10.0, 0.0, 0.4), Look::Live),
    ("yaw +10, a head held forward (0.7)", Change::Turn(10.0, 0.0, 0.7), Look::Live),
    ("8 pictures a second", Change::Rate(8.0), Look::Live),
    ("30 pictures a second", Change::Rate(30.0), Look::Live),
    ("60 pictures a second", Change::Rate(60.0), Look::Live),
    ("30 % of the pictures lost", Change::Drop(0.3), Look::Live),
    ("jitter of 1 % of the shoulder width", Change::Jitter(0.01), Look::Live),
    ("jitter of 3 % of the shoulder width", Change::Jitter(0.03), Look::Live),
    ("25 % slower", Change::Slow(1.25), Look::Live),
    ("25 % faster", Change::Slow(0.8), Look::Live),
    ("one-handed gestures, as recorded", Change::None, Look::Live),
    ("one-handed gestures, idle hand out of view", Change::HideIdleHand, Look::Live),
];

/// Rates of one condition.
pub(crate) struct Row {
    name: &'static str,
    genuine: usize,
    /// As if everybody were judged.
    frr: Option<f64>,
    far_zero_effort: Option<f64>,
    far_informed: Option<f64>,
    /// Genuine attempts that are told to turn to the camera instead of being judged.
    told: Option<f64>,
    /// Genuine attempts that are refused without having been told.
    refused_untold: Option<f64>,
    zero_effort: Compared,
    informed: Compared,
}

/// Equal error rates of the shipped method and of the seed's, and the first minus the second, paired over users.
#[derive(Clone, Copy, Debug, Default)]
struct Compared {
    shipped: Option<f64>,
    seed: Option<f64>,
    difference: Option<(f64, [f64; 2])>,
}

/// Number of steps that [`measure`] reports.
pub(crate) fn steps(trials: &Trials) -> usize {
    CONDITIONS.len() * trials.cells.len()
}

/// Measures every condition; `done` is told after each cell.
pub(crate) fn measure(recordings: &[Recording], trials: &Trials, done: &(dyn Fn() + Sync)) -> Vec<Row> {
    CONDITIONS
        .iter()
        .map(|condition| {
            let attempts = trials.cells.par_iter().flat_map_iter(|cell| {
                let attempts = attempts_on(recordings, cell, condition);
                done();
                attempts
            });
            row(condition.0, &attempts.collect::<Vec<_>>(), trials.users.len())
        })
        .collect()
}

/// Whose attempt it is.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Genuine,
    ZeroEffort,
    Informed,
}

/// What became of one attempt.
struct Attempt {
    by: By,
    user: usize,
    accepted: bool,
    told: bool,
    shipped: f64,
    seed: f64,
}

fn row(name: &'static str, attempts: &[Attempt], users: usize) -> Row {
    let rate = |by: By, is: fn(&Attempt) -> bool| {
        let all = attempts.iter().filter(|a| a.by == by);
        share(all.clone().filter(|a| is(a)).count(), all.count())
    };
    Row {
        name,
        genuine: attempts.iter().filter(|a| a.by == By::Genuine).count(),
        frr: rate(By::Genuine, |a| !a.accepted),
        far_zero_effort: rate(By::ZeroEffort, |a| a.accepted),
        far_informed: rate(By::Informed, |a| a.accepted),
        told: rate(By::Genuine, |a| a.told),
        refused_untold: rate(By::Genuine, |a| !a.told && !a.accepted),
        zero_effort: compared(attempts, By::ZeroEffort, users),
        informed: compared(attempts, By::Informed, users),
    }
}

fn compared(attempts: &[Attempt], impostors: By, users: usize) -> Compared {
    let sorted = |score: fn(&Attempt) -> f64| {
        let taken = attempts.iter().filter(|a| a.by == By::Genuine || a.by == impostors);
        let trial = |a: &Attempt| Trial { user: a.user, score: score(a), genuine: a.by == By::Genuine };
        Sorted::new(taken.map(trial).collect())
    };
    let (shipped, seed) = (sorted(|a| a.shipped), sorted(|a| a.seed));
    Compared {
        shipped: shipped.eer(users),
        seed: seed.eer(users),
        difference: rates::difference(&shipped, &seed, users),
    }
}

fn attempts_on(recordings: &[Recording], cell: &Cell, &(name, change, look): &Condition) -> Vec<Attempt> {
    let tracks: Vec<Track> = cell.templates.iter().map(|&i| recordings[i].track.clone()).collect();
    if name.starts_with("one-handed") && !is_one_handed(&tracks) {
        return Vec::new();
    }
    let mean = mean_of(&tracks.iter().map(mean_pose).collect::<Vec<_>>());
    let template = Template::of_tracks(tracks);
    let attempt = |by: By, i: usize| {
        let probe = changed(recordings, i, change);
        let score = match look {
            Look::Whole => matching::verify(&template, &probe),
            Look::Live => live::verify(&template, &probe),
        };
        Attempt {
            by,
            user: cell.user,
            accepted: score.accepted,
            told: framing::off(std::slice::from_ref(&template), &probe).is_some(),
            shipped: score.score,
            seed: -cosine_distance(&mean, &mean_pose(&Track::of(&probe))),
        }
    };
    [
        (By::Genuine, every(&cell.genuine, usize::MAX)),
        (By::ZeroEffort, every(&cell.zero_effort, IMPOSTORS)),
        (By::Informed, every(&cell.informed, IMPOSTORS)),
    ]
    .into_iter()
    .flat_map(|(by, probes)| probes.into_iter().map(move |i| (by, i)))
    .map(|(by, i)| attempt(by, i))
    .collect()
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
        Change::After(rest) => {
            simulate::after(&another(recordings, index, &mut rng).sequence, rest, sequence)
        }
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
