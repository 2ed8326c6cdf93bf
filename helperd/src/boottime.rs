//! Clocks: deadlines run on BOOTTIME, which counts a suspended machine's sleep; frames carry MONOTONIC stamps.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A moment on the BOOTTIME clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(Duration);

impl BootTime {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(read(ClockId::CLOCK_BOOTTIME))
    }

    /// That long after the machine was started.
    #[must_use]
    pub fn since_boot(time: Duration) -> Self {
        Self(time)
    }

    /// This moment and a while.
    #[must_use]
    pub fn after(self, while_: Duration) -> Self {
        Self(self.0.saturating_add(while_))
    }

    /// How long until this moment; zero once it has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_sub(read(ClockId::CLOCK_BOOTTIME))
    }

    /// How long ago this moment was; zero if it lies ahead.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        read(ClockId::CLOCK_BOOTTIME).saturating_sub(self.0)
    }
}

/// Now on the monotonic clock, microseconds: the clock of frame time stamps.
#[must_use]
pub fn monotonic_us() -> u64 {
    u64::try_from(read(ClockId::CLOCK_MONOTONIC).as_micros()).unwrap_or(u64::MAX)
}

fn read(clock: ClockId) -> Duration {
    // Both clocks exist on every Linux since 2.6.39, so this does not fail.
    clock_gettime(clock).map(Duration::from).unwrap_or_default()
}
