//! `posectl pam` and `posectl emergency-off` on whole systems: a root folder of the test's own, and, in a mount
//! namespace, the real libpam with the real module.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const COMMON: &str = "auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\n\
                      auth\trequired\tpam_permit.so\n";
const SUDO: &str = "#%PAM-1.0\n\n# ours: \u{e4}\n@include common-auth\n@include common-account\n";
const LOGIN: &str =
    "auth optional pam_faildelay.so delay=10\n@include common-auth\n@include common-account\n";
/// As the profile of pam-auth-update writes it.
const PROFILE: &str = "auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\n\
    auth\trequired\tpam_permit.so\n\
    auth\t[success=1 default=ignore]\tpam_succeed_if.so quiet uid = 0 service = login\n\
    auth\trequired\tpam_pose.so pose_only nouserok\nauth\toptional\tpam_cap.so\n";

/// A root folder; gone with the value.
struct Root(tempfile::TempDir);

impl Root {
    fn new(services: &[(&str, &str)]) -> Self {
        let root = Self(tempfile::tempdir().expect("folder"));
        for folder in ["etc/pam.d", "usr/lib/pam.d", "usr/bin"] {
            fs::create_dir_all(root.path(folder)).expect("mkdir");
        }
        root.write("etc/shadow", "root:$6$x$y:19700:0:99999:7:::\n");
        root.write("etc/pam.d/common-auth", COMMON);
        root.write("etc/pam.d/common-account", "account required pam_unix.so\n");
        root.write("etc/pam.d/login", LOGIN);
        services.iter().for_each(|(name, text)| root.write(&format!("etc/pam.d/{name}"), text));
        root
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    fn write(&self, inside: &str, text: &str) {
        fs::write(self.path(inside), text).expect("write");
        fs::set_permissions(self.path(inside), fs::Permissions::from_mode(0o644)).expect("chmod");
    }

    fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).expect("read")
    }

    /// Runs posectl on this root; its exit code and everything that it said.
    fn posectl(&self, args: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posectl"));
        said(&command.args(args).arg("--root").arg(self.0.path()).output().expect("posectl"))
    }
}

fn said(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn plan_shows_the_difference_and_changes_nothing() {
    let root = Root::new(&[("sudo", SUDO)]);
    let (code, said) = root.posectl(&["pam", "plan", "sudo"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("+auth\trequired\tpam_pose.so pose_only nouserok"), "{said}");
    assert!(said.contains("left for root when no pose can be had: root's password at the console"), "{said}");
    assert!(said.contains("right password, pose says authinfo_unavail: refused"), "{said}");
    assert_eq!(root.read("etc/pam.d/sudo"), SUDO);
    assert!(!root.path("etc/pam_pose").exists());
}

#[test]
fn apply_verify_and_rollback_are_a_round_trip() {
    let root = Root::new(&[("sudo", SUDO)]);
    fs::set_permissions(root.path("etc/pam.d/sudo"), fs::Permissions::from_mode(0o604)).expect("chmod");
    let (code, said) = root.posectl(&["pam", "verify", "sudo"]);
    assert_eq!(code, 1, "asks for no pose yet: {said}");
    let (code, said) = root.posectl(&["pam", "apply", "sudo", "--strict", "--option", "timeout=30"]);
    assert_eq!(code, 0, "{said}");
    assert!(root.read("etc/pam.d/sudo").contains("pam_pose.so pose_only timeout=30\n"), "{said}");
    assert_eq!(root.posectl(&["pam", "verify", "sudo"]).0, 0);
    let (code, said) = root.posectl(&["pam", "apply", "sudo"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("already"), "{said}");
    let (code, said) = root.posectl(&["pam", "rollback", "sudo"]);
    assert_eq!((code, root.read("etc/pam.d/sudo").as_str()), (0, SUDO), "{said}");
    let mode = fs::metadata(root.path("etc/pam.d/sudo")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o604);
    assert_eq!(root.posectl(&["pam", "rollback", "sudo"]).0, 1, "there is nothing left to take back");
}

#[test]
fn a_folder_without_a_system_is_named_as_the_mistake() {
    let empty = tempfile::tempdir().expect("folder");
    for words in [&["emergency-off"][..], &["emergency-off", "--undo"], &["pam", "plan", "su"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posectl"));
        let (code, said) =
            said(&command.args(words).arg("--root").arg(empty.path()).output().expect("posectl"));
        assert_eq!(code, 3, "{words:?}: {said}");
        assert!(said.contains("--root"), "{words:?}: {said}");
    }
}

#[test]
fn a_service_of_the_distribution_gets_a_file_of_the_administrators() {
    let root = Root::new(&[]);
    root.write("usr/lib/pam.d/polkit-1", "@include common-auth\n");
    let (code, said) = root.posectl(&["pam", "apply", "polkit-1"]);
    assert_eq!(code, 0, "{said}");
    assert!(root.read("etc/pam.d/polkit-1").contains("pam_pose.so"));
    assert_eq!(root.read("usr/lib/pam.d/polkit-1"), "@include common-auth\n");
    assert_eq!(root.posectl(&["pam", "rollback", "polkit-1"]).0, 0);
    assert!(!root.path("etc/pam.d/polkit-1").exists());
}

#[test]
fn what_would_open_a_door_or_lock_one_is_refused_with_the_next_step() {
    let fingerprint = format!("auth sufficient pam_fprintd.so\n{SUDO}");
    type Row<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);
    let table: [Row<'_>; 11] = [
        (
            "sudo",
            "auth sufficient pam_unix.so\nauth required pam_deny.so\n",
            &[],
            &["sudo:1", "write `required`"],
        ),
        ("sudo", &fingerprint, &[], &["pam_fprintd.so", "Nothing was changed"]),
        ("sudo", "auth required pam_permit.so\n", &[], &["wrong password, right pose"]),
        ("sudo", "@include gone\n", &[], &["gone", "mend the inclusion"]),
        ("sudo", "@include common-account\n", &[], &["no auth line", "name a service"]),
        ("sshd", SUDO, &[], &["nobody sits before", "leave it without"]),
        ("common-auth", COMMON, &[], &["pam-auth-update --enable pam_pose"]),
        ("sudo", SUDO, &["--option", "nouserOK"], &["no option \"nouserOK\"", "timeout=SECONDS"]),
        ("../sudo", "", &[], &["no service name"]),
        ("sodu", "", &[], &["name one of:", "login"]),
        ("login", LOGIN, &[], &["no way would be left for root", "passwd root"]),
    ];
    for (service, text, options, words) in table {
        let root = Root::new(&[]);
        if !text.is_empty() {
            root.write(&format!("etc/pam.d/{service}"), text);
        }
        let (code, said) = root.posectl(&[&["pam", "apply", service], options].concat());
        assert_ne!(code, 0, "{service} {text}: {said}");
        for word in words {
            assert!(said.contains(word), "{service} {text}: {word}: {said}");
        }
        if !text.is_empty() {
            assert_eq!(root.read(&format!("etc/pam.d/{service}")), text);
        }
    }
    let root = Root::new(&[("sudo", &fingerprint)]);
    let (code, said) = root.posectl(&["pam", "apply", "sudo", "--accept", "pam_fprintd.so"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("exemption of yours"), "{said}");
}

#[test]
fn files_that_others_can_write_are_refused() {
    let root = Root::new(&[("sudo", SUDO)]);
    fs::set_permissions(root.path("etc/pam.d/common-auth"), fs::Permissions::from_mode(0o666))
        .expect("chmod");
    let (code, said) = root.posectl(&["pam", "apply", "sudo"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("common-auth") && said.contains("chmod go-w"), "{said}");
    assert_eq!(root.read("etc/pam.d/sudo"), SUDO);
    std::os::unix::fs::symlink("common-auth", root.path("etc/pam.d/linked")).expect("link");
    let (code, said) = root.posectl(&["pam", "apply", "linked"]);
    assert_eq!(code, 3, "{said}");
}

#[test]
fn a_file_edited_since_is_not_lost_by_a_rollback() {
    let root = Root::new(&[("sudo", SUDO)]);
    assert_eq!(root.posectl(&["pam", "apply", "sudo"]).0, 0);
    let edited = format!("{}session required pam_limits.so\n", root.read("etc/pam.d/sudo"));
    root.write("etc/pam.d/sudo", &edited);
    let (code, said) = root.posectl(&["pam", "rollback", "sudo"]);
    assert_eq!((code, root.read("etc/pam.d/sudo")), (1, edited), "{said}");
    assert!(said.contains("--force"), "{said}");
    assert_eq!(root.posectl(&["pam", "rollback", "sudo", "--force"]).0, 0);
    assert_eq!(root.read("etc/pam.d/sudo"), SUDO);
}

#[test]
fn the_emergency_switch_takes_the_pose_out_everywhere_and_gives_it_back() {
    let broken = "auth needed pam_pose.so\n";
    let own = "auth sufficient pam_pose.so try_first_pass\nauth required pam_deny.so\n";
    let root = Root::new(&[("common-auth", PROFILE), ("sudo", SUDO), ("lock", own), ("odd", broken)]);
    root.write("etc/elsewhere", "auth required pam_pose.so pose_only\n");
    let inclusion = format!("auth include {}\n", "/etc/elsewhere");
    root.write("etc/pam.d/far", &inclusion);
    fs::write(root.path("etc/pam.d/latin"), b"# \xe4\nauth required pam_pose.so pose_only\n").expect("write");
    let before: Vec<Vec<u8>> = files(&root).iter().map(|file| fs::read(file).expect("read")).collect();

    let (code, said) = root.posectl(&["emergency-off"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("emergency-off --undo"), "{said}");
    for file in files(&root) {
        let text = String::from_utf8_lossy(&fs::read(&file).expect("read")).into_owned();
        let live = text.lines().filter(|line| !line.starts_with('#'));
        assert!(!live.clone().any(|line| line.contains("pam_pose.so")), "{}: {text}", file.display());
    }
    // The jump over the pose still lands where it did, and the own password became the system's.
    assert!(
        root.read("etc/pam.d/common-auth")
            .contains("\nauth\t[default=ignore]\tpam_permit.so\nauth\toptional")
    );
    assert!(root.read("etc/pam.d/lock").contains("\nauth\tsufficient\tpam_unix.so try_first_pass\n"));
    let (code, said) = root.posectl(&["emergency-off"]);
    assert_eq!((code, said.contains("nothing was changed")), (0, true), "{said}");

    let (code, said) = root.posectl(&["emergency-off", "--undo"]);
    assert_eq!(code, 0, "{said}");
    let after: Vec<Vec<u8>> = files(&root).iter().map(|file| fs::read(file).expect("read")).collect();
    assert_eq!(before, after);
    assert_eq!(root.posectl(&["emergency-off", "--undo"]).0, 1);
}

/// Where authselect writes the stacks, pam.d holds links that begin with a slash. From a rescue system they have to lead
/// into the mounted one, and never into the rescue system's own files.
#[test]
fn the_emergency_switch_follows_links_inside_the_mounted_system() {
    let text = "auth required pam_unix.so\nauth required pam_pose.so pose_only\n";
    let root = Root::new(&[("sudo", "auth include system-auth\n")]);
    let outside = tempfile::tempdir().expect("folder");
    let foreign = outside.path().join("system-auth");
    fs::write(&foreign, text).expect("write");
    let folder = outside.path().to_str().expect("text").trim_start_matches('/');
    fs::create_dir_all(root.path(folder)).expect("mkdir");
    let inside = format!("{folder}/system-auth");
    root.write(&inside, text);
    symlink(&foreign, root.path("etc/pam.d/system-auth")).expect("link");
    symlink("round", root.path("etc/pam.d/round")).expect("link");

    assert!(root.posectl(&["pam", "verify", "sudo"]).1.contains("asks for a pose"), "the link is read");
    let (code, said) = root.posectl(&["emergency-off"]);
    assert_eq!((code, said.contains("  off ")), (0, true), "{said}");
    assert!(root.read(&inside).contains("pam_permit.so"), "{said}");
    assert_eq!(fs::read_to_string(&foreign).expect("read"), text, "the running system's file");
    assert!(root.path("etc/pam.d/system-auth").is_symlink());
    let (code, said) = root.posectl(&["emergency-off", "--undo"]);
    assert_eq!((code, root.read(&inside).as_str()), (0, text), "{said}");
}

fn files(root: &Root) -> Vec<PathBuf> {
    let names = ["common-auth", "sudo", "lock", "odd", "far", "latin", "login"];
    let services = names.map(|name| root.path("etc/pam.d").join(name));
    services.into_iter().chain([root.path("etc/elsewhere")]).collect()
}

#[test]
fn a_file_edited_after_the_switch_stays_and_is_named() {
    let root = Root::new(&[("sudo", "auth required pam_unix.so\nauth required pam_pose.so pose_only\n")]);
    assert_eq!(root.posectl(&["emergency-off"]).0, 0);
    root.write("etc/pam.d/sudo", "auth required pam_unix.so\n");
    let (code, said) = root.posectl(&["emergency-off", "--undo"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("edited since") && said.contains(".before"), "{said}");
    assert_eq!(root.read("etc/pam.d/sudo"), "auth required pam_unix.so\n");
}

/// The same commands on `/`, where libpam, pamtester and the built module are real. A namespace keeps it apart.
#[test]
fn the_real_libpam_agrees_and_a_dead_helper_locks_root_out_nowhere_it_must_not() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real_libpam.sh");
    let own = nix::unistd::geteuid().is_root();
    let namespace: &[&str] = if own { &["--mount"] } else { &["--map-root-user", "--mount"] };
    let output = Command::new("unshare")
        .args(namespace)
        .args(["--propagation", "private", "--", "bash"])
        .arg(script)
        .args([env!("CARGO_BIN_EXE_posectl"), &module().to_string_lossy()])
        .output()
        .expect("unshare (package util-linux)");
    let (code, said) = said(&output);
    assert_eq!(code, 0, "{said}");
}

/// The module that is shipped.
fn module() -> PathBuf {
    let named = std::env::var_os("PAM_POSE_MODULE").map(PathBuf::from);
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/libpam_pose.so");
    let module = named.unwrap_or(built);
    assert!(module.exists(), "no {}: run `make build` first", module.display());
    module.canonicalize().expect("path")
}
