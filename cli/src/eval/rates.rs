//! Error rates of scored trials, with intervals from a bootstrap over users.

use super::rng::Rng;

/// Bootstrap draws.
const DRAWS: usize = 1000;
/// False accept rates at which the false reject rate is reported.
pub(crate) const FARS: [f64; 2] = [0.01, 0.001];

/// One scored trial; a higher score is nearer to the template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trial {
    pub(crate) user: usize,
    pub(crate) score: f64,
    pub(crate) genuine: bool,
}

/// Error rates as fractions; `None` without trials.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) eer: Option<f64>,
    pub(crate) ci95: Option<[f64; 2]>,
    pub(crate) frr_at_far: [Option<f64>; 2],
}

/// Trials in falling order of score.
#[derive(Clone, Debug)]
pub(crate) struct Sorted(Vec<Trial>);

impl Sorted {
    pub(crate) fn new(mut trials: Vec<Trial>) -> Self {
        trials.sort_by(|a, b| b.score.total_cmp(&a.score));
        Self(trials)
    }

    /// Equal error rate, its interval, and false reject rates at given false accept rates.
    pub(crate) fn rates(&self, users: usize) -> Rates {
        let ones = vec![1; users];
        let Some(curve) = self.curve(&ones) else { return Rates::default() };
        Rates {
            eer: Some(eer(&curve)),
            ci95: self.interval(users),
            frr_at_far: FARS.map(|far| Some(frr_at(&curve, far))),
        }
    }

    /// (false accept rate, false reject rate) at every threshold, from strict to lax; `None` without trials of
    /// both sides. `weights` counts how often each user's trials are taken.
    pub(crate) fn curve(&self, weights: &[u32]) -> Option<Vec<(f64, f64)>> {
        let total = |genuine: bool| -> u64 {
            self.0.iter().filter(|t| t.genuine == genuine).map(|t| u64::from(weights[t.user])).sum()
        };
        let (genuine, impostor) = (total(true), total(false));
        if genuine == 0 || impostor == 0 {
            return None;
        }
        let mut curve = vec![(0.0, 1.0)];
        let (mut accepted, mut passed) = (0u64, 0u64);
        for (i, trial) in self.0.iter().enumerate() {
            let weight = u64::from(weights[trial.user]);
            *(if trial.genuine { &mut accepted } else { &mut passed }) += weight;
            if self.0.get(i + 1).is_none_or(|next| next.score != trial.score) {
                curve.push((passed as f64 / impostor as f64, 1.0 - accepted as f64 / genuine as f64));
            }
        }
        Some(curve)
    }

    /// Scores of the genuine or the impostor trials.
    pub(crate) fn scores(&self, genuine: bool) -> Vec<f64> {
        self.0.iter().filter(|t| t.genuine == genuine).map(|t| t.score).collect()
    }

    fn interval(&self, users: usize) -> Option<[f64; 2]> {
        let mut rng = Rng::new(7);
        let mut eers: Vec<f64> = (0..DRAWS)
            .filter_map(|_| {
                let mut weights = vec![0; users];
                for _ in 0..users {
                    weights[rng.below(users)] += 1;
                }
                Some(eer(&self.curve(&weights)?))
            })
            .collect();
        eers.sort_by(f64::total_cmp);
        let at = |q: f64| eers.get(((eers.len() as f64 - 1.0) * q).round() as usize).copied();
        Some([at(0.025)?, at(0.975)?])
    }
}

/// The mean of the two error rates at the threshold where they are nearest to each other.
fn eer(curve: &[(f64, f64)]) -> f64 {
    curve
        .iter()
        .min_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()))
        .map_or(0.5, |(far, frr)| (far + frr) / 2.0)
}

/// The smallest false reject rate at a false accept rate of at most `far`.
fn frr_at(curve: &[(f64, f64)], far: f64) -> f64 {
    curve.iter().filter(|p| p.0 <= far).map(|p| p.1).fold(1.0, f64::min)
}

/// What a fixed decision does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AtThreshold {
    pub(crate) frr: Option<f64>,
    pub(crate) far_informed: Option<f64>,
    pub(crate) far_zero_effort: Option<f64>,
    pub(crate) worst_user_frr: Option<f64>,
}

/// Share of `hits` among `all`; `None` of none.
pub(crate) fn share(hits: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| hits as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(genuine: &[f64], impostor: &[f64]) -> Sorted {
        let trial = |genuine: bool| move |(i, &score): (usize, &f64)| Trial { user: i % 2, score, genuine };
        Sorted::new(
            genuine
                .iter()
                .enumerate()
                .map(trial(true))
                .chain(impostor.iter().enumerate().map(trial(false)))
                .collect(),
        )
    }

    #[test]
    fn separated_scores_have_no_errors_and_equal_ones_half() {
        let apart = sorted(&[3.0, 4.0, 5.0, 6.0], &[0.0, 1.0, 2.0, -1.0]).rates(2);
        assert_eq!(apart.eer, Some(0.0));
        assert_eq!(apart.frr_at_far, [Some(0.0); 2]);
        let same = sorted(&[1.0; 4], &[1.0; 4]).rates(2);
        assert!((same.eer.unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(same.frr_at_far, [Some(1.0); 2]);
    }

    #[test]
    fn one_of_four_on_each_wrong_side_is_a_quarter() {
        let rates = sorted(&[1.0, 4.0, 5.0, 6.0], &[0.0, 2.0, -1.0, -2.0]).rates(2);
        assert!((rates.eer.unwrap() - 0.25).abs() < 1e-9, "{rates:?}");
    }

    #[test]
    fn no_trials_give_no_figures() {
        let rates = sorted(&[1.0], &[]).rates(2);
        assert!(rates.eer.is_none() && rates.ci95.is_none() && rates.frr_at_far == [None; 2]);
    }
}
