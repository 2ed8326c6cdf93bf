//! Which challenges an attempt asks, and what chance they leave a recording that answers by luck.
//!
//! A movement that the user's own gesture contains, or that the user cannot do, is a decoy: it is asked as often as of
//! anybody else and shown as long, but its answer does not count, because a recording of the gesture would give it
//! or the user could not. Every movement comes with the same frequency for every user, and the number asked is the
//! same; only that two decoys of one user never come in one attempt differs, so that enough challenges count.

use super::{Movement, MovementSet};

/// An attempt must not leave more than one chance in sixteen to a recording that answers by luck, in bits.
const MIN_BITS: f64 = 4.0;

/// One challenge of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What is asked.
    pub movement: Movement,
    /// Asked like any other, but its answer does not count.
    pub decoy: bool,
}

impl From<Movement> for Challenge {
    /// One whose answer counts.
    fn from(movement: Movement) -> Self {
        Self { movement, decoy: false }
    }
}

/// Draws `count` distinct challenges for a user with these decoys. `below(n)` gives a random number below `n`.
///
/// # Errors
/// Those of `below`.
pub fn draw<E>(
    count: usize,
    decoys: MovementSet,
    mut below: impl FnMut(usize) -> Result<usize, E>,
) -> Result<Vec<Challenge>, E> {
    let mut real: Vec<Movement> = Movement::ALL.into_iter().filter(|m| !decoys.contains(*m)).collect();
    let [among, of] = decoy_odds(count, decoys);
    let with_decoy = among > 0 && below(of)? < among;
    let mut drawn = Vec::new();
    while drawn.len() + usize::from(with_decoy) < count && !real.is_empty() {
        drawn.push(Challenge::from(real.swap_remove(below(real.len())?)));
    }
    if with_decoy && let Some(movement) = decoys.iter().nth(below(decoys.len())?) {
        drawn.insert(below(drawn.len() + 1)?, Challenge { movement, decoy: true });
    }
    Ok(drawn)
}

/// Odds that a decoy is among `count` challenges: as often as if all movements were drawn alike. One challenge alone
/// always counts.
fn decoy_odds(count: usize, decoys: MovementSet) -> [usize; 2] {
    let among = if count < 2 { 0 } else { count * decoys.len() };
    [among.min(Movement::ALL.len()), Movement::ALL.len()]
}

/// How surely the challenges stop a recording of the gesture whose player knows the decoys and answers the rest by
/// luck: minus the binary logarithm of the chance that it passes.
#[must_use]
pub fn bits(count: usize, decoys: MovementSet) -> f64 {
    let real = Movement::ALL.len() - decoys.len();
    let ordered = |n: usize| (0..n).map(|i| real.saturating_sub(i).max(1) as f64).product::<f64>();
    let [among, of] = decoy_odds(count, decoys);
    let share = among as f64 / of as f64;
    let chance = (1.0 - share) / ordered(count) + share / ordered(count.saturating_sub(1));
    -chance.log2()
}

/// Whether enough is left to ask of a user with these decoys. Where one challenge alone is configured, half of the
/// movements must be left.
#[must_use]
pub fn enough(count: usize, decoys: MovementSet) -> bool {
    bits(count, decoys) >= MIN_BITS.min(bits(count, MovementSet::default()) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn dice() -> impl FnMut(usize) -> Result<usize, Infallible> {
        let mut state = 7u64;
        move |bound| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Ok((state >> 33) as usize % bound)
        }
    }

    fn some_decoys(count: usize) -> MovementSet {
        Movement::ALL.into_iter().skip(3).take(count).collect()
    }

    #[test]
    fn every_movement_comes_as_often_at_every_place_whoever_asks() {
        const DRAWS: usize = 40_000;
        for decoys in [0, 1, 3, 5] {
            let (decoys, mut below) = (some_decoys(decoys), dice());
            let mut seen = [[0usize; 16]; 2];
            for _ in 0..DRAWS {
                let drawn = draw(2, decoys, &mut below).unwrap();
                assert_eq!(drawn.len(), 2);
                assert_ne!(drawn[0].movement, drawn[1].movement);
                assert!(drawn.iter().filter(|c| c.decoy).count() <= 1);
                for (place, challenge) in seen.iter_mut().zip(&drawn) {
                    assert_eq!(challenge.decoy, decoys.contains(challenge.movement));
                    place[challenge.movement as usize] += 1;
                }
            }
            let expected = DRAWS as f64 / 16.0;
            let far = seen.iter().flatten().map(|n| (*n as f64 - expected).abs()).fold(0.0, f64::max);
            // Five standard deviations.
            assert!(far < 5.0 * expected.sqrt(), "{} decoys: {seen:?}", decoys.len());
        }
    }

    #[test]
    fn one_challenge_alone_counts_and_none_is_none() {
        let mut below = dice();
        for _ in 0..500 {
            assert!(!draw(1, some_decoys(5), &mut below).unwrap()[0].decoy);
        }
        assert!(draw(0, some_decoys(5), &mut below).unwrap().is_empty());
        assert_eq!(draw(99, MovementSet::default(), &mut below).unwrap().len(), Movement::ALL.len());
    }

    #[test]
    fn bits_are_those_of_a_guess() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(bits(1, some_decoys(0)), 4.0));
        assert!(close(bits(2, some_decoys(0)), (16.0 * 15.0f64).log2()));
        // One decoy: in 2 of 16 attempts it takes a place and one of 15 movements is left to guess.
        assert!(close(
            bits(2, some_decoys(1)),
            -((14.0 / 16.0) / (15.0 * 14.0) + (2.0 / 16.0) / 15.0f64).log2()
        ));
        assert!(bits(3, some_decoys(10)) > bits(2, some_decoys(10)));
    }

    #[test]
    fn a_floor_holds() {
        for (count, decoys, holds) in [
            (2, 0, true),
            (2, 5, true),
            (2, 6, false),
            (3, 10, true),
            (1, 0, true),
            (1, 8, true),
            (1, 9, false),
        ] {
            assert_eq!(enough(count, some_decoys(decoys)), holds, "{count} challenges, {decoys} decoys");
        }
    }
}
