//! The plot: for each species what is let in without a movement asked, with one and with two, and what the number of
//! presentations leaves open.

use std::fmt::Write as _;

use crate::bench::Results;
use crate::tally::interval;

const WIDTH: f64 = 920.0;
const LEFT: f64 = 310.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 70.0;
const ROW: f64 = 46.0;
const KINDS: [(&str, &str); 3] = [
    ("no movement asked", "#b3402a"),
    ("one random movement (expected)", "#d99a2b"),
    ("two random movements", "#0b6e4f"),
];

/// The plot as SVG.
pub(crate) fn attacks(results: &Results) -> String {
    let height = TOP + ROW * results.attacks.len() as f64 + 50.0;
    let mut body = String::new();
    for i in 0..=4 {
        let share = f64::from(i) / 4.0;
        let bottom = height - 45.0;
        let _ = writeln!(body, "<path d=\"M{0:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>", x(share));
        let _ =
            writeln!(body, "{}", text(x(share), bottom + 16.0, "middle", &format!("{:.0} %", 100.0 * share)));
    }
    let _ = writeln!(
        body,
        "{}",
        text(x(0.5), height - 10.0, "middle", "presentations let in (whiskers: exact 95 % interval)")
    );
    for (i, (name, colour)) in KINDS.iter().enumerate() {
        let at = LEFT + 205.0 * i as f64;
        let _ = writeln!(body, "<rect x=\"{at}\" y=\"38\" width=\"10\" height=\"10\" fill=\"{colour}\"/>");
        let _ = writeln!(body, "{}", text(at + 15.0, 47.0, "start", name));
    }
    let _ =
        writeln!(body, "{}", text(LEFT, 22.0, "start", "Presentation attacks through the whole pipeline"));
    for (row, (species, tally)) in results.attacks.iter().enumerate() {
        let top = TOP + ROW * row as f64 + 5.0;
        let name = format!("{} ({})", species.name(), tally.n);
        let _ = writeln!(body, "{}", text(LEFT - 8.0, top + 22.0, "end", &name));
        let n = tally.n.max(1) as f64;
        let one = tally.expected_shares().map(|shares| shares[0]);
        let bars = [Some(tally.passed_before_asked as f64 / n), one, Some(tally.accepted as f64 / n)];
        let counts = [Some(tally.passed_before_asked), None, Some(tally.accepted)];
        for (i, (share, count)) in bars.into_iter().zip(counts).enumerate() {
            let y = top + 12.0 * i as f64;
            let Some(share) = share else { continue };
            let width = (x(share) - x(0.0)).max(1.5);
            let colour = KINDS[i].1;
            let _ = writeln!(
                body,
                "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"9\" fill=\"{colour}\"/>"
            );
            if let Some(count) = count {
                let [low, high] = interval(count, tally.n).map(x);
                let middle = y + 4.5;
                let _ = writeln!(body, "<path d=\"M{low:.1} {middle:.1}H{high:.1}\" stroke=\"#333\"/>");
            }
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

fn x(share: f64) -> f64 {
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

fn text(x: f64, y: f64, anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>")
}
