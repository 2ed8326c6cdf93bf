//! Time does not tell whether a name is enrolled, only has an account, or has neither.
//!
//! Samples of the names are taken in turn, each time from another one on, so that whatever else the machine does slows
//! all of them alike, and are compared by rank, so that a few slow ones weigh little. `--nocapture` prints the figures.
#![allow(unsafe_code, reason = "the client makes memfds")]

mod support;

use std::time::{Duration, Instant};

use pose_helperd::config::Config;
use support::client::Client;
use support::house::{NOBODY, can_be_others, verdict};
use support::{House, Script};

/// Enrolled, an account without an enrolment, no account.
const NAMES: [&str; 3] = ["root", "daemon", "no-such-user-3f"];
/// What two names may differ by, in standard deviations of the rank sum of equal ones: chance exceeds it once in
/// 10⁹ comparisons.
const BOUND: f64 = 6.0;

/// A user other than root may call ten times a second.
const CALL_EVERY: Duration = Duration::from_millis(120);

/// Milliseconds of one kind of call, for one name.
type Times = Vec<f64>;

#[test]
fn a_wrong_password_takes_as_long_for_every_name() {
    const ROUNDS: usize = 40;
    let mut config = Config::default();
    // A dear check, so that one that is left out shows under the noise and above the floor of every answer.
    config.password.memory_kib = 65_536;
    config.password.passes = 3;
    // Delays would hide what is measured here.
    config.lockout.wrong_passwords_free = u32::MAX / 2;
    config.limits.begins_per_minute = u32::MAX / 2;
    let house = House::enrolled_with(&Script::right_person(), config);
    let client = house.client();
    // The enrolled one's hash was made at the usual cost; this makes it anew at this test's.
    let attempt = client.change("SetPassword", NAMES[0]).unwrap();
    assert_eq!(verdict(&client.run(&attempt, |_| b"another one".to_vec())).code, "done");
    let mut begins: [Times; 3] = Default::default();
    let mut verdicts: [Times; 3] = Default::default();
    let mut unchecked = Times::new();
    for round in 0..ROUNDS {
        for (index, name) in in_turn(round) {
            let (attempt, begin) = timed(|| client.begin(name, &[]).unwrap());
            assert_eq!(client.next(&attempt).unwrap().code, "password");
            let ((), verdict) = timed(|| {
                client.answer(&attempt, b"wrong").unwrap();
                assert_ne!(verdict(&client.run(&attempt, |_| Vec::new())).code, "success");
            });
            begins[index].push(begin);
            verdicts[index].push(verdict);
        }
        unchecked.push(timed(|| without_a_check(&client)).1);
    }
    alike("Begin", &begins);
    alike("Answer to verdict", &verdicts);
    // What this test would see of a name whose password is not checked.
    let seen = difference(&verdicts[0], &unchecked);
    assert!(seen > BOUND, "too noisy to see a missing check: {seen:.1}");
}

#[test]
fn a_stranger_is_refused_as_fast_for_every_name() {
    const ROUNDS: usize = 60;
    if !can_be_others() {
        return;
    }
    let mut config = Config::default();
    config.limits.begins_per_minute = u32::MAX / 2;
    let house = House::enrolled_with(&Script::right_person(), config);
    let stranger = house.client_of(NOBODY);
    let mut times: [Times; 3] = Default::default();
    for round in 0..ROUNDS {
        for (index, name) in in_turn(round) {
            let (refused, time) = timed(|| stranger.begin(name, &[]).unwrap_err());
            assert_eq!(refused, "org.pam_pose.Error.NotAuthorized", "{name}");
            times[index].push(time);
            // No more calls than a user may make.
            std::thread::sleep(CALL_EVERY);
        }
    }
    alike("Begin by a stranger", &times);
}

/// The names with their places, each time from another one on.
fn in_turn(round: usize) -> impl Iterator<Item = (usize, &'static str)> {
    NAMES.iter().copied().enumerate().cycle().skip(round).take(NAMES.len())
}

/// A login that ends without a password being asked: there is no enrolment whose pose could be.
fn without_a_check(client: &Client) {
    let attempt = client.begin_pose_only(NAMES[1]).unwrap();
    assert_eq!(verdict(&client.run(&attempt, |_| Vec::new())).code, "not_enrolled");
}

fn timed<T>(what: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = what();
    (result, start.elapsed().as_secs_f64() * 1e3)
}

/// Fails where the times of two names differ by more than chance.
fn alike(what: &str, times: &[Times; 3]) {
    for (name, values) in NAMES.iter().zip(times) {
        let [low, middle, high] = [0.1, 0.5, 0.9].map(|share| quantile(values, share));
        println!("{what}: {name:16} 10 % {low:7.2}  median {middle:7.2}  90 % {high:7.2} ms");
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let seen = difference(&times[one], &times[other]);
        println!("{what}: {} and {}: {seen:.1} standard deviations", NAMES[one], NAMES[other]);
        assert!(seen < BOUND, "{what} tells {} from {}: {seen:.1}", NAMES[one], NAMES[other]);
    }
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Wilcoxon's rank-sum statistic of two samples, in standard deviations of equally distributed ones.
fn difference(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> =
        one.iter().map(|value| (*value, true)).chain(other.iter().map(|value| (*value, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ranks: f64 =
        all.iter().enumerate().filter(|(_, entry)| entry.1).map(|(rank, _)| rank as f64 + 1.0).sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    (ranks - n * (n + m + 1.0) / 2.0).abs() / (n * m * (n + m + 1.0) / 12.0).sqrt()
}
