//! Conditions for people, for reports and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Compared, Row};

/// For people.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "conditions: rates at the shipped threshold; \"told\": genuine attempts that are asked to turn to the camera first;\n\
         EER: shipped, seed, and their difference, paired over users\n",
    );
    let heads =
        ["condition of the probes", "genuine", "FRR %", "told %", "FRR %", "FAR", "FAR", "EER %", "EER %"];
    let more = ["", "", "", "", "not told", "zero-eff. %", "informed %", "zero-effort", "informed"];
    for head in [heads, more] {
        put(&mut out, &head.map(str::to_owned));
    }
    for row in rows {
        let [frr, told, untold] = [row.frr, row.told, row.refused_untold].map(percent);
        let [zero, informed] = [row.far_zero_effort, row.far_informed].map(percent);
        let [eer_zero, eer_informed] = [&row.zero_effort, &row.informed].map(against);
        let (name, genuine) = (row.name.to_owned(), row.genuine.to_string());
        put(&mut out, &[name, genuine, frr, told, untold, zero, informed, eer_zero, eer_informed]);
    }
    out
}

fn put(out: &mut String, cells: &[String; 9]) {
    let [name, genuine, frr, told, untold, zero, informed, eer_zero, eer_informed] = cells;
    let _ = writeln!(
        out,
        "{name:<44}{genuine:>8}{frr:>8}{told:>8}{untold:>10}{zero:>13}{informed:>12}  {eer_zero:<34}{eer_informed}"
    );
}

/// For reports.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut out = "At the shipped threshold, probes changed by simulation, templates as recorded. \"Told\": genuine \
                   attempts that are asked to turn to the camera first; \"not told\": refused without that. Equal error \
                   rates: shipped, seed, difference paired over users.\n\n\
                   | Probes | Genuine | FRR | Told | FRR, not told | FAR zero-effort | FAR informed | EER zero-effort | \
                   EER informed |\n|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.name,
            row.genuine,
            percent(row.frr),
            percent(row.told),
            percent(row.refused_untold),
            percent(row.far_zero_effort),
            percent(row.far_informed),
            against(&row.zero_effort),
            against(&row.informed)
        );
    }
    out
}

/// For programs.
pub(crate) fn to_json(rows: &[Row]) -> Value {
    let compared = |c: &Compared| {
        json!({
            "eer": c.shipped, "eer_seed": c.seed,
            "difference": c.difference.map(|d| d.0), "difference_ci95": c.difference.map(|d| d.1),
        })
    };
    rows.iter()
        .map(|row| {
            json!({
                "condition": row.name, "genuine": row.genuine, "frr": row.frr,
                "far_zero_effort": row.far_zero_effort, "far_informed": row.far_informed,
                "told_to_reframe": row.told, "frr_not_told": row.refused_untold,
                "zero_effort": compared(&row.zero_effort), "informed": compared(&row.informed),
            })
        })
        .collect()
}

fn against(compared: &Compared) -> String {
    let (shipped, seed) = (percent(compared.shipped), percent(compared.seed));
    let difference = compared.difference.map_or_else(
        || "-".to_owned(),
        |(d, [low, high])| format!("{:.1} [{:.1}, {:.1}]", 100.0 * d, 100.0 * low, 100.0 * high),
    );
    format!("{shipped}, {seed}, {difference}")
}

fn percent(rate: Option<f64>) -> String {
    rate.map_or_else(|| "-".to_owned(), |r| format!("{:.2}", 100.0 * r))
}
