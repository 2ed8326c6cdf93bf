//! Every way posectl can end: the documented exit codes, and the failure that carries one to `main`.

use std::fmt;
use std::process::ExitCode;

/// The exit codes, as the manual page lists them. Scripts rely on the numbers: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no: a refused test, an enrolment not accepted, problems found by `doctor`.
    No = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A file that was given cannot be used (not a recording, cut short, a bad line), or cannot be written.
    Input = 3,
    /// The enrolment recordings were refused; the reason says what to do differently.
    EnrolmentRefused = 4,
    /// The helper cannot be reached or broke off.
    Helper = 5,
    /// Not allowed for this caller.
    NotAuthorized = 6,
    /// The user has no enrolment.
    NotEnrolled = 7,
    /// Locked out after too many refused tries.
    LockedOut = 8,
    /// No usable camera picture (missing, busy, no permission, too dark, nobody in view).
    Camera = 9,
    /// Models or ONNX Runtime are missing or not the expected ones.
    Assets = 10,
    /// Something failed that the person at the keyboard cannot fix by a different command.
    Internal = 70,
    /// Cancelled with Ctrl-C.
    Cancelled = 130,
}

impl Exit {
    /// Every code with the words of the manual page, in ascending order.
    pub(crate) const TABLE: [(Exit, &'static str); 13] = [
        (Exit::Done, "done; `rehearse`: every probe was judged, whatever the verdicts"),
        (Exit::No, "the answer is no: test refused, change refused, `doctor` found a problem"),
        (Exit::Usage, "wrong command line"),
        (Exit::Input, "a given file cannot be read, used or written"),
        (Exit::EnrolmentRefused, "the enrolment recordings were refused"),
        (Exit::Helper, "the helper cannot be reached or broke off"),
        (Exit::NotAuthorized, "not allowed for this caller"),
        (Exit::NotEnrolled, "the user has no enrolment"),
        (Exit::LockedOut, "locked out"),
        (Exit::Camera, "no usable camera picture"),
        (Exit::Assets, "models or ONNX Runtime missing or wrong"),
        (Exit::Internal, "internal error"),
        (Exit::Cancelled, "cancelled with Ctrl-C"),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do its work: an exit code, what happened, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code the process ends with.
    pub(crate) exit: Exit,
    what: String,
    next: String,
}

impl Failure {
    /// A failure in two parts: what happened, and the next step (one imperative sentence).
    pub(crate) fn new(exit: Exit, what: impl fmt::Display, next: impl fmt::Display) -> Self {
        Failure { exit, what: what.to_string(), next: next.to_string() }
    }

    /// A failure whose text already ends with its next step (the errors of the camera, vision and engine crates).
    pub(crate) fn told(exit: Exit, text: impl fmt::Display) -> Self {
        Failure { exit, what: text.to_string(), next: String::new() }
    }

    /// The same failure with the thing it concerns in front (a file name, a device).
    pub(crate) fn about(mut self, subject: impl fmt::Display) -> Self {
        self.what = format!("{subject}: {}", self.what);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if !self.next.is_empty() {
            write!(f, "\n  next: {}", self.next)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_each_code_once_in_ascending_order() {
        let codes: Vec<u8> = Exit::TABLE.iter().map(|row| row.0 as u8).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]), "{codes:?}");
    }

    #[test]
    fn a_failure_ends_with_its_next_step() {
        let failure = Failure::new(Exit::Input, "cut short", "record it again").about("a.avi");
        assert_eq!(failure.to_string(), "a.avi: cut short\n  next: record it again");
    }
}
