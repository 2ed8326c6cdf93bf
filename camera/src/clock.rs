//! The monotonic clock, which is also the one that V4L2 drivers stamp their frames with.

use nix::time::{ClockId, clock_gettime};

/// Now, microseconds on CLOCK_MONOTONIC.
pub(crate) fn monotonic_us() -> u64 {
    // The call cannot fail for this clock on Linux; 0 keeps the caller's arithmetic sane if it ever did.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |t| t.tv_sec() as u64 * 1_000_000 + t.tv_nsec() as u64 / 1_000)
}
