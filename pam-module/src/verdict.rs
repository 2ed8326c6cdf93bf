//! What an ended exchange means to PAM.

use pamsm::PamError;
use pose_contract::{Outcome, PamCode};

use crate::exchange::Failure;
use crate::options::Options;

/// The PAM code of an outcome. `nouserok` excuses users that were never enrolled and nobody else: a removed
/// enrolment stays a refusal.
#[must_use]
pub fn of_outcome(outcome: Outcome, options: &Options) -> PamError {
    if options.nouserok && outcome == Outcome::NotEnrolled {
        return PamError::IGNORE;
    }
    match outcome.pam_code() {
        PamCode::Success => PamError::SUCCESS,
        PamCode::AuthErr => PamError::AUTH_ERR,
        PamCode::MaxTries => PamError::MAXTRIES,
        PamCode::UserUnknown => PamError::USER_UNKNOWN,
        PamCode::AuthinfoUnavail => PamError::AUTHINFO_UNAVAIL,
        PamCode::SystemErr => PamError::SYSTEM_ERR,
    }
}

/// The PAM code of an exchange that ended without a verdict. None of them lets anybody in or is ignored.
#[must_use]
pub fn of_failure(failure: &Failure) -> PamError {
    match failure {
        Failure::Unavailable(_) | Failure::Deadline => PamError::AUTHINFO_UNAVAIL,
        Failure::Refused(_) => PamError::AUTH_ERR,
        Failure::Conversation | Failure::Interrupted => PamError::CONV_ERR,
        Failure::Fault(_) | Failure::Gone(_) | Failure::NotEnrolled => PamError::SYSTEM_ERR,
        Failure::Memory => PamError::BUF_ERR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_never_enrolled_users_are_excused_and_only_by_nouserok() {
        let lenient = Options { nouserok: true, ..Options::default() };
        for outcome in Outcome::all() {
            assert_ne!(of_outcome(outcome, &Options::default()), PamError::IGNORE, "{outcome:?}");
            let ignored = of_outcome(outcome, &lenient) == PamError::IGNORE;
            assert_eq!(ignored, outcome == Outcome::NotEnrolled, "{outcome:?}");
        }
    }

    #[test]
    fn nothing_but_success_lets_anybody_in() {
        for outcome in Outcome::all() {
            let code = of_outcome(outcome, &Options::default());
            assert_eq!(code == PamError::SUCCESS, outcome == Outcome::Success, "{outcome:?}");
        }
    }
}
