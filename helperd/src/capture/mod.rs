//! The daemon's side of the worker: a bounded, doubted stream of observations for one attempt.
//!
//! # Layout
//! - [`workers`]: starting, warming and ending worker processes

pub mod workers;

use std::sync::Arc;
use std::time::Duration;

use pose_contract::Outcome;
use pose_engine::landmarks::Observation;

use crate::attempt::{Attempt, Stop};
use crate::boottime::{BootTime, monotonic_us};
use crate::worker::channel::Received;
use crate::worker::wire::{Command, Event, Fault, Malformed, Start};
use workers::{Worker, Workers};

/// A frame's stamp may lie ahead of the clock by this much: drivers stamp the end of exposure differently.
const AHEAD_US: u64 = 100_000;
/// Least distance of two frames: no camera of this kind delivers more than 1000 pictures a second.
const SPACING_US: u64 = 1_000;
/// So many frames out of order are passed on to be judged.
const DISORDERED: u8 = 16;
/// Longest wait for a worker to load its models; the reading of 12 MB on a slow disk is included.
const LOAD_LIMIT: Duration = Duration::from_secs(15);
/// Longest wait for the camera: its first picture within the worker's own limit of 5 s, then its exposure (1.5 s).
const OPEN_LIMIT: Duration = Duration::from_secs(8);

/// Why no more observations come.
#[derive(Debug)]
pub enum Ended {
    /// The attempt was stopped.
    Stopped(Stop),
    /// The worker gave up; its text is for the journal and root.
    Fault(Fault, String),
}

impl Ended {
    /// The outcome to report.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Stopped(why) => why.outcome(),
            Self::Fault(Fault::CameraMissing, _) => Outcome::CameraMissing,
            Self::Fault(Fault::LidClosed, _) => Outcome::LidClosed,
            Self::Fault(Fault::CameraBusy, _) => Outcome::CameraBusy,
            Self::Fault(Fault::CameraFailed, _) => Outcome::CameraFailed,
            Self::Fault(Fault::Internal, _) => Outcome::Internal,
        }
    }

    /// What to write into the journal.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Stopped(why) => format!("stopped: {why:?}"),
            Self::Fault(_, text) => text.clone(),
        }
    }
}

/// A running camera. Dropping it ends the worker, and with it the camera's light.
pub struct Capture {
    worker: Worker,
    attempt: Arc<Attempt>,
    deadline: BootTime,
    start_us: u64,
    last_us: u64,
    /// Frames from before the one before that may still be shown.
    disordered_left: u8,
    /// Name of the camera, for the journal.
    pub camera: String,
}

impl Capture {
    /// Takes a worker and has it open the camera; frames count from now on.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn start(
        workers: &Workers,
        attempt: &Arc<Attempt>,
        start: Start,
        deadline: BootTime,
    ) -> Result<Self, Ended> {
        let worker = workers.take().map_err(internal)?;
        let mut capture = Self {
            worker,
            attempt: Arc::clone(attempt),
            deadline,
            start_us: 0,
            last_us: 0,
            disordered_left: DISORDERED,
            camera: String::new(),
        };
        capture.wait_ready()?;
        capture.send(&Command::Start(start))?;
        capture.start_us = monotonic_us();
        capture.last_us = capture.start_us;
        let limit = BootTime::now().after(OPEN_LIMIT);
        loop {
            match capture.event(OPEN_LIMIT)? {
                Some(Event::Opened(name)) => {
                    capture.camera = name;
                    return Ok(capture);
                }
                Some(other) => return Err(unexpected(&other)),
                None if limit.left().is_zero() => {
                    return Err(Ended::Fault(Fault::CameraFailed, "the camera did not open in time".into()));
                }
                None => {}
            }
        }
    }

    /// Tells the camera's script which instruction was shown; a real camera ignores it.
    ///
    /// # Errors
    /// [`Ended`] when the worker has gone.
    pub fn cue(&self, code: &str) -> Result<(), Ended> {
        self.send(&Command::Cue(code.to_owned()))
    }

    /// The next observation, or `None` after `wait` without one.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn next(&mut self, wait: Duration) -> Result<Option<Observation>, Ended> {
        match self.event(wait)? {
            None => Ok(None),
            Some(Event::Report(observation)) if self.is_next(observation.t_us)? => Ok(Some(*observation)),
            Some(Event::Report(_)) => Ok(None),
            Some(other) => Err(unexpected(&other)),
        }
    }

    fn wait_ready(&mut self) -> Result<(), Ended> {
        let limit = BootTime::now().after(LOAD_LIMIT);
        loop {
            match self.event(LOAD_LIMIT)? {
                Some(Event::Ready) => return Ok(()),
                Some(other) => return Err(unexpected(&other)),
                None if limit.left().is_zero() => {
                    return Err(internal("the worker did not load its models in time"));
                }
                None => {}
            }
        }
    }

    /// Whether a frame is to be judged. Frames from before the start are a stale buffer. None may come from the future.
    /// Frames that go back in time after that are a driver's or an attacker's: the session sees the first few and
    /// refuses; more would only cost time.
    fn is_next(&mut self, t_us: u64) -> Result<bool, Ended> {
        if t_us > monotonic_us().saturating_add(AHEAD_US) {
            return Err(internal(Malformed("time stamp from the future")));
        }
        if t_us <= self.start_us {
            return Ok(false);
        }
        if t_us <= self.last_us {
            let left = self.disordered_left;
            self.disordered_left = left.saturating_sub(1);
            return Ok(left > 0);
        }
        let next = t_us >= self.last_us.saturating_add(SPACING_US);
        if next {
            self.last_us = t_us;
        }
        Ok(next)
    }

    fn send(&self, command: &Command) -> Result<(), Ended> {
        self.worker
            .channel
            .send(&command.encode(), true)
            .map_err(|error| internal(format!("worker: {error}")))
    }

    /// One message, `None` after the wait; the attempt's stop and deadline come first.
    fn event(&mut self, wait: Duration) -> Result<Option<Event>, Ended> {
        if let Some(why) = self.attempt.stopped() {
            return Err(Ended::Stopped(why));
        }
        let left = self.deadline.left();
        if left.is_zero() {
            return Err(Ended::Stopped(Stop::Deadline));
        }
        match self.worker.channel.receive(Some(self.attempt.wake_fd()), wait.min(left)).map_err(internal)? {
            Received::Nothing => Ok(None),
            Received::Woken => Err(Ended::Stopped(self.attempt.stopped().unwrap_or(Stop::Cancelled))),
            Received::Closed => Err(internal(format!("the worker ended by itself: {}", self.worker.end()))),
            Received::Message(bytes) => match Event::decode(&bytes).map_err(internal)? {
                Event::Failed(fault, text) => Err(Ended::Fault(fault, text)),
                event => Ok(Some(event)),
            },
        }
    }
}

fn internal(cause: impl std::fmt::Display) -> Ended {
    Ended::Fault(Fault::Internal, cause.to_string())
}

fn unexpected(event: &Event) -> Ended {
    let kind = match event {
        Event::Ready => "ready",
        Event::Opened(_) => "opened",
        Event::Report(_) => "report",
        Event::Failed(..) => "failed",
    };
    internal(format!("the worker said \"{kind}\" out of turn"))
}
