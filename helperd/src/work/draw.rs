//! Draws the challenges of an attempt by the kernel's randomness.

use pose_contract::Outcome;
use pose_engine::challenge::{Challenge, MovementSet, draw};

use super::verdict::Verdict;

/// So many distinct challenges; each movement comes as often for every user, whatever their decoys.
pub(super) fn pick_challenges(count: u8, decoys: MovementSet) -> Result<Vec<Challenge>, Verdict> {
    draw(usize::from(count), decoys, below)
}

/// A random number below `bound` (at most 256), without bias.
fn below(bound: usize) -> Result<usize, Verdict> {
    let highest_multiple = 256 - 256 % bound;
    loop {
        let mut byte = [0u8; 1];
        getrandom::fill(&mut byte).map_err(|error| Verdict::of(Outcome::Internal, error.to_string()))?;
        let [value] = byte.map(usize::from);
        if value < highest_multiple {
            return Ok(value % bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pose_engine::challenge::Movement;

    #[test]
    fn challenges_are_distinct_and_all_of_them_come() {
        let none = MovementSet::default();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..800 {
            let picked = pick_challenges(2, none).unwrap();
            assert_eq!(picked.len(), 2);
            assert_ne!(picked[0].movement, picked[1].movement);
            seen.extend(picked.iter().map(|challenge| challenge.movement.name()));
        }
        assert_eq!(seen.len(), Movement::ALL.len());
        assert_eq!(pick_challenges(200, none).unwrap().len(), Movement::ALL.len());
        assert!(pick_challenges(0, none).unwrap().is_empty());
    }

    #[test]
    fn a_number_below_a_bound_is_any_of_them() {
        for bound in [1, 3, 16] {
            let seen: std::collections::HashSet<_> = (0..2_000).map(|_| below(bound).unwrap()).collect();
            assert_eq!(seen, (0..bound).collect());
        }
    }
}
