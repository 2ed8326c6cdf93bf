//! The worker's messages: fixed sizes, little-endian, and on the parent's side believed only within bounds.
//!
//! One `SOCK_SEQPACKET` packet is one message: a kind byte and its body. The parent treats the worker as hostile,
//! because it decodes pictures; the worker trusts the parent.

use pose_camera::v4l2::LockedTimes;
use pose_camera::v4l2::locked::MOST_SPANS;
use pose_engine::landmarks::{LANDMARK_COUNT, Landmark, Observation, PictureStats, Pose};

/// Longest message in either direction, bytes.
pub const MAX_MESSAGE: usize = 4096;
/// Longest text in a message, bytes.
pub const MAX_TEXT: usize = 200;
/// Size of one report's body, bytes.
pub const REPORT_SIZE: usize = 8 + 4 + 2 + 2 + 1 + 1 + 3 * 4 + 8 + LANDMARK_COUNT * (5 + 3) * 4 + 4;

/// Positions in the picture lie within this many picture widths or heights of the origin: the landmark model's
/// region can reach beyond the picture, but not by more than a few pictures.
const MAX_POSITION: f32 = 16.0;
/// World landmarks lie within this many metres of the hips.
const MAX_WORLD: f32 = 10.0;
/// Widest or highest picture, pixels (the largest that UVC cameras deliver is 8K).
const MAX_SIDE: u16 = 8192;

/// What the parent says to the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open the camera and deliver reports.
    Start(Start),
    /// Open the camera ahead of such a start, deliver nothing, and close it again after a while without one.
    Prepare(Start),
    /// Close a camera that was opened ahead.
    Rest,
    /// An instruction with this code was shown.
    Cue(String),
}

/// How the camera is to be opened for one login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// The login's number: it picks among a script's clips.
    pub turn: u32,
    /// The lid is closed: built-in cameras see nothing.
    pub lid_closed: bool,
    /// When a plugged-in camera must not have come.
    pub locked: LockedTimes,
}

/// What the worker says to the parent.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The models are loaded and the system-call filter is on.
    Ready,
    /// The camera delivers pictures whose exposure has settled; its name.
    Opened(String),
    /// One frame's landmarks.
    Report(Box<Observation>),
    /// Nothing more will come.
    Failed(Fault, String),
}

/// Why a worker gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No camera is there, or none that may be opened.
    CameraMissing,
    /// The lid over the camera is closed.
    LidClosed,
    /// Another program holds the camera.
    CameraBusy,
    /// The camera stopped delivering pictures.
    CameraFailed,
    /// Models, runtime or the worker itself.
    Internal,
}

/// A message that does not follow the format or whose numbers cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the worker sent a malformed message ({}); see the journal around this time", self.0)
    }
}

impl std::error::Error for Malformed {}

const START: u8 = 1;
const CUE: u8 = 2;
const PREPARE: u8 = 3;
const REST: u8 = 4;
const READY: u8 = 16;
const OPENED: u8 = 17;
const REPORT: u8 = 18;
const FAILED: u8 = 19;

impl Command {
    /// The message's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Start(start) => start.encode(START),
            Self::Prepare(start) => start.encode(PREPARE),
            Self::Rest => vec![REST],
            Self::Cue(code) => with_text(&[CUE], code),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`Malformed`] for anything that [`Command::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        match bytes.split_first() {
            Some((&START, rest)) => Ok(Self::Start(Start::decode(rest)?)),
            Some((&PREPARE, rest)) => Ok(Self::Prepare(Start::decode(rest)?)),
            Some((&REST, &[])) => Ok(Self::Rest),
            Some((&CUE, text)) => Ok(Self::Cue(text_of(text)?)),
            _ => Err(Malformed("unknown command")),
        }
    }
}

impl Start {
    fn encode(self, kind: u8) -> Vec<u8> {
        let mut bytes = vec![kind, u8::from(self.lid_closed)];
        bytes.extend_from_slice(&self.turn.to_le_bytes());
        bytes.extend(self.locked.spans().flatten().flat_map(u64::to_le_bytes));
        bytes
    }

    fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let [lid @ (0 | 1), a, b, c, d, spans @ ..] = body else {
            return Err(Malformed("start of the wrong form"));
        };
        let (numbers, rest) = spans.as_chunks::<8>();
        let (spans, odd) = numbers.as_chunks::<2>();
        if !rest.is_empty() || !odd.is_empty() || spans.len() > MOST_SPANS {
            return Err(Malformed("start of the wrong form"));
        }
        let spans: Vec<_> = spans.iter().map(|span| span.map(u64::from_le_bytes)).collect();
        Ok(Self {
            turn: u32::from_le_bytes([*a, *b, *c, *d]),
            lid_closed: *lid == 1,
            locked: LockedTimes::of(&spans),
        })
    }
}

impl Event {
    /// The message's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ready => vec![READY],
            Self::Opened(name) => with_text(&[OPENED], name),
            Self::Report(observation) => {
                let mut bytes = Vec::with_capacity(1 + REPORT_SIZE);
                bytes.push(REPORT);
                write_report(&mut bytes, observation);
                bytes
            }
            Self::Failed(fault, text) => with_text(&[FAILED, fault.number()], text),
        }
    }

    /// Reads a message as if its sender were hostile.
    ///
    /// # Errors
    /// [`Malformed`] for unknown kinds, wrong sizes, and numbers that are not finite or not possible.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        match bytes.split_first() {
            Some((&READY, [])) => Ok(Self::Ready),
            Some((&OPENED, text)) => Ok(Self::Opened(text_of(text)?)),
            Some((&REPORT, body)) => Ok(Self::Report(Box::new(read_report(body)?))),
            Some((&FAILED, [number, text @ ..])) => {
                let fault = Fault::from_number(*number).ok_or(Malformed("unknown fault"))?;
                Ok(Self::Failed(fault, text_of(text)?))
            }
            _ => Err(Malformed("unknown event")),
        }
    }
}

impl Fault {
    const ALL: [Self; 5] =
        [Self::CameraMissing, Self::LidClosed, Self::CameraBusy, Self::CameraFailed, Self::Internal];

    fn number(self) -> u8 {
        self as u8
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.number() == number)
    }
}

fn with_text(head: &[u8], text: &str) -> Vec<u8> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut bytes = head.to_vec();
    bytes.extend_from_slice(text.get(..end).unwrap_or_default().as_bytes());
    bytes
}

/// Text for the journal and for people: bounded, UTF-8, control characters replaced.
fn text_of(bytes: &[u8]) -> Result<String, Malformed> {
    if bytes.len() > MAX_TEXT {
        return Err(Malformed("text too long"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed("text is not UTF-8"))?;
    Ok(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}

fn write_report(out: &mut Vec<u8>, observation: &Observation) {
    let start = out.len();
    let stats = &observation.stats;
    out.extend_from_slice(&observation.t_us.to_le_bytes());
    out.extend_from_slice(&observation.sequence.to_le_bytes());
    out.extend_from_slice(&observation.width.to_le_bytes());
    out.extend_from_slice(&observation.height.to_le_bytes());
    out.push(observation.people);
    out.push(u8::from(observation.pose.is_some()));
    for value in [stats.luma_mean, stats.clipped, stats.sharpness] {
        out.extend_from_slice(&value.to_le_bytes());
    }
    out.extend_from_slice(&stats.digest.to_le_bytes());
    if let Some(pose) = &observation.pose {
        for l in &pose.landmarks {
            for value in [l.x, l.y, l.z, l.visibility, l.presence] {
                out.extend_from_slice(&value.to_le_bytes());
            }
        }
        for value in pose.world.iter().flatten().chain([&pose.score]) {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
    out.resize(start + REPORT_SIZE, 0);
}

fn read_report(body: &[u8]) -> Result<Observation, Malformed> {
    if body.len() != REPORT_SIZE {
        return Err(Malformed("report of the wrong size"));
    }
    let mut input = Input(body);
    let t_us = input.u64()?;
    let sequence = input.u32()?;
    let (width, height) = (input.u16()?, input.u16()?);
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(Malformed("picture size out of bounds"));
    }
    let people = input.u8()?;
    let has_pose = match input.u8()? {
        0 => false,
        1 => true,
        _ => return Err(Malformed("flag out of bounds")),
    };
    let stats = PictureStats {
        luma_mean: input.f32_within(0.0, 1.0)?,
        clipped: input.f32_within(0.0, 1.0)?,
        sharpness: input.f32_within(0.0, 1.0)?,
        digest: input.u64()?,
    };
    let pose = if has_pose { Some(read_pose(&mut input)?) } else { None };
    Ok(Observation { t_us, sequence, width, height, pose, people, stats })
}

fn read_pose(input: &mut Input<'_>) -> Result<Pose, Malformed> {
    let mut landmarks = [Landmark::default(); LANDMARK_COUNT];
    for landmark in &mut landmarks {
        *landmark = Landmark {
            x: input.f32_within(-MAX_POSITION, MAX_POSITION)?,
            y: input.f32_within(-MAX_POSITION, MAX_POSITION)?,
            z: input.f32_within(-MAX_POSITION, MAX_POSITION)?,
            visibility: input.f32_within(0.0, 1.0)?,
            presence: input.f32_within(0.0, 1.0)?,
        };
    }
    let mut world = [[0.0; 3]; LANDMARK_COUNT];
    for value in world.iter_mut().flatten() {
        *value = input.f32_within(-MAX_WORLD, MAX_WORLD)?;
    }
    Ok(Pose { landmarks, world, score: input.f32_within(0.0, 1.0)? })
}

/// Reads numbers off the front of a body.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed("report cut short"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_le_bytes)
    }

    /// A finite number between the bounds, both included; a comparison with NaN is false.
    fn f32_within(&mut self, low: f32, high: f32) -> Result<f32, Malformed> {
        let value = f32::from_le_bytes(self.take()?);
        if value >= low && value <= high { Ok(value) } else { Err(Malformed("number out of bounds")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn observation(with_pose: bool) -> Observation {
        let landmark = Landmark { x: 0.4, y: 0.6, z: -0.2, visibility: 0.9, presence: 1.0 };
        let pose = Pose {
            landmarks: [landmark; LANDMARK_COUNT],
            world: [[0.1, -0.2, 0.3]; LANDMARK_COUNT],
            score: 0.99,
        };
        Observation {
            t_us: 123_456_789,
            sequence: 42,
            width: 640,
            height: 480,
            pose: with_pose.then_some(pose),
            people: 1,
            stats: PictureStats { luma_mean: 0.5, clipped: 0.01, sharpness: 0.02, digest: 7 },
        }
    }

    #[test]
    fn messages_round_trip() {
        let events = [
            Event::Ready,
            Event::Opened("camera".into()),
            Event::Report(Box::new(observation(true))),
            Event::Report(Box::new(observation(false))),
            Event::Failed(Fault::CameraBusy, "busy".into()),
        ];
        for event in events {
            let bytes = event.encode();
            assert!(bytes.len() <= MAX_MESSAGE);
            assert_eq!(Event::decode(&bytes), Ok(event));
        }
        let locked = LockedTimes::of(&[[5, 9], [20, u64::MAX]]);
        let start = Start { turn: 7, lid_closed: true, locked };
        for command in [
            Command::Start(start),
            Command::Start(Start::default()),
            Command::Prepare(start),
            Command::Rest,
            Command::Cue("challenge:lean_left".into()),
        ] {
            assert_eq!(Command::decode(&command.encode()), Ok(command));
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        type Spoil = fn(&mut Observation);
        let spoil: [(&str, Spoil); 7] = [
            ("not a number", |o| o.stats.luma_mean = f32::NAN),
            ("brighter than white", |o| o.stats.luma_mean = 1.01),
            ("no picture", |o| o.width = 0),
            ("too large a picture", |o| o.height = 9000),
            ("infinite position", |o| o.pose.as_mut().unwrap().landmarks[32].x = f32::INFINITY),
            ("far away", |o| o.pose.as_mut().unwrap().world[0][2] = 11.0),
            ("more than certain", |o| o.pose.as_mut().unwrap().landmarks[5].visibility = 1.5),
        ];
        for (name, change) in spoil {
            let mut observation = observation(true);
            change(&mut observation);
            let bytes = Event::Report(Box::new(observation)).encode();
            assert!(Event::decode(&bytes).is_err(), "{name}");
        }
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let bytes = Event::Failed(Fault::Internal, "ä".repeat(300)).encode();
        assert!(matches!(Event::decode(&bytes), Ok(Event::Failed(_, text)) if text.len() == MAX_TEXT));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
            let _ = Event::decode(&bytes);
            let _ = Command::decode(&bytes);
        }

        #[test]
        fn a_report_with_any_body_holds_only_possible_numbers(body in proptest::collection::vec(any::<u8>(), REPORT_SIZE)) {
            if let Ok(observation) = read_report(&body) {
                prop_assert!(observation.stats.luma_mean.is_finite());
                if let Some(pose) = observation.pose {
                    prop_assert!(pose.landmarks.iter().all(|l| l.x.is_finite() && l.visibility <= 1.0));
                }
            }
        }
    }
}
