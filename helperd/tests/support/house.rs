//! The daemon in this process on a bus of its own, with real workers on recordings.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pose_helperd::audit::Audit;
use pose_helperd::config::Config;
use pose_helperd::daemon::{Bus, Daemon, Parts};
use pose_helperd::keys::{KEY_LEN, KeyRing, WrappingKey};
use pose_helperd::store::{Store, StorePaths};
use pose_helperd::worker::Setup;
use tempfile::TempDir;

use super::client::{Client, Event};

/// The password that enrolled users have.
pub const PASSWORD: &[u8] = b"correct horse";

/// What the camera shows.
#[derive(Clone, Debug, Default)]
pub struct Script(String);

impl Script {
    /// A person doing the gestures of these files and answering challenges.
    pub fn of(person: &str, gestures: &[&str]) -> Self {
        let list: Vec<String> = gestures.iter().map(|name| format!("{:?}", clip(name))).collect();
        let movements = [
            "raise_left",
            "raise_right",
            "both_up",
            "arms_crossed",
            "lean_left",
            "lean_right",
            "hand_to_head",
            "t_pose",
        ];
        let mut text = format!("gesture = [{0}]\nenrol = [{0}]\n[challenge]\n", list.join(", "));
        for movement in movements {
            text.push_str(&format!("{movement} = {:?}\n", clip(&format!("{person}_{movement}"))));
        }
        Self(text)
    }

    /// Ben enrolling.
    pub fn enrolling() -> Self {
        Self::of("ben", &["ben_circle_touch_0", "ben_circle_touch_1", "ben_circle_touch_2"])
    }

    /// Ben logging in.
    pub fn right_person() -> Self {
        Self::of("ben", &["ben_circle_touch_3", "ben_circle_touch_4", "ben_circle_touch_5"])
    }
}

fn clip(name: &str) -> PathBuf {
    root().join("tests/recordings").join(name).with_extension("avi")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// The runtime library that `make` fetches.
pub fn runtime() -> PathBuf {
    let path = root().join("target/runtime/libonnxruntime.so.1.31.1");
    assert!(
        path.is_file(),
        "{} is missing: run make build or models/get_runtime.sh target/runtime",
        path.display()
    );
    path
}

/// A running daemon on a running bus.
pub struct House {
    pub address: String,
    pub folder: TempDir,
    bus: Child,
    end: async_channel::Sender<()>,
    daemon: Option<JoinHandle<()>>,
}

impl House {
    /// A daemon with an empty store.
    pub fn new(script: &Script) -> Self {
        Self::with(script, None, Config::default())
    }

    /// A daemon whose store has root enrolled with Ben's gesture.
    pub fn enrolled(script: &Script) -> Self {
        Self::enrolled_with(script, Config::default())
    }

    /// The same with another configuration.
    pub fn enrolled_with(script: &Script, config: Config) -> Self {
        Self::with(script, Some(enrolled_state()), config)
    }

    fn with(script: &Script, state: Option<&Path>, mut config: Config) -> Self {
        pose_helperd::app::log_to_journal(pose_helperd::config::LogLevel::Debug);
        let folder = tempfile::tempdir().expect("a folder");
        let (bus, address) = start_bus(folder.path());
        let state_folder = folder.path().join("state");
        if let Some(state) = state {
            copy(state, &state_folder);
        }
        std::fs::write(folder.path().join("script.toml"), &script.0).expect("the script");
        config.daemon.require_logind = false;
        let paths = StorePaths::private(&state_folder).expect("paths");
        let keys = KeyRing::of(WrappingKey::new(zeroize::Zeroizing::new([7; KEY_LEN])));
        let parts = Parts {
            store: Store::open(&paths, keys).expect("a store"),
            audit: Audit::new(&folder.path().join("log")),
            program: env!("CARGO_BIN_EXE_pose-helperd-recorded").into(),
            setup: Setup {
                assets: Some((root().join("models"), runtime())),
                threads: 2,
                source: Some(folder.path().join("script.toml")),
                ..Setup::default()
            },
            config,
        };
        let (end, ended) = async_channel::bounded(1);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let on = Bus::Address(address.clone());
        let daemon = std::thread::spawn(move || {
            let daemon: Arc<Daemon> = Daemon::new(parts).expect("a daemon");
            let end = async move {
                let _ = ended.recv().await;
            };
            zbus::block_on(daemon.serve(&on, || ready.send(()).expect("somebody waits"), end))
                .expect("serving");
        });
        is_ready.recv_timeout(Duration::from_secs(20)).expect("the daemon serves");
        Self { address, folder, bus, end, daemon: Some(daemon) }
    }

    /// Ends the daemon; the folder stays as long as the house.
    pub fn end(&mut self) {
        let _ = self.end.try_send(());
        if let Some(daemon) = self.daemon.take() {
            let _ = daemon.join();
        }
    }

    /// A client with this process' own uid.
    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// Worker processes that live.
    pub fn workers(&self) -> usize {
        let me = std::process::id().to_string();
        let script = self.folder.path().join("script.toml");
        let output = Command::new("ps").args(["-o", "args=", "--ppid", &me]).output().expect("ps");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| line.contains(" worker ") || line.contains(&script.display().to_string()))
            .filter(|line| !line.contains("defunct"))
            .count()
    }

    /// Waits until a condition holds.
    pub fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < Duration::from_secs(20), "{what} did not come about");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.end();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

/// A state folder with root enrolled, made once in each test binary by a real enrolment.
fn enrolled_state() -> &'static Path {
    static STATE: OnceLock<PathBuf> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut house = House::new(&Script::enrolling());
        let client = house.client();
        let attempt = client.enroll("root", 3).expect("an attempt");
        let events = client.run(&attempt, |code| match code {
            "new_password" => PASSWORD.to_vec(),
            other => panic!("asked for {other}"),
        });
        let verdict = events.last().expect("a verdict");
        assert_eq!(verdict.code, "enrolled", "{events:?}");
        let kept = tempfile::tempdir().expect("a folder");
        let state = house.folder.path().join("state");
        drop(client);
        house.end();
        // Statics are never dropped: the folder stays until the system empties its temporary folder.
        let kept = kept.keep().join("state");
        copy(&state, &kept);
        kept
    })
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(status.success());
}

/// A bus that anybody may use: what is tested here is the daemon, not the policy.
fn start_bus(folder: &Path) -> (Child, String) {
    // Other uids connect as well.
    let socket = folder.join("bus");
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("permissions");
    let configuration = folder.join("bus.conf");
    let text = format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path={}</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>"#,
        socket.display()
    );
    std::fs::write(&configuration, text).expect("the bus' configuration");
    let mut bus = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", configuration.display()))
        .args(["--nofork", "--nopidfile", "--nosyslog", "--print-address"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("dbus-daemon (install the package dbus)");
    let mut line = String::new();
    BufReader::new(bus.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
    (bus, line.trim().to_owned())
}

/// The last event of a run, which is the verdict.
pub fn verdict(events: &[Event]) -> &Event {
    events.last().expect("a verdict")
}
