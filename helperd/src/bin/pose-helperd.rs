//! The daemon: cameras only, installed paths only, its own user only.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pose_camera::v4l2::controls::controls;
use pose_camera::v4l2::{Request, V4l2Camera};
use pose_camera::{Camera, CameraError};
use pose_helperd::config::{self, Config, Vision, trusted::Owner};
use pose_helperd::daemon::{Bus, Parts};
use pose_helperd::keys::{KeyRing, KeySources};
use pose_helperd::store::{Store, StoreError, StorePaths};
use pose_helperd::worker::wire::Start;
use pose_helperd::worker::{self, Setup};
use pose_helperd::{app, audit};

const USAGE: &str = "usage: pose-helperd [--check-config | --version]
Started by D-Bus and systemd as user pam-pose; see systemctl status pose-helperd.";

/// `EX_CONFIG` of sysexits.h: somebody has to mend something first. The unit does not try again, so that the reason is the
/// last word in the journal.
const MEND_FIRST: u8 = 78;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, None) => daemon(),
        (Some(worker::ARGUMENT), setup) => worker::main(setup, open_camera),
        (Some("--version"), None) => {
            println!("pose-helperd {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        (Some("--check-config"), None) => check_config(),
        _ => refuse(USAGE),
    }
}

fn daemon() -> ExitCode {
    if nix::unistd::geteuid().is_root() {
        return refuse("pose-helperd does not run as root: start it with systemctl start pose-helperd");
    }
    match parts() {
        Ok(parts) => app::serve(parts, &Bus::System),
        Err(error) => {
            tracing::error!("{error}");
            if may_pass(&*error) { ExitCode::FAILURE } else { ExitCode::from(MEND_FIRST) }
        }
    }
}

/// Whether a start a moment later could go better by itself.
fn may_pass(error: &(dyn std::error::Error + 'static)) -> bool {
    use StoreError as E;
    let store = error.downcast_ref();
    matches!(store, Some(E::InUse | E::DiskFull | E::ReadOnly | E::Io(_) | E::Randomness))
}

fn parts() -> Result<Parts, Box<dyn std::error::Error>> {
    let config = config::load(Path::new(config::PATH), Owner::Root).inspect_err(|_| {
        app::log_to_journal(config::LogLevel::Info);
    })?;
    app::log_to_journal(config.daemon.log);
    let paths = StorePaths::installed();
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let keys = KeyRing::load(&KeySources { credentials, file: "/etc/pam_pose/key".into() }, &paths.state)?;
    let store = Store::open(&paths, keys)?;
    let setup = setup(&config);
    let audit = audit::Audit::new(Path::new(audit::SOCKET));
    Ok(Parts { config, store, audit, program: "/proc/self/exe".into(), setup })
}

fn setup(config: &Config) -> Setup {
    let vision = &config.vision;
    let standard = Vision::default();
    let moved = vision.models != standard.models || vision.runtime != standard.runtime;
    Setup {
        assets: moved.then(|| (vision.models.clone(), vision.runtime.clone())),
        lite: vision.variant == config::Variant::Lite,
        threads: vision.threads,
        source: (config.camera.device != "auto").then(|| config.camera.device.clone().into()),
        identity: (config.camera.identity != "any").then(|| config.camera.identity.clone()),
        allow_virtual: config.camera.allow_virtual,
        allow_external: config.camera.allow_external,
        prefer_infrared: config.camera.prefer_infrared,
        controls: controls(&config.camera.controls),
        ..Setup::default()
    }
}

fn open_camera(setup: &Setup, start: Start) -> Result<Box<dyn Camera>, CameraError> {
    let request = Request {
        device: setup.source.as_ref().map(|path| path.display().to_string()),
        identity: setup.identity.clone(),
        external: setup.allow_external,
        lid_closed: start.lid_closed,
        locked: start.locked,
        virtual_devices: setup.allow_virtual,
        prefer_infrared: setup.prefer_infrared,
        controls: setup.controls.clone(),
        ..Request::default()
    };
    Ok(Box::new(V4l2Camera::open(&request)?))
}

fn check_config() -> ExitCode {
    match config::check(Path::new(config::PATH), Owner::Root) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_tries_again_only_what_may_pass() {
        let unit = include_str!("../../../systemd/pose-helperd.service");
        let line = format!("RestartPreventExitStatus={MEND_FIRST}");
        assert!(unit.lines().any(|of_unit| of_unit == line), "{line}");
        assert!(may_pass(&StoreError::InUse) && may_pass(&StoreError::DiskFull));
        assert!(!may_pass(&StoreError::Corrupt(String::new())) && !may_pass(&StoreError::OldCopy));
        assert!(!may_pass(
            &config::parse("[camra]").map_err(|m| config::ConfigError::Mistake("x".into(), m)).unwrap_err()
        ));
    }
}
