//! Rows of `users`: finding the one that an account means, and making new ones.

use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::super::seal::UserKey;
use super::super::{StoreError, owner, unix_now};
use super::EnrolmentInfo;
use crate::accounts::Account;
use crate::keys::KeyRing;

/// A row of `users`.
pub(in crate::store) struct UserRow {
    pub(in crate::store) id: i64,
    pub(in crate::store) name: String,
    pub(in crate::store) uid: u32,
    pub(in crate::store) version: u32,
    pub(in crate::store) removed: Option<i64>,
    pub(super) password: Option<Vec<u8>>,
    key_id: Vec<u8>,
    wrapped_key: Option<Vec<u8>>,
}

/// What the store knows of an account.
pub(in crate::store) enum Found {
    /// Name and uid are those of the enrolment.
    Enrolled(UserRow),
    /// The enrolment was removed; the row's id.
    Removed(i64),
    /// Never enrolled.
    Unknown,
    /// Enrolled under this name with another uid, or under this uid with another name.
    Recreated,
}

/// Finds an account by name and uid, both.
pub(in crate::store) fn find(connection: &Connection, account: &Account) -> Result<Found, StoreError> {
    let by_name: Option<i64> = connection
        .query_row("SELECT id FROM users WHERE name = ?1", [&account.name], |row| row.get(0))
        .optional()?;
    if let Some(id) = by_name {
        let user = read_user(connection, id)?;
        return Ok(match user.removed {
            Some(_) => Found::Removed(id),
            None if user.uid == account.uid => Found::Enrolled(user),
            None => Found::Recreated,
        });
    }
    let other: Option<i64> = connection
        .query_row("SELECT id FROM users WHERE uid = ?1 AND removed IS NULL LIMIT 1", [account.uid], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(if other.is_some() { Found::Recreated } else { Found::Unknown })
}

/// The row of that id.
pub(in crate::store) fn read_user(connection: &Connection, id: i64) -> Result<UserRow, StoreError> {
    Ok(connection.query_row(
        "SELECT id, name, uid, version, removed, password, key_id, wrapped_key FROM users WHERE id = ?1",
        [id],
        from_row,
    )?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        id: row.get(0)?,
        name: row.get(1)?,
        uid: row.get(2)?,
        version: row.get(3)?,
        removed: row.get(4)?,
        password: row.get(5)?,
        key_id: row.get(6)?,
        wrapped_key: row.get(7)?,
    })
}

impl UserRow {
    /// The user's key, unwrapped.
    pub(in crate::store) fn key(&self, ring: &KeyRing) -> Result<UserKey, StoreError> {
        let wrapped = self.wrapped_key.as_deref().ok_or(StoreError::NotEnrolled)?;
        let account = Account { name: self.name.clone(), uid: self.uid };
        UserKey::unwrap(ring, &self.key_id, wrapped, owner(&account))
    }

    pub(super) fn next_version(&self) -> Result<u32, StoreError> {
        self.version.checked_add(1).ok_or(StoreError::Garbage("template version"))
    }

    pub(super) fn tombstone(self, removed: i64) -> EnrolmentInfo {
        EnrolmentInfo {
            user: self.name,
            uid: self.uid,
            version: self.version,
            gesture: String::new(),
            created: removed,
            recordings: 0,
            strength: String::new(),
            removed: true,
        }
    }
}

/// A new user with a new key.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    ring: &KeyRing,
    account: &Account,
) -> Result<(UserRow, UserKey), StoreError> {
    let key = UserKey::generate()?;
    transaction.execute(
        "INSERT INTO users (name, uid, key_id, wrapped_key, version, created) VALUES (?1, ?2, ?3, ?4, 1, ?5)",
        (&account.name, account.uid, ring.current.id(), key.wrap(&ring.current, owner(account))?, unix_now()),
    )?;
    Ok((read_user(transaction, transaction.last_insert_rowid())?, key))
}

/// A removed user enrols again: a new key, a fresh start, and versions that go on counting.
pub(super) fn revive(
    transaction: &Transaction<'_>,
    ring: &KeyRing,
    account: &Account,
    id: i64,
) -> Result<(UserRow, UserKey), StoreError> {
    let key = UserKey::generate()?;
    transaction.execute(
        "UPDATE users SET uid = ?2, key_id = ?3, wrapped_key = ?4, removed = NULL, created = ?5 WHERE id = ?1",
        (id, account.uid, ring.current.id(), key.wrap(&ring.current, owner(account))?, unix_now()),
    )?;
    Ok((read_user(transaction, id)?, key))
}
