//! What the evaluation prints: one JSON object a file, or a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pose_engine::constants::ACCEPT;
use serde_json::{Value, json};

use super::adaptation::Adaptation;
use super::challenges;
use super::conditions::{self, Row};
use super::liveness;
use super::methods::{AtThreshold, BOUNDS, Scored, TARGET, worst};
use super::presentations::Presentations;
use super::rates::{Decisions, FARS, Rates};
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
    /// By reason.
    pub(crate) refused_enrolments: BTreeMap<&'static str, usize>,
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
    pub(crate) adaptation: Option<Adaptation>,
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
            "enrolments_refused": self.refused(),
            "enrolments_refused_for": self.refused_enrolments,
            "trials": {"genuine": genuine, "informed": informed, "zero_effort": zero_effort},
            "methods": methods,
            "shipped_threshold": {
                "frr": t.all.frr,
                "far_informed": t.all.far_informed,
                "far_zero_effort": t.all.far_zero_effort,
                "worst_user_frr": worst(&t.users, |d| d.frr),
                "worst_user_far_informed": worst(&t.users, |d| d.far_informed),
                "worst_user_far_zero_effort": worst(&t.users, |d| d.far_zero_effort),
            },
            "thresholds_for": {
                "far_informed_0.01": t.bounds[0], "far_zero_effort_0.001": t.bounds[1], "frr_0.03": t.bounds[2],
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
                "seed": {
                    "frr": t.seed.frr,
                    "far_informed": t.seed.far_informed,
                    "far_zero_effort": t.seed.far_zero_effort,
                    "worst_user_frr": worst(&t.seed_users, |d| d.frr),
                },
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
            object["liveness"] = liveness::to_json(p);
        }
        if let Some(s) = &self.strengths {
            object["strength"] = strengths_json(s);
        }
        if let Some(adaptation) = &self.adaptation {
            object["adaptation"] = adaptation.to_json();
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
            "{:<24}{:<12}{:>8}  {:<16}{:>12}{:>12}{:>12}{:>12}",
            "method",
            "impostor",
            "EER %",
            "95 % interval",
            "worst user",
            "FRR@FAR 1 %",
            "FRR@0.1 %",
            "FRR@0.01 %"
        );
        for m in &self.methods {
            for (kind, rates) in [("zero-effort", &m.zero_effort_rates), ("informed", &m.informed_rates)] {
                let [one, tenth, hundredth] = rates.frr_at_far.map(percent);
                let interval = rates.ci95.map_or_else(|| "–".to_owned(), between);
                let [eer, worst] = [rates.eer, rates.worst_user_eer].map(percent);
                let _ = writeln!(
                    out,
                    "{:<24}{kind:<12}{eer:>8}  {interval:<16}{worst:>12}{one:>12}{tenth:>12}{hundredth:>12}",
                    m.name
                );
            }
        }
        self.put_differences(&mut out);
        self.put_threshold_lines(&mut out);
        if let Some(presentations) = &self.presentations {
            out += &liveness::table(presentations);
        }
        if let Some(rows) = &self.conditions {
            out += &conditions::table(rows);
        }
        out.push_str(&self.strength_words());
        if let Some(adaptation) = &self.adaptation {
            out += &adaptation.words();
        }
        if let Some(presentations) = &self.presentations {
            out += &challenges::table(presentations);
        }
        out
    }

    /// The estimated strength against what was measured, a line each; empty where it was not looked at.
    pub(crate) fn strength_words(&self) -> String {
        let Some(s) = &self.strengths else { return String::new() };
        let [strangers, imitators] = s.simulated.map(|share| percent(Some(share)));
        let mut out = format!(
            "strength: {strangers} % of simulated strangers would pass, {imitators} % of imitators\n  scores of imitators: \
             mean {:.2}, deviation {:.2}; of real informed impostors: {:.2}, {:.2}\n  the threshold lies {:.1} to {:.1} \
             deviations above the strangers (19 of 20 cells either way)\n",
            s.scores[0].0, s.scores[0].1, s.scores[1].0, s.scores[1].1, s.rarity[0], s.rarity[1]
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

    fn put_threshold_lines(&self, out: &mut String) {
        let t = &self.at_threshold;
        let rates = |d: &Decisions, users: &[Decisions]| {
            let of = |rate: fn(&Decisions) -> Option<f64>| match worst(users, rate) {
                Some(most) => format!("{} % (worst user {} %)", percent(rate(d)), percent(Some(most))),
                None => format!("{} %", percent(rate(d))),
            };
            format!(
                "FRR {}, FAR zero-effort {}, informed {}",
                of(|d| d.frr),
                of(|d| d.far_zero_effort),
                of(|d| d.far_informed)
            )
        };
        let [tenth, bounds] = [score(t.tenth), self.bounds_words()];
        let _ = writeln!(
            out,
            "shipped threshold: {}\n{bounds}\nthreshold without a challenge: {} (a tenth of the shipped threshold's at a score of \
             {tenth})\nthreshold set on the other users (informed FAR {} %): {}\n  the seed so: {}\nenrolment would have \
             refused {} of {} cells{}",
            rates(&t.all, &t.users),
            rates(&t.unchallenged, &[]),
            TARGET * 100.0,
            rates(&t.others_threshold, &[]),
            rates(&t.seed, &t.seed_users),
            self.refused(),
            self.cells,
            self.refused_for()
        );
    }

    /// Between which scores the shipped threshold was chosen.
    pub(crate) fn bounds_words(&self) -> String {
        let each: Vec<String> = BOUNDS
            .into_iter()
            .zip(self.at_threshold.bounds)
            .map(|(what, at)| format!("{what} at a score of {}", score(at)))
            .collect();
        format!("threshold {ACCEPT}; here {}", each.join(", "))
    }

    /// How many cells enrolment would have refused.
    pub(crate) fn refused(&self) -> usize {
        self.refused_enrolments.values().sum()
    }

    /// The reasons in brackets; empty without any.
    pub(crate) fn refused_for(&self) -> String {
        let reasons: Vec<String> = self
            .refused_enrolments
            .iter()
            .map(|(name, n)| format!("{} {n}", name.replace('_', " ")))
            .collect();
        if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) }
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

pub(crate) fn score(score: Option<f64>) -> String {
    score.map_or_else(|| "–".to_owned(), |s| format!("{s:.3}"))
}

pub(crate) fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), |r| format!("{:.2}", 100.0 * r))
}

fn rates_json(rates: &Rates) -> Value {
    let at: serde_json::Map<String, Value> =
        FARS.iter().zip(rates.frr_at_far).map(|(far, frr)| (far.to_string(), json!(frr))).collect();
    json!({"eer": rates.eer, "ci95": rates.ci95, "worst_user_eer": rates.worst_user_eer, "frr_at_far": at})
}

fn strengths_json(s: &Strengths) -> Value {
    let correlations: serde_json::Map<String, Value> = strengths::NAMES
        .into_iter()
        .zip(s.correlations)
        .map(|(name, c)| (name.to_owned(), json!({"rho": c.map(|c| c.0), "ci95": c.map(|c| c.1)})))
        .collect();
    let scores = |(mean, deviation): (f64, f64)| json!({"mean": mean, "deviation": deviation});
    json!({
        "simulated_strangers": s.simulated[0], "simulated_imitators": s.simulated[1], "correlations": correlations,
        "imitator_scores": scores(s.scores[0]), "informed_scores": scores(s.scores[1]), "rarity": s.rarity,
    })
}
