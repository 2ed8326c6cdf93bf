//! Which camera a login would use: the decision of the camera crate, on the wishes of the helper's configuration.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use pose_camera::v4l2::{Device, Request};
use serde::Deserialize;

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
    #[serde(default)]
    allow_virtual: bool,
    #[serde(default)]
    allow_external: bool,
    #[serde(default)]
    prefer_infrared: bool,
}

/// The configured wishes; the defaults when there is no configuration.
pub(crate) fn configured(path: &Path) -> Result<Wishes, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
        Err(e) => return Err(unusable(path, &e)),
    };
    let camera = toml::from_str::<Config>(&text).map_err(|e| unusable(path, &e.message()))?.camera;
    Ok(Wishes {
        request: Request {
            device: camera.device.filter(|device| device != "auto"),
            external: camera.allow_external,
            prefer_infrared: camera.prefer_infrared,
            ..Request::default()
        },
        allow_virtual: camera.allow_virtual,
    })
}

fn unusable(path: &Path, why: &impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Input,
        format_args!("{}: {why}", path.display()),
        "correct it, then `/usr/libexec/pam_pose/pose-helperd --check-config`",
    )
}

/// What the administrator wants.
#[derive(Debug)]
pub(crate) struct Wishes {
    /// For the camera crate.
    pub(crate) request: Request,
    allow_virtual: bool,
}

impl Wishes {
    /// The devices that may be used at all.
    pub(crate) fn allowed(&self, devices: &[Device]) -> Vec<Device> {
        devices.iter().filter(|device| self.allow_virtual || !device.virtual_device).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(text: &str) -> Result<Wishes, Failure> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("helperd.toml");
        fs::write(&path, text).expect("write");
        configured(&path)
    }

    #[test]
    fn the_shipped_configuration_asks_for_the_same_camera_as_none() {
        let shipped = wishes(include_str!("../../config/helperd.toml")).expect("readable");
        assert_eq!(shipped.request, configured(Path::new("/nonexistent")).expect("defaults").request);
        assert!(!shipped.allow_virtual);
    }

    #[test]
    fn a_named_camera_is_asked_for_and_a_broken_file_is_told() {
        let named = wishes("[camera]\ndevice = \"/dev/video2\"\nallow_virtual = true").expect("readable");
        assert_eq!(named.request.device.as_deref(), Some("/dev/video2"));
        assert!(named.allow_virtual);
        assert_eq!(wishes("[camera").expect_err("broken").exit, Exit::Input);
    }
}
