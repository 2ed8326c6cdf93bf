//! Which camera a login would use: the decision of the camera crate, on the wishes of the helper's configuration and on
//! what the helper knows of the session's locks.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use pose_camera::v4l2::controls::controls;
use pose_camera::v4l2::{LockedTimes, Request};
use serde::Deserialize;

use crate::bus::{Details, connect};
use crate::exit::{Exit, Failure};

/// The helper's configuration.
pub(crate) const CONFIG: &str = "/etc/pam_pose/helperd.toml";

/// The part that is read here; `pose-helperd --check-config` judges the whole.
#[derive(Debug, Default, Deserialize)]
struct Config {
    #[serde(default)]
    camera: Camera,
}

#[derive(Debug, Default, Deserialize)]
struct Camera {
    device: Option<String>,
    identity: Option<String>,
    #[serde(default)]
    allow_virtual: bool,
    #[serde(default)]
    allow_external: bool,
    #[serde(default)]
    prefer_infrared: bool,
    #[serde(default)]
    controls: BTreeMap<String, i32>,
}

/// What a login would ask of a camera now: the configured wishes, and the times at which one must not have been plugged
/// in, which the helper knows; none when it cannot be asked.
pub(crate) fn wanted_now() -> Result<Request, Failure> {
    let status = connect::patiently(|| connect::helper()?.status());
    let locked = status.map(|status| locked_times(&status)).unwrap_or_default();
    Ok(Request { locked, ..configured(Path::new(CONFIG))? })
}

fn locked_times(status: &Details) -> LockedTimes {
    let numbers = status.get("locked_times").and_then(|value| Vec::<u64>::try_from(value.clone()).ok());
    let numbers = numbers.unwrap_or_default();
    LockedTimes::of(numbers.as_chunks::<2>().0)
}

/// The configured wishes; the defaults when there is no configuration.
pub(crate) fn configured(path: &Path) -> Result<Request, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
        Err(e) => return Err(unusable(path, &e)),
    };
    let camera = toml::from_str::<Config>(&text).map_err(|e| unusable(path, &e.message()))?.camera;
    Ok(Request {
        device: camera.device.filter(|device| device != "auto"),
        identity: camera.identity.filter(|identity| identity != "any"),
        external: camera.allow_external,
        virtual_devices: camera.allow_virtual,
        prefer_infrared: camera.prefer_infrared,
        controls: controls(&camera.controls),
        ..Request::default()
    })
}

fn unusable(path: &Path, why: &impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Input,
        format_args!("{}: {why}", path.display()),
        "correct it, then `/usr/libexec/pam_pose/pose-helperd --check-config`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(text: &str) -> Result<Request, Failure> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("helperd.toml");
        fs::write(&path, text).expect("write");
        configured(&path)
    }

    #[test]
    fn the_shipped_configuration_asks_for_the_same_camera_as_none() {
        let shipped = wishes(include_str!("../../config/helperd.toml")).expect("readable");
        assert_eq!(shipped, configured(Path::new("/nonexistent")).expect("defaults"));
        assert_eq!(shipped, Request::default());
    }

    #[test]
    fn a_named_camera_is_asked_for_and_a_broken_file_is_told() {
        let text = "[camera]\ndevice = \"/dev/video2\"\nidentity = \"1:2\"\nallow_virtual = true";
        let named = wishes(text).expect("readable");
        assert_eq!(named.device.as_deref(), Some("/dev/video2"));
        assert_eq!(named.identity.as_deref(), Some("1:2"));
        assert!(named.virtual_devices && !named.external);
        assert_eq!(wishes("[camera").expect_err("broken").exit, Exit::Input);
    }
}
