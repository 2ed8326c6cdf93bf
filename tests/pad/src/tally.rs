//! Counts of many trials, and what so few presentations can prove.

use std::collections::BTreeMap;

use crate::trial::Trial;

/// Exact (Clopper–Pearson) 95 % interval of a rate: `hits` of `n`, each from 0 to 1.
#[must_use]
pub fn interval(hits: usize, n: usize) -> [f64; 2] {
    const TAIL: f64 = 0.025;
    if n == 0 {
        return [0.0, 1.0];
    }
    // The chance of `hits` or more rises with the rate, that of `hits` or fewer falls.
    let low = if hits == 0 { 0.0 } else { bisect(|p| 1.0 - at_most(hits - 1, n, p) < TAIL) };
    let high = if hits == n { 1.0 } else { bisect(|p| at_most(hits, n, p) > TAIL) };
    [low, high]
}

/// Where `below` turns false between 0 and 1.
fn bisect(below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if below(middle) { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// Chance of at most `hits` of `n` at rate `p`.
fn at_most(hits: usize, n: usize, p: f64) -> f64 {
    let mut choose = 0.0; // Logarithm of n over k.
    let mut sum = 0.0;
    for k in 0..=hits {
        sum += (choose + k as f64 * p.ln() + (n - k) as f64 * (1.0 - p).ln()).exp();
        choose += ((n - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    sum
}

/// Trials of one kind, counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Presentations.
    pub n: usize,
    /// Let in with movements drawn at random.
    pub accepted: usize,
    /// Denied by nothing but the movements that were asked.
    pub passed_before_asked: usize,
    /// Never judged: the gesture did not end, nobody was seen, …
    pub not_judged: usize,
    /// Sums of [`Trial::expected`]; what was denied before counts as 0.
    pub expected: [f64; 2],
    /// Presentations whose expectation is not known because what they show depends on what is asked.
    pub as_asked: usize,
    /// How often each cue denied, and how often it was the only one to deny before a movement was asked.
    pub cues: BTreeMap<String, [usize; 2]>,
    /// How often each outcome came.
    pub outcomes: BTreeMap<String, usize>,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, trial: &Trial) {
        self.n += 1;
        self.accepted += usize::from(trial.accepted);
        self.passed_before_asked += usize::from(trial.passed_before_asked());
        let judged =
            ["success", "wrong_pose", "not_live", "challenge_missed"].contains(&trial.outcome.as_str());
        self.not_judged += usize::from(!judged);
        match trial.expected {
            Some(shares) => self.expected = std::array::from_fn(|i| self.expected[i] + shares[i]),
            None => self.as_asked += usize::from(trial.passed_before_asked()),
        }
        for cue in &trial.denied {
            let count = self.cues.entry(cue.clone()).or_default();
            count[0] += 1;
            count[1] += usize::from(trial.denied.len() == 1);
        }
        // What the whole attempt shows beside the gesture: the stream's cues and the movements.
        for reason in trial.reasons.iter().filter(|reason| !trial.denied.contains(reason)) {
            let count = self.cues.entry(reason.clone()).or_default();
            count[0] += 1;
            count[1] += usize::from(trial.reasons.len() == 1);
        }
        *self.outcomes.entry(trial.outcome.clone()).or_default() += 1;
    }

    /// Expected share let in with one and with two random movements.
    #[must_use]
    pub fn expected_shares(&self) -> Option<[f64; 2]> {
        (self.as_asked == 0 && self.n > 0).then(|| self.expected.map(|sum| sum / self.n as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Closed forms for none and all; 3 of 20 from any table of Clopper and Pearson.
        let close = |found: [f64; 2], wanted: [f64; 2]| {
            assert!((found[0] - wanted[0]).abs() < 1e-4 && (found[1] - wanted[1]).abs() < 1e-4, "{found:?}");
        };
        close(interval(0, 40), [0.0, 1.0 - 0.025_f64.powf(1.0 / 40.0)]);
        close(interval(40, 40), [0.025_f64.powf(1.0 / 40.0), 1.0]);
        close(interval(3, 20), [0.03207, 0.37893]);
        close(interval(0, 0), [0.0, 1.0]);
    }
}
