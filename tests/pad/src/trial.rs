//! One presentation through the whole pipeline: tracker, session with challenges, liveness, matching, decision.

use pose_contract::instruction;
use pose_engine::challenge::{Challenge, Movement, draw};
use pose_engine::decide::{Decision, Reason};
use pose_engine::landmarks::Observation;
use pose_engine::session::{End, Limits, Session, Step};
use pose_engine::template::Template;

use crate::Result;
use crate::eye::{Eye, FPS, stamp};
use crate::random::Random;
use crate::species::Show;

/// How many different movements a login asks by default.
pub const ASKED: usize = 2;
/// Pictures within which a gesture must be over; the session's own limit is shorter.
const GESTURE: usize = 10 * FPS as usize;
/// Pictures of one answer: the longest recorded movement; the session's limit is 6 s.
const ANSWER: usize = 4 * FPS as usize;

/// How a presentation ended.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The movements that were asked, drawn at random.
    pub asked: Vec<&'static str>,
    /// Whether it was let in with them.
    pub accepted: bool,
    /// The exact outcome.
    pub outcome: String,
    /// What denied before a movement was asked: liveness cues and the matcher; not judged at all: the outcome.
    pub denied: Vec<String>,
    /// What denied in the end.
    pub reasons: Vec<String>,
    /// Share of all single movements, and of all ordered pairs of different ones, with which it would be let in.
    /// `None` if it was not looked at: what is shown depends on what is asked, or it was denied before.
    pub expected: Option<[f64; 2]>,
    /// What the tracker saw of the gesture and of each answer.
    pub seen: Vec<Vec<Observation>>,
}

impl Trial {
    /// Whether everything passed but for the movements that were asked.
    #[must_use]
    pub fn passed_before_asked(&self) -> bool {
        self.denied.is_empty()
    }
}

/// What was seen of a presentation.
struct Seen {
    gesture: Vec<Observation>,
    answers: Vec<Vec<Observation>>,
}

/// Runs one presentation. `as_asked` shows depend on the movements, so no other movements are tried on them.
///
/// # Errors
/// Frames that cannot be decoded, or models that fail.
pub fn run(
    eye: &mut Eye,
    show: &mut dyn Show,
    template: &Template,
    seed: u64,
    as_asked: bool,
) -> Result<Trial> {
    eye.forget();
    let asked = drawn(template, seed);
    let mut seen = Seen { gesture: gesture(eye, show, template)?, answers: Vec::new() };
    let before = session(template, &asked, &seen);
    let denied = denied(&before);
    // A second answer, and any answer of what was never judged, is worth its time only where it can matter.
    let answers = match &before {
        Some(End::Verified(_)) if denied.is_empty() || as_asked => ASKED,
        Some(End::Verified(_)) => 1,
        _ => 0,
    };
    for (n, &Challenge { movement, .. }) in asked.iter().take(answers).enumerate() {
        seen.answers.push((0..ANSWER).map(|i| eye.see(show.answer(n, movement, i))).collect::<Result<_>>()?);
    }
    let end = session(template, &asked, &seen);
    let expected = (!as_asked && denied.is_empty()).then(|| expected(template, &seen));
    let asked = asked.iter().map(|challenge| challenge.movement.name()).collect();
    let seen = std::iter::once(seen.gesture).chain(seen.answers).collect();
    Ok(Trial { seen, ..judged(asked, end.as_ref(), denied, expected) })
}

/// What a login of this user asks.
fn drawn(template: &Template, seed: u64) -> Vec<Challenge> {
    let mut random = Random::new(seed);
    let drawn = draw(ASKED, template.decoys(), |n| Ok::<_, std::convert::Infallible>(random.below(n)));
    drawn.unwrap_or_else(|never| match never {})
}

/// Shows the gesture until the session asks for a movement or ends.
fn gesture(eye: &mut Eye, show: &mut dyn Show, template: &Template) -> Result<Vec<Observation>> {
    let mut session = begin(template, &[Movement::ALL[0].into()]);
    let mut seen = Vec::new();
    for i in 0..GESTURE {
        let observation = eye.see(show.gesture(i))?;
        let step = session.observe(&observation);
        seen.push(observation);
        let over = match step {
            Some(Step::Finished(_)) => true,
            Some(Step::Instruct { code, .. }) => code.starts_with(instruction::CHALLENGE_PREFIX),
            None => false,
        };
        if over {
            break;
        }
    }
    Ok(seen)
}

fn begin(template: &Template, asked: &[Challenge]) -> Session {
    let limits = Limits { challenges_required: asked.len(), ..Limits::default() };
    let mut session =
        Session::verify_among_decoys(vec![template.clone()], asked.to_vec(), limits, stamp(0) - 1);
    session.begin();
    session
}

/// The login in which these movements are asked, on what was seen: answers begin when they are asked for. Where nothing
/// more was seen, time passes.
fn session(template: &Template, asked: &[Challenge], seen: &Seen) -> Option<End> {
    const PATIENCE: u32 = 60;
    let mut session = begin(template, asked);
    let (mut pictures, mut waited) = (0, 0);
    let mut stream = seen.gesture.iter();
    let mut answers = seen.answers.iter();
    while waited < PATIENCE {
        let step = match stream.next() {
            Some(observation) => {
                let (t_us, sequence) = (stamp(pictures), pictures);
                pictures += 1;
                session.observe(&Observation { t_us, sequence, ..observation.clone() })
            }
            None => {
                waited += 1;
                pictures += FPS as u32;
                session.tick(stamp(pictures))
            }
        };
        match step {
            Some(Step::Finished(end)) => return Some(end),
            Some(Step::Instruct { code, .. }) if code.starts_with(instruction::CHALLENGE_PREFIX) => {
                stream = answers.next().map_or([].iter(), |answer| answer.iter());
            }
            _ => {}
        }
    }
    None
}

/// Everything but missed movements that denied; not judged: the outcome.
fn denied(end: &Option<End>) -> Vec<String> {
    match end {
        Some(End::Verified(decision)) => codes(decision, |reason| !is_challenge(reason)),
        Some(End::Failed { outcome, .. }) => vec![outcome.as_str().to_owned()],
        _ => vec!["unfinished".to_owned()],
    }
}

fn codes(decision: &Decision, wanted: impl Fn(&Reason) -> bool) -> Vec<String> {
    decision.reasons.iter().filter(|reason| wanted(reason)).map(|reason| reason.code()).collect()
}

fn is_challenge(reason: &Reason) -> bool {
    reason.code().starts_with("challenge")
}

/// Shares of movements that all count, and of ordered pairs that a login of this user can ask, with which what was seen
/// would be let in.
fn expected(template: &Template, seen: &Seen) -> [f64; 2] {
    let decoys = template.decoys();
    let accepts = |asked: &[Challenge]| matches!(session(template, asked, seen), Some(End::Verified(decision)) if decision.accept);
    let singles: Vec<bool> = Movement::ALL.iter().map(|&m| accepts(&[m.into()])).collect();
    let challenge = |movement: Movement| Challenge { movement, decoy: decoys.contains(movement) };
    let mut pairs = Vec::new();
    for (first, shown) in Movement::ALL.into_iter().zip(&singles) {
        for second in Movement::ALL.into_iter().filter(|&second| second != first) {
            let pair = [challenge(first), challenge(second)];
            if !pair.iter().all(|c| c.decoy) {
                // Who fails a first movement that counts fails both.
                pairs.push((*shown || pair[0].decoy) && accepts(&pair));
            }
        }
    }
    let share = |of: &[bool]| of.iter().filter(|accepted| **accepted).count() as f64 / of.len().max(1) as f64;
    [share(&singles), share(&pairs)]
}

fn judged(
    asked: Vec<&'static str>,
    end: Option<&End>,
    denied: Vec<String>,
    expected: Option<[f64; 2]>,
) -> Trial {
    let (accepted, outcome, reasons) = match end {
        Some(End::Verified(decision)) => {
            (decision.accept, decision.outcome.as_str(), codes(decision, |_| true))
        }
        Some(End::Failed { outcome, .. }) => (false, outcome.as_str(), Vec::new()),
        _ => (false, "unfinished", Vec::new()),
    };
    let seen = Vec::new();
    Trial { asked, accepted, outcome: outcome.to_owned(), denied, reasons, expected, seen }
}
