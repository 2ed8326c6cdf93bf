//! The running side: bus, activation, configuration, and what the helper says about itself.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use pose_contract::SYSTEM_BUS_SOCKET;

use super::Finding;
use crate::bus::{Details, connect, text};
use crate::exit::Failure;

const HELPER: &str = "/usr/libexec/pam_pose/pose-helperd";
/// Reading one file takes milliseconds; a helper that hangs here is broken.
const CONFIG_PATIENCE: Duration = Duration::from_secs(10);

/// All checks of this file. Later ones need the earlier: the first that fails ends the row.
pub(super) fn check() -> Vec<Finding> {
    let mut findings = vec![configuration(Path::new(HELPER))];
    if let Err(e) = UnixStream::connect(SYSTEM_BUS_SOCKET) {
        findings.push(Finding::problem(
            "bus",
            format!("{SYSTEM_BUS_SOCKET}: {e}"),
            "systemctl start dbus.socket (without a system bus the module answers \"unavailable\")",
        ));
        return findings;
    }
    match connect::activatable() {
        Ok(true) => findings.push(Finding::ok("bus", "the bus can start the helper")),
        Ok(false) => findings.push(Finding::problem(
            "bus",
            "the bus does not know how to start the helper",
            "install it, then `systemctl daemon-reload && systemctl reload dbus`",
        )),
        Err(failure) => {
            findings.push(broken("bus", &failure));
            return findings;
        }
    }
    match connect::patiently(|| connect::helper()?.status()) {
        Ok(status) => findings.extend(told(&status)),
        Err(failure) => findings.push(broken("helper", &failure)),
    }
    findings
}

/// What the helper's own status says.
fn told(status: &Details) -> Vec<Finding> {
    let mut findings =
        vec![Finding::ok("helper", format!("pose-helperd {} answers", text(status, "version")))];
    findings.push(match text(status, "store") {
        "ok" => Finding::ok("store", "the helper can use its store"),
        state => Finding::problem(
            "store",
            format!("the helper says of its store: {state:?}"),
            "see `journalctl -u pose-helperd`; restore the last backup, or enrol again",
        ),
    });
    let camera = text(status, "camera");
    findings.extend(match text(status, "camera_state") {
        // Nothing was captured since the helper started.
        "" | "unknown" | "unused" => None,
        "ok" => Some(Finding::ok("camera", format!("the helper last captured from {camera}"))),
        state => {
            Some(Finding::warning("camera", format!("at its last use: {state}"), "run `posectl devices`"))
        }
    });
    findings
}

/// Lets the installed helper read its configuration: it alone knows all keys.
fn configuration(helper: &Path) -> Finding {
    match check_config(helper) {
        Ok((true, _)) => Finding::ok("configuration", "the helper accepts /etc/pam_pose/helperd.toml"),
        Ok((false, words)) => Finding::problem(
            "configuration",
            words.trim().to_owned(),
            format!("edit /etc/pam_pose/helperd.toml, then `{HELPER} --check-config`"),
        ),
        Err(e) => Finding::problem(
            "configuration",
            format!("{} --check-config: {e}", helper.display()),
            "run `make install` as root, or reinstall the package",
        ),
    }
}

fn check_config(helper: &Path) -> io::Result<(bool, String)> {
    let mut child = Command::new(helper)
        .arg("--check-config")
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let since = Instant::now();
    while child.try_wait()?.is_none() {
        if since.elapsed() > CONFIG_PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    let done = child.wait_with_output()?;
    Ok((done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned()))
}

/// A failure as a finding, its next step as the fix.
pub(super) fn broken(check: &'static str, failure: &Failure) -> Finding {
    let words = failure.to_string();
    let (what, next) = words.split_once("\n  next: ").unwrap_or((&words, ""));
    Finding::problem(check, what, next)
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;
    use crate::exit::Exit;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_failure_becomes_a_problem_with_its_next_step_as_the_fix() {
        let finding = broken("bus", &Failure::new(Exit::Helper, "silent", "start it"));
        assert_eq!((finding.what.as_str(), finding.fix.as_str()), ("silent", "start it"));
    }

    #[test]
    fn the_helpers_own_words_about_its_configuration_are_shown() {
        let folder = tempfile::tempdir().expect("folder");
        let helper = folder.path().join("helper");
        let script = |body: &str| {
            fs::write(&helper, format!("#!/bin/sh\n{body}\n")).expect("write");
            fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("chmod");
        };
        script("exit 0");
        assert_eq!(configuration(&helper).level, Level::Ok);
        script("echo 'line 3: unknown key' >&2; exit 1");
        let finding = configuration(&helper);
        assert_eq!((finding.level, finding.what.as_str()), (Level::Problem, "line 3: unknown key"));
        fs::remove_file(&helper).expect("remove");
        assert_eq!(configuration(&helper).level, Level::Problem);
    }

    #[test]
    fn a_store_that_is_not_well_is_a_problem() {
        let status = |store: &str, camera: &str| {
            let value = |text: &str| zbus::Variant::from(text).try_to_owned().expect("text");
            told(&Details::from([
                ("store".to_owned(), value(store)),
                ("camera_state".to_owned(), value(camera)),
                ("version".to_owned(), value("1")),
            ]))
        };
        let worst = |findings: Vec<Finding>| findings.iter().map(|f| f.level).max();
        assert_eq!(worst(status("ok", "unknown")), Some(Level::Ok));
        assert_eq!(worst(status("ok", "the camera was unplugged")), Some(Level::Warning));
        assert_eq!(worst(status("lost", "ok")), Some(Level::Problem));
        assert_eq!(worst(told(&Details::new())), Some(Level::Problem));
    }
}
