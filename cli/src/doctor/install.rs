//! The installed files: there, root's own, and the ones this version was built for.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Group, User};
use pose_contract::HELPER_USER;
use pose_vision::{Assets, Tracker, TrackerOptions};

use super::Finding;

/// Where `make install` and the package put what must not be anybody's but root's.
const FILES: [(&str, &str); 6] = [
    ("helper", "/usr/libexec/pam_pose/pose-helperd"),
    ("bus policy", "/usr/share/dbus-1/system.d/org.pam_pose.Helper1.conf"),
    ("bus activation", "/usr/share/dbus-1/system-services/org.pam_pose.Helper1.service"),
    ("polkit actions", "/usr/share/polkit-1/actions/org.pam_pose.policy"),
    ("unit", UNIT),
    ("configuration", "/etc/pam_pose/helperd.toml"),
];
const UNIT: &str = "/usr/lib/systemd/system/pose-helperd.service";
/// Lines of the shipped unit without which the helper would run less confined than promised.
const SANDBOX: [&str; 6] = [
    "User=pam-pose",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "PrivateNetwork=yes",
    "DeviceAllow=char-video4linux rw",
];
const REINSTALL: &str = "run `make install` as root, or reinstall the package";

/// All checks of this file.
pub(super) fn check() -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        FILES.iter().map(|(name, path)| owned_by_root(name, Path::new(path))).collect();
    findings.push(helper_user());
    findings.push(sandbox());
    findings.push(installed_assets());
    findings
}

fn owned_by_root(name: &str, path: &Path) -> Finding {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(e) => Finding::problem("files", format!("{name} {shown}: {e}"), REINSTALL),
        Ok(meta) if meta.uid() != 0 || meta.mode() & 0o022 != 0 => Finding::problem(
            "files",
            format!("{name} {shown} can be changed by others than root"),
            format!("chown root:root {shown} && chmod go-w {shown}"),
        ),
        Ok(_) => Finding::ok("files", format!("{name} {shown}")),
    }
}

fn helper_user() -> Finding {
    let create = "systemd-sysusers && systemd-tmpfiles --create";
    let Some(user) = User::from_name(HELPER_USER).ok().flatten() else {
        return Finding::problem("user", format!("the system user {HELPER_USER} does not exist"), create);
    };
    let video = Group::from_name("video").ok().flatten();
    if video.is_some_and(|group| group.mem.contains(&user.name) || group.gid == user.gid) {
        Finding::ok("user", format!("{HELPER_USER} exists and is in group video"))
    } else {
        // The unit adds the group itself; only a start by hand would miss it.
        Finding::warning("user", format!("{HELPER_USER} is not in group video"), create)
    }
}

fn sandbox() -> Finding {
    let Ok(unit) = fs::read_to_string(UNIT) else {
        return Finding::problem("sandbox", format!("{UNIT} cannot be read"), REINSTALL);
    };
    match missing_lines(&unit).as_slice() {
        [] => Finding::ok("sandbox", "the unit confines the helper"),
        missing => Finding::problem(
            "sandbox",
            format!("the unit lacks {}", missing.join(", ")),
            format!("{REINSTALL}; put changes of your own into `systemctl edit pose-helperd`"),
        ),
    }
}

fn missing_lines(unit: &str) -> Vec<&'static str> {
    SANDBOX.into_iter().filter(|wanted| !unit.lines().any(|line| line.trim() == *wanted)).collect()
}

/// Loads what the helper would load: that checks owners, sums and the runtime's version at once.
fn installed_assets() -> Finding {
    let load = |assets: &Assets| Tracker::new(assets, &TrackerOptions::default()).map(drop);
    match Assets::installed().and_then(|assets| load(&assets)) {
        Ok(()) => Finding::ok("models", "models and ONNX Runtime are installed and load"),
        Err(installed) => match Assets::beside_executable().and_then(|assets| load(&assets)) {
            Ok(()) => Finding::problem(
                "models",
                format!(
                    "{installed}. posectl itself works: it found others beside it, which the helper does not use"
                ),
                REINSTALL,
            ),
            Err(_) => Finding::problem("models", installed.to_string(), REINSTALL),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_unit_has_every_line_the_doctor_looks_for() {
        let unit = include_str!("../../../systemd/pose-helperd.service");
        assert_eq!(missing_lines(unit), Vec::<&str>::new());
        assert_eq!(
            missing_lines(&unit.replace("PrivateNetwork=yes", "PrivateNetwork=no")),
            ["PrivateNetwork=yes"]
        );
    }

    #[test]
    fn the_paths_are_those_that_the_installer_uses() {
        let list = include_str!("../../../scripts/install-list");
        for (_, path) in FILES {
            let name = Path::new(path).file_name().expect("file name").to_string_lossy();
            assert!(list.contains(&*name), "{path}");
        }
        assert!(list.contains("$prefix/libexec/pam_pose/pose-helperd"));
    }

    #[test]
    fn a_missing_file_and_a_writable_one_are_problems() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("unit");
        assert_eq!(owned_by_root("unit", &path).level, super::super::Level::Problem);
        fs::write(&path, "x").expect("write");
        let mut mode = fs::metadata(&path).expect("there").permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o666);
        fs::set_permissions(&path, mode).expect("chmod");
        let finding = owned_by_root("unit", &path);
        assert_eq!(finding.level, super::super::Level::Problem);
        assert!(finding.fix.contains("chmod go-w"));
    }
}
