//! The D-Bus contract between `pam_pose.so`, `posectl` and `pose-helperd`, written once.
//!
//! Names, error names, event kinds and verdicts. Everything here is a constant or a plain enum; there are no
//! dependencies, so the PAM module can use it inside other people's processes.
#![forbid(unsafe_code)]

mod outcome;

pub use outcome::{Outcome, PamCode};

/// Well-known bus name that only the helper's user may own (bus policy).
pub const BUS_NAME: &str = "org.pam_pose.Helper1";
/// The helper's one object.
pub const OBJECT_PATH: &str = "/org/pam_pose/Helper1";
/// The helper's one interface.
pub const INTERFACE: &str = "org.pam_pose.Helper1";
/// The system bus, as a constant: nothing in the environment can move it.
pub const SYSTEM_BUS_SOCKET: &str = "/run/dbus/system_bus_socket";
/// System user that the helper runs as.
pub const HELPER_USER: &str = "pam-pose";
/// The interface as XML, compared with the live introspection by a test.
pub const INTROSPECTION_XML: &str = include_str!("../org.pam_pose.Helper1.xml");

/// Longest accepted user name, bytes.
pub const MAX_USER: usize = 256;
/// Longest accepted service name, bytes.
pub const MAX_SERVICE: usize = 64;
/// Longest accepted secret (password, recovery code), bytes.
pub const MAX_SECRET: usize = 1024;
/// Longest wait inside one `Next` call, milliseconds.
pub const NEXT_WAIT_MS: u64 = 1_000;
/// No verdict reaches a host faster than this, milliseconds: some hosts take an instant answer for a dead lane.
pub const FLOOR_MS: u64 = 50;

/// Whether a typed name can be an account's at all.
#[must_use]
pub fn is_user_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_USER
        && !name.starts_with('-')
        && !name.chars().any(|c| c.is_control() || c == ':' || c == '/')
}

/// `org.pam_pose.Error.*`: names of the errors the helper replies with.
pub mod error {
    /// The caller may not do this for that user.
    pub const NOT_AUTHORIZED: &str = "org.pam_pose.Error.NotAuthorized";
    /// No such attempt, or it belongs to another caller.
    pub const NO_SUCH_ATTEMPT: &str = "org.pam_pose.Error.NoSuchAttempt";
    /// Another attempt owns the camera, or the caller has too many attempts.
    pub const BUSY: &str = "org.pam_pose.Error.Busy";
    /// An argument is malformed or out of bounds.
    pub const INVALID_ARGUMENT: &str = "org.pam_pose.Error.InvalidArgument";
    /// The call does not fit the attempt's state (an answer nobody asked for).
    pub const WRONG_STATE: &str = "org.pam_pose.Error.WrongState";
    /// The store cannot be used; the journal says why.
    pub const STORE: &str = "org.pam_pose.Error.Store";
    /// The user has no enrolment.
    pub const NOT_ENROLLED: &str = "org.pam_pose.Error.NotEnrolled";
    /// Something failed inside the helper; the journal says what.
    pub const INTERNAL: &str = "org.pam_pose.Error.Internal";
}

/// `mode` in `Begin`'s origin.
pub mod mode {
    /// The helper checks the password that it stored at enrolment.
    pub const OWN_PASSWORD: &str = "own-password";
    /// An earlier module of the stack has checked a password; none is sent.
    pub const POSE_ONLY: &str = "pose-only";
}

/// Kinds of events that `Next` answers with.
pub mod kind {
    /// The helper waits for `Answer`; the code says for what.
    pub const ASK: &str = "ask";
    /// Show this to the person now; the code is stable, the text is for people.
    pub const INSTRUCTION: &str = "instruction";
    /// Nothing to show is new; lets a client keep its deadline.
    pub const PROGRESS: &str = "progress";
    /// The end; the code is an [`super::Outcome`]. Delivered once.
    pub const VERDICT: &str = "verdict";
}

/// Signals, sent to the one program that asked for them.
pub mod signal {
    /// An instruction was shown, or with an empty code none holds any more.
    pub const INSTRUCTED: &str = "Instructed";
}

/// Codes of "ask" events.
pub mod ask {
    /// The user's password.
    pub const PASSWORD: &str = "password";
    /// The password to store with the enrolment.
    pub const NEW_PASSWORD: &str = "new_password";
    /// A full pass of the old enrolment is needed: send the password, or the one-time recovery code instead. Where no
    /// password is stored: the code, or nothing to show the pose.
    pub const PASSWORD_OR_RECOVERY: &str = "password_or_recovery";
}

/// Codes of "instruction" events that are not challenge movements. A challenge's code is `challenge:` and its name.
pub mod instruction {
    /// Come into view of the camera.
    pub const COME_INTO_VIEW: &str = "come_into_view";
    /// Turn to the camera, or set it, as at enrolment; the gesture just shown was not judged and is asked for again.
    pub const REFRAME: &str = "reframe";
    /// Do the secret gesture now.
    pub const GESTURE: &str = "gesture";
    /// Enrolment: do the gesture now (`details`: "repetition" u, "repetitions" u).
    pub const ENROL_GESTURE: &str = "enrol_gesture";
    /// Enrolment: that recording was not usable, do it again; the text says why.
    pub const ENROL_AGAIN: &str = "enrol_again";
    /// Prefix of a challenge movement's code.
    pub const CHALLENGE_PREFIX: &str = "challenge:";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_xml_names_the_interface_and_object() {
        assert!(INTROSPECTION_XML.contains(&format!("<interface name=\"{INTERFACE}\">")));
        assert!(INTROSPECTION_XML.contains(&format!("<node name=\"{OBJECT_PATH}\">")));
    }
}
