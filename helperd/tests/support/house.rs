//! The daemon in this process on a bus of its own, with real workers on recordings.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pose_engine::challenge::{Movement, MovementSet};
use pose_engine::template::Template;
use pose_helperd::audit::Audit;
use pose_helperd::config::Config;
use pose_helperd::daemon::{Bus, Daemon, Parts};
use pose_helperd::keys::{KEY_LEN, KeyRing, WrappingKey};
use pose_helperd::store::{NewEnrolment, Store, StorePaths};
use pose_helperd::worker::Setup;
use tempfile::TempDir;

use super::client::{Client, Event};

/// Uid of "nobody" on every distribution.
pub const NOBODY: u32 = 65534;
/// The password that enrolled users have.
pub const PASSWORD: &[u8] = b"correct horse";

/// What the camera shows.
#[derive(Clone, Debug, Default)]
pub struct Script(String);

impl Script {
    /// A person doing the gestures of these files and answering challenges.
    pub fn of(person: &str, gestures: &[&str]) -> Self {
        let list: Vec<String> = gestures.iter().map(|name| format!("{:?}", clip(name))).collect();
        let mut text = format!("gesture = [{0}]\nenrol = [{0}]\n[challenge]\n", list.join(", "));
        for movement in Movement::ALL.map(Movement::name) {
            text.push_str(&format!("{movement} = {:?}\n", clip(&format!("{person}_{movement}"))));
        }
        Self(text)
    }

    /// Ben enrolling.
    pub fn enrolling() -> Self {
        Self::of("ben", &["ben_circle_touch_0", "ben_circle_touch_1", "ben_circle_touch_2"])
    }

    /// Ben doing something else.
    pub fn another_gesture() -> Self {
        Self::of("ben", &["ben_open_head_3", "ben_open_head_4", "ben_open_head_5"])
    }

    /// The same with a camera that goes away at that instruction.
    pub fn unplugged_at(self, cue: &str) -> Self {
        Self(format!("fault = {{ kind = \"unplug\", cue = {cue:?} }}\n{}", self.0))
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
    _alone: MutexGuard<'static, ()>,
    bus: Child,
    end: async_channel::Sender<()>,
    daemon: Option<JoinHandle<()>>,
}

impl House {
    /// A daemon with an empty store.
    pub fn new(script: &Script) -> Self {
        Self::with(script, None, Config::default())
    }

    /// A daemon with an empty store that starts on a bus where somebody else is already.
    pub fn after<T>(script: &Script, config: Config, first: impl FnOnce(&str) -> T) -> (Self, T) {
        Self::with_after(script, None, config, first)
    }

    /// A daemon whose store has root and nobody enrolled with Ben's gesture and [`PASSWORD`].
    pub fn enrolled(script: &Script) -> Self {
        Self::enrolled_with(script, Config::default())
    }

    /// The same with another configuration.
    pub fn enrolled_with(script: &Script, config: Config) -> Self {
        let state = enrolled_state();
        Self::with(script, Some(&state.folder), config)
    }

    fn with(script: &Script, state: Option<&Path>, config: Config) -> Self {
        Self::with_after(script, state, config, |_| ()).0
    }

    fn with_after<T>(
        script: &Script,
        state: Option<&Path>,
        mut config: Config,
        first: impl FnOnce(&str) -> T,
    ) -> (Self, T) {
        pose_helperd::app::log_to_journal(pose_helperd::config::LogLevel::Debug);
        let alone = alone();
        let folder = tempfile::tempdir().expect("a folder");
        let (bus, address) = start_bus(folder.path());
        let before = first(&address);
        let state_folder = folder.path().join("state");
        if let Some(state) = state {
            copy(state, &state_folder);
        }
        std::fs::write(folder.path().join("script.toml"), &script.0).expect("the script");
        config.daemon.require_logind = false;
        let paths = StorePaths::private(&state_folder).expect("paths");
        let parts = Parts {
            store: Store::open(&paths, keys()).expect("a store"),
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
        (Self { address, folder, _alone: alone, bus, end, daemon: Some(daemon) }, before)
    }

    /// Ends the daemon; the folder stays as long as the house.
    pub fn end(&mut self) {
        let _ = self.end.try_send(());
        if let Some(daemon) = self.daemon.take() {
            let _ = daemon.join();
        }
    }

    /// The challenges that do not count for root, as stored. Ends the daemon.
    pub fn stored_decoys(&mut self) -> MovementSet {
        self.end();
        let store = reopened(&self.folder.path().join("state"));
        let root = pose_helperd::accounts::by_name("root").expect("a name service").expect("an account");
        let (_, templates) = store.templates(&root).expect("enrolled");
        Template::decode(&templates.first().expect("one").template).expect("a template").decoys()
    }

    /// A client with this process' own uid.
    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// A client of another uid.
    pub fn client_of(&self, uid: u32) -> Client {
        Client::with_uid(&self.address, uid)
    }

    /// Worker processes that live.
    pub fn workers(&self) -> usize {
        self.worker_pids().len()
    }

    /// Their process ids.
    pub fn worker_pids(&self) -> Vec<u32> {
        let me = std::process::id().to_string();
        let output = Command::new("ps").args(["-o", "pid=,args=", "--ppid", &me]).output().expect("ps");
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = text.lines().filter(|line| line.contains(" worker ") && !line.contains("defunct"));
        lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
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

/// One house at a time: two cameras' models at once would starve each other of pictures on a small machine.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What enrolling once left.
pub struct Enrolled {
    folder: PathBuf,
    /// Nobody's recovery code.
    pub recovery_code: String,
}

/// A state folder with users enrolled, made once in each test binary: root by a real enrolment, nobody with a copy
/// of root's template.
pub fn enrolled_state() -> &'static Enrolled {
    static STATE: OnceLock<Enrolled> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut house = House::new(&Script::enrolling());
        let client = house.client();
        let attempt = client.enroll("root", 3).expect("an attempt");
        let events = client.run(&attempt, |code| match code {
            "new_password" => PASSWORD.to_vec(),
            other => panic!("asked for {other}"),
        });
        assert_eq!(verdict(&events).code, "enrolled", "{events:?}");
        house.end();
        let state = house.folder.path().join("state");
        let recovery_code = enrol_nobody(&state);
        // Statics are never dropped: the folder stays until the system empties its temporary folder.
        let folder = tempfile::tempdir().expect("a folder").keep().join("state");
        copy(&state, &folder);
        Enrolled { folder, recovery_code }
    })
}

fn enrol_nobody(state: &Path) -> String {
    let mut store = reopened(state);
    let account = |name| pose_helperd::accounts::by_name(name).expect("a name service").expect("an account");
    let root = account("root");
    let (_, templates) = store.templates(&root).expect("enrolled");
    let password = store.password(&root).expect("a store").expect("a password");
    let new = NewEnrolment {
        template: &templates.first().expect("one").template,
        gesture: "circle",
        recordings: 3,
        strength: "good",
        password: Some(&password),
        replace: false,
        most_gestures: 4,
    };
    store.enrol(&account("nobody"), &new, 0).expect("enrolled").recovery_code.printed().to_string()
}

/// The store of a daemon that has ended; its last tasks may still be on their way out.
fn reopened(state: &Path) -> Store {
    let start = Instant::now();
    loop {
        match Store::open(&StorePaths::private(state).expect("paths"), keys()) {
            Ok(store) => return store,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn keys() -> KeyRing {
    KeyRing::of(WrappingKey::new(zeroize::Zeroizing::new([7; KEY_LEN])))
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(status.success());
}

/// A bus that anybody may use: what is tested with it is the daemon, not the policy.
fn start_bus(folder: &Path) -> (Child, String) {
    let everything = r#"<allow own="*"/><allow send_destination="*" eavesdrop="false"/>"#;
    start_bus_with(folder, everything, "")
}

/// A bus with the policy that the project ships, on which root stands for the helper's user.
pub fn start_bus_with_policy(folder: &Path) -> (Child, String) {
    let shipped = root().join("config/org.pam_pose.Helper1.conf");
    let text = std::fs::read_to_string(shipped).expect("the shipped policy");
    let named = format!("user=\"{}\"", pose_contract::HELPER_USER);
    assert!(text.contains(&named), "it gives rights to the helper's user");
    let policy = folder.join("policy.conf");
    std::fs::write(&policy, text.replace(&named, "user=\"root\"")).expect("the policy");
    // The system bus' own defaults: no name is owned and no call delivered until a policy file allows it.
    let nothing = r#"<deny own="*"/><deny send_type="method_call"/>
        <allow send_requested_reply="true" send_type="method_return"/>
        <allow send_requested_reply="true" send_type="error"/>
        <allow send_destination="org.freedesktop.DBus"/>"#;
    start_bus_with(folder, nothing, &format!("<include>{}</include>", policy.display()))
}

fn start_bus_with(folder: &Path, rules: &str, include: &str) -> (Child, String) {
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
    {rules}
    <allow receive_sender="*"/>
  </policy>
  {include}
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

/// Whether tests can connect with other uids; says so when they cannot.
pub fn can_be_others() -> bool {
    let root = nix::unistd::geteuid().is_root() && nix::unistd::setfsuid(NOBODY.into()).as_raw() == 0;
    let _ = nix::unistd::setfsuid(0.into());
    let others =
        root && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.contains("4294967295"));
    if !others {
        eprintln!("skipped: connecting with other uids needs root outside a user namespace");
    }
    others
}

/// The last event of a run, which is the verdict.
pub fn verdict(events: &[Event]) -> &Event {
    events.last().expect("a verdict")
}

/// Serves an object under a name of its own on a house's bus.
pub fn serve_as(
    address: &str,
    name: &str,
    path: &str,
    object: impl zbus::object_server::Interface,
) -> zbus::Connection {
    let builder = zbus::connection::Builder::address(address).serve_at(path, object).name(name);
    zbus::block_on(builder.build()).expect("the name is free")
}
