//! Where the tests run: a mount namespace with its own /run, account files and system bus.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use pose_contract::SYSTEM_BUS_SOCKET;

/// Users of the tests.
const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n\
    pam-pose:x:971:971::/:/bin/false\nopen:x:1001:1001::/:/bin/sh\nlocked:x:1002:1002::/:/bin/sh\n\
    expired:x:1003:1003::/:/bin/sh\n";
const SHADOW: &str = "root:*:20000::::::\nopen:$y$x:20000:0:99999:7:::\nlocked:!$y$x:20000:0:99999:7:::\n\
    expired:$y$x:20000:0:99999:7::20001:\n";

/// Runs `program case NAME` in a new mount namespace.
pub(crate) fn enter(program: &mut Command, name: &str) -> Output {
    // As root there is no user namespace, so that tests can be other users as well.
    let kind = if nix::unistd::geteuid().is_root() { "-m" } else { "-rm" };
    Command::new("unshare")
        .args([kind, "--propagation", "private", "--"])
        .arg(program.get_program())
        .args(["case", name])
        .stdin(Stdio::null())
        .output()
        .expect("unshare (package util-linux)")
}

/// The prepared namespace and the module under test.
pub(crate) struct Place {
    pub(crate) module: PathBuf,
}

impl Place {
    pub(crate) fn prepare() -> Self {
        let module = module_file();
        mount(&["-t", "tmpfs", "tmpfs", "/run"]);
        for folder in ["/run/dbus", "/run/pam.d", "/run/etc"] {
            fs::create_dir(folder).expect(folder);
        }
        for (name, text) in [("passwd", PASSWD), ("shadow", SHADOW)] {
            let ours = format!("/run/etc/{name}");
            fs::write(&ours, text).expect(name);
            mount(&["--bind", &ours, &format!("/etc/{name}")]);
        }
        Self { module }
    }

    /// Writes the service file `pose-test` with these words behind the module.
    pub(crate) fn write_service(&self, words: &str) {
        let module = self.module.display();
        let mut text = String::new();
        for stack in ["auth", "account", "session", "password"] {
            text += &format!("{stack} required {module} {words}\n");
        }
        fs::write("/run/pam.d/pose-test", text).expect("service file");
    }

    /// Writes the service file as given; `MODULE` stands for the module's path.
    pub(crate) fn write_stack(&self, text: &str) {
        let text = text.replace("MODULE", &self.module.display().to_string());
        fs::write("/run/pam.d/pose-test", text).expect("service file");
    }
}

fn module_file() -> PathBuf {
    if let Some(named) = std::env::var_os("PAM_POSE_MODULE") {
        return fs::canonicalize(named).expect("PAM_POSE_MODULE");
    }
    let myself = std::env::current_exe().expect("own path");
    let beside = myself.parent().expect("folder").join("libpam_pose.so");
    assert!(beside.exists(), "no {}: run `cargo build -p pam-module`", beside.display());
    beside
}

fn mount(args: &[&str]) {
    let done = Command::new("mount").args(args).status().expect("mount");
    assert!(done.success(), "mount {args:?}");
}

/// A process that ends with the value.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A private system bus at the constant path.
pub(crate) struct PrivateBus {
    _daemon: Running,
}

impl PrivateBus {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// A bus that starts the fake helper when somebody calls it.
    pub(crate) fn start_activating(program: &str) -> Self {
        fs::create_dir_all("/run/services").expect("services");
        let text = format!("[D-BUS Service]\nName=org.pam_pose.Helper1\nExec={program}\n");
        fs::write("/run/services/org.pam_pose.Helper1.service", text).expect("service");
        Self::start_with("<servicedir>/run/services</servicedir>")
    }

    fn start_with(extra: &str) -> Self {
        // A bus of type session starts services itself, without the setuid launch program.
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={SYSTEM_BUS_SOCKET}</listen>{extra}\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"false\"/>\
             <allow receive_sender=\"*\"/><allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>"
        );
        let _ = fs::remove_file(SYSTEM_BUS_SOCKET);
        fs::write("/run/bus.conf", config).expect("bus.conf");
        let mut daemon = Command::new("dbus-daemon")
            .args(["--config-file=/run/bus.conf", "--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().expect("pipe")).read_line(&mut address).expect("address");
        assert!(Path::new(SYSTEM_BUS_SOCKET).exists(), "{address}");
        Self { _daemon: Running(daemon) }
    }
}
