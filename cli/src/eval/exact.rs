//! Exact intervals of a count (Clopper and Pearson 1934), for figures of a few presentations.

use super::presentations::Count;

/// Probability on either side of a two-sided interval of 95 %.
const TAIL: f64 = 0.025;

/// The 95 % interval of the probability behind `accepted` of `n`; `None` of none.
pub(crate) fn interval(count: Count) -> Option<[f64; 2]> {
    let Count { n, accepted } = count;
    if n == 0 {
        return None;
    }
    let low = if accepted == 0 { 0.0 } else { root(|p| TAIL - (1.0 - at_most(accepted - 1, n, p))) };
    let high = if accepted == n { 1.0 } else { root(|p| at_most(accepted, n, p) - TAIL) };
    Some([low, high])
}

/// Probability of at most `k` of `n`.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if p <= 0.0 {
        return 1.0;
    }
    // Terms as logarithms: a power of many would round to nothing.
    let (log_p, log_q) = (p.ln(), (-p).ln_1p());
    let mut choose = 0.0;
    let mut sum = 0.0;
    for i in 0..=k {
        sum += (choose + i as f64 * log_p + (n - i) as f64 * log_q).exp();
        choose += ((n - i) as f64).ln() - ((i + 1) as f64).ln();
    }
    sum.min(1.0)
}

/// Where a falling function of a probability crosses zero.
fn root(falling: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if falling(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Clopper-Pearson intervals of published tables, in percent.
        for (accepted, n, [low, high]) in [
            (0, 20, [0.0, 16.84]),
            (1, 20, [0.13, 24.87]),
            (10, 20, [27.20, 72.80]),
            (20, 20, [83.16, 100.0]),
        ] {
            let [found_low, found_high] = interval(Count { n, accepted }).expect("some");
            assert!((100.0 * found_low - low).abs() < 0.01, "{accepted} of {n}: {found_low}");
            assert!((100.0 * found_high - high).abs() < 0.01, "{accepted} of {n}: {found_high}");
        }
        assert_eq!(interval(Count { n: 0, accepted: 0 }), None);
    }

    #[test]
    fn many_presentations_give_a_narrow_interval_around_the_share() {
        let [low, high] = interval(Count { n: 4_988, accepted: 50 }).expect("some");
        assert!(low > 0.007 && low < 0.0101 && high > 0.01 && high < 0.014, "{low} {high}");
    }
}
