//! `pam_pose.so`: the hooks that libpam calls, and the wall that keeps faults from crossing into the host.
//!
//! # Layout
//! - [`options`]: the words of the pam.d line.
//! - [`login`] and [`password`]: what `pam_authenticate` and `pam_chauthtok` do.
//! - [`exchange`]: one attempt with the helper, event by event.
//! - [`dbus`]: the D-Bus client for that exchange, on the caller's thread, under one deadline.
//! - [`host`], [`conversation`], [`account`]: what libpam and the host give us; [`earlier`]: what an earlier module
//!   tells; [`cue`]: what a host can show.
//! - [`secret`], [`deadline`], [`verdict`]: the sealed password, the clock, outcome → PAM code.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod account;
pub mod conversation;
pub mod cue;
pub mod dbus;
pub mod deadline;
pub mod earlier;
pub mod exchange;
pub mod host;
pub mod login;
pub mod options;
pub mod password;
pub mod secret;
pub mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use pamsm::{LogLvl, Pam, PamError, PamFlags, PamLibExt, PamServiceModule, pam_module};

use crate::host::Host;
use crate::options::Options;

struct PoseModule;

impl PamServiceModule for PoseModule {
    fn authenticate(pam: Pam, flags: PamFlags, args: Vec<String>) -> PamError {
        guarded(&pam, |pam| match Options::parse(&args) {
            Ok(options) => login::authenticate(&Host::new(pam, flags, options.debug), &options),
            Err(refusal) => refuse_line(pam, &refusal),
        })
    }

    fn setcred(_: Pam, _: PamFlags, _: Vec<String>) -> PamError {
        PamError::SUCCESS
    }

    fn acct_mgmt(_: Pam, _: PamFlags, _: Vec<String>) -> PamError {
        PamError::IGNORE
    }

    fn open_session(_: Pam, _: PamFlags, _: Vec<String>) -> PamError {
        PamError::IGNORE
    }

    fn close_session(_: Pam, _: PamFlags, _: Vec<String>) -> PamError {
        PamError::IGNORE
    }

    fn chauthtok(pam: Pam, flags: PamFlags, args: Vec<String>) -> PamError {
        guarded(&pam, |pam| match Options::parse(&args) {
            Ok(options) => password::change(&Host::new(pam, flags, options.debug), flags, &options),
            Err(refusal) => refuse_line(pam, &refusal),
        })
    }
}

pam_module!(PoseModule);

/// Runs a hook's body so that no panic leaves the module: unwinding into C would abort the host, and every
/// fault has to deny.
fn guarded(pam: &Pam, body: impl FnOnce(&Pam) -> PamError) -> PamError {
    // This library carries its own copy of Rust's panic machinery, so the hook is ours alone. The default one
    // reads the environment (RUST_BACKTRACE) and writes to the host's terminal.
    set_hook(Box::new(|_| ()));
    catch_unwind(AssertUnwindSafe(|| body(pam))).unwrap_or_else(|fault| {
        let what = fault
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| fault.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let _ = pam.syslog(LogLvl::CRIT, &format!("fault inside the module: {what}; please report it"));
        PamError::SYSTEM_ERR
    })
}

fn refuse_line(pam: &Pam, refusal: &options::Refusal) -> PamError {
    let _ = pam.syslog(LogLvl::ERR, &refusal.to_string());
    PamError::SYSTEM_ERR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code, reason = "a handle without libpam")]
    fn a_panic_in_a_hook_denies_and_goes_no_further() {
        // SAFETY: `Pam` is `repr(transparent)` over a pointer, and `pam_syslog` accepts NULL.
        let pam: Pam = unsafe { std::mem::transmute(std::ptr::null::<()>()) };
        let hook = std::panic::take_hook();
        let code = guarded(&pam, |_| panic!("broken on purpose"));
        set_hook(hook);
        assert_eq!(code, PamError::SYSTEM_ERR);
    }
}
