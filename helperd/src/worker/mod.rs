//! The worker: the process that decodes pictures and runs models on them, and can do nothing else.
//!
//! The daemon starts itself again with the argument `worker` and talks over standard input, a `SOCK_SEQPACKET`
//! socket. The worker loads the models, gives up its rights, and then waits to be told to open the camera. It has
//! no bus, no store, no key; it returns numbers of fixed size. It ends when the daemon closes the socket or
//! kills it.
//!
//! # Layout
//! - [`wire`]: the messages
//! - [`channel`]: the socket
//! - `ahead`: a camera that is opened while the password is typed
//! - `confine`: what the worker gives up

mod ahead;
pub mod channel;
mod confine;
pub mod wire;

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use pose_camera::camera::{STALL_LIMIT, START_LIMIT};
use pose_camera::v4l2::{Settled, Settling};
use pose_camera::{Camera, CameraError};
use pose_vision::{Assets, Tracker, TrackerOptions};
use serde::{Deserialize, Serialize};

use channel::{Channel, Received};
use wire::{Command, Event, Fault, Start};

/// The argument that makes the daemon's binary a worker.
pub const ARGUMENT: &str = "worker";
/// Longest wait for one frame before the command socket is looked at again.
const FRAME_WAIT: Duration = Duration::from_millis(200);

/// What the worker needs to know, as its one argument after [`ARGUMENT`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The daemon's process id.
    pub parent: i32,
    /// Folder of the models and path of the runtime library; the installed ones if absent.
    pub assets: Option<(PathBuf, PathBuf)>,
    /// Whether to run the smaller landmark model.
    pub lite: bool,
    /// Threads for the models.
    pub threads: usize,
    /// The camera or, in the recorded daemon, the script.
    pub source: Option<PathBuf>,
    /// What the camera must say of itself.
    pub identity: Option<String>,
    /// Take a software camera.
    pub allow_virtual: bool,
    /// Take a camera that is not built in.
    pub allow_external: bool,
    /// Prefer an infrared camera.
    pub prefer_infrared: bool,
    /// Numbers and values of controls to set while it is in use.
    pub controls: Vec<(u32, i32)>,
}

/// How a binary opens its camera for one login: the production daemon knows V4L2 alone, the recorded one recordings
/// alone.
pub type OpenCamera = fn(&Setup, Start) -> Result<Box<dyn Camera>, CameraError>;

/// Runs the worker with the arguments that follow [`ARGUMENT`].
#[must_use]
pub fn main(setup: Option<String>, open: OpenCamera) -> ExitCode {
    let Some(setup) = setup.and_then(|text| toml::from_str::<Setup>(&text).ok()) else {
        eprintln!("the worker is started by the daemon, not by hand");
        return ExitCode::from(2);
    };
    match run(&setup, open) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(setup: &Setup, open: OpenCamera) -> std::io::Result<()> {
    confine::at_start(nix::unistd::Pid::from_raw(setup.parent))?;
    let channel = Channel::from_fd(take_standard_input()?);
    let mut tracker = match load(setup) {
        Ok(tracker) => tracker,
        Err(text) => return fail(&channel, Fault::Internal, &text),
    };
    confine::filter_system_calls()?;
    channel.send(&Event::Ready.encode(), false)?;
    match ahead::wait_for_start(&channel, setup, open)? {
        None => Ok(()),
        Some(Ok(camera)) => deliver(&channel, &mut tracker, camera),
        Some(Err(error)) => fail(&channel, fault_of(&error), &error.to_string()),
    }
}

fn load(setup: &Setup) -> Result<Tracker, String> {
    let assets = match &setup.assets {
        Some((models, runtime)) => Assets { models: models.clone(), runtime: runtime.clone() },
        None => Assets::installed().map_err(|error| error.to_string())?,
    };
    let variant = if setup.lite { pose_vision::Variant::Lite } else { pose_vision::Variant::Full };
    let options = TrackerOptions { variant, threads: setup.threads, ..TrackerOptions::default() };
    Tracker::new(&assets, &options).map_err(|error| error.to_string())
}

/// Frames in, landmarks out, until the socket closes or the camera ends.
fn deliver(channel: &Channel, tracker: &mut Tracker, mut camera: Box<dyn Camera>) -> std::io::Result<()> {
    match settle(channel, tracker, camera.as_mut()) {
        Ok(Wanted::Yes) => {}
        Ok(Wanted::No) => return Ok(()),
        Err(error) => return fail(channel, fault_of(&error), &error.to_string()),
    }
    channel.send(&Event::Opened(camera.describe().name).encode(), false)?;
    let mut last_frame = Instant::now();
    loop {
        match channel.receive(None, Duration::ZERO)? {
            Received::Message(bytes) => match Command::decode(&bytes) {
                Ok(Command::Cue(code)) => camera.cue(&code),
                _ => return Err(std::io::Error::other("an unexpected command")),
            },
            Received::Closed => return Ok(()),
            Received::Nothing | Received::Woken => {}
        }
        match camera.next_frame(FRAME_WAIT) {
            Ok(frame) => {
                last_frame = Instant::now();
                // A picture that cannot be decoded (a torn JPEG) is a missing picture, not the end.
                if let Ok(observation) = tracker.observe(&frame) {
                    channel.send(&Event::Report(Box::new(observation)).encode(), false)?;
                }
            }
            Err(CameraError::TimedOut) if last_frame.elapsed() < STALL_LIMIT => {}
            Err(error) => return fail(channel, fault_of(&error), &error.to_string()),
        }
    }
}

/// Whether the daemon still waits for pictures.
enum Wanted {
    Yes,
    No,
}

/// Takes pictures until the camera's exposure has settled, so that nobody is asked to move before they can be seen.
/// Nothing of them is reported, but the models have run and know where the person is. A recording has no exposure.
fn settle(channel: &Channel, tracker: &mut Tracker, camera: &mut dyn Camera) -> Result<Wanted, CameraError> {
    if camera.describe().recorded {
        return Ok(Wanted::Yes);
    }
    let mut settling = Settling::default();
    let mut last_frame = Instant::now();
    let mut patience = START_LIMIT;
    loop {
        if matches!(channel.receive(None, Duration::ZERO), Ok(Received::Closed) | Err(_)) {
            return Ok(Wanted::No);
        }
        match camera.next_frame(FRAME_WAIT) {
            Ok(frame) => {
                last_frame = Instant::now();
                patience = STALL_LIMIT;
                let Ok(observation) = tracker.observe(&frame) else { continue };
                if settling.judge(frame.t_us, f64::from(observation.stats.luma_mean) * 255.0)
                    != Settled::NotYet
                {
                    return Ok(Wanted::Yes);
                }
            }
            Err(CameraError::TimedOut) if last_frame.elapsed() < patience => {}
            Err(error) => return Err(error),
        }
    }
}

fn fail(channel: &Channel, fault: Fault, text: &str) -> std::io::Result<()> {
    channel.send(&Event::Failed(fault, text.to_owned()).encode(), false)
}

fn fault_of(error: &CameraError) -> Fault {
    match error {
        CameraError::Missing { .. } | CameraError::Permission { .. } => Fault::CameraMissing,
        CameraError::LidClosed => Fault::LidClosed,
        CameraError::Busy { .. } => Fault::CameraBusy,
        CameraError::Recording(_) | CameraError::Script(_) => Fault::Internal,
        _ => Fault::CameraFailed,
    }
}

fn take_standard_input() -> std::io::Result<OwnedFd> {
    std::io::stdin().as_fd().try_clone_to_owned()
}
