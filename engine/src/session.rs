//! The live state machine of one attempt: pictures and ticks in, instructions and an end out.
//!
//! Pure: all time is in the data, so a recording replays exactly. A verification asks for the gesture, takes it
//! for over when movement is followed by rest, then asks for the challenges one after another. Which instruction
//! comes when depends neither on whether the gesture matched nor on which challenges count: a missed challenge is
//! followed by the next like any other, and the verdict comes after the last. Whoever sits turned or tilted against the
//! enrolment is told once and asked again before anything is judged ([`crate::framing`]); the second gesture is judged,
//! however they sit then.

use pose_contract::{Outcome, instruction};

use crate::challenge::{self, Challenge, ChallengeReason, ChallengeResult, Movement, ResponseWindow, Rest};
use crate::decide::{Decision, Evidence, decide};
use crate::enrol::{self, Enrolment, Refusal};
use crate::gesture::{Watch, within};
use crate::landmarks::Observation;
use crate::liveness::{Bodies, Ledger};
use crate::matching;
use crate::sequence::Sequence;
use crate::template::Template;
use crate::{framing, live, liveness};

mod view;

pub use view::unjudgeable;

/// No phase keeps more pictures than this.
const MAX_OBSERVATIONS: usize = 4096;
/// A plate that moved for this long without a rest was moved, microseconds.
const PLATE_US: u64 = 3_000_000;
/// Time to read that one has to turn, and to do it, microseconds. It does not depend on how one sits then, or it would
/// tell where the right place is.
const REFRAME_US: u64 = 2_500_000;
/// Recordings that an enrolment may ask for again, beyond the repetitions themselves.
const MAX_AGAIN: u8 = 6;

/// Time limits of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the gesture's instruction to its end, microseconds.
    pub gesture_us: u64,
    /// How long nobody may be in view before the person is told to come, microseconds.
    pub empty_us: u64,
    /// When a challenge movement counts.
    pub challenge: ResponseWindow,
    /// How many challenges must be asked; more than were given refuses. Whoever asks none must say so.
    pub challenges_required: usize,
    /// Whether challenges are left out because nobody could see them: the gesture then has to fit better.
    pub unchallenged: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            gesture_us: 8_000_000,
            empty_us: 1_500_000,
            challenge: ResponseWindow::default(),
            challenges_required: 2,
            unchallenged: false,
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Show this to the person.
    Instruct {
        /// Stable code, of [`pose_contract::instruction`].
        code: String,
        /// One short line.
        text: String,
        /// Enrolment: which repetition, of how many.
        repetition: Option<(u8, u8)>,
    },
    /// The session is over.
    Finished(End),
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Everything was shown, or a challenge was missed: judged.
    Verified(Decision),
    /// The gesture is enrolled.
    Enrolled {
        /// What to store.
        enrolment: Enrolment,
    },
    /// Nothing was judged, or the enrolment was refused.
    Failed {
        /// Why.
        outcome: Outcome,
        /// What to do, for people.
        text: String,
    },
}

/// One attempt.
#[derive(Debug)]
pub struct Session {
    kind: Kind,
    limits: Limits,
    phase: Phase,
    now_us: u64,
    asked_at_us: u64,
    observations: Vec<Observation>,
    watch: Watch,
    told_to_come: bool,
    told_to_reframe: bool,
    /// Every picture, across instructions.
    ledger: Ledger,
    /// Every body, across instructions.
    bodies: Bodies,
}

#[derive(Debug)]
enum Kind {
    Verify(Verification),
    Enrol { repetitions: u8, recordings: Vec<Sequence>, again: u8, redo: Option<usize> },
}

#[derive(Debug)]
struct Verification {
    templates: Vec<Template>,
    challenges: Vec<Challenge>,
    results: Vec<ChallengeResult>,
    gesture: Option<(matching::MatchScore, liveness::Liveness)>,
    /// The gesture's landmarks.
    movement: Option<Sequence>,
    /// How the body rested while the gesture was awaited; challenges are judged against it.
    rest: Option<Rest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Gesture,
    /// The person turns to the camera; nothing is looked at.
    Reframe,
    Challenge(Challenge),
    Over,
}

impl Phase {
    fn leans(self) -> bool {
        matches!(self, Self::Challenge(asked) if asked.movement.leans())
    }
}

impl Session {
    /// A login. `challenges` are asked in this order, after the gesture, and all count.
    #[must_use]
    pub fn verify(
        templates: Vec<Template>,
        challenges: Vec<Movement>,
        limits: Limits,
        start_us: u64,
    ) -> Self {
        let challenges = challenges.into_iter().map(Challenge::from).collect();
        Self::verify_among_decoys(templates, challenges, limits, start_us)
    }

    /// A login some of whose challenges may be decoys, see [`challenge::draw`].
    #[must_use]
    pub fn verify_among_decoys(
        templates: Vec<Template>,
        challenges: Vec<Challenge>,
        limits: Limits,
        start_us: u64,
    ) -> Self {
        let kind = Verification {
            templates,
            challenges,
            results: Vec::new(),
            gesture: None,
            movement: None,
            rest: None,
        };
        Self::new(Kind::Verify(kind), limits, start_us)
    }

    /// An enrolment of `repetitions` recordings.
    #[must_use]
    pub fn enrol(repetitions: u8, limits: Limits, start_us: u64) -> Self {
        let kind = Kind::Enrol { repetitions, recordings: Vec::new(), again: 0, redo: None };
        Self::new(kind, limits, start_us)
    }

    fn new(kind: Kind, limits: Limits, start_us: u64) -> Self {
        Self {
            kind,
            limits,
            phase: Phase::Gesture,
            now_us: start_us,
            asked_at_us: start_us,
            observations: Vec::new(),
            watch: Watch::default(),
            told_to_come: false,
            told_to_reframe: false,
            ledger: Ledger::default(),
            bodies: Bodies::default(),
        }
    }

    /// The first instruction.
    pub fn begin(&mut self) -> Step {
        self.ask_gesture()
    }

    /// Takes one picture in. Pictures taken before the current instruction are ignored.
    pub fn observe(&mut self, observation: &Observation) -> Option<Step> {
        let t = observation.t_us;
        if self.phase == Phase::Over {
            return None;
        }
        self.ledger.add(observation);
        self.bodies.add(observation);
        if t < self.asked_at_us {
            return None;
        }
        self.now_us = self.now_us.max(t);
        if self.observations.len() < MAX_OBSERVATIONS {
            self.observations.push(observation.clone());
        }
        match self.phase {
            Phase::Gesture => self.observe_gesture(observation),
            Phase::Reframe => self.check_reframed(),
            Phase::Challenge(challenge) => self.observe_challenge(challenge, t),
            Phase::Over => None,
        }
    }

    /// Lets time pass without a picture.
    pub fn tick(&mut self, now_us: u64) -> Option<Step> {
        self.now_us = self.now_us.max(now_us);
        match self.phase {
            Phase::Gesture => self.check_gesture_time(),
            Phase::Reframe => self.check_reframed(),
            Phase::Challenge(challenge) => self.observe_challenge(challenge, self.now_us),
            Phase::Over => None,
        }
    }

    /// The gesture of a login, once it is over.
    #[must_use]
    pub fn gesture(&self) -> Option<&Sequence> {
        match &self.kind {
            Kind::Verify(verification) => verification.movement.as_ref(),
            Kind::Enrol { .. } => None,
        }
    }

    fn observe_gesture(&mut self, observation: &Observation) -> Option<Step> {
        if self.told_to_come && view::is_back(&self.observations) {
            self.told_to_come = false;
            return Some(self.ask_gesture());
        }
        if view::several_people(&self.observations) {
            return Some(self.fail(Outcome::SeveralPeople));
        }
        if self.watch.observe(observation) {
            return Some(self.gesture_over());
        }
        self.check_gesture_time()
    }

    fn check_gesture_time(&mut self) -> Option<Step> {
        let elapsed = self.now_us.saturating_sub(self.asked_at_us);
        if elapsed >= self.limits.gesture_us {
            if self.is_moved_plate() {
                return Some(self.judge_unfinished());
            }
            let outcome = view::why_nothing(&self.observations);
            return Some(self.fail(outcome));
        }
        if !self.told_to_come && elapsed >= self.limits.empty_us && view::nobody_yet(&self.observations) {
            self.told_to_come = true;
            self.ledger.instructed(false);
            let text = "Come into view of the camera: head, shoulders and both arms".to_owned();
            return Some(Step::Instruct {
                code: instruction::COME_INTO_VIEW.to_owned(),
                text,
                repetition: None,
            });
        }
        None
    }

    /// Whether something moved on and on without ever resting, but as one plate: a print in a hand. A person who was
    /// only too slow bends an arm.
    fn is_moved_plate(&self) -> bool {
        matches!(self.kind, Kind::Verify(_))
            && self.watch.moved_us() >= PLATE_US
            && liveness::motion_of(&Sequence::from_observations(&self.observations)).is_plate()
    }

    /// The verdict on a gesture that never ended: no challenge was asked, so it cannot be a success.
    fn judge_unfinished(&mut self) -> Step {
        let Kind::Verify(v) = &mut self.kind else { return self.fail(Outcome::Internal) };
        let score = matching::verify_any(&v.templates, &Sequence::from_observations(&self.observations));
        v.gesture = Some((score, liveness::assess(&self.observations)));
        self.verdict()
    }

    fn gesture_over(&mut self) -> Step {
        let span = self.watch.span_us();
        let sequence = Sequence::from_observations(within(&self.observations, &span));
        if let Some(step) = self.reframe(&sequence) {
            return step;
        }
        let gesture = within(&self.observations, &span);
        match &mut self.kind {
            Kind::Verify(verification) => {
                let score = live::verify_any(&verification.templates, &sequence);
                verification.gesture = Some((score, liveness::assess(gesture)));
                verification.movement = Some(sequence);
                verification.rest = Rest::of(&Sequence::from_observations(&self.observations));
                self.bodies.gesture(span, self.now_us);
                self.next_challenge()
            }
            Kind::Enrol { .. } => self.recording_over(sequence),
        }
    }

    /// Tells a person who is off against the enrolment, once.
    fn reframe(&mut self, gesture: &Sequence) -> Option<Step> {
        let Kind::Verify(verification) = &self.kind else { return None };
        if self.told_to_reframe {
            return None;
        }
        let off = framing::off(&verification.templates, gesture)?;
        self.told_to_reframe = true;
        self.restart(Phase::Reframe);
        let (code, text) = (instruction::REFRAME.to_owned(), off.advice().to_owned());
        Some(Step::Instruct { code, text, repetition: None })
    }

    fn check_reframed(&mut self) -> Option<Step> {
        let over = self.now_us.saturating_sub(self.asked_at_us) >= REFRAME_US;
        over.then(|| self.ask_gesture())
    }

    fn next_challenge(&mut self) -> Step {
        let Kind::Verify(verification) = &self.kind else { return self.fail(Outcome::Internal) };
        let asked = verification.results.len();
        match verification.challenges.get(asked).copied() {
            Some(challenge) => {
                let movement = challenge.movement;
                self.restart(Phase::Challenge(challenge));
                let code = format!("{}{}", instruction::CHALLENGE_PREFIX, movement.name());
                Step::Instruct { code, text: movement.instruction().to_owned(), repetition: None }
            }
            None => self.verdict(),
        }
    }

    fn observe_challenge(&mut self, asked: Challenge, now_us: u64) -> Option<Step> {
        if view::several_people(&self.observations) {
            return Some(self.fail(Outcome::SeveralPeople));
        }
        let window = &self.limits.challenge;
        let Kind::Verify(verification) = &self.kind else { return Some(self.fail(Outcome::Internal)) };
        let rest = verification.rest.as_ref();
        let result = challenge::judge(asked.movement, &self.observations, rest, self.asked_at_us, window);
        let overdue = now_us.saturating_sub(self.asked_at_us) > window.limit_us;
        let missed = overdue || matches!(result.why, ChallengeReason::AnotherMovement(_));
        if !result.shown && !missed {
            return None;
        }
        if let Some(set_out_us) = result.set_out_at_us {
            self.bodies.set_out(self.asked_at_us, set_out_us);
        }
        let mut result = ChallengeResult { decoy: asked.decoy, ..result };
        // A frozen or disordered stream cannot show anything.
        if !self.ledger.denials().is_empty() {
            result = ChallengeResult {
                shown: false,
                set_out_at_us: None,
                completed_at_us: None,
                why: ChallengeReason::BrokenStream,
                ..result
            };
        }
        if let Kind::Verify(verification) = &mut self.kind {
            verification.results.push(result);
        }
        Some(self.next_challenge())
    }

    fn verdict(&mut self) -> Step {
        self.phase = Phase::Over;
        let Kind::Verify(v) = &self.kind else { return self.fail(Outcome::Internal) };
        let Some((matching, mut liveness)) = v.gesture.clone() else { return self.fail(Outcome::Internal) };
        liveness.deny(self.ledger.denials());
        liveness.deny(self.bodies.denials());
        let evidence = Evidence {
            matching,
            liveness,
            challenges: v.results.clone(),
            challenges_required: self.limits.challenges_required.max(v.challenges.len()),
            unchallenged: self.limits.unchallenged,
        };
        Step::Finished(End::Verified(decide(&evidence)))
    }

    fn recording_over(&mut self, sequence: Sequence) -> Step {
        let refused = enrol::check_recording(&sequence).err();
        let Kind::Enrol { repetitions, recordings, redo, .. } = &mut self.kind else {
            return self.fail(Outcome::Internal);
        };
        if let Some(refusal) = refused {
            return self.again(&refusal);
        }
        match redo.take().and_then(|i| recordings.get_mut(i)) {
            Some(slot) => *slot = sequence,
            None => recordings.push(sequence),
        }
        let enough = recordings.len() >= usize::from(*repetitions);
        let refused = if enough {
            enrol::enrol(recordings).map(Some)
        } else {
            enrol::check_so_far(recordings).map(|()| None)
        };
        match refused {
            Ok(None) => self.ask_gesture(),
            Ok(Some(enrolment)) => {
                self.phase = Phase::Over;
                Step::Finished(End::Enrolled { enrolment })
            }
            Err(refusal) => self.mend(&refusal),
        }
    }

    /// Asks again for what one more recording can mend: the odd one, or another gesture while only one is there.
    fn mend(&mut self, refusal: &Refusal) -> Step {
        let Kind::Enrol { recordings, redo, .. } = &mut self.kind else {
            return self.fail(Outcome::Internal);
        };
        match refusal {
            Refusal::Outlier { recording } => {
                *redo = recording.checked_sub(1);
                self.again(refusal)
            }
            Refusal::TooCommon { .. } if recordings.len() == 1 => {
                recordings.clear();
                self.again(refusal)
            }
            _ => self.refuse(refusal),
        }
    }

    /// Asks for a recording again, a bounded number of times.
    fn again(&mut self, refusal: &Refusal) -> Step {
        let Kind::Enrol { again, .. } = &mut self.kind else { return self.fail(Outcome::Internal) };
        *again += 1;
        if *again > MAX_AGAIN {
            return self.refuse(refusal);
        }
        let repetition = self.repetition();
        self.restart(Phase::Gesture);
        Step::Instruct { code: instruction::ENROL_AGAIN.to_owned(), text: capitalised(refusal), repetition }
    }

    fn refuse(&mut self, refusal: &Refusal) -> Step {
        self.phase = Phase::Over;
        Step::Finished(End::Failed { outcome: Outcome::EnrolmentRefused, text: capitalised(refusal) })
    }

    fn fail(&mut self, outcome: Outcome) -> Step {
        self.phase = Phase::Over;
        Step::Finished(End::Failed { outcome, text: view::advice(outcome).to_owned() })
    }

    fn ask_gesture(&mut self) -> Step {
        self.restart(Phase::Gesture);
        let repetition = self.repetition();
        let (code, text) = match repetition {
            None => (instruction::GESTURE, "Do your gesture now".to_owned()),
            Some((i, n)) => (instruction::ENROL_GESTURE, format!("Do your gesture now ({i} of {n})")),
        };
        Step::Instruct { code: code.to_owned(), text, repetition }
    }

    /// Which enrolment repetition is asked for, counted from 1.
    fn repetition(&self) -> Option<(u8, u8)> {
        match &self.kind {
            Kind::Verify(_) => None,
            Kind::Enrol { repetitions, recordings, redo, .. } => {
                let index = redo.unwrap_or(recordings.len());
                Some((u8::try_from(index + 1).unwrap_or(u8::MAX), *repetitions))
            }
        }
    }

    fn restart(&mut self, phase: Phase) {
        let before = std::mem::replace(&mut self.phase, phase);
        self.asked_at_us = self.now_us.saturating_add(1);
        // From a lean one comes back.
        let trunk_rests = matches!(phase, Phase::Challenge(_)) && !before.leans() && !phase.leans();
        self.ledger.instructed(trunk_rests);
        self.bodies.instructed(trunk_rests);
        self.observations.clear();
        self.watch = Watch::default();
    }
}

fn capitalised(refusal: &Refusal) -> String {
    let text = refusal.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
}
