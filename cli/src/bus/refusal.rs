//! D-Bus errors as failures: what happened in words, an exit code, and the next step.

use pose_contract::{SYSTEM_BUS_SOCKET, error};
use zbus::fdo;

use crate::exit::{Exit, Failure};

/// The bus itself could not be used.
pub(super) fn of_bus(error: &zbus::Error) -> Failure {
    Failure::new(
        Exit::Helper,
        format_args!("cannot use the system bus at {SYSTEM_BUS_SOCKET}: {error}"),
        "start it (`systemctl start dbus.socket`), then run `posectl doctor`",
    )
}

/// The helper could not be started or found.
pub(super) fn of_start(error: &zbus::Error) -> Failure {
    match fdo_name(error) {
        Some(fdo::Error::ServiceUnknown(_) | fdo::Error::NameHasNoOwner(_)) => Failure::new(
            Exit::Helper,
            "pose-helperd is not installed: the bus does not know how to start it",
            "install it (`make install` or the package), then run `posectl doctor`",
        ),
        _ => Failure::new(
            Exit::Helper,
            format_args!("pose-helperd does not start: {error}"),
            "see `journalctl -u pose-helperd`, then run `posectl doctor`",
        ),
    }
}

/// The helper answered a call with an error, or not at all.
pub(super) fn of_call(error: &zbus::Error) -> Failure {
    if let zbus::Error::MethodError(name, text, _) = error {
        return of_helper(name.as_str(), text.as_deref().unwrap_or("no reason given"));
    }
    match fdo_name(error) {
        Some(fdo::Error::AccessDenied(_) | fdo::Error::AuthFailed(_)) => Failure::new(
            Exit::NotAuthorized,
            "the bus policy does not let you make this call",
            "run it as root, or run `posectl doctor` to check the installed policy",
        ),
        Some(fdo::Error::UnknownMethod(_) | fdo::Error::UnknownInterface(_)) => Failure::new(
            Exit::Helper,
            "the running pose-helperd is of another version",
            "restart it: `systemctl restart pose-helperd`",
        ),
        Some(fdo::Error::LimitsExceeded(text)) => {
            Failure::new(Exit::Helper, text, "wait for the other attempts to end, then try again")
        }
        _ => Failure::new(
            Exit::Helper,
            format_args!("pose-helperd broke off: {error}"),
            "see `journalctl -u pose-helperd`, then try again",
        ),
    }
}

/// The helper's answer has another shape than the contract's.
pub(super) fn unintelligible(method: &str, error: &zbus::Error) -> Failure {
    Failure::new(
        Exit::Helper,
        format_args!("pose-helperd answered {method} in a shape this posectl does not know: {error}"),
        "install posectl and pose-helperd of the same version, then `systemctl restart pose-helperd`",
    )
}

fn of_helper(name: &str, text: &str) -> Failure {
    let (exit, next) = match name {
        error::NOT_AUTHORIZED => (Exit::NotAuthorized, "run it as root (sudo), or for your own account"),
        error::BUSY => (Exit::Helper, "wait for the other attempt to end, then try again"),
        error::NOT_ENROLLED => (Exit::NotEnrolled, "enrol first: `posectl enroll`"),
        error::STORE => (Exit::Helper, "see `journalctl -u pose-helperd`, then run `posectl doctor`"),
        error::NO_SUCH_ATTEMPT | error::WRONG_STATE => (Exit::Helper, "start again"),
        error::INVALID_ARGUMENT => (Exit::Usage, "check the user name and the options (`posectl --help`)"),
        _ => (Exit::Helper, "see `journalctl -u pose-helperd`"),
    };
    Failure::new(exit, text, next)
}

fn fdo_name(error: &zbus::Error) -> Option<&fdo::Error> {
    if let zbus::Error::FDO(inner) = error { Some(inner) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_contract_has_a_next_step() {
        for name in [error::NOT_AUTHORIZED, error::BUSY, error::NOT_ENROLLED, error::STORE, error::INTERNAL] {
            assert!(of_helper(name, "x").to_string().contains("next: "), "{name}");
        }
        assert_eq!(of_helper(error::NOT_ENROLLED, "x").exit, Exit::NotEnrolled);
        assert_eq!(of_helper(error::NOT_AUTHORIZED, "x").exit, Exit::NotAuthorized);
    }
}
