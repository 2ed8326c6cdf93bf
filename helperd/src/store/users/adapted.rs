//! The one recording of a later login that an enrolment may carry: written by the transaction that decides, sealed like
//! the template, taken out by a reset or with the enrolment.

use rusqlite::{OptionalExtension, Transaction};
use zeroize::Zeroizing;

use super::super::seal::UserKey;
use super::super::{Store, StoreError, changes, integrity, owner, write};
use super::row::{Found, UserRow, find};
use crate::accounts::Account;
use crate::keys::KeyRing;

const ADAPTED: &str = "adapted recording";

/// A login's recording that is worth keeping beside an enrolment's own.
#[derive(Clone, Copy)]
pub struct Adapted<'a> {
    /// Which enrolment.
    pub enrolment: i64,
    /// The engine's encoding of the recording.
    pub recording: &'a [u8],
}

impl std::fmt::Debug for Adapted<'_> {
    /// Without the recording: it is the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Adapted({})", self.enrolment)
    }
}

impl Store {
    /// Forgets all later recordings of a user: from here on logins are compared with what was enrolled. Open tries end
    /// without success, as after every change. `false` when there was nothing to forget.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`]; see [`StoreError`].
    pub fn reset_adaptation(&mut self, account: &Account, actor: u32) -> Result<bool, StoreError> {
        let transaction = write(&mut self.connection)?;
        let user = match find(&transaction, account)? {
            Found::Enrolled(user) => user,
            Found::Recreated => return Err(StoreError::Recreated),
            Found::Removed(_) | Found::Unknown => return Err(StoreError::NotEnrolled),
        };
        let forgotten = transaction.execute(
            "UPDATE enrolments SET adapted = NULL WHERE user = ?1 AND adapted IS NOT NULL",
            [user.id],
        )?;
        if forgotten == 0 {
            return Ok(false);
        }
        transaction
            .execute("UPDATE users SET version = ?2 WHERE id = ?1", (user.id, user.next_version()?))?;
        changes::note(&transaction, actor, &account.name, "adaptation reset")?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        self.truncate_log()?;
        Ok(true)
    }
}

/// Keeps a recording in the place of an earlier one. Nothing happens when the enrolment is gone.
pub(in crate::store) fn keep(
    transaction: &Transaction<'_>,
    keys: &KeyRing,
    user: &UserRow,
    adapted: &Adapted<'_>,
) -> Result<(), StoreError> {
    let version: Option<u32> = transaction
        .query_row(
            "SELECT version FROM enrolments WHERE id = ?1 AND user = ?2",
            (adapted.enrolment, user.id),
            |row| row.get(0),
        )
        .optional()?;
    let Some(version) = version else { return Ok(()) };
    let account = Account { name: user.name.clone(), uid: user.uid };
    let sealed = user.key(keys)?.seal(ADAPTED, owner(&account), version, adapted.recording)?;
    transaction.execute("UPDATE enrolments SET adapted = ?2 WHERE id = ?1", (adapted.enrolment, sealed))?;
    Ok(())
}

pub(super) fn open(
    key: &UserKey,
    account: &Account,
    version: u32,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    key.open(ADAPTED, owner(account), version, sealed)
}
