//! Plots of an evaluation: detection error trade-off, score histograms, and answers to challenges by their delay.

mod figure;
mod font;

use std::io;
use std::path::Path;

use super::methods::Scored;
use super::presentations::Count;
use figure::{Anchor, Colour, Figure, HEIGHT, WIDTH};

const MARGIN: f64 = 64.0;
/// Rates below this lie on the plot's edge.
const FLOOR: f64 = 1.0e-4;
const COLOURS: [Colour; 4] = [[11, 110, 79], [31, 90, 166], [179, 64, 42], [107, 91, 149]];
const GRID: Colour = [204, 204, 204];
const INK: Colour = [40, 40, 40];
/// Scores further from 0 are no scores but "cannot be compared".
const INCOMPARABLE: f64 = 50.0;

/// Writes `NAME_det` and `NAME_scores`, each as SVG and PNG, into `dir`, which is made if missing. Nothing without trials.
pub(crate) fn write(
    dir: &Path,
    name: &str,
    methods: &[Scored],
    users: usize,
    threshold: f64,
) -> io::Result<()> {
    if !has_trials(methods) {
        return Ok(());
    }
    std::fs::create_dir_all(dir)?;
    det(methods, users).write(dir, &format!("{name}_det"))?;
    if let Some(shipped) = methods.first() {
        scores(shipped, threshold).write(dir, &format!("{name}_scores"))?;
    }
    Ok(())
}

/// Whether there is anything to draw.
pub(crate) fn has_trials(methods: &[Scored]) -> bool {
    methods.iter().any(|m| m.informed_rates.eer.is_some() || m.zero_effort_rates.eer.is_some())
}

/// Writes `NAME_puppet` as SVG and PNG: acceptance of right answers over their delay. Nothing without figures.
pub(crate) fn write_delays(dir: &Path, name: &str, delays: &[(u64, Count)]) -> io::Result<()> {
    let Some((longest, _)) = delays.last() else { return Ok(()) };
    std::fs::create_dir_all(dir)?;
    let x = |ms: f64| MARGIN + ms / *longest as f64 * (WIDTH - 2.0 * MARGIN);
    let y = |share: f64| HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
    let mut figure = Figure::default();
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        figure.line(vec![[x(0.0), y(share)], [x(*longest as f64), y(share)]], GRID, 1.0, false, "");
        figure.words([x(0.0) - 6.0, y(share) + 4.0], Anchor::End, INK, &format!("{} %", 100.0 * share));
    }
    for (ms, _) in delays.iter().filter(|(ms, _)| ms % 1_000 == 0) {
        figure.words([x(*ms as f64), y(0.0) + 18.0], Anchor::Middle, INK, &format!("{} s", ms / 1_000));
    }
    let line = |power: i32| {
        let point = |(ms, count): &(u64, Count)| {
            [x(*ms as f64), y((count.accepted as f64 / count.n as f64).powi(power))]
        };
        delays.iter().map(point).collect()
    };
    for (i, (power, words)) in [(1, "one challenge"), (2, "two in order")].into_iter().enumerate() {
        figure.line(line(power), COLOURS[i], 1.5, power == 2, words);
        figure.words([WIDTH / 3.0, 20.0 + 14.0 * i as f64], Anchor::Start, COLOURS[i], words);
    }
    figure.words([WIDTH / 2.0, HEIGHT - 14.0], Anchor::Middle, INK, "delay of the right answer");
    figure.words([8.0, MARGIN - 8.0], Anchor::Start, INK, "accepted");
    figure.write(dir, &format!("{name}_puppet"))
}

/// False reject rate over false accept rate, both on logarithmic axes.
fn det(methods: &[Scored], users: usize) -> Figure {
    let at = |rate: f64| (rate.clamp(FLOOR, 1.0) / FLOOR).log10() / (1.0 / FLOOR).log10();
    let x = |rate: f64| MARGIN + at(rate) * (WIDTH - 2.0 * MARGIN);
    let y = |rate: f64| HEIGHT - MARGIN - at(rate) * (HEIGHT - 2.0 * MARGIN);
    let mut figure = Figure::default();
    for rate in [1.0e-4, 1.0e-3, 1.0e-2, 0.1, 1.0] {
        let label = format!("{} %", rate * 100.0);
        figure.line(vec![[x(rate), y(FLOOR)], [x(rate), y(1.0)]], GRID, 1.0, false, "");
        figure.line(vec![[x(FLOOR), y(rate)], [x(1.0), y(rate)]], GRID, 1.0, false, "");
        figure.words([x(rate), y(FLOOR) + 18.0], Anchor::Middle, INK, &label);
        figure.words([x(FLOOR) - 6.0, y(rate) + 4.0], Anchor::End, INK, &label);
    }
    let ones = vec![1; users];
    for (i, method) in methods.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        for (sorted, dashed, kind) in
            [(&method.zero_effort, false, "zero-effort"), (&method.informed, true, "informed")]
        {
            let Some(curve) = sorted.curve(&ones) else { continue };
            let points = staircase(&curve).into_iter().map(|(far, frr)| [x(far), y(frr)]).collect();
            figure.line(points, colour, 1.5, dashed, &format!("{} {kind}", method.name));
        }
        let words = format!("{} (dashed: informed)", method.name);
        figure.words([WIDTH / 3.0, 20.0 + 14.0 * i as f64], Anchor::Start, colour, &words);
    }
    figure.words([WIDTH / 2.0, HEIGHT - 14.0], Anchor::Middle, INK, "false accept rate");
    figure.words([8.0, MARGIN - 8.0], Anchor::Start, INK, "false reject rate");
    figure
}

/// Right angles between thresholds: no rates lie between two of them.
fn staircase(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut points = Vec::with_capacity(2 * curve.len());
    for &(far, frr) in curve {
        if let Some(&(_, before)) = points.last() {
            points.push((far, before));
        }
        points.push((far, frr));
    }
    points.dedup();
    points
}

/// Histograms of the shipped score, each by its own height: genuine, informed, zero-effort; and the threshold.
fn scores(method: &Scored, threshold: f64) -> Figure {
    const BINS: usize = 80;
    let groups: [(&str, Vec<f64>); 3] = [
        ("genuine", method.informed.scores(true)),
        ("informed", method.informed.scores(false)),
        ("zero-effort", method.zero_effort.scores(false)),
    ];
    let finite = groups.iter().flat_map(|g| &g.1).copied().filter(|s| s.abs() < INCOMPARABLE);
    let low = finite.clone().fold(threshold, f64::min) - 0.1;
    let high = finite.fold(threshold, f64::max) + 0.1;
    let x = |score: f64| MARGIN + (score - low) / (high - low) * (WIDTH - 2.0 * MARGIN);
    let mut figure = Figure::default();
    let step = ((high - low) / 8.0).ceil();
    for score in (0..=8).map(|i| ((low / step).ceil() + f64::from(i)) * step).take_while(|s| *s <= high) {
        figure.line(vec![[x(score), HEIGHT - MARGIN], [x(score), MARGIN]], GRID, 1.0, false, "");
        figure.words([x(score), HEIGHT - MARGIN + 18.0], Anchor::Middle, INK, &format!("{score:.0}"));
    }
    figure.line(vec![[x(low), HEIGHT - MARGIN], [x(high), HEIGHT - MARGIN]], GRID, 1.0, false, "");
    figure.words([8.0, 20.0], Anchor::Start, INK, "trials, each kind to its");
    figure.words([8.0, 34.0], Anchor::Start, INK, "own height");
    for (i, (name, values)) in groups.iter().enumerate() {
        let mut bins = [0usize; BINS];
        for v in values {
            let at = ((v - low) / (high - low) * BINS as f64).clamp(0.0, BINS as f64 - 1.0);
            bins[at as usize] += 1;
        }
        let top = bins.iter().copied().max().unwrap_or(1).max(1) as f64;
        let point = |(b, n): (usize, &usize)| {
            let middle = low + (b as f64 + 0.5) / BINS as f64 * (high - low);
            [x(middle), HEIGHT - MARGIN - *n as f64 / top * (HEIGHT - 2.0 * MARGIN)]
        };
        let colour = COLOURS[i % COLOURS.len()];
        figure.line(bins.iter().enumerate().map(point).collect(), colour, 1.5, false, name);
        figure.words([WIDTH / 3.0, 20.0 + 14.0 * i as f64], Anchor::Start, colour, name);
    }
    let line = vec![[x(threshold), HEIGHT - MARGIN], [x(threshold), MARGIN]];
    figure.line(line, INK, 1.0, true, "threshold");
    figure.words([x(threshold), MARGIN - 6.0], Anchor::Middle, INK, "threshold");
    figure.words([WIDTH / 2.0, HEIGHT - 14.0], Anchor::Middle, INK, "score of the shipped matcher");
    figure
}
