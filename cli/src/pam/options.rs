//! The words after `pam_pose.so`, as the module itself reads them; any other word refuses every login.

/// What the module understands beside `timeout=SECONDS`.
pub(crate) const OPTIONS: [&str; 8] = [
    "try_first_pass",
    "use_first_pass",
    "pose_only",
    "nouserok",
    "cue=auto",
    "cue=info",
    "cue=prompt",
    "debug",
];

/// Whether the module understands a word.
pub(crate) fn is_known(word: &str) -> bool {
    OPTIONS.contains(&word) || word.strip_prefix("timeout=").is_some_and(in_range)
}

/// All of them, for people.
pub(crate) fn all() -> String {
    format!("{} and timeout=SECONDS (5 to 120)", OPTIONS.join(", "))
}

/// As the module reads it: digits alone, 5 to 120.
fn in_range(seconds: &str) -> bool {
    seconds.bytes().all(|byte| byte.is_ascii_digit())
        && seconds.parse::<u32>().is_ok_and(|seconds| (5..=120).contains(&seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_one_that_the_module_documents() {
        let page = include_str!("../../../docs/pam_pose.8");
        for option in OPTIONS {
            let word = option.split('=').next_back().expect("a word");
            assert!(page.contains(word), "{option}");
        }
        for bad in ["pose-only", "timeout=4", "timeout=121", "timeout=+9", "timeout=", "cue=both", ""] {
            assert!(!is_known(bad), "{bad}");
        }
        assert!(is_known("timeout=5") && is_known("timeout=120"));
    }
}
