//! What the evaluation prints: one JSON object a file, or a table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::challenges;
use super::conditions::{self, Row};
use super::methods::{AtThreshold, Scored, TARGET};
use super::presentations::{ASSUMPTION, Presentations};
use super::rates::{FARS, Rates};
use super::strengths::{self, Strengths};

/// All figures of one file.
pub(crate) struct Report {
    pub(crate) file: String,
    /// Names, in the order of the figures by user.
    pub(crate) users: Vec<String>,
    pub(crate) gestures: usize,
    pub(crate) recordings: usize,
    pub(crate) k: usize,
    pub(crate) cross_view: bool,
    pub(crate) cells: usize,
    pub(crate) refused_enrolments: usize,
    pub(crate) trials: [usize; 3],
    pub(crate) methods: Vec<Scored>,
    pub(crate) at_threshold: AtThreshold,
    /// Equal error rate of the first method minus the last one's, with its interval: zero-effort, informed.
    pub(crate) difference: [Option<(f64, [f64; 2])>; 2],
    /// Name of the plots beside the report, where they were made.
    pub(crate) plots: Option<String>,
    pub(crate) presentations: Option<Presentations>,
    pub(crate) conditions: Option<Vec<Row>>,
    pub(crate) strengths: Option<Strengths>,
}

impl Report {
    /// The object of the evaluation contract.
    pub(crate) fn to_json(&self) -> Value {
        let methods: Vec<Value> = self
            .methods
            .iter()
            .map(|m| {
                json!({
                    "name": m.name,
                    "informed": rates_json(&m.informed_rates),
                    "zero_effort": rates_json(&m.zero_effort_rates),
                })
            })
            .collect();
        let [genuine, informed, zero_effort] = self.trials;
        let t = &self.at_threshold;
        let mut object = json!({
            "file": self.file,
            "users": self.users.len(),
            "gestures": self.gestures,
            "recordings": self.recordings,
            "k": self.k,
            "cross_view": self.cross_view,
            "cells": self.cells,
            "enrolments_refused": self.refused_enrolments,
            "trials": {"genuine": genuine, "informed": informed, "zero_effort": zero_effort},
            "methods": methods,
            "shipped_threshold": {
                "frr": t.all.frr,
                "far_informed": t.all.far_informed,
                "far_zero_effort": t.all.far_zero_effort,
                "worst_user_frr": t.worst(|d| d.frr),
                "worst_user_far_informed": t.worst(|d| d.far_informed),
                "worst_user_far_zero_effort": t.worst(|d| d.far_zero_effort),
            },
            "unchallenged_threshold": {
                "frr": t.unchallenged.frr,
                "far_informed": t.unchallenged.far_informed,
                "far_zero_effort": t.unchallenged.far_zero_effort,
                "tenth_of_shipped_far_informed_at": t.tenth,
            },
            "threshold_of_other_users": {
                "frr": t.others_threshold.frr,
                "far_informed": t.others_threshold.far_informed,
                "far_zero_effort": t.others_threshold.far_zero_effort,
            },
            "shipped_minus_seed": {
                "informed": difference_json(self.difference[1]),
                "zero_effort": difference_json(self.difference[0]),
            },
        });
        if let Some(rows) = &self.conditions {
            object["conditions"] = conditions::to_json(rows);
        }
        if let Some(p) = &self.presentations {
            object["liveness"] = presentations_json(p);
        }
        if let Some(s) = &self.strengths {
            object["strength"] = strengths_json(s);
        }
        object
    }

    /// The same for people.
    pub(crate) fn to_table(&self) -> String {
        let mut out = String::new();
        let [genuine, informed, zero_effort] = self.trials;
        let view = if self.cross_view { ", across views" } else { "" };
        let _ = writeln!(
            out,
            "{}: {} users, {} gestures, {} recordings; {} cells of {} templates{view}; trials: {genuine} genuine, \
             {informed} informed, {zero_effort} zero-effort",
            self.file,
            self.users.len(),
            self.gestures,
            self.recordings,
            self.cells,
            self.k
        );
        let _ = writeln!(
            out,
            "{:<24}{:<12}{:>8}  {:<16}{:>12}{:>12}{:>12}",
            "method", "impostor", "EER %", "95 % interval", "FRR@FAR 1 %", "FRR@0.1 %", "FRR@0.01 %"
        );
        for m in &self.methods {
            for (kind, rates) in [("zero-effort", &m.zero_effort_rates), ("informed", &m.informed_rates)] {
                let [one, tenth, hundredth] = rates.frr_at_far.map(percent);
                let interval = rates.ci95.map_or_else(|| "–".to_owned(), between);
                let eer = percent(rates.eer);
                let _ = writeln!(
                    out,
                    "{:<24}{kind:<12}{eer:>8}  {interval:<16}{one:>12}{tenth:>12}{hundredth:>12}",
                    m.name
                );
            }
        }
        self.put_differences(&mut out);
        let t = &self.at_threshold;
        let _ = writeln!(
            out,
            "shipped threshold: FRR {} % (worst user {} %), FAR zero-effort {} % (worst user {} %), informed {} % \
             (worst user {} %)\nthreshold set on the other users (informed FAR {} %): FRR {} %, FAR zero-effort {} %, \
             informed {} %\nthreshold without a challenge: FRR {} %, FAR zero-effort {} %, informed {} % (a tenth of the \
             shipped threshold's at a score of {})\nenrolment would have refused {} of {} cells",
            percent(t.all.frr),
            percent(t.worst(|d| d.frr)),
            percent(t.all.far_zero_effort),
            percent(t.worst(|d| d.far_zero_effort)),
            percent(t.all.far_informed),
            percent(t.worst(|d| d.far_informed)),
            TARGET * 100.0,
            percent(t.others_threshold.frr),
            percent(t.others_threshold.far_zero_effort),
            percent(t.others_threshold.far_informed),
            percent(t.unchallenged.frr),
            percent(t.unchallenged.far_zero_effort),
            percent(t.unchallenged.far_informed),
            t.tenth.map_or_else(|| "–".to_owned(), |score| format!("{score:.3}")),
            self.refused_enrolments,
            self.cells
        );
        if let Some(liveness) = self.liveness_words() {
            let _ = writeln!(out, "{liveness}");
        }
        if let Some(rows) = &self.conditions {
            out += &conditions::table(rows);
        }
        out.push_str(&self.strength_words());
        if let Some(presentations) = &self.presentations {
            out += &challenges::table(presentations);
        }
        out
    }

    /// Liveness in a sentence, where it was looked at.
    pub(crate) fn liveness_words(&self) -> Option<String> {
        let p = self.presentations.as_ref()?;
        Some(format!(
            "liveness: live refused {} of {}; accepted: still {} of {}, moved photo {} of {}, replay {} of {} \
             without challenge, {:.2} expected with one, {:.2} with two\n  (assumed: {ASSUMPTION})",
            p.live.n - p.live.accepted,
            p.live.n,
            p.still.accepted,
            p.still.n,
            p.wobble.accepted,
            p.wobble.n,
            p.replay.accepted,
            p.replay.n,
            p.one_challenge,
            p.two_challenges
        ))
    }

    /// The estimated strength against what was measured, a line each; empty where it was not looked at.
    pub(crate) fn strength_words(&self) -> String {
        let Some(s) = &self.strengths else { return String::new() };
        let [strangers, imitators] = s.simulated.map(|share| percent(Some(share)));
        let mut out = format!(
            "strength: {strangers} % of simulated strangers would pass, {imitators} % of imitators\n"
        );
        for (name, correlation) in strengths::NAMES.into_iter().zip(s.correlations) {
            let _ = match correlation {
                Some((rho, [low, high])) => {
                    writeln!(out, "  rank correlation of {name}: {rho:.2} [{low:.2}–{high:.2}]")
                }
                None => writeln!(out, "  rank correlation of {name}: –"),
            };
        }
        out
    }

    fn put_differences(&self, out: &mut String) {
        for (kind, difference) in ["zero-effort", "informed"].into_iter().zip(self.difference) {
            let Some((eer, interval)) = difference else { continue };
            let _ = writeln!(
                out,
                "shipped minus seed, {kind}: EER {} points [{}], paired over users",
                percent(Some(eer)),
                between(interval)
            );
        }
    }
}

pub(crate) fn between([low, high]: [f64; 2]) -> String {
    format!("{}–{}", percent(Some(low)), percent(Some(high)))
}

fn difference_json(difference: Option<(f64, [f64; 2])>) -> Value {
    json!({"eer": difference.map(|d| d.0), "ci95": difference.map(|d| d.1)})
}

pub(crate) fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |r| format!("{:.2}", 100.0 * r))
}

fn rates_json(rates: &Rates) -> Value {
    let at: serde_json::Map<String, Value> =
        FARS.iter().zip(rates.frr_at_far).map(|(far, frr)| (far.to_string(), json!(frr))).collect();
    json!({"eer": rates.eer, "ci95": rates.ci95, "frr_at_far": at})
}

fn strengths_json(s: &Strengths) -> Value {
    let correlations: serde_json::Map<String, Value> = strengths::NAMES
        .into_iter()
        .zip(s.correlations)
        .map(|(name, c)| (name.to_owned(), json!({"rho": c.map(|c| c.0), "ci95": c.map(|c| c.1)})))
        .collect();
    json!({"simulated_strangers": s.simulated[0], "simulated_imitators": s.simulated[1], "correlations": correlations})
}

fn presentations_json(p: &Presentations) -> Value {
    json!({
        "live": {"n": p.live.n, "refused": p.live.n - p.live.accepted},
        "still": {"n": p.still.n, "accepted": p.still.accepted},
        "wobble": {"n": p.wobble.n, "accepted": p.wobble.accepted},
        "replay": {
            "n": p.replay.n,
            "accepted_no_challenge": p.replay.accepted,
            "accepted_one_challenge": p.one_challenge,
            "accepted_two_challenges": p.two_challenges,
        },
    })
}
