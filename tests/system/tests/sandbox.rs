//! What the unit and the AppArmor profile take away from the helper, by the word of the programs that enforce it.
use std::process::{Command, Output};

use pose_system::place;

/// systemd's own scale: 0 is fully shut in, 10 fully exposed. The project's limit.
const MOST_EXPOSED: f64 = 1.5;

/// Runs a tool; `None`, said aloud, where it is not installed.
fn tool(name: &str, arguments: &[&str]) -> Option<Output> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let done = Command::new("env").arg(format!("PATH={path}")).arg(name).args(arguments).output().ok()?;
    // env(1): 127 when there is no such program.
    if done.status.code() == Some(127) {
        eprintln!("skipped: {name} is not installed");
        return None;
    }
    Some(done)
}

fn shipped(file: &str) -> String {
    place::source().join(file).display().to_string()
}

#[test]
fn the_unit_is_safe_by_systemds_own_measure() {
    let unit = shipped("systemd/pose-helperd.service");
    let Some(output) = tool("systemd-analyze", &["security", "--offline=true", "--no-pager", &unit]) else {
        return;
    };
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if text.contains("unrecognized option") {
        eprintln!("skipped: this systemd-analyze knows no --offline (it came with systemd 250)");
        return;
    }
    let level = text
        .lines()
        .find_map(|line| line.split_once("Overall exposure level for pose-helperd.service: "))
        .and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<f64>().ok());
    let level = level.unwrap_or_else(|| panic!("no exposure level in:\n{text}"));
    println!("exposure {level}");
    assert!(level <= MOST_EXPOSED, "{text}");
}

/// What the measure above weighs lightly, or not at all, and this helper needs most.
#[test]
fn the_unit_reaches_cameras_and_its_bus_and_nothing_else() {
    let text = std::fs::read_to_string(shipped("systemd/pose-helperd.service")).expect("the unit");
    let values = |key: &str| -> Vec<&str> {
        text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
    };
    assert_eq!(values("DevicePolicy"), ["closed"]);
    assert_eq!(values("DeviceAllow"), ["char-video4linux rw"]);
    assert_eq!(values("RestrictAddressFamilies"), ["AF_UNIX"]);
    assert_eq!(values("CapabilityBoundingSet"), [""]);
    for key in ["PrivateNetwork", "MemoryDenyWriteExecute", "NoNewPrivileges"] {
        assert_eq!(values(key), ["yes"], "{key}");
    }
    assert_eq!(values("ProtectSystem"), ["strict"]);
    assert_eq!(values("LimitCORE"), ["0"]);
    assert!(
        values("SystemCallFilter").first().is_some_and(|first| !first.starts_with('~')),
        "a list of what is allowed"
    );
    assert!(values("ReadWritePaths").is_empty(), "only the state directories are writable");
}

#[test]
fn the_apparmor_profile_is_one() {
    let profile = shipped("config/apparmor/pose-helperd");
    // Compiles without a kernel and without leaving a cache.
    let Some(output) = tool("apparmor_parser", &["--skip-kernel-load", "--skip-cache", &profile]) else {
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
