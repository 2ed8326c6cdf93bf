//! A camera that plays recordings in real time and does what its script says when an instruction appears.
//!
//! It behaves like a webcam: pictures come at their rate whether or not anybody takes them, a slow reader gets
//! the newest one only, time stamps are monotonic, and something is in view between the clips.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clip::Clip;
use super::damage::Damager;
use super::plan::Plan;
use super::rest::{Noise, there_and_back};
use super::script::{AtEnd, Fault, FaultKind, Script};
use crate::camera::{Camera, CameraError, CameraInfo, STALL_LIMIT};
use crate::clock::monotonic_us;
use crate::frame::Frame;

/// Pictures at a clip's start or end that show a person at rest: 0.3 s at 15 per second, before a movement starts.
const REST_FRAMES: usize = 5;

/// Plays clips as a camera would deliver them.
pub struct RecordedCamera {
    source: PathBuf,
    plan: Plan,
    fault: Option<(Fault, Option<u64>)>,
    damage: Option<Damager>,
    clock: Clock,
    at_end: AtEnd,
    noise: Noise,
    scene: Scene,
    /// Position in the scene of the next picture to hand out.
    next: u64,
    last_t_us: u64,
    sequence: u32,
    dropped: u64,
}

/// Whose time the pictures follow.
#[derive(Clone, Copy, Debug)]
enum Clock {
    Monotonic,
    /// Passes only where a reader waits.
    Own(u64),
}

/// What is in view.
#[derive(Clone, Copy, Debug)]
struct Scene {
    clip: usize,
    kind: SceneKind,
    /// Monotonic time of its first picture, microseconds.
    start_us: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum SceneKind {
    /// The clip from its start.
    Play,
    /// Pictures `from..from + count` there and back; `backward` starts with the last.
    Rest { from: usize, count: usize, backward: bool },
}

/// Logins that each recording has served in this process.
static TURNS: Mutex<Option<HashMap<PathBuf, usize>>> = Mutex::new(None);

impl RecordedCamera {
    /// Opens a script (`.toml`) or a single clip. Each opening is a login: it takes the next of several gestures.
    pub fn open(script_or_clip: &Path) -> Result<Self, CameraError> {
        let turn = {
            let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
            let next = turns.get_or_insert_default().entry(script_or_clip.to_owned()).or_default();
            std::mem::replace(next, next.wrapping_add(1))
        };
        Self::open_turn(script_or_clip, turn)
    }

    /// As [`Self::open`], for a caller that counts logins itself because every one runs in a process of its own.
    pub fn open_turn(script_or_clip: &Path, turn: usize) -> Result<Self, CameraError> {
        let is_script = script_or_clip.extension().is_some_and(|e| e == "toml") && !script_or_clip.is_dir();
        let script = if is_script { Script::read(script_or_clip)? } else { Script::of_clip(script_or_clip) };
        Self::with_script(script_or_clip, script, turn)
    }

    /// Opens every clip of a script, so that a sandbox that comes afterwards is in nobody's way.
    pub fn with_script(source: &Path, script: Script, turn: usize) -> Result<Self, CameraError> {
        Self::on_clock(source, script, turn, Clock::Monotonic)
    }

    /// As [`Self::with_script`], for readers that need no real time: a wait for a picture takes none, and no picture
    /// is dropped because its reader is slow.
    pub fn hurried(source: &Path, script: Script, turn: usize) -> Result<Self, CameraError> {
        Self::on_clock(source, script, turn, Clock::Own(monotonic_us()))
    }

    fn on_clock(source: &Path, script: Script, turn: usize, clock: Clock) -> Result<Self, CameraError> {
        if let Some(fault) = script.fault.as_ref().filter(|f| f.at_opening()) {
            return Err(failure(fault.kind, source));
        }
        let plan = Plan::open(&script, turn)?;
        let now = clock.now();
        let scene = first_scene(&plan, now);
        let fault = script.fault.map(|f| {
            let due = f.cue.is_none().then(|| due_after(now, &f));
            (f, due)
        });
        let damage = script.damage.map(Damager::new);
        let noise = Noise::new(script.seed ^ (turn as u64).rotate_left(32));
        let (source, at_end) = (source.to_owned(), script.at_end);
        let (next, last_t_us, sequence, dropped) = (0, 0, 0, 0);
        Ok(Self {
            source,
            plan,
            fault,
            damage,
            clock,
            at_end,
            noise,
            scene,
            next,
            last_t_us,
            sequence,
            dropped,
        })
    }

    /// Pictures that the reader was too slow for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn clip(&self) -> Result<&Clip, CameraError> {
        self.plan.clips.get(self.scene.clip).ok_or(CameraError::EndOfRecording)
    }

    /// Waits until `due`, at most `timeout` from `now`; false if that was too short.
    fn wait(&mut self, due: u64, timeout: Duration) -> bool {
        let wait = Duration::from_micros(due.saturating_sub(self.clock.now()));
        self.clock.sleep(wait.min(timeout));
        wait <= timeout
    }

    /// What the script lets go wrong by now.
    fn check_fault(&mut self, now: u64, timeout: Duration) -> Result<(), CameraError> {
        let Some((fault, Some(due))) = &self.fault else { return Ok(()) };
        if now < *due {
            return Ok(());
        }
        if fault.kind != FaultKind::Stall {
            return Err(failure(fault.kind, &self.source));
        }
        let due = *due;
        self.clock.sleep(timeout);
        let silent = Duration::from_micros(self.clock.now().saturating_sub(due));
        Err(if silent > STALL_LIMIT { CameraError::Stalled } else { CameraError::TimedOut })
    }

    /// Moves on to what follows when the clip is over at `now`.
    fn leave_finished_scene(&mut self, now: u64) -> Result<(), CameraError> {
        let (clip, start) = (self.clip()?, self.scene.start_us);
        let over = start + clip.duration_us();
        let all_shown = self.next >= clip.len() as u64;
        if self.scene.kind != SceneKind::Play || !(all_shown || now >= over) {
            return Ok(());
        }
        if self.at_end == AtEnd::End {
            return Err(CameraError::EndOfRecording);
        }
        let count = REST_FRAMES.min(clip.len());
        let kind = SceneKind::Rest { from: clip.len() - count, count, backward: true };
        let missed = (clip.len() as u64).saturating_sub(self.next);
        self.skip(missed);
        self.scene = Scene { kind, start_us: over, ..self.scene };
        self.next = 0;
        Ok(())
    }

    fn skip(&mut self, pictures: u64) {
        self.dropped += pictures;
        self.sequence = self.sequence.wrapping_add(pictures as u32);
    }

    /// Monotonic time at which picture `position` of the scene is taken.
    fn due(&self, position: u64) -> Result<u64, CameraError> {
        let clip = self.clip()?;
        Ok(self.scene.start_us
            + match self.scene.kind {
                SceneKind::Play => clip.time_us(position as usize),
                SceneKind::Rest { .. } => clip.layout.rate.time_us(position),
            })
    }

    /// The newest picture at `now`, or the next one if that was handed out.
    fn newest(&self, now: u64) -> Result<u64, CameraError> {
        let clip = self.clip()?;
        let elapsed = now.saturating_sub(self.scene.start_us);
        let newest = match self.scene.kind {
            SceneKind::Play => clip.index_at(elapsed) as u64,
            SceneKind::Rest { .. } => (elapsed as f64 / 1e6 * clip.fps()) as u64,
        };
        Ok(newest.max(self.next))
    }

    fn picture(&mut self, position: u64) -> Result<Frame, CameraError> {
        let clip = self.clip()?;
        match self.scene.kind {
            SceneKind::Play => Ok(clip.frame(position as usize)?),
            SceneKind::Rest { from, count, backward } => {
                let at = there_and_back(position, count);
                let frame = clip.frame(from + if backward { count - 1 - at } else { at })?;
                let path = clip.path().to_owned();
                Ok(self.noise.add(frame).map_err(|fault| super::ClipError { path, fault })?)
            }
        }
    }

    /// The next picture as the clip has it.
    fn undamaged(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        let now = self.clock.now();
        self.check_fault(now, timeout)?;
        self.leave_finished_scene(now)?;
        let position = self.newest(now)?;
        let due = self.due(position)?;
        if !self.wait(due, timeout) {
            return Err(CameraError::TimedOut);
        }
        self.skip(position - self.next);
        let mut frame = self.picture(position)?;
        self.next = position + 1;
        frame.t_us = due.max(self.last_t_us + 1);
        frame.sequence = self.sequence;
        self.last_t_us = frame.t_us;
        self.sequence = self.sequence.wrapping_add(1);
        Ok(frame)
    }

    fn arm(&mut self, code: &str) {
        let is_named = |cue: &str| cue == code || code.strip_prefix(cue).is_some_and(|r| r.starts_with(':'));
        if let Some((fault, due @ None)) = &mut self.fault
            && fault.cue.as_deref().is_some_and(is_named)
        {
            *due = Some(due_after(self.clock.now(), fault));
        }
        if let Some(damage) = &mut self.damage {
            damage.arm(is_named);
        }
    }
}

impl Camera for RecordedCamera {
    fn next_frame(&mut self, timeout: Duration) -> Result<Frame, CameraError> {
        loop {
            let frame = self.undamaged(timeout)?;
            let Some(damage) = &mut self.damage else { return Ok(frame) };
            if let Some(frame) = damage.pass(frame) {
                return Ok(frame);
            }
        }
    }

    fn describe(&self) -> CameraInfo {
        let name = self.source.file_name().unwrap_or_default().to_string_lossy();
        let shown = self.plan.clips.get(self.scene.clip).or(self.plan.clips.first());
        CameraInfo {
            name: format!("recording {name}"),
            source: self.source.display().to_string(),
            format: shown.map_or(crate::PixelFormat::Mjpg, Clip::format),
            width: shown.map_or(0, Clip::width),
            height: shown.map_or(0, Clip::height),
            fps: shown.map_or(0.0, Clip::fps),
            recorded: true,
            infrared: shown.is_some_and(|c| c.format() == crate::PixelFormat::Grey),
            virtual_device: false,
            driver: String::new(),
            bus: String::new(),
        }
    }

    fn cue(&mut self, code: &str) {
        self.arm(code);
        let Some(clip) = self.plan.answer(code) else { return };
        // On the running beat: a camera's pictures keep their distance whatever the person does.
        let period = self.plan.clips.get(self.scene.clip).map_or(0, |c| c.layout.rate.time_us(1));
        let start_us = if self.last_t_us == 0 { self.clock.now() } else { self.last_t_us + period };
        // A reader that has not looked for a while must not find the clip half over.
        let late = self.clock.now().saturating_sub(start_us);
        let beats = late.div_ceil(period.max(1));
        self.scene = Scene { clip, kind: SceneKind::Play, start_us: start_us + beats * period };
        self.next = 0;
    }
}

impl Clock {
    fn now(self) -> u64 {
        match self {
            Self::Monotonic => monotonic_us(),
            Self::Own(now) => now,
        }
    }

    fn sleep(&mut self, time: Duration) {
        match self {
            Self::Monotonic => std::thread::sleep(time),
            Self::Own(now) => *now += time.as_micros() as u64,
        }
    }
}

/// Somebody at rest.
fn first_scene(plan: &Plan, start_us: u64) -> Scene {
    let (clip, all_is_rest) = plan.first();
    let length = plan.clips.get(clip).map_or(0, Clip::len);
    let count = if all_is_rest { length } else { REST_FRAMES.min(length) };
    Scene { clip, kind: SceneKind::Rest { from: 0, count, backward: false }, start_us }
}

fn due_after(now_us: u64, fault: &Fault) -> u64 {
    now_us.saturating_add(fault.after_ms.saturating_mul(1000))
}

fn failure(kind: FaultKind, source: &Path) -> CameraError {
    match kind {
        FaultKind::Unplug => CameraError::Unplugged,
        FaultKind::Stall => CameraError::Stalled,
        FaultKind::Busy => CameraError::Busy { node: source.display().to_string() },
        FaultKind::Missing => CameraError::Missing { what: "the recording's script says so".to_owned() },
    }
}
