//! A caller's process, held so that its number cannot come to mean another process unnoticed.
//!
//! logind is asked by number. A peer can connect, hand its connection on and end; once its number is used again,
//! logind would tell where some other process sits. A bus that keeps a pidfd of the peer (dbus 1.15.8, dbus-broker 34)
//! settles it. With an older one a pidfd is opened here, and the process must not be younger than the connection.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::boottime::BootTime;

/// No machine starts more processes a second: numbers are not used again sooner than `pid_max` divided by this.
const STARTS_PER_SECOND: u64 = 200_000;
/// `USER_HZ`, in which /proc tells times on every Linux that Rust supports.
const TICK_MS: u64 = 10;

/// A process that was alive when it was looked at.
#[derive(Debug)]
pub(crate) struct Process {
    /// Its number.
    pub(crate) pid: u32,
    fd: OwnedFd,
}

/// Why the process behind a connection is not known for sure.
pub(crate) type Unknown = &'static str;

impl Process {
    /// The process that the bus has held since it connected.
    pub(crate) fn held_by_bus(fd: OwnedFd) -> Result<Self, Unknown> {
        let information = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()));
        let information = information.map_err(|_| "the bus' process descriptor cannot be read")?;
        let pid = information.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
        let process = Self { pid: pid.ok_or("the caller's process has ended")?, fd };
        if process.lives() { Ok(process) } else { Err("the caller's process has ended") }
    }

    /// The process that has that number now, if it can be the one that was on the bus at `connected`.
    pub(crate) fn of_number(pid: u32, connected: BootTime) -> Result<Self, Unknown> {
        let process = Self { pid, fd: open(pid).ok_or("the caller's process has ended")? };
        // Read after the descriptor is held, and before the process is known to live on.
        let born = born(pid);
        if !process.lives() {
            return Err("the caller's process has ended");
        }
        match born {
            Some(born) if born <= connected => Ok(process),
            Some(_) => Err("the caller's process is younger than its connection"),
            None if connected.elapsed() < numbers_last() => Ok(process),
            None => Err("the caller connected too long ago to tell its process; connect again"),
        }
    }

    /// Whether the process has not ended since.
    pub(crate) fn lives(&self) -> bool {
        let mut watched = [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        poll(&mut watched, PollTimeout::ZERO) == Ok(0)
    }
}

#[allow(unsafe_code)]
fn open(pid: u32) -> Option<OwnedFd> {
    // SAFETY: plain numbers; the result is checked.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let raw = i32::try_from(raw).ok().filter(|raw| *raw >= 0)?;
    // SAFETY: a descriptor that the kernel just made for us.
    Some(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// When a process started, rounded down to a tick; `None` where /proc hides other users' processes.
fn born(pid: u32) -> Option<BootTime> {
    born_by(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The same, by what /proc tells of the process.
fn born_by(stat: &str) -> Option<BootTime> {
    // The name in parentheses may hold anything; field 22 is the 20th behind it (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: u64 = fields.split(' ').nth(19)?.parse().ok()?;
    Some(BootTime::since_boot(Duration::from_millis(ticks.checked_mul(TICK_MS)?)))
}

/// How long a process' number surely is not used again.
fn numbers_last() -> Duration {
    let most = std::fs::read_to_string("/proc/sys/kernel/pid_max");
    let most: u64 = most.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Duration::from_millis(most * 1_000 / STARTS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(TICK_MS);

    #[test]
    fn a_process_started_after_years_without_a_reboot_has_its_time() {
        let stat = |ticks: u64| format!("1 (a) b) c) S 0{} {ticks} 0 0\n", " 0".repeat(17));
        for ticks in [0, 17, u64::from(u32::MAX), u64::from(u32::MAX) + 1, 100 * 86_400 * 365 * 20] {
            let born = BootTime::since_boot(Duration::from_millis(ticks * 10));
            assert_eq!(born_by(&stat(ticks)), Some(born), "{ticks}");
        }
        assert_eq!(born_by(&stat(u64::MAX)), None);
        assert_eq!(born_by("1 (a) S 0"), None);
    }

    fn sleeper() -> std::process::Child {
        std::process::Command::new("sleep").arg("60").spawn().expect("sleep")
    }

    #[test]
    fn a_process_that_was_there_before_the_connection_is_taken_until_it_ends() {
        let mut child = sleeper();
        std::thread::sleep(TICK);
        let process = Process::of_number(child.id(), BootTime::now()).expect("it is older");
        assert!(process.lives());
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert!(!process.lives());
        assert!(Process::of_number(child.id(), BootTime::now()).is_err());
    }

    #[test]
    fn a_process_younger_than_the_connection_is_not_its_maker() {
        let connected = BootTime::now();
        std::thread::sleep(2 * TICK);
        let mut child = sleeper();
        let refused = Process::of_number(child.id(), connected).err();
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert_eq!(refused, Some("the caller's process is younger than its connection"));
    }

    #[test]
    fn a_descriptor_from_the_bus_names_its_process() {
        let mut child = sleeper();
        let held = || Process::held_by_bus(open(child.id()).expect("a descriptor"));
        assert_eq!(held().map(|process| process.pid), Ok(child.id()));
        let fd = open(child.id()).expect("a descriptor");
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert!(Process::held_by_bus(fd).is_err());
    }
}
