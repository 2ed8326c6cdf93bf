//! The state of a system account, which the helper cannot see: only root reads the shadow file.

#![allow(unsafe_code, reason = "libpam's reentrant shadow lookup has no safe wrapper")]

use std::ffi::{CStr, CString, c_char};

use nix::time::{ClockId, clock_gettime};
use pamsm::Pam;

use crate::host::{RawHandle, raw};

/// Why an account may not log in with a password of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The password field is locked (`!`) or impossible (`*`).
    Locked,
    /// The account's expiry date has come.
    Expired,
    /// The password was not changed in its time, grace included.
    PasswordTooOld,
}

/// The shadow entry's fields that matter, dates in days since 1970, negative when unset.
#[derive(Clone, Copy, Debug)]
pub struct Shadow {
    /// First byte of the password field is `!` or `*`.
    pub locked: bool,
    /// Day of the last password change; 0 asks for a change at the next login.
    pub changed: i64,
    /// Days a password lasts.
    pub lasts: i64,
    /// Days of grace after that.
    pub grace: i64,
    /// Day from which the account is closed.
    pub expires: i64,
}

/// Looks the account up. `None` when it has no shadow entry (an account of a directory service) or this process
/// may not read it; then the account stack is the only judge.
#[must_use]
pub fn shadow_of(pam: &Pam, user: &str) -> Option<Shadow> {
    let name = CString::new(user).ok()?;
    // SAFETY: the handle is the one libpam gave this call; the name is NUL-terminated. The entry is libpam's,
    // lives as long as the handle, and is copied out below before anything else runs.
    unsafe {
        let entry = pam_modutil_getspnam(raw(pam), name.as_ptr()).as_ref()?;
        let field = if entry.sp_pwdp.is_null() { c"" } else { CStr::from_ptr(entry.sp_pwdp) };
        Some(Shadow {
            locked: matches!(field.to_bytes().first(), Some(b'!' | b'*')),
            changed: entry.sp_lstchg,
            lasts: entry.sp_max,
            grace: entry.sp_inact,
            expires: entry.sp_expire,
        })
    }
}

/// Today as the shadow file counts.
#[must_use]
pub fn today() -> i64 {
    clock_gettime(ClockId::CLOCK_REALTIME).map_or(i64::MAX, |now| now.tv_sec() / 86_400)
}

/// Judges an entry on a day.
///
/// # Errors
/// Why the account is closed.
pub fn judge(entry: Shadow, today: i64) -> Result<(), Closed> {
    if entry.locked {
        return Err(Closed::Locked);
    }
    // A date of 0 is read as "unset" by some tools and as 1970 by others; the shadow suite closes the account.
    if entry.expires >= 0 && today >= entry.expires {
        return Err(Closed::Expired);
    }
    let ages = entry.changed > 0 && entry.lasts >= 0 && entry.grace >= 0;
    let last_day = entry.changed.saturating_add(entry.lasts).saturating_add(entry.grace);
    if ages && today > last_day {
        return Err(Closed::PasswordTooOld);
    }
    Ok(())
}

unsafe extern "C" {
    fn pam_modutil_getspnam(pamh: RawHandle, user: *const c_char) -> *const libc::spwd;
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Shadow = Shadow { locked: false, changed: 20_000, lasts: 99_999, grace: -1, expires: -1 };

    #[test]
    fn the_shadow_entry_closes_an_account_as_the_shadow_suite_does() {
        let table = [
            (OPEN, Ok(())),
            (Shadow { locked: true, ..OPEN }, Err(Closed::Locked)),
            (Shadow { expires: 20_100, ..OPEN }, Err(Closed::Expired)),
            (Shadow { expires: 20_101, ..OPEN }, Ok(())),
            (Shadow { lasts: 90, grace: 7, ..OPEN }, Err(Closed::PasswordTooOld)),
            (Shadow { lasts: 93, grace: 7, ..OPEN }, Ok(())),
            (Shadow { lasts: 90, grace: -1, ..OPEN }, Ok(())),
            (Shadow { lasts: i64::MAX, grace: i64::MAX, ..OPEN }, Ok(())),
            (Shadow { changed: 0, lasts: 90, grace: 7, ..OPEN }, Ok(())),
        ];
        for (entry, expected) in table {
            assert_eq!(judge(entry, 20_100), expected, "{entry:?}");
        }
    }
}
