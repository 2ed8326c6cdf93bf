//! Bounds of every number: what the rest of the helper may rely on.

use std::fmt::Display;
use std::ops::RangeInclusive;

use pose_camera::v4l2::controls::control_names;
use pose_contract::MAX_SERVICE;

use super::{Attempt, ChallengePolicy, Config};

/// A key whose value is out of bounds.
pub(super) struct Broken {
    /// Path of the key.
    pub(super) key: Vec<String>,
    /// What it must be.
    pub(super) must: String,
}

/// The first key out of bounds.
pub(super) fn first_broken(config: &Config) -> Option<Broken> {
    numbers(config).or_else(|| relations(config)).or_else(|| services(config))
}

fn numbers(config: &Config) -> Option<Broken> {
    let Config { daemon, vision, worker, limits, lockout, password, enrolment, .. } = config;
    outside("daemon", "idle_exit_seconds", daemon.idle_exit_seconds, 0..=86_400)
        .or_else(|| outside("vision", "threads", vision.threads, 1..=16))
        .or_else(|| outside("worker", "idle_exit_seconds", worker.idle_exit_seconds, 5..=86_400))
        .or_else(|| outside("limits", "attempts_per_uid", limits.attempts_per_uid, 1..=64))
        .or_else(|| outside("limits", "attempts_total", limits.attempts_total, 1..=256))
        .or_else(|| outside("limits", "begins_per_minute", limits.begins_per_minute, 1..=6_000))
        .or_else(|| outside("lockout", "lock_after", lockout.lock_after, 1..=100))
        .or_else(|| outside("lockout", "first_lock_seconds", lockout.first_lock_seconds, 1..=86_400))
        .or_else(|| outside("lockout", "longest_lock_seconds", lockout.longest_lock_seconds, 1..=604_800))
        .or_else(|| outside("lockout", "off_after", lockout.off_after, 1..=100))
        .or_else(|| outside("lockout", "unjudged_given_back", lockout.unjudged_given_back, 0..=100))
        .or_else(|| outside("lockout", "wrong_passwords_free", lockout.wrong_passwords_free, 0..=10))
        .or_else(|| outside("lockout", "longest_delay_ms", lockout.longest_delay_ms, 500..=10_000))
        .or_else(|| outside("password", "memory_kib", password.memory_kib, 8_192..=262_144))
        .or_else(|| outside("password", "passes", password.passes, 1..=16))
        .or_else(|| outside("password", "lanes", password.lanes, 1..=4))
        .or_else(|| outside("enrolment", "repetitions", enrolment.repetitions, 3..=8))
        .or_else(|| outside("enrolment", "gestures_per_user", enrolment.gestures_per_user, 1..=8))
        .or_else(|| outside("enrolment", "limit_seconds", enrolment.limit_seconds, 30..=900))
        .or_else(|| attempt(&["attempt"], &config.attempt))
}

fn relations(config: &Config) -> Option<Broken> {
    let Config { camera, vision, lockout, .. } = config;
    if camera.device != "auto" && !camera.device.starts_with("/dev/") {
        return broken(&["camera", "device"], "\"auto\" or a device node below /dev/");
    }
    if camera.allow_virtual && camera.device == "auto" {
        return broken(&["camera", "allow_virtual"], "false unless `device` names the virtual camera");
    }
    if camera.identity != "any" && !is_identity(&camera.identity) {
        let must = "\"any\", vendor:product or vendor:product:serial, such as \"046d:0825\"";
        return broken(&["camera", "identity"], must);
    }
    let unknown = camera.controls.keys().find(|name| !control_names().any(|known| known == *name));
    if let Some(name) = unknown {
        let known: Vec<&str> = control_names().collect();
        return broken(&["camera", "controls", name], &format!("one of {}", known.join(", ")));
    }
    if !vision.models.is_absolute() {
        return broken(&["vision", "models"], "an absolute path");
    }
    if !vision.runtime.is_absolute() {
        return broken(&["vision", "runtime"], "an absolute path");
    }
    if config.attempt.challenge_policy == ChallengePolicy::WhenShown {
        return broken(
            &["attempt", "challenge_policy"],
            "\"required\"; write \"when-shown\" into the [service.NAME] of a locker that shows no text",
        );
    }
    if lockout.longest_lock_seconds < lockout.first_lock_seconds {
        return broken(&["lockout", "longest_lock_seconds"], "at least `first_lock_seconds`");
    }
    if lockout.off_after < lockout.lock_after {
        return broken(&["lockout", "off_after"], "at least `lock_after`");
    }
    None
}

/// Two numbers of four hexadecimal digits, and perhaps a serial number.
fn is_identity(text: &str) -> bool {
    let number = |part: Option<&str>| {
        part.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let mut parts = text.splitn(3, ':');
    number(parts.next()) && number(parts.next()) && parts.next() != Some("")
}

/// Services that can always show a challenge; whoever asks through them cannot make it be left out.
const ALWAYS_SHOWN: [&str; 7] = ["sudo", "sudo-i", "su", "su-l", "login", "polkit-1", "posectl"];

fn services(config: &Config) -> Option<Broken> {
    config.service.iter().find_map(|(name, over)| {
        if ALWAYS_SHOWN.contains(&name.as_str()) && over.challenge_policy == Some(ChallengePolicy::WhenShown)
        {
            return broken(
                &["service", name, "challenge_policy"],
                "\"required\": this service shows everything",
            );
        }
        if name.is_empty() || name.len() > MAX_SERVICE || name.contains(['/', '\0', '\n']) {
            return broken(&["service", name], "the name of a file in /etc/pam.d");
        }
        attempt(&["service", name], &config.attempt.with(over))
    })
}

fn attempt(section: &[&str], rules: &Attempt) -> Option<Broken> {
    let outside = |key: &str, value: u32, range: RangeInclusive<u32>| {
        let path: Vec<&str> = section.iter().copied().chain([key]).collect();
        (!range.contains(&value)).then(|| broken(&path, &within(&range))).flatten()
    };
    // Where the policy leaves them out it is by itself; a host that shows text is never asked for none.
    outside("challenges", rules.challenges.into(), 1..=4)
        .or_else(|| outside("gesture_seconds", rules.gesture_seconds, 3..=60))
        .or_else(|| outside("challenge_earliest_ms", rules.challenge_earliest_ms, 100..=2_000))
        .or_else(|| outside("challenge_seconds", rules.challenge_seconds, 3..=30))
}

fn outside<T: PartialOrd + Display>(
    section: &str,
    key: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Option<Broken> {
    if range.contains(&value) { None } else { broken(&[section, key], &within(&range)) }
}

fn within<T: Display>(range: &RangeInclusive<T>) -> String {
    format!("between {} and {}", range.start(), range.end())
}

fn broken(key: &[&str], must: &str) -> Option<Broken> {
    Some(Broken { key: key.iter().map(ToString::to_string).collect(), must: must.to_owned() })
}
