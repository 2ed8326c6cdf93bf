//! The same figures as a section of Markdown, with every user's own and the plots as pictures.

use std::fmt::Write as _;

use super::challenges;
use super::conditions;
use super::liveness;
use super::methods::TARGET;
use super::rates::Decisions;
use super::report::{Report, between, percent, score};

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
        if let Some(presentations) = &self.presentations {
            let _ = writeln!(out, "{}", liveness::markdown(presentations));
            let _ = writeln!(out, "```\n{}```\n", challenges::table(presentations));
        }
        if let Some(rows) = &self.conditions {
            let _ = writeln!(out, "{}", conditions::markdown(rows));
        }
        let strength = self.strength_words();
        if !strength.is_empty() {
            let _ = writeln!(out, "```\n{strength}```\n");
        }
        if let Some(adaptation) = &self.adaptation {
            let _ = writeln!(out, "```\n{}```\n", adaptation.words());
        }
        out
    }

    fn put_heading(&self, out: &mut String) {
        let [genuine, informed, zero_effort] = self.trials;
        let view = if self.cross_view { ", across views" } else { "" };
        let _ = writeln!(
            out,
            "## {}\n\n{} users, {} gestures, {} recordings; {} cells of {} templates{view}. Trials: {genuine} genuine, \
             {informed} informed, {zero_effort} zero-effort. Enrolment itself would have refused {} of the cells{}; they \
             are counted all the same. Rates in percent, intervals of 95 % from a bootstrap over users.\n",
            self.file,
            self.users.len(),
            self.gestures,
            self.recordings,
            self.cells,
            self.k,
            self.refused(),
            self.refused_for()
        );
    }

    fn put_methods(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "| Method | Impostor | EER | of the worst user | FRR at FAR 1 % | at 0.1 % | at 0.01 % |\n|---|---|---|---|---|---|---|"
        );
        for m in &self.methods {
            for (kind, rates) in [("zero-effort", &m.zero_effort_rates), ("informed", &m.informed_rates)] {
                let [one, tenth, hundredth] = rates.frr_at_far.map(percent);
                let interval = rates.ci95.map_or_else(|| "–".to_owned(), between);
                let [eer, worst] = [rates.eer, rates.worst_user_eer].map(percent);
                let _ = writeln!(
                    out,
                    "| {} | {kind} | {eer} [{interval}] | {worst} | {one} | {tenth} | {hundredth} |",
                    m.name
                );
            }
        }
        for (kind, difference) in ["zero-effort", "informed"].into_iter().zip(self.difference) {
            let Some((eer, interval)) = difference else { continue };
            let (eer, interval) = (percent(Some(eer)), between(interval));
            let _ = writeln!(out, "| shipped minus seed, paired | {kind} | {eer} [{interval}] | | | | |");
        }
    }

    fn put_thresholds(&self, out: &mut String) {
        let t = &self.at_threshold;
        let _ = writeln!(
            out,
            "\n| At a threshold | shipped: FRR | FAR zero-effort | FAR informed | seed: FRR | FAR zero-effort | FAR \
             informed |\n|---|---|---|---|---|---|---|"
        );
        put_decisions(out, "all users", &t.all, &t.seed);
        for (user, (shipped, seed)) in self.users.iter().zip(t.users.iter().zip(&t.seed_users)) {
            put_decisions(out, &format!("user {user}"), shipped, seed);
        }
        put_decisions(out, "all users, threshold of the other users", &t.others_threshold, &t.seed);
        put_decisions(out, "all users, threshold without a challenge", &t.unchallenged, &t.seed);
        let _ = writeln!(
            out,
            "\nThe shipped matcher at its threshold, where no other is named; the seed, which has none, at the threshold \
             that the other users' informed impostors set ({} % of them pass). Shipped: {}. A tenth of the informed \
             impostors who pass there pass at {}.\n",
            TARGET * 100.0,
            self.bounds_words(),
            score(t.tenth)
        );
    }
}

fn put_decisions(out: &mut String, who: &str, shipped: &Decisions, seed: &Decisions) {
    let rates = |d: &Decisions| [d.frr, d.far_zero_effort, d.far_informed].map(percent).join(" | ");
    let _ = writeln!(out, "| {who} | {} | {} |", rates(shipped), rates(seed));
}
