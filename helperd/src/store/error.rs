//! What can go wrong with the store, each with the next step.

use std::fmt;
use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::config::trusted::FileError;

/// Why the store cannot be used or did not make a change. None of these ever means "not enrolled".
#[derive(Debug)]
pub enum StoreError {
    /// The store's file is missing although this machine had one.
    Lost(PathBuf),
    /// The root-owned instance mark is missing or malformed.
    NoMark(PathBuf),
    /// The store belongs to another installation or was replaced.
    Foreign,
    /// The store is an older copy of itself than its anchor has seen, or the anchor is gone.
    OldCopy,
    /// Rows were changed by something else than the helper.
    Tampered,
    /// State directory or file are open to others or of the wrong kind or owner.
    Exposed(PathBuf, &'static str),
    /// A file beside the store is not believed.
    File(FileError),
    /// Another process has it open.
    InUse,
    /// Written by a newer version.
    Newer {
        /// Schema version in the file.
        found: i64,
        /// Newest schema version of this program.
        known: i64,
    },
    /// Not a database, or a damaged one.
    Corrupt(String),
    /// The file system does not let it be written.
    ReadOnly,
    /// No space left.
    DiskFull,
    /// Reading or writing failed.
    Io(String),
    /// A user's key was wrapped by a key that is not there.
    UnknownKey,
    /// A sealed row does not open: damaged, or moved from another user or store.
    Seal(&'static str),
    /// A row holds what this program never writes.
    Garbage(&'static str),
    /// The kernel gave no randomness.
    Randomness,
    /// There is no such attempt (it ended, or a restart swept it).
    NoSuchTry,
    /// The call does not fit the attempt (for example a verdict before the password).
    WrongPhase,
    /// The user has no enrolment.
    NotEnrolled,
    /// The stored enrolment belongs to another account of that name or uid.
    Recreated,
    /// The user has as many gestures as one may keep.
    TooManyGestures,
    /// SQLite refused a statement: a bug.
    Sql(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(path) => write!(
                f,
                "the store {} is gone; put a backup back with `/usr/libexec/pam_pose/store-admin restore`, or start \
                 anew with `store-admin anew` there (everybody enrols again)",
                path.display()
            ),
            Self::NoMark(path) => write!(
                f,
                "the instance mark {} is missing or malformed; put it back from a backup, or start anew as root with \
                 `/usr/libexec/pam_pose/store-admin anew`",
                path.display()
            ),
            Self::Foreign => f.write_str(
                "the store belongs to another installation; put this machine's own backup back, or start anew as \
                 root with `/usr/libexec/pam_pose/store-admin anew`",
            ),
            Self::OldCopy => f.write_str(
                "the store is an older copy than this machine has had (removed enrolments and used recovery codes \
                 would count again); put the newest copy back, or accept this one as root with \
                 `/usr/libexec/pam_pose/store-admin accept-restored`",
            ),
            Self::Tampered => f.write_str(
                "the store was changed by something else than the helper; put a backup back as root with \
                 `/usr/libexec/pam_pose/store-admin restore`",
            ),
            Self::Exposed(path, what) => write!(f, "{} {what}", path.display()),
            Self::File(error) => write!(f, "{error}"),
            Self::InUse => f.write_str("another process has the store open; stop the other pose-helperd"),
            Self::Newer { found, known } => write!(
                f,
                "the store has schema version {found}, this program knows up to {known}; install the newer version \
                 again, or put back the backup that it made before it migrated (store.db.before-v{found})"
            ),
            Self::Corrupt(what) => write!(
                f,
                "the store is damaged ({what}); put a backup back as root with `/usr/libexec/pam_pose/store-admin \
                 restore`, or start anew with `store-admin anew` there, which puts the file aside"
            ),
            Self::ReadOnly => {
                f.write_str("the store cannot be written; make its file system writable and check its owner")
            }
            Self::DiskFull => f.write_str("no space is left for the store; free some on its file system"),
            Self::Io(what) => write!(f, "the store cannot be read or written ({what}); check the disk"),
            Self::UnknownKey => f.write_str(
                "the store was sealed with another key; put back the key that belongs to it (key, or key.old during \
                 a rotation)",
            ),
            Self::Seal(what) => {
                write!(f, "the stored {what} does not open: it was damaged or moved; put a backup back")
            }
            Self::Garbage(what) => {
                write!(f, "the store holds a malformed {what}; put a backup back")
            }
            Self::Randomness => f.write_str("the kernel gave no randomness; try again"),
            Self::NoSuchTry => f.write_str("there is no such attempt any more; begin again"),
            Self::WrongPhase => f.write_str("the attempt has not come that far; begin again"),
            Self::NotEnrolled => f.write_str("this user is not enrolled; run `posectl enrol`"),
            Self::Recreated => f.write_str(
                "the stored enrolment belongs to an earlier account of this name or uid; root removes it with \
                 `posectl remove`, then enrol again",
            ),
            Self::TooManyGestures => {
                f.write_str("no further gesture can be kept; `posectl enroll --replace` puts a new one in the place of all")
            }
            Self::Sql(what) => write!(f, "the store refused a statement ({what}); report this as a bug"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        let text = error.to_string();
        match error {
            E::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(text),
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => Self::ReadOnly,
                ErrorCode::DiskFull => Self::DiskFull,
                ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory => Self::Io(text),
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed => Self::InUse,
                _ => Self::Sql(text),
            },
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => Self::Garbage("row"),
            _ => Self::Sql(text),
        }
    }
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}
