//! A keyed code over everything that a login is decided by, renewed in every transaction and checked at opening.
//!
//! Without it, who can write the file but has no key could delete a user's row ("not enrolled"), take a counter
//! back, or put rows of an old copy under a newer generation. What is sealed by itself (templates) goes in with its
//! nonce and tag, which stand for the rest.

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Transaction};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::StoreError;
use crate::keys::{KEY_LEN, KeyRing, WrappingKey};

/// What goes in, in this order. A migration that changes one of these renews the code in its transaction.
const COVERED: &[&str] = &[
    "SELECT key, value FROM meta WHERE key IN ('instance', 'generation') ORDER BY key",
    "SELECT id, name, uid, key_id, wrapped_key, version, password, recovery, removed FROM users ORDER BY id",
    "SELECT id, user, version, gesture, strength, recordings, created,
            length(template), substr(template, 1, 24), substr(template, -16) FROM enrolments ORDER BY id",
    "SELECT user, origin, failures, unjudged, lock_boot, lock_since, lock_ms FROM counters ORDER BY user, origin",
    "SELECT id, user, origin, version, phase FROM tries ORDER BY id",
    "SELECT user, count(*), max(seen) FROM digests GROUP BY user ORDER BY user",
];

/// Commits a transaction with its code: the only way that the store's changes become durable.
pub(super) fn commit(transaction: Transaction<'_>, keys: &KeyRing) -> Result<(), StoreError> {
    write(&transaction, keys)?;
    transaction.commit()?;
    Ok(())
}

/// Renews the code.
pub(super) fn write(connection: &Connection, keys: &KeyRing) -> Result<(), StoreError> {
    let code = code(connection, &keys.current)?;
    connection.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('code', ?1), ('code key', ?2)",
        (code, keys.current.id()),
    )?;
    Ok(())
}

/// Compares the code with what is stored.
pub(super) fn check(connection: &Connection, keys: &KeyRing) -> Result<(), StoreError> {
    let key = keys.find(&stored(connection, "code key")?).ok_or(StoreError::UnknownKey)?;
    let expected = code(connection, key)?;
    let equal = bool::from(stored(connection, "code")?.as_slice().ct_eq(&expected));
    if equal { Ok(()) } else { Err(StoreError::Tampered) }
}

/// Whether the code is made with the current key.
pub(super) fn is_current(connection: &Connection, keys: &KeyRing) -> Result<bool, StoreError> {
    Ok(stored(connection, "code key")? == keys.current.id())
}

fn stored(connection: &Connection, key: &str) -> Result<Vec<u8>, StoreError> {
    connection
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::Tampered)
}

fn code(connection: &Connection, key: &WrappingKey) -> Result<[u8; KEY_LEN], StoreError> {
    let mut block = Zeroizing::new([0_u8; 64]);
    for (to, from) in block.iter_mut().zip(key.derive(b"pam_pose store code v1").iter()) {
        *to = *from;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    for (table, query) in COVERED.iter().enumerate() {
        mac.update(&[0xff, u8::try_from(table).unwrap_or(u8::MAX)]);
        let mut statement = connection.prepare_cached(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                feed(&mut mac, row.get_ref(column)?);
            }
        }
    }
    Ok(mac.finalize().into_bytes().into())
}

/// Type and length before each value, so that no two rows read alike.
fn feed(mac: &mut Hmac<Sha256>, value: ValueRef<'_>) {
    let (kind, bytes): (u8, &[u8]) = match &value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => (1, &number.to_le_bytes()),
        ValueRef::Real(number) => (2, &number.to_le_bytes()),
        ValueRef::Text(bytes) => (3, bytes),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    mac.update(&[kind]);
    mac.update(&(bytes.len() as u64).to_le_bytes());
    mac.update(bytes);
}
