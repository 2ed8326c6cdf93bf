//! The table of presentations: what the shipped cues and the seed's refuse and accept, with exact intervals.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::exact;
use super::one_body::OneBody;
use super::presentations::{ASSUMPTION, ByKind, Count, Presentations};

/// What the methods are called.
const METHODS: [&str; 2] = ["shipped", "seed: movement and its variance"];

/// For people.
pub(crate) fn table(p: &Presentations) -> String {
    let mut out = format!(
        "{:<34}{:<26}{:<26}{:<26}{:<26}\n",
        "liveness by movement", "live refused", "still accepted", "moved photo accepted", "replay accepted"
    );
    for (name, [live, still, wobble, replay]) in rows(p) {
        let _ = writeln!(out, "{name:<34}{live:<26}{still:<26}{wobble:<26}{replay:<26}");
    }
    let _ = writeln!(out, "{}", replays(p));
    if let Some(one) = &p.one_body {
        let _ = writeln!(out, "{}", one_body(one));
    }
    out
}

/// As Markdown.
pub(crate) fn markdown(p: &Presentations) -> String {
    let mut out = "| Liveness by movement | live refused | still accepted | moved photo accepted | replay accepted, no \
                   challenge |\n|---|---|---|---|---|\n"
        .to_owned();
    for (name, [live, still, wobble, replay]) in rows(p) {
        let _ = writeln!(out, "| {name} | {live} | {still} | {wobble} | {replay} |");
    }
    let _ = writeln!(out, "\nExact intervals of 95 %, in percent. {}", replays(p));
    if let Some(one) = &p.one_body {
        let _ = writeln!(out, "\n{}", one_body(one));
    }
    out
}

/// The object of the evaluation contract.
pub(crate) fn to_json(p: &Presentations) -> Value {
    let mut object = kinds(&p.shipped);
    object["replay"]["accepted_one_challenge"] = json!(p.one_challenge);
    object["replay"]["accepted_two_challenges"] = json!(p.two_challenges);
    if let Some(one) = &p.one_body {
        let count = |count: &Count| json!({"n": count.n, "accepted": count.accepted});
        object["one_body"] = json!({"own": count(&one.own), "others": count(&one.others), "others_in_place": count(&one.in_place)});
    }
    object["seed_movement_and_variance"] = kinds(&p.seed);
    object
}

fn kinds(by: &ByKind) -> Value {
    json!({
        "live": {"n": by.live.n, "refused": by.live.n - by.live.accepted},
        "still": {"n": by.still.n, "accepted": by.still.accepted},
        "wobble": {"n": by.wobble.n, "accepted": by.wobble.accepted},
        "replay": {"n": by.replay.n, "accepted_no_challenge": by.replay.accepted},
    })
}

fn rows(p: &Presentations) -> [(&'static str, [String; 4]); 2] {
    let row = |by: &ByKind| {
        let refused = Count { n: by.live.n, accepted: by.live.n - by.live.accepted };
        [refused, by.still, by.wobble, by.replay].map(cell)
    };
    [(METHODS[0], row(&p.shipped)), (METHODS[1], row(&p.seed))]
}

fn cell(count: Count) -> String {
    exact::interval(count).map_or_else(
        || "–".to_owned(),
        |[low, high]| format!("{} of {} [{:.1}–{:.1}]", count.accepted, count.n, 100.0 * low, 100.0 * high),
    )
}

fn replays(p: &Presentations) -> String {
    format!(
        "Replays expected to pass one challenge: {:.2}, two: {:.2}, of {} (assumed: {ASSUMPTION}).",
        p.one_challenge, p.two_challenges, p.shipped.replay.n
    )
}

fn one_body(one: &OneBody) -> String {
    let refused = Count { n: one.own.n, accepted: one.own.n - one.own.accepted };
    format!(
        "One body from gesture to answer: live refused {}; another user who answers is taken for the one of the gesture: \
         where each sits {}, exactly in that one's place {}.",
        cell(refused),
        cell(one.others),
        cell(one.in_place)
    )
}
