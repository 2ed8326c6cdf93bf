//! The daemon on recorded input.
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::film::Film;
use crate::{Result, place};

/// Where the pieces of a sandbox lie and what the daemon is started with; a test breaks one of them at a time.
pub struct Setup {
    /// Configuration file.
    pub config: PathBuf,
    /// State directory.
    pub state: PathBuf,
    /// Clip or script.
    pub input: PathBuf,
    /// Folder of models.
    pub models: PathBuf,
    /// ONNX Runtime library.
    pub runtime: PathBuf,
    /// Where its messages go.
    pub log: PathBuf,
    /// Another program than the daemon itself, which starts it.
    pub program: Option<PathBuf>,
}

impl Setup {
    /// The shipped configuration, a state directory (created if absent) and this film.
    pub fn new(room: &Path, state: &Path, film: &Film) -> Result<Self> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state)?;
        let shipped = place::source().join("config/helperd.toml");
        let config = Path::new("/etc/pam_pose/helperd.toml");
        std::fs::copy(&shipped, config).map_err(|error| format!("{}: {error}", shipped.display()))?;
        Ok(Self {
            config: config.to_path_buf(),
            state: state.to_path_buf(),
            input: film.write(room)?,
            models: place::models(),
            runtime: place::runtime()?,
            log: room.join("helper.log"),
            program: None,
        })
    }

    /// The command that starts the daemon.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(match &self.program {
            Some(program) => program.clone(),
            None => place::built("pose-helperd-recorded")?,
        });
        command
            .arg("--config")
            .arg(&self.config)
            .arg("--state")
            .arg(&self.state)
            .arg("--input")
            .arg(&self.input);
        command.arg("--models").arg(&self.models).arg("--runtime").arg(&self.runtime);
        command.stdin(Stdio::null());
        Ok(command)
    }
}

/// A running daemon; ends with this value.
pub struct Helper {
    child: Child,
    log: PathBuf,
}

impl Helper {
    /// Starts the daemon and waits until it owns its name.
    pub fn start(setup: &Setup) -> Result<Self> {
        let log = File::create(&setup.log)?;
        let child = setup.command()?.stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut helper = Self { child, log: setup.log.clone() };
        let start = Instant::now();
        while !name_is_owned()? {
            if helper.child.try_wait()?.is_some() || start.elapsed() > Duration::from_secs(20) {
                return Err(format!("the daemon did not come up:\n{}", helper.messages()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(helper)
    }

    /// What the daemon has written so far.
    #[must_use]
    pub fn messages(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as the kernel does when memory runs out.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.kill();
    }
}

fn name_is_owned() -> Result<bool> {
    let answer = Command::new("dbus-send")
        .args(["--system", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"])
        .arg("org.freedesktop.DBus.NameHasOwner")
        .arg(format!("string:{}", pose_contract::BUS_NAME))
        .output()?;
    Ok(String::from_utf8_lossy(&answer.stdout).contains("true"))
}
