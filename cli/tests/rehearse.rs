//! `posectl rehearse` on rendered people: verdicts, the shape of its lines, refusals and exit codes.

mod fixture;

use std::process::Command;

use fixture::{Run, clip, clips, posectl, run, runtime};
use serde_json::Value;

fn rehearse(enrol: &[String], probe: &[String], more: &[&str]) -> Run {
    let exe = env!("CARGO_BIN_EXE_posectl");
    run(Command::new(exe).arg("rehearse").arg("--enrol").args(enrol).arg("--probe").args(probe).args(more))
}

fn reasons(line: &Value) -> Vec<&str> {
    line["reasons"].as_array().expect("reasons").iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_enrolled_person_is_accepted_and_everything_else_is_rejected() {
    let Some(_) = runtime() else { return };
    let own = clips("ben_circle_touch", 3..6);
    let others =
        ["ben_open_head_3", "ben_print_still", "ben_print_moved", "nobody", "dark", "two_people"].map(clip);
    let probes: Vec<String> = own.iter().chain(&others).cloned().collect();
    let run = rehearse(&clips("ben_circle_touch", 0..3), &probes, &["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines = run.lines();
    let order: Vec<&str> = lines.iter().filter_map(|l| l["probe"].as_str()).collect();
    assert_eq!(order, probes, "one line a probe, in argument order");
    for (i, line) in lines.iter().enumerate() {
        let accepted = i < own.len();
        assert_eq!(line["verdict"], if accepted { "accept" } else { "reject" }, "{line}");
        assert_eq!(reasons(line).is_empty(), accepted, "{line}");
        assert_eq!(line["challenge"], "skipped");
        assert!(line["scores"].is_object());
    }
    assert_eq!(reasons(&lines[3]), ["wrong_pose"]);
    assert!(reasons(&lines[4]).contains(&"not_live:still"));
    assert!(reasons(&lines[5]).contains(&"not_live:rigid"));
    assert_eq!(reasons(&lines[6]), ["nobody_in_view"]);
    assert_eq!(reasons(&lines[7]), ["too_dark"]);
    assert_eq!(reasons(&lines[8]), ["several_people"]);
}

#[test]
fn the_same_recordings_always_get_the_same_lines() {
    let Some(_) = runtime() else { return };
    let (enrol, probe) = (clips("ben_circle_touch", 0..3), clips("ben_circle_touch", 3..5));
    let first = rehearse(&enrol, &probe, &["--json"]);
    assert_eq!(first.stdout, rehearse(&enrol, &probe, &["--json"]).stdout);
    assert!(!first.stdout.is_empty());
}

#[test]
fn a_challenge_is_judged_by_its_answer() {
    let Some(_) = runtime() else { return };
    let (enrol, probe) = (clips("ben_circle_touch", 0..3), clips("ben_circle_touch", 3..4));
    for (answer, verdict, challenge) in [
        ("ben_both_up", "accept", "shown"),
        ("ben_lean_left", "reject", ""),
        ("ben_circle_touch_4", "reject", ""),
    ] {
        let answer = clip(answer);
        let run = rehearse(&enrol, &probe, &["--challenge", "both_up", "--answer", &answer, "--json"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let line = &run.lines()[0];
        assert_eq!(line["verdict"], verdict, "{line}");
        assert_ne!(line["challenge"], "skipped");
        if verdict == "accept" {
            assert_eq!(line["challenge"], challenge);
        } else {
            assert!(reasons(line).iter().all(|reason| reason.starts_with("challenge:")), "{line}");
        }
    }
}

#[test]
fn an_enrolment_that_is_refused_says_why_on_stderr() {
    let Some(_) = runtime() else { return };
    let probe = clips("ben_circle_touch", 3..4);
    let cases = [
        (clips("ben_circle_touch", 0..2), "at least 3"),
        (vec![clip("ben_print_still"); 3], "hardly moved"),
        (vec![clip("nobody"); 3], "no body"),
        ([clips("ben_circle_touch", 0..2), clips("ben_open_head", 0..1)].concat(), "recor"),
    ];
    for (enrol, words) in cases {
        let run = rehearse(&enrol, &probe, &["--json"]);
        assert_eq!(run.code, 4, "{enrol:?}: {}", run.stderr);
        assert!(run.stderr.contains("enrolment refused") && run.stderr.contains(words), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_wrong_command_line_names_what_would_be_right() {
    let anything = clip("nobody");
    for (args, words) in [
        (vec!["--challenge", "wave", "--answer", &anything], "raise_left"),
        (vec!["--challenge", "both_up"], "--answer"),
        (vec!["--answer", &anything], "--challenge"),
    ] {
        let run = rehearse(std::slice::from_ref(&anything), std::slice::from_ref(&anything), &args);
        assert_eq!(run.code, 2, "{}", run.stderr);
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    assert_eq!(posectl(&["rehearse"]).code, 2);
}

#[test]
fn people_get_a_table_with_the_reasons_in_words() {
    let Some(_) = runtime() else { return };
    let run = rehearse(&clips("ben_circle_touch", 0..3), &[clip("ben_circle_touch_3"), clip("nobody")], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("accept"), "{}", run.stdout);
    assert!(run.stdout.contains("nobody is in view"), "{}", run.stdout);
    assert!(run.stderr.contains("strength"), "{}", run.stderr);
}
