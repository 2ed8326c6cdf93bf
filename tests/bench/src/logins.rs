//! A login as a whole process, beside the modules that everybody has, and the time after the last needed movement.

use std::time::Instant;

use pose_system::Result;
use pose_system::pam::{self, Request};
use pose_system::runner::Scene;
use serde_json::{Value, json};

use crate::figures::{self, median};
use crate::scene::{House, WHO, full_login, module, right_person};

/// Rounds of the short logins, and full logins.
const SHORT: usize = 25;
const FULL: usize = 11;
/// The module never answers faster.
const FLOOR_MS: f64 = 50.0;

pub(crate) fn measure(scene: &Scene) -> Result<Value> {
    let (mut total, mut after) = (Vec::new(), Vec::new());
    for round in 0..FULL {
        let house = House::start(scene, &right_person(round), &[])?;
        let (seconds, ms) = full_login(&house)?;
        total.push(seconds * 1e3);
        after.push(ms);
    }
    let short = short_logins(scene)?;
    let overhead = median(&short["refused_without_camera_ms"]) - median(&short["pam_permit_ms"]) - FLOOR_MS;
    Ok(json!({
        "full_login_ms": figures::of(total),
        "verdict_after_movement_ms": figures::of(after),
        "short": short,
        "module_overhead_beyond_floor_ms": overhead,
        "floor_ms": FLOOR_MS,
    }))
}

/// In turn, so that the machine's moods meet all alike.
fn short_logins(scene: &Scene) -> Result<Value> {
    let house = House::start(scene, &right_person(0), &[])?;
    set_password(WHO.0, WHO.1)?;
    pam::write_service(&scene.room, "permit", "auth required pam_permit.so\n")?;
    pam::write_service(&scene.room, "unix", "auth required pam_unix.so nodelay\n")?;
    let ours = format!("auth required {} pose_only\n", module()?.display());
    pam::write_service(&scene.room, "refused", &ours)?;
    let hosts: [(&str, &[&str], &str); 3] = [
        ("permit", &[], "SUCCESS"),
        ("unix", &[], "SUCCESS"),
        ("refused", &["rhost=198.51.100.7"], "AUTHINFO_UNAVAIL"),
    ];
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..SHORT {
        for ((name, items, code), times) in hosts.iter().zip(&mut times) {
            let begun = Instant::now();
            let request = Request { items, ..Request::new(WHO.0, WHO.1) };
            let seen = pam::ask_service(&scene.room, name, &request, || (), |_| {})?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            if seen.code != *code {
                return Err(format!("{name} gave {} and not {code}\n{}", seen.code, house.messages()).into());
            }
        }
    }
    let [permit, unix, refused] = times.map(figures::of);
    Ok(json!({ "pam_permit_ms": permit, "pam_unix_ms": unix, "refused_without_camera_ms": refused }))
}

/// Gives an account of the sandbox a password that pam_unix knows.
fn set_password(user: &str, password: &str) -> Result<()> {
    let output = std::process::Command::new("openssl").args(["passwd", "-6", password]).output()?;
    let hash = String::from_utf8(output.stdout)?;
    let shadow = std::fs::read_to_string("/etc/shadow")?;
    let line = |line: &str| match line.split_once(':') {
        Some((name, _)) if name == user => format!("{user}:{}:19700:0:99999:7:::\n", hash.trim()),
        _ => format!("{line}\n"),
    };
    Ok(std::fs::write("/etc/shadow", shadow.lines().map(line).collect::<String>())?)
}
