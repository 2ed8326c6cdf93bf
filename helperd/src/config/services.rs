//! `[attempt]` and its per-service overrides `[service.NAME]`.

use serde::{Deserialize, Serialize};

use super::Config;

/// One login. Every key can be overridden for a PAM service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attempt {
    /// Movements asked for after the gesture.
    pub challenges: u8,
    /// Whether a login without challenge can pass at all.
    pub challenge_policy: ChallengePolicy,
    /// Seconds to finish the gesture in.
    pub gesture_seconds: u32,
    /// Milliseconds after an instruction before which a movement cannot be the answer: nobody reads faster.
    pub challenge_earliest_ms: u32,
    /// Seconds to show a movement in.
    pub challenge_seconds: u32,
    /// Open the camera also after a wrong password, so that its light tells nothing.
    pub capture_always: bool,
}

impl Default for Attempt {
    fn default() -> Self {
        Self {
            challenges: 2,
            challenge_policy: ChallengePolicy::Required,
            gesture_seconds: 10,
            challenge_earliest_ms: 300,
            challenge_seconds: 5,
            capture_always: false,
        }
    }
}

/// Whether a challenge may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChallengePolicy {
    /// Never.
    Required,
    /// Where the host can show nothing (some lockers); the stricter match limit applies then.
    WhenShown,
}

/// `[service.NAME]`: keys of `[attempt]` for one PAM service; what is not set stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the keys of Attempt, where they are documented")]
pub struct Override {
    pub challenges: Option<u8>,
    pub challenge_policy: Option<ChallengePolicy>,
    pub gesture_seconds: Option<u32>,
    pub challenge_earliest_ms: Option<u32>,
    pub challenge_seconds: Option<u32>,
    pub capture_always: Option<bool>,
}

impl Attempt {
    /// These rules with one service's overrides.
    #[must_use]
    pub fn with(&self, over: &Override) -> Self {
        Self {
            challenges: over.challenges.unwrap_or(self.challenges),
            challenge_policy: over.challenge_policy.unwrap_or(self.challenge_policy),
            gesture_seconds: over.gesture_seconds.unwrap_or(self.gesture_seconds),
            challenge_earliest_ms: over.challenge_earliest_ms.unwrap_or(self.challenge_earliest_ms),
            challenge_seconds: over.challenge_seconds.unwrap_or(self.challenge_seconds),
            capture_always: over.capture_always.unwrap_or(self.capture_always),
        }
    }
}

impl Config {
    /// The rules of one login through that PAM service.
    #[must_use]
    pub fn attempt_for(&self, service: &str) -> Attempt {
        self.service.get(service).map_or_else(|| self.attempt.clone(), |over| self.attempt.with(over))
    }
}
