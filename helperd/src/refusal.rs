//! The named errors that the daemon replies with on the bus.

use pose_contract::error;

/// A call that was not carried out. Each text ends with what the caller can do.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.pam_pose.Error")]
pub enum Refusal {
    /// The caller may not do this for that user.
    NotAuthorized(String),
    /// No such attempt, or it belongs to another caller.
    NoSuchAttempt(String),
    /// The caller has too many attempts, or the daemon has.
    Busy(String),
    /// An argument is malformed or out of bounds.
    InvalidArgument(String),
    /// The call does not fit the attempt's state.
    WrongState(String),
    /// The store cannot be used.
    Store(String),
    /// The user has no enrolment.
    NotEnrolled(String),
    /// Something failed inside the daemon.
    Internal(String),
}

impl Refusal {
    /// The name on the bus.
    #[must_use]
    pub fn bus_name(&self) -> &'static str {
        match self {
            Self::NotAuthorized(_) => error::NOT_AUTHORIZED,
            Self::NoSuchAttempt(_) => error::NO_SUCH_ATTEMPT,
            Self::Busy(_) => error::BUSY,
            Self::InvalidArgument(_) => error::INVALID_ARGUMENT,
            Self::WrongState(_) => error::WRONG_STATE,
            Self::Store(_) => error::STORE,
            Self::NotEnrolled(_) => error::NOT_ENROLLED,
            Self::Internal(_) => error::INTERNAL,
        }
    }

    pub(crate) fn no_such_attempt() -> Self {
        Self::NoSuchAttempt("no such attempt for this caller; begin a new one".into())
    }

    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::Internal("the helper failed inside; the journal says how (journalctl -u pose-helperd)".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::DBusError;

    #[test]
    fn names_are_the_contracts() {
        for refusal in [
            Refusal::NotAuthorized(String::new()),
            Refusal::NoSuchAttempt(String::new()),
            Refusal::Busy(String::new()),
            Refusal::InvalidArgument(String::new()),
            Refusal::WrongState(String::new()),
            Refusal::Store(String::new()),
            Refusal::NotEnrolled(String::new()),
            Refusal::Internal(String::new()),
        ] {
            assert_eq!(refusal.name().as_str(), refusal.bus_name());
        }
    }
}
