//! What programs may rely on in `posectl eval --json`: keys, types, nulls, silence, exit codes.

mod fixture;

use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use fixture::posectl;

/// The contract's own example: every key of it has to be there, with the same kind of value or null.
const CONTRACT: &str = r#"{"file": "x", "users": 5, "gestures": 25, "recordings": 1247, "k": 3,
 "trials": {"genuine": 0, "informed": 0, "zero_effort": 0},
 "methods": [{"name": "shipped",
    "informed":    {"eer": 0.0, "ci95": [0.0, 0.0], "frr_at_far": {"0.01": 0.0, "0.001": 0.0, "0.0001": 0.0}},
    "zero_effort": {"eer": 0.0, "ci95": [0.0, 0.0], "frr_at_far": {"0.01": 0.0, "0.001": 0.0, "0.0001": 0.0}}}],
 "shipped_threshold": {"frr": 0.0, "far_informed": 0.0, "far_zero_effort": 0.0, "worst_user_frr": 0.0},
 "liveness": {"live": {"n": 0, "refused": 0}, "still": {"n": 0, "accepted": 0}, "wobble": {"n": 0, "accepted": 0},
   "replay": {"n": 0, "accepted_no_challenge": 0, "accepted_one_challenge": 0.0, "accepted_two_challenges": 0.0}}}"#;

/// Recordings of made-up people: landmarks of 33 points, hands on ellipses that depend on person and gesture.
fn people(users: usize, gestures: usize, repetitions: usize) -> String {
    let mut lines = String::new();
    for user in 0..users {
        for gesture in 0..gestures {
            for rep in 0..repetitions {
                let frames: Vec<Vec<[f64; 4]>> = (0..45).map(|t| frame(user, gesture, rep, t)).collect();
                let _ = writeln!(
                    lines,
                    r#"{{"user":"u{user}","gesture":"g{gesture}","rep":{rep},"fps":15,"w":640,"h":480,"new":[1],"lm":{frames:?}}}"#
                );
            }
        }
    }
    lines
}

fn frame(user: usize, gesture: usize, rep: usize, t: usize) -> Vec<[f64; 4]> {
    let (u, g, r) = (user as f64, gesture as f64, rep as f64);
    let phase = TAU * t as f64 / 45.0;
    let width = 0.1 + 0.01 * u;
    let mut points = vec![[0.5, 0.5, 0.0, 1.0]; 33];
    points[0] = [0.5, 0.2 - 0.01 * u, 0.0, 1.0];
    for (side, shoulder, elbow, wrist) in [(1.0, 11, 13, 15), (-1.0, 12, 14, 16)] {
        points[shoulder] = [0.5 + side * width, 0.4, 0.0, 1.0];
        points[elbow] = [0.5 + side * (width + 0.05), 0.6, 0.0, 1.0];
        let (x, y) = ((phase * (1.0 + g)).sin(), (phase * (2.0 - g) + u).cos());
        points[wrist] = [0.5 + side * width + 0.15 * x + 0.004 * (r * 7.0).sin(), 0.5 - 0.15 * y, 0.0, 1.0];
    }
    points
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("write");
    path
}

fn evaluated(arguments: &[&str]) -> Value {
    let run = posectl(&[&["eval", "--json"], arguments].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "silent on success");
    serde_json::from_str(&run.stdout).expect("one object alone")
}

/// Every key of `wanted` is in `found`, and each value is of its kind or null.
fn require_shape(wanted: &Value, found: &Value, at: &str) {
    match (wanted, found) {
        (_, Value::Null) => {}
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, value) in wanted {
                let inner = found.get(key).unwrap_or_else(|| panic!("{at}.{key} is missing"));
                require_shape(value, inner, &format!("{at}.{key}"));
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            let first = wanted.first().expect("example");
            assert!(!found.is_empty(), "{at} is empty");
            found.iter().for_each(|inner| require_shape(first, inner, at));
        }
        (Value::Number(wanted), Value::Number(found)) => {
            assert!(found.is_u64() || wanted.is_f64(), "{at}: {found} is not a count");
        }
        (Value::String(_), Value::String(_)) => {}
        _ => panic!("{at}: {found} instead of {wanted}"),
    }
}

#[test]
fn the_object_has_the_contract_s_shape_and_counts() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), "made_up.jsonl", &people(3, 2, 5));
    let object = evaluated(&["--liveness", &path.to_string_lossy()]);
    require_shape(&serde_json::from_str(CONTRACT).expect("contract"), &object, "");
    assert_eq!(object["file"], "made_up.jsonl");
    assert_eq!([&object["users"], &object["gestures"], &object["recordings"], &object["k"]], [3, 2, 30, 3]);
    // 6 cells: 2 genuine each; the others' 10 recordings of the gesture; their 10 of the other gesture.
    let trials = &object["trials"];
    assert_eq!([&trials["genuine"], &trials["informed"], &trials["zero_effort"]], [12, 60, 60]);
    let names: Vec<&str> =
        object["methods"].as_array().expect("methods").iter().filter_map(|m| m["name"].as_str()).collect();
    assert!(names.contains(&"shipped") && names.contains(&"seed_mean_pose_cosine"), "{names:?}");
    assert_eq!(object["liveness"]["live"]["n"], 30);
    assert_eq!(object["liveness"]["still"]["n"], 0);
    // Beside the shipped one, the seed's figures under the same protocol.
    assert_eq!(object["liveness"]["seed_movement_and_variance"]["live"]["n"], 30);
    assert!(object["threshold_of_other_users"]["seed"]["worst_user_frr"].is_f64());
    for kind in ["informed", "zero_effort"] {
        assert!(object["methods"][0][kind]["worst_user_eer"].is_f64(), "{kind}");
    }
    for bound in ["far_informed_0.01", "far_zero_effort_0.001", "frr_0.03"] {
        assert!(object["thresholds_for"][bound].is_f64(), "{bound}");
    }
    let refused = object["enrolments_refused_for"].as_object().expect("by reason");
    let sum: u64 = refused.values().filter_map(Value::as_u64).sum();
    assert_eq!(object["enrolments_refused"], sum);
}

#[test]
fn adaptation_is_measured_on_every_attacker_and_the_owner() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), "made_up.jsonl", &people(3, 2, 5));
    let object = evaluated(&["--adaptation", &path.to_string_lossy()]);
    let adaptation = &object["adaptation"];
    // 6 cells, each attacked by two other users; 2 genuine recordings each, of which one comes after another.
    assert_eq!([&adaptation["attackers"]["n"], &adaptation["owner"]["later_logins"]], [12, 6]);
    let rate = |key: &str| adaptation["attackers"][key].as_f64().expect(key);
    assert!(rate("accepted_before") <= rate("accepted_after"), "a kept recording lowers no score");
    assert!(rate("difference") >= 0.0 && adaptation["attackers"]["ci95"].is_array());
    assert!(evaluated(&[&path.to_string_lossy()]).get("adaptation").is_none(), "only where it is asked for");
}

#[test]
fn progress_is_shown_where_a_person_watches_and_keeps_out_of_the_object() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), "made_up.jsonl", &people(3, 2, 5));
    let object = folder.path().join("object");
    let command =
        format!("{} eval --json {} >{}", env!("CARGO_BIN_EXE_posectl"), path.display(), object.display());
    // Gives the command a terminal.
    let run = Command::new("script").args(["-qec", &command, "/dev/null"]).output().expect("script");
    let shown = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{shown}");
    assert!(shown.contains("made_up.jsonl: comparing [") && shown.contains("] 100 %"), "{shown}");
    assert!(shown.ends_with("\u{1b}[K"), "the line is wiped: {shown:?}");
    let text = fs::read_to_string(object).expect("written");
    let _: Value = serde_json::from_str(&text).expect("one object alone");
}

#[test]
fn figures_without_trials_are_null_and_no_error() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), "few.jsonl", &people(1, 1, 3));
    let object = evaluated(&[&path.to_string_lossy()]);
    assert_eq!(object["trials"]["genuine"], 0);
    for method in object["methods"].as_array().expect("methods") {
        assert!(
            method["informed"]["eer"].is_null() && method["zero_effort"]["frr_at_far"]["0.001"].is_null()
        );
    }
    assert!(object["shipped_threshold"]["frr"].is_null() && object.get("liveness").is_none());
}

#[test]
fn a_run_repeats_exactly_gzipped_or_not_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("folder");
    let text = people(3, 2, 5);
    let plain = file(folder.path(), "same.jsonl", &text);
    let packed = folder.path().join("same.jsonl.gz");
    let mut encoder = GzEncoder::new(fs::File::create(&packed).expect("create"), Compression::fast());
    encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("pack");
    let mut one = evaluated(&["--threads", "1", &plain.to_string_lossy()]);
    let two = evaluated(&["--threads", "2", &packed.to_string_lossy()]);
    one["file"] = "same.jsonl.gz".into();
    assert_eq!(one, two);
}

#[test]
fn a_broken_line_is_named_by_number() {
    let folder = tempfile::tempdir().expect("folder");
    let text = people(1, 1, 2) + "\n{\"user\":\"u\",\"gesture\":\"g\",\"lm\":[[[0.1,\n";
    let path = file(folder.path(), "broken.jsonl", &text);
    let run = posectl(&["eval", "--json", &path.to_string_lossy()]);
    assert_ne!(run.code, 0);
    assert!(run.stdout.is_empty() && run.stderr.contains("line 4"), "{}", run.stderr);
}

#[test]
fn the_report_has_every_method_and_its_plots() {
    let folder = tempfile::tempdir().expect("folder");
    let path = file(folder.path(), "made_up.jsonl", &people(3, 2, 5));
    let plots = folder.path().join("plots");
    let run = posectl(&["eval", "--markdown", "--plots", &plots.to_string_lossy(), &path.to_string_lossy()]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    for words in [
        "| shipped | informed |",
        "| seed_mean_pose_cosine | zero-effort |",
        "| user u2 |",
        "paired",
        "seed: FRR",
    ] {
        assert!(run.stdout.contains(words), "{words} in {}", run.stdout);
    }
    for name in ["det.svg", "det.png", "scores.svg", "scores.png"] {
        let bytes = fs::read(plots.join(format!("made_up_{name}"))).expect(name);
        assert!(bytes.starts_with(if name.ends_with("png") { b"\x89PNG" } else { b"<svg" }), "{name}");
    }
}
