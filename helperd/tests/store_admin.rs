//! `store-admin` and the store together: fresh start, backup and restore, starting anew, key rotation.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pose_helperd::accounts::Account;
use pose_helperd::config::trusted::Owner;
use pose_helperd::keys::{KeyRing, KeySources};
use pose_helperd::store::{NewEnrolment, Store, StoreError, StorePaths};

/// An installation below a directory of its own.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().expect("directory") };
        for directory in ["etc/pam_pose", "var/lib/pam_pose", "var/lib/pam_pose-anchor"] {
            let path = machine.path(directory);
            std::fs::create_dir_all(&path).expect("mkdir");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).expect("chmod");
        }
        machine
    }

    fn prepared() -> Self {
        let machine = Self::new();
        machine.admin(&["prepare"]);
        machine
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    fn try_admin(&self, arguments: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/store-admin");
        let user =
            nix::unistd::User::from_uid(nix::unistd::geteuid()).expect("lookup").expect("account").name;
        Command::new(script)
            .args(["--root".as_ref(), self.root.path().as_os_str()])
            .args(["--user", &user])
            .args(arguments)
            .output()
            .expect("runs")
    }

    /// Says what comes next, but for `prepare`, which the unit runs.
    fn admin(&self, arguments: &[&str]) {
        let output = self.try_admin(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout.is_empty(), arguments == ["prepare"], "{arguments:?}");
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.try_admin(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// `restore` as it runs on a machine with systemd, which starts the helper or, as a first try, does not: in a
    /// namespace of its own, where this installation lies at `/`.
    fn restore_with_service(&self, backup: &Path, starts: bool) -> (bool, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd/store-admin");
        let bin = self.path("bin");
        std::fs::create_dir_all(&bin).expect("mkdir");
        let systemctl = bin.join("systemctl");
        let started = self.path("started-once");
        let answer = if starts { "exit 0" } else { "[ -e \"$STARTED\" ] || { : > \"$STARTED\"; exit 1; }" };
        std::fs::write(&systemctl, format!("#!/bin/sh\n[ \"$1\" = start ] || exit 0\n{answer}\n"))
            .expect("write");
        std::fs::set_permissions(&systemctl, PermissionsExt::from_mode(0o755)).expect("chmod");
        let inside = r#"set -e
            mount -t tmpfs tmpfs /mnt
            mkdir -p /mnt/etc/pam_pose /mnt/lib/pam_pose
            echo root:x:0:0::/:/bin/sh > /mnt/etc/passwd; echo root:x:0: > /mnt/etc/group
            mount --bind "$1/etc/pam_pose" /mnt/etc/pam_pose
            mount --bind "$1/var/lib/pam_pose" /mnt/lib/pam_pose
            mount --rbind /mnt/lib /var/lib; mount --rbind /mnt/etc /etc
            PATH="$1/bin:$PATH" exec "$2" --user root restore "$3""#;
        let own = nix::unistd::geteuid().is_root();
        let namespace: &[&str] = if own { &["--mount"] } else { &["--map-root-user", "--mount"] };
        let output = Command::new("unshare")
            .args(namespace)
            .args(["--propagation", "private", "--", "sh", "-c", inside, "sh"])
            .args([self.root.path(), &script, backup])
            .env("STARTED", started)
            .output()
            .expect("unshare (package util-linux)");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn open(&self) -> Result<Store, Box<dyn std::error::Error>> {
        let paths = StorePaths {
            state: self.path("var/lib/pam_pose"),
            mark: self.path("etc/pam_pose/instance"),
            anchor: self.path("var/lib/pam_pose-anchor/generation"),
            mark_owner: Owner::RootOrCaller,
        };
        let sources = KeySources { credentials: None, file: self.path("etc/pam_pose/key") };
        let keys = KeyRing::load(&sources, &paths.state)?;
        Ok(Store::open(&paths, keys)?)
    }

    fn read(&self, below: &str) -> Vec<u8> {
        std::fs::read(self.path(below)).expect(below)
    }
}

fn ada() -> Account {
    Account { name: "ada".into(), uid: 1000 }
}

fn enrol(store: &mut Store) {
    let new = NewEnrolment {
        template: b"template",
        gesture: "wave",
        recordings: 3,
        strength: "good",
        password: None,
        replace: true,
        most_gestures: 4,
    };
    store.enrol(&ada(), &new, 0).expect("enrol");
}

fn enrolled(machine: &Machine) -> bool {
    match machine.open().expect("opens").templates(&ada()) {
        Ok(_) => true,
        Err(StoreError::NotEnrolled) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_fresh_installation_starts_and_preparing_again_changes_nothing() {
    let machine = Machine::new();
    assert!(machine.open().is_err(), "nothing is there yet");
    machine.admin(&["prepare"]);
    let before = (machine.read("etc/pam_pose/key"), machine.read("etc/pam_pose/instance"));
    assert_eq!(before.0.len(), 32);
    enrol(&mut machine.open().expect("first start"));
    machine.admin(&["prepare"]);
    assert_eq!(before, (machine.read("etc/pam_pose/key"), machine.read("etc/pam_pose/instance")));
    assert!(enrolled(&machine));
}

#[test]
fn preparing_never_papers_over_a_lost_store_mark_or_key() {
    for lost in ["var/lib/pam_pose/store.db", "etc/pam_pose/instance", "etc/pam_pose/key"] {
        let machine = Machine::prepared();
        enrol(&mut machine.open().expect("open"));
        std::fs::remove_file(machine.path(lost)).expect("lose");
        machine.admin(&["prepare"]);
        assert!(!machine.path(lost).exists(), "{lost} made again");
        assert!(machine.open().is_err(), "{lost}");
    }
}

#[test]
fn a_backup_comes_back_with_roots_word_and_without_the_key() {
    let machine = Machine::prepared();
    enrol(&mut machine.open().expect("open"));
    let backup = machine.path("backup.tar");
    let file = backup.to_str().expect("text");
    machine.admin(&["backup", file]);
    let bytes = machine.read("backup.tar");
    let key = machine.read("etc/pam_pose/key");
    assert!(!bytes.windows(32).any(|window| window == key), "the key is not in the backup");
    assert_eq!(std::fs::metadata(&backup).expect("metadata").permissions().mode() & 0o077, 0);
    assert!(machine.refused(&["backup", file]).contains("name another file"));
    machine.open().expect("open").remove("ada", 0).expect("remove");
    assert!(!enrolled(&machine));
    machine.admin(&["restore", file]);
    assert!(enrolled(&machine));
    // Put back by hand, without root's word, it is an old copy.
    machine.open().expect("open").remove("ada", 0).expect("remove");
    let unpacked = machine.path("var/lib/pam_pose");
    let tar = Command::new("tar").arg("-xf").arg(&backup).arg("-C").arg(&unpacked).arg("store.db").status();
    assert!(tar.expect("tar").success());
    assert!(machine.open().expect_err("old copy").to_string().contains("older copy"));
    machine.admin(&["accept-restored"]);
    assert!(enrolled(&machine));
}

#[test]
fn a_backup_of_a_killed_helper_has_what_was_in_its_log() {
    let machine = Machine::prepared();
    let mut store = machine.open().expect("open");
    enrol(&mut store);
    // A killed process closes nothing: copy what lies there while it is open.
    let crashed = Machine::new();
    for file in ["etc/pam_pose/key", "etc/pam_pose/instance", "var/lib/pam_pose-anchor/generation"] {
        std::fs::copy(machine.path(file), crashed.path(file)).expect("copy");
    }
    for file in ["store.db", "store.db-wal"] {
        let below = format!("var/lib/pam_pose/{file}");
        std::fs::copy(machine.path(&below), crashed.path(&below)).expect("copy");
    }
    drop(store);
    let backup = crashed.path("backup.tar");
    crashed.admin(&["backup", backup.to_str().expect("text")]);
    for file in ["store.db", "store.db-wal"] {
        std::fs::remove_file(crashed.path("var/lib/pam_pose").join(file)).expect("lose");
    }
    crashed.admin(&["restore", backup.to_str().expect("text")]);
    assert!(enrolled(&crashed));
}

#[test]
fn foreign_backups_and_other_files_are_refused_and_change_nothing() {
    let other = Machine::prepared();
    enrol(&mut other.open().expect("open"));
    let foreign = other.path("backup.tar");
    other.admin(&["backup", foreign.to_str().expect("text")]);
    let machine = Machine::prepared();
    enrol(&mut machine.open().expect("open"));
    let told = machine.refused(&["restore", foreign.to_str().expect("text")]);
    assert!(told.contains("another installation"), "{told}");
    let text = machine.path("text");
    std::fs::write(&text, "hello").expect("write");
    assert!(machine.refused(&["restore", text.to_str().expect("text")]).contains("no backup"));
    assert!(machine.refused(&["restore", "/nonexistent"]).contains("cannot be read"));
    let damaged = machine.path("damaged.tar");
    std::fs::write(machine.path("store.db"), "").expect("write");
    let mut tar = Command::new("tar");
    let tar = tar.arg("-cf").arg(&damaged);
    let tar = tar.arg("-C").arg(machine.root.path()).arg("store.db");
    let status = tar.arg("-C").arg(machine.path("etc/pam_pose")).arg("instance").status();
    assert!(status.expect("tar").success());
    assert!(machine.refused(&["restore", damaged.to_str().expect("text")]).contains("another backup"));
    assert!(enrolled(&machine));
}

/// The honest administrator's mistake: the only store that the key opens must not go for a backup that it does not open.
#[test]
fn a_backup_from_before_a_rotation_does_not_cost_the_store_that_lies_there() {
    let machine = Machine::prepared();
    let backup = machine.path("backup.tar");
    drop(machine.open().expect("open"));
    machine.admin(&["backup", backup.to_str().expect("text")]);
    enrol(&mut machine.open().expect("open"));
    machine.admin(&["rotate-key"]);
    assert!(enrolled(&machine), "the helper wraps everything anew");
    std::fs::remove_file(machine.path("etc/pam_pose/key.old")).expect("delete");

    let (restored, told) = machine.restore_with_service(&backup, false);
    assert!(!restored && told.contains("the store from before is back"), "{told}");
    assert!(enrolled(&machine));
    let left = |name: &str| machine.path("var/lib/pam_pose").join(name).exists();
    assert!(!left("store.db.replaced") && !left("accept-restored"), "nothing lies about");

    let newer = machine.path("newer.tar");
    machine.admin(&["backup", newer.to_str().expect("text")]);
    machine.open().expect("open").remove("ada", 0).expect("remove");
    let (restored, told) = machine.restore_with_service(&newer, true);
    assert!(restored, "{told}");
    assert!(enrolled(&machine) && !left("store.db.replaced"), "what was replaced is erased");
}

#[test]
fn nothing_is_done_while_the_store_is_open() {
    let machine = Machine::prepared();
    let store = machine.open().expect("open");
    let told = machine.refused(&["anew"]);
    assert!(told.contains("still has the store open"), "{told}");
    drop(store);
    assert!(machine.open().is_ok());
}

#[test]
fn starting_anew_puts_the_old_store_aside() {
    let machine = Machine::prepared();
    enrol(&mut machine.open().expect("open"));
    machine.admin(&["anew"]);
    assert!(!enrolled(&machine));
    let aside = std::fs::read_dir(machine.path("var/lib/pam_pose"))
        .expect("list")
        .filter(|entry| entry.as_ref().expect("entry").file_name().to_string_lossy().contains("aside"))
        .count();
    assert_eq!(aside, 1);
}

#[test]
fn a_new_key_takes_over_and_the_old_one_opens_nothing() {
    let machine = Machine::prepared();
    enrol(&mut machine.open().expect("open"));
    let old = machine.read("etc/pam_pose/key");
    machine.admin(&["rotate-key"]);
    assert_eq!(machine.read("etc/pam_pose/key.old"), old);
    assert_ne!(machine.read("etc/pam_pose/key"), old);
    assert!(machine.refused(&["rotate-key"]).contains("under way"));
    assert!(enrolled(&machine));
    std::fs::remove_file(machine.path("etc/pam_pose/key.old")).expect("delete");
    assert!(enrolled(&machine));
    std::fs::write(machine.path("etc/pam_pose/key"), old).expect("put the old key back");
    assert!(machine.open().expect_err("the old key").to_string().contains("another key"));
}
