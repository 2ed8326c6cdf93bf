//! Outcomes of an attempt and what each means to PAM and to the lock-out counter.

/// How an attempt ended. The text form travels over the bus as the code of a "verdict" event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Password, signature, liveness and challenge all passed.
    Success,
    /// Judged and refused (wrong pose, not live or challenge missed): all that callers other than root learn.
    Refused,
    /// The movement is not the enrolled gesture of this person.
    WrongPose,
    /// The picture shows no live person (still, photo, repeated stream).
    NotLive,
    /// The requested movement was not shown in its time.
    ChallengeMissed,
    /// The password is wrong.
    WrongPassword,
    /// Nobody was in view: nothing was judged.
    NobodyInView,
    /// The picture is too dark to follow a body: nothing was judged.
    TooDark,
    /// More than one person in view: nothing was judged.
    SeveralPeople,
    /// The gesture was not finished in its time: nothing was judged.
    NotFinished,
    /// Too many refused tries; the details carry `locked_seconds`.
    LockedOut,
    /// The user has no enrolment.
    NotEnrolled,
    /// The user's enrolment was removed (a tombstone is left).
    EnrolmentRemoved,
    /// The caller does not sit at this machine.
    Remote,
    /// The lid over a built-in camera is closed.
    LidClosed,
    /// No camera is there, or none that the configuration allows.
    CameraMissing,
    /// Another program holds the camera.
    CameraBusy,
    /// The camera stopped delivering pictures.
    CameraFailed,
    /// Another attempt owns the seat's camera.
    Busy,
    /// The attempt's deadline passed, or the caller cancelled.
    Deadline,
    /// The store is lost, replaced, newer or unreadable.
    StoreError,
    /// A fault of the helper, its configuration, models or runtime.
    Internal,
    /// Enrolment done (verdict of `Enroll`; `details`: "recovery_code" s, "strength" s, "strength_percent" u, "estimate" s,
    /// "advice" s).
    Enrolled,
    /// The change was made (verdict of `Remove` and `SetPassword`).
    Done,
    /// The enrolment was refused: the text says what to do differently.
    EnrolmentRefused,
}

/// The PAM result that an outcome maps to, by the name of its constant (values differ between systems).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are PAM's own")]
pub enum PamCode {
    Success,
    AuthErr,
    MaxTries,
    UserUnknown,
    AuthinfoUnavail,
    SystemErr,
}

const TABLE: &[(Outcome, &str, PamCode)] = &[
    (Outcome::Success, "success", PamCode::Success),
    (Outcome::Refused, "refused", PamCode::AuthErr),
    (Outcome::WrongPose, "wrong_pose", PamCode::AuthErr),
    (Outcome::NotLive, "not_live", PamCode::AuthErr),
    (Outcome::ChallengeMissed, "challenge_missed", PamCode::AuthErr),
    (Outcome::WrongPassword, "wrong_password", PamCode::AuthErr),
    (Outcome::NobodyInView, "nobody_in_view", PamCode::AuthErr),
    (Outcome::TooDark, "too_dark", PamCode::AuthErr),
    (Outcome::SeveralPeople, "several_people", PamCode::AuthErr),
    (Outcome::NotFinished, "not_finished", PamCode::AuthErr),
    (Outcome::LockedOut, "locked_out", PamCode::MaxTries),
    (Outcome::NotEnrolled, "not_enrolled", PamCode::UserUnknown),
    (Outcome::EnrolmentRemoved, "enrolment_removed", PamCode::UserUnknown),
    (Outcome::Remote, "remote", PamCode::AuthinfoUnavail),
    (Outcome::LidClosed, "lid_closed", PamCode::AuthinfoUnavail),
    (Outcome::CameraMissing, "camera_missing", PamCode::AuthinfoUnavail),
    (Outcome::CameraBusy, "camera_busy", PamCode::AuthinfoUnavail),
    (Outcome::CameraFailed, "camera_failed", PamCode::AuthinfoUnavail),
    (Outcome::Busy, "busy", PamCode::AuthinfoUnavail),
    (Outcome::Deadline, "deadline", PamCode::AuthinfoUnavail),
    (Outcome::StoreError, "store_error", PamCode::SystemErr),
    (Outcome::Internal, "internal", PamCode::SystemErr),
    // Verdicts of changes never open a door: a module that received one was answered by a confused helper.
    (Outcome::Enrolled, "enrolled", PamCode::SystemErr),
    (Outcome::Done, "done", PamCode::SystemErr),
    (Outcome::EnrolmentRefused, "enrolment_refused", PamCode::SystemErr),
];

impl Outcome {
    /// The name that travels over the bus.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        TABLE.iter().find(|row| row.0 == self).map_or("internal", |row| row.1)
    }

    /// The outcome of that name; `None` for a name this version does not know, which a caller treats as a fault.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The PAM result. `nouserok` turns [`Outcome::NotEnrolled`], and nothing else, into `PAM_IGNORE`; that is
    /// the module's decision.
    #[must_use]
    pub fn pam_code(self) -> PamCode {
        TABLE.iter().find(|row| row.0 == self).map_or(PamCode::SystemErr, |row| row.2)
    }

    /// Whether it counts toward lock-out: judged after a right password, and refused.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Refused | Self::WrongPose | Self::NotLive | Self::ChallengeMissed)
    }

    /// All outcomes, for tables and tests.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_are_unique() {
        for outcome in Outcome::all() {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
        assert_eq!(Outcome::parse("yes"), None);
    }

    #[test]
    fn nothing_but_success_is_success() {
        for outcome in Outcome::all() {
            assert_eq!(outcome.pam_code() == PamCode::Success, outcome == Outcome::Success, "{outcome:?}");
        }
    }
}
