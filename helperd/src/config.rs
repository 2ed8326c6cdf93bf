//! The one configuration file, `/etc/pam_pose/helperd.toml`: typed, bounded, every mistake answered with its line.
//!
//! Every key has a default; the shipped file writes them all out and a test compares. `[service.NAME]` overrides
//! keys of `[attempt]` for one PAM service.

mod mistake;
mod services;
pub mod trusted;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::lockout::Limits;
use crate::password::Cost;
use mistake::Mistake;
pub use services::{Attempt, ChallengePolicy, Override};
use trusted::{FileError, Owner};

/// Where the installed helper reads its configuration.
pub const PATH: &str = "/etc/pam_pose/helperd.toml";
/// Longest accepted file, bytes.
const MAX_FILE: u64 = 64 * 1024;

/// The whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The daemon itself.
    pub daemon: Daemon,
    /// Which camera.
    pub camera: Camera,
    /// Models, runtime and their threads.
    pub vision: Vision,
    /// The process that captures and runs the models.
    pub worker: Worker,
    /// One login.
    pub attempt: Attempt,
    /// How many at once.
    pub limits: RequestLimits,
    /// Refused tries and wrong passwords.
    pub lockout: Limits,
    /// Cost of the helper's own password check.
    pub password: Cost,
    /// Enrolment.
    pub enrolment: Enrolment,
    /// Overrides of `[attempt]` by PAM service name.
    pub service: BTreeMap<String, Override>,
}

/// `[daemon]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Daemon {
    /// What is written to the journal.
    pub log: LogLevel,
    /// Take callers for remote when logind cannot say where they sit.
    pub require_logind: bool,
    /// Seconds without a call after which the daemon ends, to be started again by the next one; 0: never.
    pub idle_exit_seconds: u32,
}

impl Default for Daemon {
    fn default() -> Self {
        Self { log: LogLevel::Info, require_logind: true, idle_exit_seconds: 0 }
    }
}

/// What is written to the journal. Audit lines are not affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the levels' own names")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// `[camera]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Camera {
    /// `"auto"` or a device node, best by its stable name below `/dev/v4l/by-path`.
    pub device: String,
    /// What the camera must say of itself: `"any"`, or `vendor:product` or `vendor:product:serial` as
    /// `posectl devices` prints it.
    pub identity: String,
    /// Take a software camera (v4l2loopback, vivid); only together with a named `device`.
    pub allow_virtual: bool,
    /// Take a camera that is not built in.
    pub allow_external: bool,
    /// Take one also when it was plugged in while the session was locked.
    pub allow_replugged: bool,
    /// Prefer an infrared camera when `device` is `"auto"`.
    pub prefer_infrared: bool,
    /// Standard controls by name, set while the camera is in use and put back afterwards.
    pub controls: BTreeMap<String, i32>,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            device: "auto".into(),
            identity: "any".into(),
            allow_virtual: false,
            allow_external: false,
            allow_replugged: false,
            prefer_infrared: false,
            controls: BTreeMap::new(),
        }
    }
}

impl Camera {
    /// Whether a camera that is not built in may be taken: naming one allows it, too.
    pub(crate) fn may_be_plugged_in(&self) -> bool {
        self.allow_external || self.device != "auto"
    }
}

/// `[vision]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Vision {
    /// Landmark model.
    pub variant: Variant,
    /// Threads of one inference.
    pub threads: usize,
    /// Directory of the models.
    pub models: PathBuf,
    /// ONNX Runtime's library; a directory means the newest fitting one in it.
    pub runtime: PathBuf,
}

impl Default for Vision {
    fn default() -> Self {
        Self {
            variant: Variant::Full,
            threads: 2,
            models: "/usr/lib/pam_pose/models".into(),
            runtime: "/usr/lib/pam_pose".into(),
        }
    }
}

/// Landmark model: `full` is more exact, `lite` faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the models' own names")]
pub enum Variant {
    Full,
    Lite,
}

/// `[worker]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// What is made ready while the password is typed.
    pub warm_up: WarmUp,
    /// Seconds without an attempt after which the worker ends and its memory is free again.
    pub idle_exit_seconds: u32,
}

impl Default for Worker {
    fn default() -> Self {
        Self { warm_up: WarmUp::Models, idle_exit_seconds: 60 }
    }
}

/// What is made ready while the password is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WarmUp {
    /// Nothing.
    Off,
    /// The worker with its models; the camera stays dark.
    Models,
    /// The camera as well, so that its light is on while the password is typed.
    Camera,
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestLimits {
    /// Attempts that one uid (other than root) may have open.
    pub attempts_per_uid: u32,
    /// Attempts open in all.
    pub attempts_total: u32,
    /// `Begin` calls that one uid (other than root) may make in a minute.
    pub begins_per_minute: u32,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { attempts_per_uid: 4, attempts_total: 32, begins_per_minute: 30 }
    }
}

/// `[enrolment]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Enrolment {
    /// Recordings of the gesture, at least 3.
    pub repetitions: u8,
    /// Gestures that one user may keep.
    pub gestures_per_user: u32,
    /// Seconds that a whole enrolment may take.
    pub limit_seconds: u32,
    /// Carry one recording of a later, closely matching login beside the enrolled ones.
    pub adapt: bool,
}

impl Default for Enrolment {
    fn default() -> Self {
        Self { repetitions: 5, gestures_per_user: 4, limit_seconds: 180, adapt: false }
    }
}

/// Why the configuration is not taken. Never replaced by defaults: a half-read policy is no policy.
#[derive(Debug)]
pub enum ConfigError {
    /// The file is not believed or unreadable.
    File(FileError),
    /// The file says something that it may not.
    Mistake(PathBuf, Mistake),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(f, "{error}"),
            Self::Mistake(path, mistake) => write!(f, "{}:{mistake}", path.display()),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Reads the configuration. A missing file means the defaults, which are the strict ones; the journal says so.
///
/// # Errors
/// See [`ConfigError`].
pub fn load(path: &Path, owner: Owner) -> Result<Config, ConfigError> {
    let Some(bytes) = trusted::read(path, owner, MAX_FILE).map_err(ConfigError::File)? else {
        tracing::warn!("{} is missing: the built-in defaults apply", path.display());
        return Ok(Config::default());
    };
    let mistake = |mistake| ConfigError::Mistake(path.to_owned(), mistake);
    let text = std::str::from_utf8(&bytes).map_err(|error| mistake(Mistake::not_utf8(&bytes, &error)))?;
    parse(text).map_err(mistake)
}

/// What `--check-config` says of a configuration that is taken.
///
/// # Errors
/// See [`ConfigError`].
pub fn check(path: &Path, owner: Owner) -> Result<String, ConfigError> {
    load(path, owner)?;
    let shown = path.display();
    Ok(if path.exists() {
        format!("{shown} is fine; systemctl restart pose-helperd puts it in force")
    } else {
        format!("{shown} is missing: the built-in defaults apply; make install puts the file there")
    })
}

/// Parses and checks a configuration's text.
///
/// # Errors
/// The first mistake, with its line.
pub fn parse(text: &str) -> Result<Config, Mistake> {
    let config: Config = toml::from_str(text).map_err(|error| Mistake::from_toml(text, &error))?;
    match bounds::first_broken(&config) {
        None => Ok(config),
        Some(broken) => Err(Mistake::at_key(text, &broken.key, &broken.must)),
    }
}

mod bounds;

#[cfg(test)]
mod tests;
