//! When a movement counts: begun after its instruction could be read, away from where the body was, and held.

use super::posture::{Body, Rest, bodies, shown_in};
use super::{ChallengeReason, Movement, MovementSet, ResponseWindow};
use crate::clean::RATE;
use crate::sequence::{Sequence, joint};

/// A movement must be held this many frames at 15 Hz (0.47 s): what a passing hand shows is shorter.
const HOLD_FRAMES: usize = 7;
/// One that is also a part of others must be held this many frames (0.67 s): until then it may become one of them,
/// because people move one arm after the other.
const PART_FRAMES: usize = 10;
/// So many frames in a row within a hold may be unclear: the landmark model errs where arms hide each other.
const UNCLEAR_FRAMES: usize = 1;
/// The same of a hand at the other shoulder, a third of a second: before the trunk the landmark model loses a hand for
/// longer. Unclear frames do not count as held.
const UNCLEAR_TOUCH_FRAMES: usize = 5;
/// A gesture contains a movement that it holds this many frames: played slower, it is held long enough.
const CONTAINED_FRAMES: usize = 4;
/// A movement brings a hand or the head at least this far, shoulder widths: what stays at a border has not moved.
const MIN_TRAVEL: f32 = 0.25;
/// One that lifts a hand brings a hand this far, shoulder widths: hands rest in the lap or on a table. Who has the arms up
/// all the time and brings them over a border has answered nothing.
const LIFT_TRAVEL: f32 = 0.5;
/// Slower than this a frame, shoulder widths, the body does not come nearer: landmark jitter stays below.
const SETTING_OUT: f32 = 0.02;
/// Faster than this a frame, shoulder widths, the body is on its way even where it comes no nearer: arms swing up in
/// an arc…
const ON_THE_WAY: f32 = 0.06;
/// …unless it was nearer before by more than this, shoulder widths: then it comes back from something else.
const COMING_BACK: f32 = 0.1;

/// Slower than this share of the movement's fastest frame, and than [`ON_THE_WAY`], is a hand that sinks or sways before
/// it sets out.
const CREEP: f32 = 0.08;

/// A movement in its window, microseconds on the frames' clock.
pub(super) struct Shown {
    /// When the body set out for it.
    pub(super) set_out_us: u64,
    /// When it was complete.
    pub(super) completed_us: u64,
}

/// When the body set out for the movement and when that was complete, or why it was not.
///
/// The first movement that is begun in the window and held decides, whichever is asked: one recording, played from
/// one moment on, can meet one challenge of all.
pub(super) fn judge_frames(
    movement: Movement,
    sequence: &Sequence,
    rest: Option<&Rest>,
    asked_at_us: u64,
    limits: &ResponseWindow,
) -> Result<Shown, ChallengeReason> {
    let Some(&start) = sequence.times_us().first() else { return Err(ChallengeReason::NotSeen) };
    let time = |i: usize| start.saturating_add((i as f64 * 1.0e6 / RATE) as u64);
    let opens = asked_at_us.saturating_add(limits.read_us);
    let closes = asked_at_us.saturating_add(limits.limit_us);
    let bodies = bodies(sequence, rest);
    let mut run: Option<Run> = None;
    let mut early = false;
    for (i, body) in bodies.iter().enumerate().take_while(|(i, _)| time(*i) <= closes) {
        run = Run::through(run, i, shown_in(body));
        let Some(Run { movement: shown, first, .. }) = run.filter(|run| run.last == i && run.is_held())
        else {
            continue;
        };
        match onset(&bodies[..=i], first, shown).map(time).filter(|onset| *onset >= opens) {
            None => early |= shown == movement,
            Some(set_out_us) if shown == movement => return Ok(Shown { set_out_us, completed_us: time(i) }),
            Some(_) => return Err(ChallengeReason::AnotherMovement(shown)),
        }
    }
    Err(if early { ChallengeReason::TooEarly } else { ChallengeReason::NotSeen })
}

/// Frames that show one movement, with few unclear ones among them.
#[derive(Clone, Copy)]
struct Run {
    movement: Movement,
    /// First and last frame that show it.
    first: usize,
    last: usize,
    /// How many show it.
    frames: usize,
}

impl Run {
    /// What is left of a run with frame `i`, or the run that begins there.
    fn through(run: Option<Self>, i: usize, seen: Option<Movement>) -> Option<Self> {
        let Some(movement) = seen else { return run.filter(|run| run.outlasts(i)) };
        let begun = Self { movement, first: i, last: i, frames: 0 };
        let run = run.filter(|run| run.movement == movement).unwrap_or(begun);
        Some(Self { last: i, frames: run.frames + 1, ..run })
    }

    /// Whether it goes on although frame `i` is unclear.
    fn outlasts(self, i: usize) -> bool {
        i - self.last <= if self.movement.touches() { UNCLEAR_TOUCH_FRAMES } else { UNCLEAR_FRAMES }
    }

    fn is_held(self) -> bool {
        self.frames >= if self.movement.is_part() { PART_FRAMES } else { HOLD_FRAMES }
    }
}

/// The movements that a recording holds anywhere, for long enough to answer a challenge with it.
pub(super) fn contained(sequence: &Sequence) -> MovementSet {
    let mut run: Option<Run> = None;
    let mut held = MovementSet::default();
    for (i, body) in bodies(sequence, None).iter().enumerate() {
        run = Run::through(run, i, shown_in(body));
        if let Some(run) = run.filter(|run| run.frames >= CONTAINED_FRAMES) {
            held.insert(run.movement);
        }
    }
    held
}

/// The frame in which the body set out for the movement that it shows from frame `first` to the last; `None` if it
/// was there all the time. It may settle as slowly as it likes: the way back begins where it was still on its way.
fn onset(bodies: &[Body], first: usize, movement: Movement) -> Option<usize> {
    let goal = bodies.last()?;
    let before = bodies.get(..first)?;
    if movement.lifts_a_hand() && !before.iter().any(|body| hands_apart(body, goal) >= LIFT_TRAVEL) {
        return None;
    }
    let to_go = |i: usize| bodies.get(i).map_or(0.0, |body| distance(body, goal));
    let moved = |i: usize| bodies.get(i - 1).zip(bodies.get(i)).map_or(0.0, |(a, b)| distance(a, b));
    let mut at = (0..=first).rev().find(|i| to_go(*i) >= MIN_TRAVEL)?;
    let mut fastest = (at + 1..=first).map(moved).fold(0.0, f32::max);
    while at > 0 {
        let nearer = to_go(at - 1) - to_go(at);
        let creeping = moved(at) < f32::min(CREEP * fastest, ON_THE_WAY);
        let on_the_way = nearer > SETTING_OUT || nearer > -COMING_BACK && moved(at) > ON_THE_WAY;
        if creeping || !on_the_way {
            break;
        }
        fastest = fastest.max(moved(at));
        at -= 1;
    }
    (first > 0).then_some(at)
}

/// How far the hand or head that moves most has to go from one posture to another, shoulder widths.
fn distance(a: &Body, b: &Body) -> f32 {
    hands_apart(a, b).max((a.head_shift - b.head_shift).abs())
}

/// The same for the hands alone.
fn hands_apart(a: &Body, b: &Body) -> f32 {
    let hand = |k: usize| (a.joints[k][0] - b.joints[k][0]).hypot(a.joints[k][1] - b.joints[k][1]);
    hand(joint::LEFT_WRIST).max(hand(joint::RIGHT_WRIST))
}
