//! The same figures as a section of Markdown, with every user's own and the plots as pictures.

use std::fmt::Write as _;

use super::conditions;
use super::methods::TARGET;
use super::rates::Decisions;
use super::report::{Report, between, percent};

impl Report {
    /// A section with its own heading.
    pub(crate) fn to_markdown(&self) -> String {
        let mut out = String::new();
        self.put_heading(&mut out);
        self.put_methods(&mut out);
        self.put_thresholds(&mut out);
        if let Some(stem) = &self.plots {
            let _ = writeln!(out, "![error trade-off]({stem}_det.png)\n\n![scores]({stem}_scores.png)\n");
        }
        if let Some(liveness) = self.liveness_words() {
            let _ = writeln!(out, "{liveness}");
        }
        if let Some(rows) = &self.conditions {
            let _ = writeln!(out, "{}", conditions::markdown(rows));
        let strength = self.strength_words();
        if !strength.is_empty() {
            let _ = writeln!(out, "```\n{strength}```\n");
        }
        out
    }

    fn put_heading(&self, out: &mut String) {
        let [genuine, informed, zero_effort] = self.trials;
        let view = if self.cross_view { ", across views" } else { "" };
        let _ = writeln!(
            out,
            "## {}\n\n{} users, {} gestures, {} recordings; {} cells of {} templates{view}. Trials: {genuine} genuine, \
             {informed} informed, {zero_effort} zero-effort. Enrolment itself would have refused {} of the cells; they \
             are counted all the same. Rates in percent, intervals of 95 % from a bootstrap over users.\n",
            self.file,
            self.users.len(),
            self.gestures,
            self.recordings,
            self.cells,
            self.k,
            self.refused_enrolments
        );
    }

    fn put_methods(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "| Method | Impostor | EER | FRR at FAR 1 % | at 0.1 % | at 0.01 % |\n|---|---|---|---|---|---|"
        );
        for m in &self.methods {
            for (kind, rates) in [("zero-effort", &m.zero_effort_rates), ("informed", &m.informed_rates)] {
                let [one, tenth, hundredth] = rates.frr_at_far.map(percent);
                let interval = rates.ci95.map_or_else(|| "–".to_owned(), between);
                let eer = percent(rates.eer);
                let _ = writeln!(
                    out,
                    "| {} | {kind} | {eer} [{interval}] | {one} | {tenth} | {hundredth} |",
                    m.name
                );
            }
        }
        for (kind, difference) in ["zero-effort", "informed"].into_iter().zip(self.difference) {
            let Some((eer, interval)) = difference else { continue };
            let (eer, interval) = (percent(Some(eer)), between(interval));
            let _ = writeln!(out, "| shipped minus seed, paired | {kind} | {eer} [{interval}] | | | |");
        }
    }

    fn put_thresholds(&self, out: &mut String) {
        let t = &self.at_threshold;
        let _ = writeln!(
            out,
            "\n| At the shipped threshold | FRR | FAR zero-effort | FAR informed |\n|---|---|---|---|"
        );
        put_decisions(out, "all users", &t.all);
        for (user, decisions) in self.users.iter().zip(&t.users) {
            put_decisions(out, &format!("user {user}"), decisions);
        }
        let others = format!("threshold of the other users (informed FAR {} %)", TARGET * 100.0);
        put_decisions(out, &others, &t.others_threshold);
        put_decisions(out, "threshold without a challenge", &t.unchallenged);
        out.push('\n');
    }
}

fn put_decisions(out: &mut String, who: &str, d: &Decisions) {
    let (frr, zero, informed) = (percent(d.frr), percent(d.far_zero_effort), percent(d.far_informed));
    let _ = writeln!(out, "| {who} | {frr} | {zero} | {informed} |");
}
