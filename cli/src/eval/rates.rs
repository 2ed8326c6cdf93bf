//! Error rates of scored trials, with intervals from a bootstrap over users.

use super::rng::Rng;

/// Bootstrap draws.
const DRAWS: usize = 1000;
/// False accept rates at which the false reject rate is reported.
pub(crate) const FARS: [f64; 3] = [0.01, 0.001, 0.0001];

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
    pub(crate) frr_at_far: [Option<f64>; FARS.len()],
    /// Of the user who has the worst one, among the user's own trials.
    pub(crate) worst_user_eer: Option<f64>,
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
            worst_user_eer: (0..users)
                .filter_map(|user| self.of_users(|u| u == user).eer(users))
                .max_by(f64::total_cmp),
        }
    }

    /// Equal error rate; `None` without trials of both sides.
    pub(crate) fn eer(&self, users: usize) -> Option<f64> {
        self.curve(&vec![1; users]).as_deref().map(eer)
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

    /// The lowest threshold that lets no more than `far` of the impostors in.
    pub(crate) fn threshold_at(&self, far: f64) -> Option<f64> {
        let impostors = self.0.iter().filter(|t| !t.genuine).count();
        let allowed = (far * impostors as f64).floor() as usize;
        let first_refused = self.0.iter().filter(|t| !t.genuine).nth(allowed)?;
        let accepted = self.0.iter().take_while(|t| t.score > first_refused.score);
        accepted.last().map(|t| t.score)
    }

    /// The highest threshold that refuses no more than `frr` of the genuine.
    pub(crate) fn threshold_refusing(&self, frr: f64) -> Option<f64> {
        let genuine = self.scores(true);
        let allowed = (frr * genuine.len() as f64).floor() as usize;
        genuine.iter().rev().nth(allowed).copied()
    }

    /// Only the trials against users that `keep` takes.
    pub(crate) fn of_users(&self, keep: impl Fn(usize) -> bool) -> Self {
        Self(self.0.iter().filter(|t| keep(t.user)).copied().collect())
    }

    fn interval(&self, users: usize) -> Option<[f64; 2]> {
        central(draws(users).filter_map(|weights| Some(eer(&self.curve(&weights)?))).collect())
    }
}

/// Equal error rate of one method minus another's on the same trials, with the interval of a paired bootstrap: both
/// are looked at on the same draws of users.
pub(crate) fn difference(one: &Sorted, other: &Sorted, users: usize) -> Option<(f64, [f64; 2])> {
    let between = |weights: &[u32]| Some(eer(&one.curve(weights)?) - eer(&other.curve(weights)?));
    let all = between(&vec![1; users])?;
    Some((all, central(draws(users).filter_map(|weights| between(&weights)).collect())?))
}

/// How often each user is taken, draw by draw; always the same draws.
pub(crate) fn draws(users: usize) -> impl Iterator<Item = Vec<u32>> {
    let mut rng = Rng::new(7);
    (0..DRAWS).map(move |_| {
        let mut weights = vec![0; users];
        for _ in 0..users {
            weights[rng.below(users)] += 1;
        }
        weights
    })
}

/// The central 95 % of the values.
pub(crate) fn central(mut values: Vec<f64>) -> Option<[f64; 2]> {
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values.get(((values.len() as f64 - 1.0) * q).round() as usize).copied();
    Some([at(0.025)?, at(0.975)?])
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

/// What a fixed decision does; `None` without trials.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Decisions {
    pub(crate) frr: Option<f64>,
    pub(crate) far_informed: Option<f64>,
    pub(crate) far_zero_effort: Option<f64>,
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
        assert_eq!(apart.frr_at_far, [Some(0.0); 3]);
        let same = sorted(&[1.0; 4], &[1.0; 4]).rates(2);
        assert!((same.eer.unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(same.frr_at_far, [Some(1.0); 3]);
    }

    #[test]
    fn one_of_four_on_each_wrong_side_is_a_quarter() {
        let rates = sorted(&[1.0, 4.0, 5.0, 6.0], &[0.0, 2.0, -1.0, -2.0]).rates(2);
        assert!((rates.eer.unwrap() - 0.25).abs() < 1e-9, "{rates:?}");
    }

    #[test]
    fn a_threshold_lets_in_no_more_than_asked() {
        let scores: Vec<f64> = (0..100).map(f64::from).collect();
        let trials = sorted(&[99.5, 97.5, 50.0], &scores);
        assert_eq!(trials.threshold_at(0.01), Some(99.0));
        assert_eq!(trials.threshold_at(0.02), Some(97.5));
        assert_eq!(trials.threshold_at(0.0), Some(99.5));
    }

    #[test]
    fn a_threshold_refuses_no_more_than_asked() {
        let scores: Vec<f64> = (0..100).map(f64::from).collect();
        let trials = sorted(&scores, &[0.0]);
        assert_eq!(trials.threshold_refusing(0.03), Some(3.0));
        assert_eq!(trials.threshold_refusing(0.0), Some(0.0));
        assert_eq!(sorted(&[], &[0.0]).threshold_refusing(0.03), None);
    }

    #[test]
    fn the_worst_user_is_named_by_the_user_s_own_trials() {
        // Of user 0 everything is apart, of user 1 nothing is.
        let trials = sorted(&[5.0, 1.0, 6.0, 1.0], &[0.0, 1.0, 2.0, 1.0]);
        assert_eq!(trials.rates(2).worst_user_eer, Some(0.5));
    }

    #[test]
    fn a_method_does_not_differ_from_itself_and_a_better_one_is_below_zero() {
        let good = sorted(&[3.0, 4.0, 5.0, 6.0], &[0.0, 1.0, 2.0, -1.0]);
        let bad = sorted(&[1.0; 4], &[1.0; 4]);
        assert_eq!(difference(&good, &good, 2), Some((0.0, [0.0; 2])));
        let (all, [_, high]) = difference(&good, &bad, 2).unwrap();
        assert!(all < -0.4 && high < 0.0);
    }

    #[test]
    fn no_trials_give_no_figures() {
        let rates = sorted(&[1.0], &[]).rates(2);
        assert!(rates.eer.is_none() && rates.ci95.is_none() && rates.frr_at_far == [None; 3]);
    }
}
