//! Accounts of the machine: a typed name to the one canonical name and uid that everything is stored under.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use nix::unistd::{Uid, User};
use pose_contract::{MAX_USER, is_user_name};

/// Longest wait for the name service (a network directory may hang).
const LOOKUP_LIMIT: Duration = Duration::from_secs(2);
/// Lookups that may hang at once before further ones are refused: bounds the threads a dead directory can pin.
const LOOKUPS_AT_ONCE: usize = 8;

/// An account as the name service knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Canonical name (`pw_name`), which an alias or another spelling resolves to.
    pub name: String,
    /// User id.
    pub uid: u32,
}

/// Why a lookup gave no answer. "No such user" is an answer, not an error.
#[derive(Debug, PartialEq, Eq)]
pub enum AccountError {
    /// Not a name that an account can have.
    BadName,
    /// The name service failed.
    Failed(nix::Error),
    /// The name service did not answer in time.
    TimedOut,
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName => write!(
                f,
                "not a user name: 1 to {MAX_USER} bytes without control characters, ':' or '/'; check its spelling"
            ),
            Self::Failed(error) => {
                write!(f, "the name service failed ({error}); check nsswitch.conf with `getent passwd`")
            }
            Self::TimedOut => {
                write!(f, "the name service did not answer; check the network directory with `getent passwd`")
            }
        }
    }
}

impl std::error::Error for AccountError {}

/// The account of a typed name, `None` when there is none.
///
/// # Errors
/// See [`AccountError`]; never blocks longer than about two seconds.
pub fn by_name(name: &str) -> Result<Option<Account>, AccountError> {
    if !is_user_name(name) {
        return Err(AccountError::BadName);
    }
    let name = name.to_owned();
    bounded(move || User::from_name(&name))
}

/// The account of a uid, `None` when there is none.
///
/// # Errors
/// As [`by_name`].
pub fn by_uid(uid: u32) -> Result<Option<Account>, AccountError> {
    bounded(move || User::from_uid(Uid::from_raw(uid)))
}

fn bounded(
    lookup: impl FnOnce() -> nix::Result<Option<User>> + Send + 'static,
) -> Result<Option<Account>, AccountError> {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    if RUNNING.fetch_add(1, Ordering::SeqCst) >= LOOKUPS_AT_ONCE {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        return Err(AccountError::TimedOut);
    }
    let (send, receive) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("account".into()).spawn(move || {
        let _ = send.send(lookup());
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    });
    if thread.is_err() {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
        return Err(AccountError::Failed(nix::Error::EAGAIN));
    }
    match receive.recv_timeout(LOOKUP_LIMIT) {
        Ok(Ok(found)) => Ok(found.and_then(account)),
        // Some name services answer "no such user" with these instead of an empty result.
        Ok(Err(nix::Error::ENOENT | nix::Error::ESRCH)) => Ok(None),
        Ok(Err(error)) => Err(AccountError::Failed(error)),
        Err(_) => Err(AccountError::TimedOut),
    }
}

/// A directory that answers with a malformed canonical name has no usable account.
fn account(user: User) -> Option<Account> {
    is_user_name(&user.name).then(|| Account { name: user.name, uid: user.uid.as_raw() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_by_name_and_uid() {
        let root = Account { name: "root".into(), uid: 0 };
        assert_eq!(by_name("root"), Ok(Some(root.clone())));
        assert_eq!(by_uid(0), Ok(Some(root)));
    }

    #[test]
    fn a_name_nobody_has_is_an_answer() {
        assert_eq!(by_name("nobody-has-this-name-7f3a"), Ok(None));
    }

    #[test]
    fn malformed_names_never_reach_the_name_service() {
        let long = "x".repeat(MAX_USER + 1);
        for bad in ["", "a\nb", "a\0b", "a:b", "../root", "-u", long.as_str()] {
            assert_eq!(by_name(bad), Err(AccountError::BadName), "{bad:?}");
        }
    }
}
