//! What libpam and the program behind it give a hook: items, the password, the log, the delay after a failure.

#![allow(unsafe_code, reason = "libpam's C interface where pamsm has none")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

use pamsm::{LogLvl, Pam, PamError, PamFlags, PamLibExt};

/// libpam's handle as C sees it.
pub type RawHandle = *mut c_void;

const PAM_TTY: c_int = 3;
const PAM_OLDAUTHTOK: c_int = 7;
/// Delay that libpam waits before it reports a failure, microseconds (it varies it by half either way).
const FAIL_DELAY_US: c_uint = 2_000_000;

/// The handle for calls that pamsm does not wrap.
#[must_use]
pub fn raw(pam: &Pam) -> RawHandle {
    // SAFETY: `Pam` is `repr(transparent)` over the handle pointer.
    unsafe { std::mem::transmute_copy(pam) }
}

/// One hook call's view of libpam.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    pam: &'a Pam,
    silent: bool,
    debug: bool,
}

impl<'a> Host<'a> {
    /// Wraps the handle of this call.
    #[must_use]
    pub fn new(pam: &'a Pam, flags: PamFlags, debug: bool) -> Self {
        Self { pam, silent: flags.contains(PamFlags::SILENT), debug }
    }

    /// The handle.
    #[must_use]
    pub fn pam(&self) -> &'a Pam {
        self.pam
    }

    /// Whether the program forbade messages (`PAM_SILENT`).
    #[must_use]
    pub fn silent(&self) -> bool {
        self.silent
    }

    /// The user's name, asked for if the program has not set it. `None`: no name, or one that is not text.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        text(self.pam.get_user(None).ok().flatten())
    }

    /// The user's name as it stands now; an earlier module or the program may have changed it.
    #[must_use]
    pub fn user_now(&self) -> Option<String> {
        text(self.pam.get_cached_user().ok().flatten())
    }

    /// The service, "" if unset.
    #[must_use]
    pub fn service(&self) -> String {
        text(self.pam.get_service().ok().flatten()).unwrap_or_default()
    }

    /// The remote host's name as the program states it, "" if unset. One that is not text names a host all the same.
    #[must_use]
    pub fn rhost(&self) -> String {
        let item = self.pam.get_rhost().ok().flatten();
        item.map(|host| host.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The terminal as the program states it, "" if unset.
    #[must_use]
    pub fn tty(&self) -> String {
        let mut item: *const c_void = std::ptr::null();
        // SAFETY: the handle is this call's; libpam fills `item` with NULL or a C string that it owns and that
        // is copied at once.
        unsafe {
            let got = pam_get_item(raw(self.pam), PAM_TTY, &raw mut item);
            if got != 0 || item.is_null() {
                return String::new();
            }
            text(Some(CStr::from_ptr(item.cast()))).unwrap_or_default()
        }
    }

    /// The password: an earlier module's, or, unless `only_cached`, asked for by libpam, which keeps its copy for
    /// the modules after this one.
    ///
    /// # Errors
    /// libpam's code.
    pub fn password(&self, only_cached: bool) -> Result<&'a CStr, PamError> {
        let got = if only_cached { self.pam.get_cached_authtok() } else { self.pam.get_authtok(None) };
        got?.ok_or(PamError::AUTH_ERR)
    }

    /// Whether an earlier module has taken the password that is being replaced.
    #[must_use]
    pub fn has_old_password(&self) -> bool {
        self.pam.get_cached_oldauthtok().is_ok_and(|old| old.is_some())
    }

    /// The password that is being replaced: an earlier module's, or asked for by libpam.
    ///
    /// # Errors
    /// libpam's code.
    pub fn old_password(&self) -> Result<&'a CStr, PamError> {
        if let Some(old) = self.pam.get_cached_oldauthtok()? {
            return Ok(old);
        }
        let mut token: *const c_char = std::ptr::null();
        // SAFETY: the handle is this call's; libpam fills `token` with a C string that it owns for as long as
        // the handle lives.
        unsafe {
            let code = pam_get_authtok(raw(self.pam), PAM_OLDAUTHTOK, &raw mut token, std::ptr::null());
            if code != 0 || token.is_null() {
                return Err(PamError::AUTHTOK_RECOVERY_ERR);
            }
            Ok(CStr::from_ptr(token))
        }
    }

    /// Asks libpam to wait before the program learns of a failure.
    pub fn delay_failure(&self) {
        // SAFETY: the handle is this call's.
        let _ = unsafe { pam_fail_delay(raw(self.pam), FAIL_DELAY_US) };
    }

    /// A line to the security log (authpriv), under the service's and module's name.
    pub fn log(&self, level: LogLvl, line: &str) {
        let _ = self.pam.syslog(level, line);
    }

    /// A line for whoever set `debug`.
    pub fn trace(&self, line: &str) {
        if self.debug {
            self.log(LogLvl::DEBUG, line);
        }
    }
}

/// The process that connected to the socket which is the program's standard input, where it is one.
#[must_use]
pub fn peer_of_stdin() -> Option<u32> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).ok()?;
    // SAFETY: the kernel writes at most `length` bytes into `peer`; any descriptor may be asked, an open one or not.
    let got = unsafe {
        let (to, length) = ((&raw mut peer).cast(), &raw mut length);
        libc::getsockopt(libc::STDIN_FILENO, libc::SOL_SOCKET, libc::SO_PEERCRED, to, length)
    };
    // 0 stands for a process that has no number here.
    u32::try_from(peer.pid).ok().filter(|pid| got == 0 && *pid != 0)
}

fn text(item: Option<&CStr>) -> Option<String> {
    item.and_then(|item| item.to_str().ok()).map(str::to_owned)
}

unsafe extern "C" {
    fn pam_get_item(pamh: RawHandle, item: c_int, value: *mut *const c_void) -> c_int;
    fn pam_get_authtok(
        pamh: RawHandle,
        item: c_int,
        token: *mut *const c_char,
        prompt: *const c_char,
    ) -> c_int;
    fn pam_fail_delay(pamh: RawHandle, microseconds: c_uint) -> c_int;
}
