//! A moment that clock changes cannot move: milliseconds since boot, and which boot.

use std::io;

use nix::time::{ClockId, clock_gettime};

/// The kernel's random id of a boot, as raw bytes.
pub type BootId = [u8; 16];

/// Boot time (which goes on during sleep) and the boot it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Which boot.
    pub boot: BootId,
    /// Milliseconds since that boot.
    pub ms: u64,
}

impl Moment {
    /// Now, by the kernel.
    ///
    /// # Errors
    /// When the kernel's boot id or clock cannot be read.
    pub fn now() -> io::Result<Self> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let boot = parse_boot_id(&text).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the kernel's boot id is not a UUID")
        })?;
        let time = clock_gettime(ClockId::CLOCK_BOOTTIME)?;
        let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
        let nanos = u64::try_from(time.tv_nsec()).unwrap_or_default();
        Ok(Self { boot, ms: seconds.saturating_mul(1000).saturating_add(nanos / 1_000_000) })
    }

    /// Milliseconds from `earlier` to here. From another boot: milliseconds since this boot, because then
    /// whatever ran at `earlier` runs again from the start of this boot.
    #[must_use]
    pub fn ms_since(&self, earlier: &Self) -> u64 {
        if self.boot == earlier.boot { self.ms.saturating_sub(earlier.ms) } else { self.ms }
    }

    /// Milliseconds from `now` until here; zero when past or of another boot.
    #[must_use]
    pub fn ms_until(&self, now: &Self) -> u64 {
        if self.boot == now.boot { self.ms.saturating_sub(now.ms) } else { 0 }
    }

    /// That much later in the same boot.
    #[must_use]
    pub fn plus_ms(&self, ms: u64) -> Self {
        Self { boot: self.boot, ms: self.ms.saturating_add(ms) }
    }
}

fn parse_boot_id(text: &str) -> Option<BootId> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_a_moment_and_time_goes_on() {
        let first = Moment::now().expect("now");
        let second = Moment::now().expect("now");
        assert_eq!(first.boot, second.boot);
        assert!(second.ms >= first.ms);
    }

    #[test]
    fn a_boot_id_is_a_uuid_and_nothing_else() {
        assert!(parse_boot_id("8cbf1c1d-9ed4-41b4-9f0c-5c0b6b6a9a4e\n").is_some());
        for bad in ["", "x", "8cbf1c1d-9ed4-41b4-9f0c", "zzbf1c1d-9ed4-41b4-9f0c-5c0b6b6a9a4e"] {
            assert_eq!(parse_boot_id(bad), None, "{bad:?}");
        }
    }
}
