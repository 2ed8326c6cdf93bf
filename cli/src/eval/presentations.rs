//! Liveness figures: how many live recordings are refused, how many attacks are accepted, and what each challenge
//! movement is met by.

use pose_engine::challenge::{Movement, MovementSet, ResponseWindow, Rest, contained, judge_sequence};
use pose_engine::liveness::{NotLive, motion_of};
use pose_engine::sequence::Sequence;
use rayon::prelude::*;

use super::one_body::{self, OneBody};
use super::puppet;
use super::recordings::{Kind, Recording};
use super::shown::Shown;

/// An attacker may begin to play a recording at any multiple of this, microseconds.
const OFFSET_US: u64 = 250_000;
/// The recording's first frame comes when the instruction can just have been read.
const AT_ONCE: u64 = 0;

/// Figures of one kind of presentation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) n: usize,
    pub(crate) accepted: usize,
}

/// How one challenge movement fares on live recordings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    pub(crate) movement: Movement,
    /// Recordings whose gesture bears the movement's name, and how many of them were seen.
    pub(crate) own: Count,
    /// All other live recordings, and how many of them met the challenge, from whichever moment they were played.
    pub(crate) other: Count,
    /// Those among them that are of that very movement by their label ([`Shown`]).
    pub(crate) labelled: Count,
}

/// What one way to judge accepts of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ByKind {
    pub(crate) live: Count,
    pub(crate) still: Count,
    pub(crate) wobble: Count,
    pub(crate) replay: Count,
}

/// Figures of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presentations {
    /// By all cues of the movement, as shipped.
    pub(crate) shipped: ByKind,
    /// By the seed's cue alone: total movement and its variance over time, with the shipped bounds.
    pub(crate) seed: ByKind,
    /// Expected number of replays accepted when one random challenge is asked.
    pub(crate) one_challenge: f64,
    /// The same for two different challenges, one after the other.
    pub(crate) two_challenges: f64,
    /// By movement.
    pub(crate) met: Vec<Met>,
    /// Live recordings played as if they were replays: how many, and the expected numbers accepted as above.
    pub(crate) live_as_replay: (usize, f64, f64),
    /// Right answers by their delay after the instruction, milliseconds.
    pub(crate) by_delay: Vec<(u64, Count)>,
    /// Whether who answers is told from who made the gesture, where faces are in the file.
    pub(crate) one_body: Option<OneBody>,
    /// The largest share of all challenges that one recording of something else meets, from one moment on.
    pub(crate) worst_share: f64,
}

/// What the challenge figures assume, for the table.
pub(crate) const ASSUMPTION: &str = "the attacker plays the recording again when a challenge is shown, as if the \
     instruction had just been read, from whichever moment of it serves best over all challenges; every challenge is \
     equally likely; two are different and each must be met; the movement cues judge the gesture";

/// What one recording does.
struct Judged<'a> {
    recording: &'a Recording,
    passed: bool,
    moved: bool,
    /// Whether it shows the movement that it is named after, if it is.
    own: Option<(Movement, bool)>,
    /// The challenges that it meets when played from each moment.
    answers: Vec<MovementSet>,
}

/// Judges every recording; `shown` says which gestures are a movement, `done` is told after each.
pub(crate) fn judge(recordings: &[Recording], shown: &Shown, done: &(dyn Fn() + Sync)) -> Presentations {
    let judged: Vec<Judged<'_>> = recordings
        .par_iter()
        .map(|recording| {
            let denials = motion_of(&recording.sequence).denials();
            let judged = Judged {
                recording,
                passed: denials.is_empty(),
                moved: !denials.contains(&NotLive::Still),
                own: named(recording).map(|m| (m, answers_now(m, &recording.sequence, None))),
                answers: answers(&recording.sequence),
            };
            done();
            judged
        })
        .collect();
    let of = |kind: fn(Kind) -> bool| judged.iter().filter(move |j| kind(j.recording.kind));
    let by = |accepts: fn(&Judged<'_>) -> bool| {
        let count = |kind: fn(Kind) -> bool| Count {
            n: of(kind).count(),
            accepted: of(kind).filter(|j| accepts(j)).count(),
        };
        ByKind {
            live: count(Kind::is_live),
            still: count(|k| k == Kind::Still),
            wobble: count(|k| k == Kind::Wobble),
            replay: count(|k| k == Kind::Replay),
        }
    };
    let live: Vec<&Judged<'_>> = of(Kind::is_live).collect();
    let replays = of(|k| k == Kind::Replay).filter(|j| j.passed);
    let (one_challenge, two_challenges) = expected(replays);
    let (one, two) = expected(live.iter().copied().filter(|j| j.passed));
    Presentations {
        shipped: by(|j| j.passed),
        seed: by(|j| j.moved),
        one_challenge,
        two_challenges,
        met: Movement::ALL.into_iter().map(|m| met(m, &live, shown)).collect(),
        live_as_replay: (live.len(), one, two),
        by_delay: puppet::judge(recordings),
        one_body: one_body::judge(recordings),
        worst_share: live.iter().map(|j| j.best_for_something_else()).max().unwrap_or(0) as f64
            / Movement::ALL.len() as f64,
    }
}

impl Judged<'_> {
    fn meets(&self, movement: Movement) -> bool {
        self.answers.iter().any(|set| set.contains(movement))
    }

    /// The most challenges met from one moment, without the movement that the recording is of.
    fn best_for_something_else(&self) -> usize {
        let own = self.own.map(|(m, _)| m);
        self.answers.iter().map(|set| set.iter().filter(|m| Some(*m) != own).count()).max().unwrap_or(0)
    }
}

fn met(movement: Movement, live: &[&Judged<'_>], shown: &Shown) -> Met {
    let (mut own, mut other, mut labelled) = (Count::default(), Count::default(), Count::default());
    for judged in live {
        match judged.own {
            Some((m, seen)) if m == movement => own.add(seen),
            _ => {
                let meets = judged.meets(movement);
                other.add(meets);
                if shown.is(&judged.recording.set, &judged.recording.gesture, movement) {
                    labelled.add(meets);
                }
            }
        }
    }
    Met { movement, own, other, labelled }
}

impl Count {
    pub(crate) fn add(&mut self, accepted: bool) {
        self.n += 1;
        self.accepted += usize::from(accepted);
    }
}

/// Expected numbers of recordings accepted with one challenge and with two different ones in order.
fn expected<'a>(replays: impl Iterator<Item = &'a Judged<'a>>) -> (f64, f64) {
    let n = Movement::ALL.len() as f64;
    replays.fold((0.0, 0.0), |(one, two), j| {
        let single = j.answers.iter().map(|set| set.len()).max().unwrap_or(0);
        let pairs = |a: &MovementSet, b: &MovementSet| {
            a.iter().flat_map(|x| b.iter().map(move |y| (x, y))).filter(|(x, y)| x != y).count()
        };
        let double =
            j.answers.iter().flat_map(|a| j.answers.iter().map(move |b| pairs(a, b))).max().unwrap_or(0);
        (one + single as f64 / n, two + double as f64 / (n * (n - 1.0)))
    })
}

/// The movement that a recording is of, by the name of its gesture.
pub(super) fn named(recording: &Recording) -> Option<Movement> {
    Movement::parse(recording.gesture.trim_start_matches("chal_"))
}

/// The challenges that a recording meets, played from each moment; without repeats.
fn answers(sequence: &Sequence) -> Vec<MovementSet> {
    let candidates = contained(sequence);
    let rest = Rest::of(sequence);
    let mut out: Vec<MovementSet> = Vec::new();
    let offsets = if candidates.is_empty() { 0 } else { sequence.duration_us() / OFFSET_US + 1 };
    for offset in (0..offsets).map(|i| i * OFFSET_US) {
        let played = from(sequence, offset);
        let set = candidates.iter().filter(|&m| answers_now(m, &played, rest.as_ref())).collect();
        if !out.contains(&set) {
            out.push(set);
        }
    }
    out
}

fn answers_now(movement: Movement, played: &Sequence, rest: Option<&Rest>) -> bool {
    let asked_at = played.times_us().first().copied().unwrap_or(0);
    let window = ResponseWindow { read_us: AT_ONCE, ..ResponseWindow::default() };
    judge_sequence(movement, played, rest, asked_at, &window).shown
}

/// The recording from this moment on.
fn from(sequence: &Sequence, offset_us: u64) -> Sequence {
    let start = sequence.times_us().first().copied().unwrap_or(0).saturating_add(offset_us);
    let frames = sequence.times_us().iter().copied().zip(sequence.frames().iter().copied());
    Sequence::from_frames(frames.filter(|(t, _)| *t >= start))
}
