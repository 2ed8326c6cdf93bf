//! A daemon and a PAM host in a sandbox, with the moments that a measurement needs.

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use pose_contract::{BUS_NAME, INTERFACE, OBJECT_PATH};
use pose_helperd::boottime::monotonic_us;
use pose_system::bus::Bus;
use pose_system::film::Film;
use pose_system::helper::Setup;
use pose_system::pam::{self, Request, Seen};
use pose_system::runner::Scene;
use pose_system::{Result, place};
use zbus::{Connection, Variant};

/// Account and password that the sandbox has enrolled.
pub(crate) const WHO: (&str, &str) = ("ben", "correct horse");
/// Longest wait for anything that is not a login.
const PATIENCE: Duration = Duration::from_secs(30);

/// A private bus and a daemon on it.
pub(crate) struct House {
    _bus: Bus,
    daemon: Child,
    log: PathBuf,
    room: PathBuf,
    /// From the start of the daemon's process until it was ready to serve.
    pub(crate) ready_ms: f64,
    /// When its process was started, CLOCK_MONOTONIC.
    pub(crate) started_us: u64,
}

/// A login that is played by the enrolled person; each with a recording of its own.
pub(crate) fn right_person(number: usize) -> Film {
    let clip = ["ben_circle_touch_3", "ben_circle_touch_4", "ben_circle_touch_5"][number % 3];
    Film::login(clip).answered_by("ben")
}

/// A line of the configuration, and what stands there instead.
pub(crate) type Edit<'a> = (&'a str, &'a str);

impl House {
    /// Starts both; the shipped configuration with every change in `edits` and debug messages.
    ///
    /// The daemon gets a copy of the scene's state: in one store, a recording passes only once.
    pub(crate) fn start(scene: &Scene, film: &Film, edits: &[Edit<'_>]) -> Result<Self> {
        let bus = Bus::start(&scene.room)?;
        let state = scene.room.join("played-on");
        copy_state(&scene.state, &state)?;
        let setup = Setup::new(&scene.room, &state, film)?;
        let mut text = std::fs::read_to_string(&setup.config)?;
        for (from, to) in edits.iter().chain(&[("log = \"info\"", "log = \"debug\"")]) {
            if !text.contains(from) {
                return Err(format!("the shipped configuration has no line {from}").into());
            }
            text = text.replacen(from, to, 1);
        }
        std::fs::write(&setup.config, text)?;
        let told = UnixDatagram::bind(fresh(&scene.room.join("ready"))?)?;
        told.set_read_timeout(Some(PATIENCE))?;
        let log = std::fs::File::create(&setup.log)?;
        let mut command = setup.command()?;
        command.env("NOTIFY_SOCKET", scene.room.join("ready")).stdout(log.try_clone()?).stderr(log);
        let started_us = monotonic_us();
        let daemon = command.spawn()?;
        let mut house =
            Self { _bus: bus, daemon, log: setup.log, room: scene.room.clone(), ready_ms: 0.0, started_us };
        let mut word = [0; 64];
        told.recv(&mut word).map_err(|_| format!("the daemon did not come up:\n{}", house.messages()))?;
        house.ready_ms = (monotonic_us() - started_us) as f64 / 1e3;
        Ok(house)
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.daemon.id()
    }

    pub(crate) fn messages(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// One request through the module with these options; also when it ended, CLOCK_MONOTONIC.
    pub(crate) fn ask(&self, options: &str, items: &[&str]) -> Result<(Seen, u64)> {
        let seen = pam::ask(&self.room, &Request { options, items, ..Request::new(WHO.0, WHO.1) }, |_| {})?;
        Ok((seen, monotonic_us()))
    }

    /// The latest value that the daemon logged under a name.
    pub(crate) fn logged(&self, name: &str) -> Result<u64> {
        let messages = self.messages();
        let value = messages
            .rsplit_once(&format!("{name}="))
            .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        Ok(value.ok_or_else(|| format!("the daemon logged no {name}:\n{messages}"))?.parse()?)
    }

    /// Worker processes.
    pub(crate) fn workers(&self) -> Vec<u32> {
        let children = format!("/proc/{0}/task", self.pid());
        let tasks = std::fs::read_dir(children).into_iter().flatten().flatten();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
            .collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A full login through the module: seconds in all, and milliseconds from the last needed movement to the host's end.
pub(crate) fn full_login(house: &House) -> Result<(f64, f64)> {
    let (seen, ended_us) = house.ask("", &[])?;
    if seen.code != "SUCCESS" {
        return Err(format!(
            "the right person got {}\n{}\n{}",
            seen.code,
            seen.shown.join("\n"),
            house.messages()
        )
        .into());
    }
    let movement_us = house.logged("movement_us")?;
    Ok((seen.took.as_secs_f64(), ended_us.saturating_sub(movement_us) as f64 / 1e3))
}

/// A client that stays at its password prompt until it is dropped.
pub(crate) struct Waiting(
    #[allow(dead_code, reason = "the attempt lives as long as its connection")] Connection,
);

impl Waiting {
    pub(crate) fn start() -> Result<Self> {
        // Not a host: libpam_wrapper, which hosts need here, serves 62 processes at most.
        zbus::block_on(async {
            let connection = Connection::system().await?;
            let nothing: HashMap<&str, Variant<'_>> = HashMap::new();
            connection
                .call_method(
                    Some(BUS_NAME),
                    OBJECT_PATH,
                    Some(INTERFACE),
                    "Begin",
                    &(WHO.0, pam::SERVICE, nothing),
                )
                .await?;
            Ok(Self(connection))
        })
    }
}

/// Waits until something holds.
pub(crate) fn wait_until(what: &str, holds: impl Fn() -> bool) -> Result<()> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            return Err(format!("{what}: not within {PATIENCE:?}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A copy of a state directory and of the key beside it, in place of what was there.
fn copy_state(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    std::fs::copy(key_of(from), key_of(to))?;
    Ok(())
}

/// Where the recorded daemon keeps the key of a state directory.
pub(crate) fn key_of(state: &Path) -> PathBuf {
    let mut key = state.as_os_str().to_owned();
    key.push(".key");
    key.into()
}

/// A path at which nothing is left.
fn fresh(path: &Path) -> Result<&Path> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    Ok(path)
}

/// The built module.
pub(crate) fn module() -> Result<PathBuf> {
    Ok(place::built("libpam_pose.so")?.canonicalize()?)
}
