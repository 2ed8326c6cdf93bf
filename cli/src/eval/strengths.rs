//! Whether the strength that enrolment shows means anything: its rank over a file's cells against what was measured.

use pose_engine::constants::IMITATORS;
use pose_engine::matching::verify_track;
use pose_engine::simulate::{Rng, imitation};
use pose_engine::strength::{Crowds, IMITATING, Resemblance, STRANGERS, crowds, strength};
use pose_engine::template::Template;
use rayon::prelude::*;

use super::methods::CellDecisions;
use super::protocol::Trials;
use super::rates::{central, draws};
use super::recordings::Recording;

/// Estimates against measurements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strengths {
    /// Share of simulated strangers, and of simulated imitators, who would pass, over all cells.
    pub(crate) simulated: [f64; 2],
    /// Mean and deviation of the scores of simulated imitators and of real informed impostors: what the simulated ones
    /// were chosen by.
    pub(crate) scores: [(f64, f64); 2],
    /// How far the threshold lies above the strangers' mean score, in their deviations: of one cell in twenty less, of one
    /// in twenty more.
    pub(crate) rarity: [f64; 2],
    /// Rank correlation (Spearman) with its interval: rarity against zero-effort false accepts, simulated against real
    /// informed false accepts, the shown score (negated) against either.
    pub(crate) correlations: [Option<(f64, [f64; 2])>; 4],
}

/// What [`Strengths::correlations`] are, in order.
pub(crate) const NAMES: [&str; 4] = [
    "rarity and zero-effort false accepts",
    "simulated and real informed false accepts",
    "shown score and zero-effort false accepts",
    "shown score and informed false accepts",
];

/// Imitators of each cell whose scores are set against real ones.
const IMITATED: usize = 30;

/// What is estimated of one cell.
struct Estimate {
    crowds: Crowds,
    /// The score that enrolment shows.
    shown: f64,
    imitators: Vec<f64>,
}

/// Puts the simulated crowds before every cell's template; `measured` by cell, `informed` the scores of the real informed
/// impostors of all. `done` is told after each cell.
pub(crate) fn compare(
    recordings: &[Recording],
    trials: &Trials,
    measured: &[CellDecisions],
    informed: &[f64],
    done: &(dyn Fn() + Sync),
) -> Strengths {
    let estimated: Vec<Estimate> = trials
        .cells
        .par_iter()
        .map(|cell| {
            let tracks = cell.templates.iter().map(|&i| recordings[i].track.clone());
            let estimate = estimate(&Template::of_tracks(tracks));
            done();
            estimate
        })
        .collect();
    let n = estimated.len().max(1) as f64;
    let share = |of: fn(&Crowds) -> usize, all: usize| {
        estimated.iter().map(|e| of(&e.crowds) as f64 / all as f64).sum::<f64>() / n
    };
    let imitators: Vec<f64> = estimated.iter().flat_map(|e| &e.imitators).copied().collect();
    let mut rarity: Vec<f64> = estimated.iter().map(|e| e.crowds.rarity).collect();
    rarity.sort_by(f64::total_cmp);
    let at = |share: f64| rarity.get((share * n) as usize).copied().unwrap_or(0.0);
    let of = |estimate: &dyn Fn(&Estimate) -> f64, measure: fn(&CellDecisions) -> Option<f64>| {
        let pairs: Vec<(usize, f64, f64)> = estimated
            .iter()
            .zip(measured)
            .filter_map(|(e, m)| Some((m.user, estimate(e), measure(m)?)))
            .collect();
        with_interval(&pairs, trials.users.len())
    };
    Strengths {
        simulated: [share(|c| c.strangers, STRANGERS), share(|c| c.imitators, IMITATING)],
        scores: [mean_and_deviation(&imitators), mean_and_deviation(informed)],
        rarity: [at(0.05), at(0.95)],
        correlations: [
            of(&|e| -e.crowds.rarity, |m| m.far_zero_effort),
            of(&|e| e.crowds.imitators as f64, |m| m.far_informed),
            of(&|e| -e.shown, |m| m.far_zero_effort),
            of(&|e| -e.shown, |m| m.far_informed),
        ],
    }
}

fn estimate(template: &Template) -> Estimate {
    let recordings = template.recordings();
    let crowds = crowds(template);
    let resemblance = recordings.first().map_or(Resemblance::none(), Resemblance::of);
    let mut rng = Rng::new(1);
    let imitators = recordings.iter().cycle().take(IMITATED);
    let imitators = imitators.map(|of| verify_track(template, &imitation(of, &IMITATORS, &mut rng)).score);
    Estimate {
        shown: strength(template, &crowds, &resemblance).score,
        crowds,
        imitators: imitators.collect(),
    }
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// Over (user, estimate, measurement), with a bootstrap over users.
fn with_interval(pairs: &[(usize, f64, f64)], users: usize) -> Option<(f64, [f64; 2])> {
    let weighted = |weights: &[u32]| {
        let taken = pairs.iter().flat_map(|p| std::iter::repeat_n(p, weights[p.0] as usize));
        let (x, y): (Vec<f64>, Vec<f64>) = taken.map(|p| (p.1, p.2)).unzip();
        correlation(&ranks(&x), &ranks(&y))
    };
    let all = weighted(&vec![1; users])?;
    Some((all, central(draws(users).filter_map(|weights| weighted(&weights)).collect())?))
}

/// `None` where either does not vary.
fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let product: f64 = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum();
    let square = |v: &[f64], m: f64| v.iter().map(|a| (a - m) * (a - m)).sum::<f64>();
    let scale = (square(x, mx) * square(y, my)).sqrt();
    (scale > 0.0).then(|| product / scale)
}

/// Ranks from 0; equal values share the middle of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let first = order.partition_point(|&i| values[i] < values[equal[0]]);
        for &i in equal {
            ranks[i] = first as f64 + (equal.len() - 1) as f64 / 2.0;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(ranks(&[5.0, 1.0, 5.0, 9.0]), [1.5, 0.0, 1.5, 3.0]);
    }

    #[test]
    fn a_rising_relation_is_one_and_a_constant_none() {
        let rising: Vec<(usize, f64, f64)> =
            (0..9).map(|i| (i % 3, f64::from(i as u8), f64::from(i as u8).powi(3))).collect();
        let (all, [low, high]) = with_interval(&rising, 3).expect("varies");
        assert!(all > 0.999 && low > 0.999 && high <= 1.000_001);
        let constant: Vec<(usize, f64, f64)> = rising.iter().map(|p| (p.0, p.1, 0.0)).collect();
        assert_eq!(with_interval(&constant, 3), None);
    }
}
