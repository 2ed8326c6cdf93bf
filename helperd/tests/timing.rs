//! Measures whether time tells if a name is enrolled, exists, or neither. Asserts nothing: `cargo test -p pose-helperd
//! --test timing -- --ignored --nocapture` prints what an observer could see.
#![allow(unsafe_code, reason = "the client makes memfds")]

mod support;

use std::time::Instant;

use pose_helperd::config::Config;
use support::house::verdict;
use support::{House, Script};

const ROUNDS: usize = 80;
const NAMES: [&str; 3] = ["root", "daemon", "no-such-user-3f"];

#[test]
#[ignore = "a measurement"]
fn time_of_begin_and_verdict_by_name() {
    let mut config = Config::default();
    // Delays would hide what is measured here.
    config.lockout.wrong_passwords_free = u32::MAX / 2;
    let house = House::enrolled_with(&Script::right_person(), config);
    let client = house.client();
    let mut begins = [const { Vec::new() }; 3];
    let mut verdicts = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (index, name) in NAMES.iter().enumerate() {
            let start = Instant::now();
            let attempt = client.begin(name, &[]).unwrap();
            begins[index].push(start.elapsed().as_secs_f64() * 1e3);
            assert_eq!(client.next(&attempt).unwrap().code, "password");
            let start = Instant::now();
            client.answer(&attempt, b"wrong").unwrap();
            assert_ne!(verdict(&client.run(&attempt, |_| Vec::new())).code, "success");
            verdicts[index].push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    for (what, times) in [("Begin", begins), ("Answer to verdict", verdicts)] {
        println!("{what}, milliseconds (enrolled / an account / no account):");
        for (name, values) in NAMES.iter().zip(&times) {
            let [low, middle, high] = [0.1, 0.5, 0.9].map(|share| quantile(values, share));
            println!("  {name:16} 10 % {low:7.2}  median {middle:7.2}  90 % {high:7.2}");
        }
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let z = rank_sum_z(&times[one], &times[other]);
            println!(
                "  {} and {}: rank-sum z {z:5.2} (beyond 2.58 differs at 1 %)",
                NAMES[one], NAMES[other]
            );
        }
    }
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// Wilcoxon's rank-sum statistic of two samples of equal size, normal approximation.
fn rank_sum_z(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> =
        one.iter().map(|value| (*value, true)).chain(other.iter().map(|value| (*value, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ranks: f64 =
        all.iter().enumerate().filter(|(_, entry)| entry.1).map(|(rank, _)| rank as f64 + 1.0).sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    (ranks - n * (n + m + 1.0) / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}
