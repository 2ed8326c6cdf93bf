//! Draws the challenges of an attempt: by the kernel's randomness, each movement as likely as any other.

use pose_contract::Outcome;
use pose_engine::challenge::Movement;

use super::verdict::Verdict;

/// So many distinct movements, each as likely as any other.
pub(super) fn pick_challenges(count: u8) -> Result<Vec<Movement>, Verdict> {
    let mut left = Movement::ALL.to_vec();
    let mut picked = Vec::new();
    while picked.len() < usize::from(count) && !left.is_empty() {
        picked.push(left.swap_remove(below(left.len())?));
    }
    Ok(picked)
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

    #[test]
    fn challenges_are_distinct_and_all_of_them_come() {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..400 {
            let picked = pick_challenges(2).unwrap();
            assert_eq!(picked.len(), 2);
            assert_ne!(picked[0], picked[1]);
            seen.extend(picked.iter().map(|movement| movement.name()));
        }
        assert_eq!(seen.len(), Movement::ALL.len());
        assert_eq!(pick_challenges(200).unwrap().len(), Movement::ALL.len());
        assert!(pick_challenges(0).unwrap().is_empty());
    }
}
