//! A session on the camera: seat, worker, instructions and observations, until the session or something else ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pose_contract::{Outcome, instruction, kind};
use pose_engine::landmarks::Observation;
use pose_engine::sequence::Sequence;
use pose_engine::session::{End, Session, Step};

use super::Work;
use super::verdict::Verdict;
use crate::attempt::seat::NotSeated;
use crate::attempt::{BusEvent, Stop, detail};
use crate::boottime::{BootTime, monotonic_us};
use crate::capture::{Capture, Ended};

/// Longest wait for the camera while another attempt has it.
const SEAT_LIMIT: Duration = Duration::from_secs(3);
/// How often time passes for the session when no picture comes.
const TICK: Duration = Duration::from_millis(50);

/// What a session ended with.
pub(super) struct Watched {
    /// The session's own end.
    pub(super) end: End,
    /// The gesture's landmarks, exactly: input of the digest by which a repeated stream is known.
    pub(super) stream: Vec<u8>,
    /// A login's gesture.
    pub(super) gesture: Option<Sequence>,
}

impl Work<'_> {
    /// Runs a session within `limit`; `turn` is the login's number, for scripts. `before` is called before each instruction is shown.
    ///
    /// # Errors
    /// The verdict of an attempt that ended before its session did.
    pub(super) fn watch(
        &self,
        turn: u32,
        limit: Duration,
        session: impl FnOnce(u64) -> Session,
        mut before: impl FnMut(&str) -> Result<(), Verdict>,
    ) -> Result<Watched, Verdict> {
        let deadline = BootTime::now().after(limit);
        let _seated =
            self.daemon.seat.take(self.attempt, SEAT_LIMIT.min(limit)).map_err(|why| match why {
                NotSeated::Busy => Verdict::of(Outcome::Busy, "another attempt kept the camera"),
                NotSeated::Stopped(why) => Verdict::stopped(why),
            })?;
        if self.attempt.away.load(Ordering::Acquire) {
            return Err(Verdict::stopped(Stop::Away));
        }
        // Dropped before the seat: the camera is free before the next one gets it.
        let mut capture = self.open(turn, deadline)?;
        let mut session = session(monotonic_us());
        let mut stream = Stream::default();
        let start = BootTime::now();
        let mut seen = false;
        let mut step = Some(session.begin());
        let shown = Shown(self);
        loop {
            match step {
                Some(Step::Finished(end)) => {
                    let seconds = start.elapsed().as_secs_f32();
                    tracing::debug!(seconds, pictures = stream.pictures, "captured");
                    let gesture = session.gesture().cloned();
                    return Ok(Watched { end, stream: stream.bytes, gesture });
                }
                Some(Step::Instruct { code, text, repetition }) => {
                    before(&code)?;
                    stream.instructed(&code);
                    shown.also(&code, &text);
                    self.attempt.tell(instruct(&code, text, repetition));
                    capture.cue(&code).map_err(ended)?;
                }
                None => {}
            }
            step = match capture.next(TICK).map_err(ended)? {
                Some(observation) => {
                    if !seen && observation.pose.is_some() {
                        seen = true;
                        tracing::debug!(landmarks_us = monotonic_us(), "somebody is seen");
                    }
                    stream.add(&observation);
                    session.observe(&observation)
                }
                None => session.tick(monotonic_us()),
            };
        }
    }
}

impl Work<'_> {
    fn open(&self, turn: u32, deadline: BootTime) -> Result<Capture, Verdict> {
        let start = self.daemon.start_of(turn, self.attempt.lid_closed.load(Ordering::Acquire));
        match Capture::start(&self.daemon.workers, self.attempt, start, deadline) {
            Ok(capture) => {
                self.daemon.note_camera(&capture.camera, "ok");
                Ok(capture)
            }
            Err(why) => {
                if let Ended::Fault(_, text) = &why {
                    self.daemon.note_camera("", text);
                }
                Err(ended(why))
            }
        }
    }
}

/// What onlookers are shown; taken back at the end, whatever it is.
struct Shown<'a>(&'a Work<'a>);

impl Shown<'_> {
    fn also(&self, code: &str, text: &str) {
        if let Some(owner) = self.0.attempt.owner() {
            self.0.daemon.onlookers.tell(owner, code, text);
        }
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.also("", "");
    }
}

fn ended(why: Ended) -> Verdict {
    let (outcome, reason) = (why.outcome(), why.text());
    if !matches!(why, Ended::Stopped(Stop::Cancelled | Stop::Vanished)) {
        tracing::warn!(outcome = outcome.as_str(), reason, "capture ended early");
    }
    Verdict::of(outcome, reason)
}

fn instruct(code: &str, text: String, repetition: Option<(u8, u8)>) -> BusEvent {
    let numbers = repetition.map(|(this, of)| [("repetition", this), ("repetitions", of)]);
    let details = numbers
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.to_owned(), detail(u32::from(value))))
        .collect();
    BusEvent { kind: kind::INSTRUCTION, code: code.to_owned(), text, details }
}

/// Collects the gesture's landmarks bit by bit.
#[derive(Default)]
struct Stream {
    bytes: Vec<u8>,
    pictures: u32,
    closed: bool,
}

impl Stream {
    /// Most bytes kept: 30 s at 60 pictures a second.
    const LONGEST: usize = 30 * 60 * 33 * 8;

    fn instructed(&mut self, code: &str) {
        if code == instruction::GESTURE {
            self.bytes.clear();
        }
        self.closed |= code.starts_with(instruction::CHALLENGE_PREFIX);
    }

    fn add(&mut self, observation: &Observation) {
        self.pictures = self.pictures.saturating_add(1);
        if self.closed || self.bytes.len() >= Self::LONGEST {
            return;
        }
        for landmark in observation.pose.iter().flat_map(|pose| &pose.landmarks) {
            self.bytes.extend_from_slice(&landmark.x.to_le_bytes());
            self.bytes.extend_from_slice(&landmark.y.to_le_bytes());
        }
    }
}
