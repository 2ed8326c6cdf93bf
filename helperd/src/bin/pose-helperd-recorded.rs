//! The same daemon on recordings instead of a camera, for tests and the demo. Never installed: it takes its input
//! from a file and its state from a folder, and refuses the production store. Where logind does not answer, a
//! caller counts as local, because a test's bus has none.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pose_camera::recording::RecordedCamera;
use pose_camera::{Camera, CameraError};
use pose_helperd::config::{self, trusted::Owner};
use pose_helperd::daemon::{Bus, Parts};
use pose_helperd::keys::{KEY_LEN, KeyRing, KeySources};
use pose_helperd::store::{Store, StorePaths};
use pose_helperd::worker::wire::Start;
use pose_helperd::worker::{self, Setup};
use pose_helperd::{app, audit};

const USAGE: &str = "usage: pose-helperd-recorded --config FILE --state DIR --input CLIP_OR_SCRIPT --models DIR \
                     --runtime FILE";
const PRODUCTION_STATE: &str = "/var/lib/pam_pose";

/// Paths from the command line.
struct Paths {
    config: PathBuf,
    state: PathBuf,
    input: PathBuf,
    models: PathBuf,
    runtime: PathBuf,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.len() <= 2 && arguments.next().as_deref() == Some(worker::ARGUMENT) {
        return worker::main(arguments.next(), open_recording);
    }
    match paths().and_then(|paths| parts(&paths)) {
        Ok(parts) => app::serve(parts, &Bus::System),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn paths() -> Result<Paths, Box<dyn std::error::Error>> {
    let mut values: [Option<PathBuf>; 5] = [const { None }; 5];
    let names = ["--config", "--state", "--input", "--models", "--runtime"];
    let mut arguments = std::env::args_os().skip(1);
    while let Some(name) = arguments.next() {
        let slot = names.iter().position(|known| name == *known).and_then(|index| values.get_mut(index));
        *slot.ok_or(USAGE)? = Some(arguments.next().ok_or(USAGE)?.into());
    }
    match values {
        [Some(config), Some(state), Some(input), Some(models), Some(runtime)] => {
            Ok(Paths { config, state, input, models, runtime })
        }
        _ => Err(USAGE.into()),
    }
}

fn parts(paths: &Paths) -> Result<Parts, Box<dyn std::error::Error>> {
    let store_paths = StorePaths::private(&paths.state)?;
    let state = paths.state.canonicalize()?;
    if Path::new(PRODUCTION_STATE).canonicalize().is_ok_and(|production| state.starts_with(production)) {
        return Err(format!(
            "recordings never open the production store {PRODUCTION_STATE}; name another folder"
        )
        .into());
    }
    let mut config = config::load(&paths.config, Owner::RootOrCaller)?;
    config.daemon.require_logind = false;
    config.vision.models = paths.models.canonicalize()?;
    config.vision.runtime = paths.runtime.canonicalize()?;
    app::log_to_journal(config.daemon.log);
    let key = key_beside(&state)?;
    let keys = KeyRing::load(&KeySources { credentials: None, file: key }, &state)?;
    let store = Store::open(&store_paths, keys)?;
    let setup = Setup {
        assets: Some((config.vision.models.clone(), config.vision.runtime.clone())),
        lite: config.vision.variant == config::Variant::Lite,
        threads: config.vision.threads,
        source: Some(paths.input.canonicalize()?),
        ..Setup::default()
    };
    let audit = audit::Audit::new(Path::new(audit::SOCKET));
    Ok(Parts { config, store, audit, program: "/proc/self/exe".into(), setup })
}

/// The store's key lies beside the state folder, as it may not lie inside; made when it is missing.
fn key_beside(state: &Path) -> std::io::Result<PathBuf> {
    let mut name = state.as_os_str().to_owned();
    name.push(".key");
    let path = PathBuf::from(name);
    let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match created {
        Ok(mut file) => {
            let mut key = [0u8; KEY_LEN];
            getrandom::fill(&mut key).map_err(std::io::Error::other)?;
            file.write_all(&key)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(path)
}

/// A recording stands for a built-in camera.
fn open_recording(setup: &Setup, start: Start) -> Result<Box<dyn Camera>, CameraError> {
    if start.lid_closed {
        return Err(CameraError::LidClosed);
    }
    let source = setup.source.clone().unwrap_or_default();
    let turn = usize::try_from(start.turn).unwrap_or_default();
    Ok(Box::new(RecordedCamera::open_turn(&source, turn)?))
}
