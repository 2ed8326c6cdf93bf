//! One deadline over everything that waits for a machine; time at a prompt is given back.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A point on CLOCK_BOOTTIME, which runs on while the machine sleeps and cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    ends: Duration,
}

impl Deadline {
    /// `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        Self { ends: now().saturating_add(span) }
    }

    /// What is left; zero when it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.ends.saturating_sub(now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The earlier of this and `span` from now.
    #[must_use]
    pub fn within(self, span: Duration) -> Self {
        self.min(Self::after(span))
    }

    /// Runs something that waits for a person and does not count its time.
    pub fn pause<T>(&mut self, prompt: impl FnOnce() -> T) -> T {
        let started = now();
        let answer = prompt();
        self.ends = self.ends.saturating_add(now().saturating_sub(started));
        answer
    }
}

/// Time since boot, sleep included.
#[must_use]
pub fn now() -> Duration {
    // A kernel without CLOCK_BOOTTIME (before 2.6.39) does not run this code; zero would only end no wait early.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::MAX, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_at_a_prompt_is_given_back() {
        let mut deadline = Deadline::after(Duration::from_secs(5));
        let before = deadline.remaining();
        deadline.pause(|| std::thread::sleep(Duration::from_millis(200)));
        assert!(before.saturating_sub(deadline.remaining()) < Duration::from_millis(100));
    }

    #[test]
    fn a_part_never_outlives_the_whole() {
        let whole = Deadline::after(Duration::from_millis(10));
        assert_eq!(whole.within(Duration::from_secs(60)), whole);
        assert!(Deadline::after(Duration::ZERO).passed());
    }
}
