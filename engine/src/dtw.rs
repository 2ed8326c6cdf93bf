//! Dynamic time warping between two movements.
//!
//! Symmetric steps with diagonal weight 2 (Sakoe and Chiba 1978, P = 0), so that the path's weights sum to n + m,
//! by which the distance is divided; a band keeps the warp within 20 % of the longer movement.

/// Half-width of the Sakoe–Chiba band, as a share of the longer movement.
pub const BAND: f32 = 0.2;

/// Distance of two movements given as frames of `D` coordinates; the local cost is the root mean square over
/// `points` of the Euclidean distance. `INFINITY` if either is empty.
#[must_use]
pub fn distance<const D: usize>(a: &[[f32; D]], b: &[[f32; D]], points: f32) -> f32 {
    distance_by(a.len(), b.len(), |i, j| {
        let mut sum = 0.0;
        for d in 0..D {
            let e = a[i][d] - b[j][d];
            sum += e * e;
        }
        (sum / points).sqrt()
    })
}

/// Distance of two movements of `n` and `m` frames with any local cost.
#[must_use]
pub fn distance_by(n: usize, m: usize, cost: impl Fn(usize, usize) -> f32) -> f32 {
    if n == 0 || m == 0 {
        return f32::INFINITY;
    }
    let slope = if n > 1 { (m - 1) as f32 / (n - 1) as f32 } else { 0.0 };
    let radius = (BAND * n.max(m) as f32).ceil().max(slope.ceil()).max(1.0);
    let mut previous = vec![f32::INFINITY; m + 1];
    let mut current = vec![f32::INFINITY; m + 1];
    for i in 0..n {
        let centre = if n > 1 { i as f32 * slope } else { (m - 1) as f32 / 2.0 };
        let reach = if n > 1 { radius } else { m as f32 };
        let low = (centre - reach).ceil().max(0.0) as usize;
        let high = ((centre + reach).floor() as usize).min(m - 1);
        current.fill(f32::INFINITY);
        for j in low..=high {
            let c = cost(i, j);
            let best = if i == 0 && j == 0 {
                2.0 * c
            } else {
                (previous[j] + 2.0 * c).min(previous[j + 1] + c).min(current[j] + c)
            };
            current[j + 1] = best;
        }
        std::mem::swap(&mut previous, &mut current);
    }
    previous[m] / (n + m) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path() -> impl Strategy<Value = Vec<[f32; 2]>> {
        prop::collection::vec(prop::array::uniform2(-2f32..2.0), 1..60)
    }

    proptest! {
        #[test]
        fn it_is_zero_to_itself_symmetric_and_finite(a in path(), b in path()) {
            prop_assert!(distance(&a, &a, 1.0) == 0.0);
            let (ab, ba) = (distance(&a, &b, 1.0), distance(&b, &a, 1.0));
            prop_assert!(ab.is_finite() && ab >= 0.0);
            prop_assert!((ab - ba).abs() <= 0.35 * ab.max(ba) + 1e-4, "{ab} {ba}");
        }
    }

    #[test]
    fn a_slower_repetition_is_nearer_than_another_movement() {
        let at = |n: usize, f: fn(f32) -> f32| -> Vec<[f32; 2]> {
            (0..n)
                .map(|i| {
                    let t = i as f32 / n as f32;
                    [t, f(t)]
                })
                .collect()
        };
        let slow = distance(&at(30, |t| (6.0 * t).sin()), &at(45, |t| (6.0 * t).sin()), 1.0);
        let other = distance(&at(30, |t| (6.0 * t).sin()), &at(30, |t| (6.0 * t).cos()), 1.0);
        assert!(slow * 5.0 < other, "{slow} {other}");
    }

    #[test]
    fn an_empty_movement_is_infinitely_far() {
        assert!(distance::<2>(&[], &[[0.0, 0.0]], 1.0).is_infinite());
    }
}
