//! The words after `pam_pose.so` in a pam.d line.

use std::fmt;
use std::time::Duration;

/// Whole attempt, unless the line says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
/// Accepted range of `timeout=`, seconds. Below, nobody can finish a gesture and a challenge; above, a greeter
/// that cannot cancel would hold the camera for minutes.
const TIMEOUT_RANGE: std::ops::RangeInclusive<u64> = 5..=120;

const ACCEPTED: &str = "try_first_pass, use_first_pass, pose_only, nouserok, timeout=SECONDS (5 to 120), cue=auto|info|prompt and debug";

/// What one pam.d line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Take the password that an earlier module asked for and never ask for one.
    pub use_first_pass: bool,
    /// An earlier module has checked a password; send none.
    pub pose_only: bool,
    /// Users without an enrolment are none of this module's business (`PAM_IGNORE`).
    pub nouserok: bool,
    /// Limit of the whole attempt without the time a person spends at prompts.
    pub timeout: Duration,
    /// How instructions reach the person.
    pub cue: Cue,
    /// Log each step.
    pub debug: bool,
}

/// How instructions are sent to the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cue {
    /// As the program can show them, by the name of its service.
    #[default]
    Auto,
    /// As messages that need no answer.
    Info,
    /// Inside prompts that are answered with Enter, for programs that show nothing else.
    Prompt,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            use_first_pass: false,
            pose_only: false,
            nouserok: false,
            timeout: DEFAULT_TIMEOUT,
            cue: Cue::Auto,
            debug: false,
        }
    }
}

/// A line this module does not understand in full. It denies: a misspelt option must not weaken a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    word: String,
    why: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} option \"{}\" in the PAM configuration; accepted are {ACCEPTED}",
            self.why,
            self.word.escape_debug()
        )
    }
}

impl Options {
    /// Reads the words of a line. `try_first_pass` is what libpam does anyway and is accepted for the habit.
    ///
    /// # Errors
    /// [`Refusal`] on the first word that is unknown or malformed.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for word in words.iter().map(AsRef::as_ref) {
            match word {
                "try_first_pass" => {}
                "use_first_pass" => options.use_first_pass = true,
                "pose_only" => options.pose_only = true,
                "nouserok" => options.nouserok = true,
                "cue=auto" => options.cue = Cue::Auto,
                "cue=info" => options.cue = Cue::Info,
                "cue=prompt" => options.cue = Cue::Prompt,
                "debug" => options.debug = true,
                _ => match word.strip_prefix("timeout=") {
                    Some(seconds) => {
                        options.timeout = timeout(seconds).ok_or_else(|| refusal(word, "malformed"))?
                    }
                    None if word.starts_with("cue=") => return Err(refusal(word, "malformed")),
                    None => return Err(refusal(word, "unknown")),
                },
            }
        }
        Ok(options)
    }
}

fn timeout(seconds: &str) -> Option<Duration> {
    // Digits only: `parse` alone would take "+20" as well.
    let plain = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
    let seconds = seconds.parse().ok().filter(|_| plain)?;
    TIMEOUT_RANGE.contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn refusal(word: &str, why: &'static str) -> Refusal {
    Refusal { word: word.chars().take(80).collect(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_word_is_understood() {
        let all = [
            "try_first_pass",
            "use_first_pass",
            "pose_only",
            "nouserok",
            "timeout=30",
            "cue=prompt",
            "debug",
        ];
        let options = Options::parse(&all).unwrap();
        let expected = Options {
            use_first_pass: true,
            pose_only: true,
            nouserok: true,
            timeout: Duration::from_secs(30),
            cue: Cue::Prompt,
            debug: true,
        };
        assert_eq!(options, expected);
        assert_eq!(Options::parse::<&str>(&[]).unwrap(), Options::default());
    }

    #[test]
    fn anything_else_is_refused_by_name_with_what_is_accepted() {
        let bad = [
            "nouserOK",
            "nouserok=1",
            "debug=",
            "",
            " ",
            "timeout",
            "timeout=",
            "timeout=4",
            "timeout=121",
            "timeout=20s",
            "timeout=-1",
            "timeout=+20",
            "timeout=0x20",
            "timeout=99999999999999999999",
            "no_such",
            "pose-only",
            "timeout=２０",
            "cue",
            "cue=",
            "cue=both",
        ];
        for word in bad {
            let refusal = Options::parse(&["debug", word]).expect_err(word).to_string();
            assert!(refusal.contains(&format!("\"{word}\"")), "{refusal}");
            assert!(refusal.contains("timeout=SECONDS"), "{refusal}");
        }
    }

    #[test]
    fn a_hostile_word_cannot_forge_log_lines() {
        let refusal = Options::parse(&["x\n\u{1b}[2Jsu: ok"]).unwrap_err().to_string();
        assert!(!refusal.contains('\n') && !refusal.contains('\u{1b}'), "{refusal}");
        assert!(Options::parse(&["x".repeat(10_000)]).unwrap_err().to_string().len() < 400);
    }
}
