//! Plots as SVG: detection error trade-off and score histograms.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::methods::Scored;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 480.0;
const MARGIN: f64 = 60.0;
/// Rates below this lie on the plot's edge.
const FLOOR: f64 = 1.0e-4;
const COLOURS: [&str; 4] = ["#0b6e4f", "#1f5aa6", "#b3402a", "#6b5b95"];

/// Writes `NAME_det.svg` and `NAME_scores.svg` into `dir`.
pub(crate) fn write(dir: &Path, name: &str, methods: &[Scored], users: usize) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join(format!("{name}_det.svg")), det(methods, users))?;
    if let Some(shipped) = methods.first() {
        std::fs::write(dir.join(format!("{name}_scores.svg")), scores(shipped))?;
    }
    Ok(())
}

/// False reject rate over false accept rate, both on logarithmic axes.
fn det(methods: &[Scored], users: usize) -> String {
    let at = |rate: f64| (rate.clamp(FLOOR, 1.0) / FLOOR).log10() / (1.0 / FLOOR).log10();
    let x = |rate: f64| MARGIN + at(rate) * (WIDTH - 2.0 * MARGIN);
    let y = |rate: f64| HEIGHT - MARGIN - at(rate) * (HEIGHT - 2.0 * MARGIN);
    let mut body = String::new();
    for rate in [1.0e-4, 1.0e-3, 1.0e-2, 0.1, 1.0] {
        let label = format!("{} %", rate * 100.0);
        let _ = writeln!(body, "{}", line(x(rate), y(FLOOR), x(rate), y(1.0)));
        let _ = writeln!(body, "{}", line(x(FLOOR), y(rate), x(1.0), y(rate)));
        let _ = writeln!(body, "{}", text(x(rate), y(FLOOR) + 18.0, "middle", &label));
        let _ = writeln!(body, "{}", text(x(FLOOR) - 6.0, y(rate) + 4.0, "end", &label));
    }
    let ones = vec![1; users];
    for (i, method) in methods.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        for (sorted, dash, kind) in
            [(&method.zero_effort, "", "zero-effort"), (&method.informed, "5 4", "informed")]
        {
            let Some(curve) = sorted.curve(&ones) else { continue };
            let points: Vec<String> =
                curve.iter().map(|&(far, frr)| format!("{:.1},{:.1}", x(far), y(frr))).collect();
            let _ = writeln!(
                body,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" stroke-dasharray=\"{dash}\" \
                 points=\"{}\"><title>{} {kind}</title></polyline>",
                points.join(" "),
                method.name
            );
        }
        let _ = writeln!(
            body,
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{} (dashed: informed)</text>",
            MARGIN + 8.0,
            MARGIN - 40.0 + 14.0 * i as f64,
            method.name
        );
    }
    let _ = writeln!(body, "{}", text(WIDTH / 2.0, HEIGHT - 14.0, "middle", "false accept rate"));
    let _ = writeln!(body, "{}", text(8.0, MARGIN - 14.0, "start", "false reject rate"));
    document(&body)
}

/// Histograms of the shipped score: genuine, informed, zero-effort.
fn scores(method: &Scored) -> String {
    const BINS: usize = 80;
    let groups: [(&str, Vec<f64>); 3] = [
        ("genuine", method.informed.scores(true)),
        ("informed", method.informed.scores(false)),
        ("zero-effort", method.zero_effort.scores(false)),
    ];
    let finite: Vec<f64> = groups.iter().flat_map(|g| &g.1).copied().filter(|s| s.abs() < 50.0).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if high.partial_cmp(&low) != Some(std::cmp::Ordering::Greater) {
        return document(&text(WIDTH / 2.0, HEIGHT / 2.0, "middle", "no scores"));
    }
    let mut body = String::new();
    for (i, (name, values)) in groups.iter().enumerate() {
        let mut bins = [0usize; BINS];
        for v in values {
            let at = ((v - low) / (high - low) * BINS as f64) as usize;
            bins[at.min(BINS - 1)] += 1;
        }
        let top = bins.iter().copied().max().unwrap_or(1).max(1) as f64;
        let points: Vec<String> = bins
            .iter()
            .enumerate()
            .map(|(b, n)| {
                let x = MARGIN + (b as f64 + 0.5) / BINS as f64 * (WIDTH - 2.0 * MARGIN);
                let y = HEIGHT - MARGIN - *n as f64 / top * (HEIGHT - 2.0 * MARGIN);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let colour = COLOURS[i % COLOURS.len()];
        let _ = writeln!(
            body,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
            points.join(" ")
        );
        let y = MARGIN - 40.0 + 14.0 * i as f64;
        let _ = writeln!(body, "<text x=\"{}\" y=\"{y}\" fill=\"{colour}\">{name}</text>", MARGIN + 8.0);
    }
    for i in 0..=4 {
        let share = f64::from(i) / 4.0;
        let label = format!("{:.1}", low + share * (high - low));
        let x = MARGIN + share * (WIDTH - 2.0 * MARGIN);
        let _ = writeln!(body, "{}", text(x, HEIGHT - MARGIN + 18.0, "middle", &label));
    }
    let _ = writeln!(body, "{}", text(WIDTH / 2.0, HEIGHT - 14.0, "middle", "score of the shipped matcher"));
    document(&body)
}

fn document(body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n"
    )
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64) -> String {
    format!("<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"#ccc\"/>")
}

fn text(x: f64, y: f64, anchor: &str, words: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>")
}
