//! The report: a page for people, JSON for programs, a plot.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::bench::Results;
use crate::tally::{Tally, interval};
use crate::{Result, plot};

/// Writes `report.md`, `report.json` and `report.svg` into a folder.
///
/// # Errors
/// What the file system says.
pub fn write(results: &Results, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("report.md"), page(results))?;
    std::fs::write(folder.join("report.json"), format!("{:#}\n", machine_readable(results)))?;
    std::fs::write(folder.join("report.svg"), plot::attacks(results))?;
    Ok(())
}

/// The page.
#[must_use]
pub fn page(results: &Results) -> String {
    [attacks(results), expectations(results), live(results), contributions(results), LIMITS.to_owned()]
        .join("\n")
}

fn attacks(results: &Results) -> String {
    let total: usize = results.attacks.iter().map(|(_, tally)| tally.n).sum();
    let mut out = format!(
        "# Presentation attacks\n\n{total} presentations, made from rendered recordings of two people and two gestures, \
         through decoding, landmark model, session with two random movements, liveness, matching and decision. \
         Brackets: exact (Clopper-Pearson) 95 % intervals.\n\n\
         | Species | Presented | Let in | APCER | Passes all but the movements | Not judged |\n|---|---|---|---|---|---|\n"
    );
    for (species, t) in &results.attacks {
        let _ = writeln!(
            out,
            "| {}{} | {} | {} | {} | {} | {} |",
            species.name(),
            if species.is_photo() { " (photo)" } else { "" },
            t.n,
            t.accepted,
            rate(t.accepted, t.n),
            rate(t.passed_before_asked, t.n),
            t.not_judged
        );
    }
    out
}

/// Where nothing but the movements stops an attack.
fn expectations(results: &Results) -> String {
    let mut out =
        "## What only the movements stop\n\nOf each species, the expected share let in over all movements \
                   that may be asked: no movement asked, one, two different ones.\n\n\
                   | Species | None | One | Two |\n|---|---|---|---|\n"
            .to_owned();
    for (species, t) in results.attacks.iter().filter(|(_, t)| t.passed_before_asked > 0) {
        let none = percent(t.passed_before_asked as f64 / t.n as f64);
        let _ = match t.expected_shares() {
            Some([one, two]) => {
                writeln!(out, "| {} | {none} | {} | {} |", species.name(), percent(one), percent(two))
            }
            None => writeln!(
                out,
                "| {} | {none} | does what is asked | {} |",
                species.name(),
                rate(t.accepted, t.n)
            ),
        };
    }
    out
}

fn live(results: &Results) -> String {
    let mut out =
        "## Live people\n\nEach recording against a template of three others, each movement answered by the \
                   recorded movement.\n\n\
                   | Camera | Presented | Refused | BPCER | Not judged (non-response) | Reasons |\n\
                   |---|---|---|---|---|---|\n"
            .to_owned();
    for (name, t) in [("colour", &results.live), ("grey pictures, enrolled in colour", &results.live_grey)] {
        let refused = t.n - t.accepted - t.not_judged;
        let reasons: Vec<String> = t.cues.iter().map(|(cue, [n, _])| format!("{cue} {n}")).collect();
        let _ = writeln!(
            out,
            "| {name} | {} | {refused} | {} | {} | {} |",
            t.n,
            rate(refused, t.n),
            rate(t.not_judged, t.n),
            if reasons.is_empty() { "-".to_owned() } else { reasons.join(", ") }
        );
    }
    out
}

fn contributions(results: &Results) -> String {
    let cues = cues(results);
    let mut out = "## What each cue contributes\n\nPresentations that the cue denied / that it alone denied. The reasons \
                   of the movements (`challenge:`) and of the stream's later part are counted at the end of the attempt, \
                   the others when the gesture is over.\n\n"
        .to_owned();
    let _ = writeln!(out, "| Cue | {} |", names(results).join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(results.attacks.len() + 2));
    for cue in cues {
        let cells: Vec<String> = tallies(results)
            .map(|t| t.cues.get(&cue).map_or("·".to_owned(), |[all, alone]| format!("{all} / {alone}")))
            .collect();
        let _ = writeln!(out, "| {cue} | {} |", cells.join(" | "));
    }
    out
}

const LIMITS: &str = "## What this shows and what not\n\n\
    - Rendered people, composited prints and screens: beat patterns, glare, paper and bends are stylised. A rate here is a \
      rate of these attacks, not of an attacker with a printer.\n\
    - Presentations of one species share two bodies, two gestures and one room: they are less independent than the \
      intervals take them to be.\n\
    - The attacker knows gesture and timing, holds the picture well lit and in full view, and does not train.\n\
    - Cut-out arms that do as asked, and anything else that answers in time, are not stopped by a movement. Somebody else \
      who answers in the recording's place does what is asked as well as a live person: such a row says how often the \
      change from one body to the other is noticed, between two bodies in two shirts.\n";

fn names(results: &Results) -> Vec<&'static str> {
    results.attacks.iter().map(|(species, _)| species.name()).chain(["live", "live, grey"]).collect()
}

fn tallies(results: &Results) -> impl Iterator<Item = &Tally> {
    results.attacks.iter().map(|(_, tally)| tally).chain([&results.live, &results.live_grey])
}

fn cues(results: &Results) -> BTreeSet<String> {
    tallies(results).flat_map(|t| t.cues.keys().cloned()).collect()
}

fn machine_readable(results: &Results) -> Value {
    let tally = |t: &Tally| {
        json!({
            "presented": t.n,
            "accepted": t.accepted,
            "apcer_95": interval(t.accepted, t.n),
            "passed_before_asked": t.passed_before_asked,
            "not_judged": t.not_judged,
            "expected_one_movement": t.expected_shares().map(|s| s[0]),
            "expected_two_movements": t.expected_shares().map(|s| s[1]),
            "cues": t.cues.iter().map(|(cue, [all, alone])| (cue.clone(), json!({ "denied": all, "alone": alone })))
                .collect::<serde_json::Map<_, _>>(),
            "outcomes": t.outcomes,
        })
    };
    let attacks: Vec<Value> = results
        .attacks
        .iter()
        .map(|(species, t)| json!({ "species": species.name(), "photo": species.is_photo(), "figures": tally(t) }))
        .collect();
    json!({ "attacks": attacks, "live": tally(&results.live), "live_grey": tally(&results.live_grey) })
}

fn rate(hits: usize, n: usize) -> String {
    let [low, high] = interval(hits, n);
    let share = if n == 0 { 0.0 } else { hits as f64 / n as f64 };
    format!("{} [{}-{}]", percent(share), percent(low), percent(high))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
