//! A keyed code over everything that a login is decided by, renewed in every transaction and checked at opening.
//!
//! Without it, who can write the file but has no key could delete a user's row ("not enrolled"), take a counter
//! back, or put rows of an old copy under a newer generation. What is sealed by itself (templates) goes in with its
//! nonce and tag, which stand for the rest.
//!
//! The code is a keyed hash of the exclusive or of a keyed hash of each row ([`RunningSum`]), so that a change costs
//! what it touches and not what the store holds. Rows carry their keys, so no two are equal and none cancels out.
//! The sum itself stays in memory: the file shows only its keyed hash, and old copies of the file therefore give
//! nothing to combine sums from.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Null, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::StoreError;
use crate::keys::{KEY_LEN, KeyRing, WrappingKey};

/// The tables that go in. A migration that changes one of these renews the code in its transaction.
const COVERED: [Table; 6] = [
    Table { name: "meta", sealed: None },
    Table { name: "users", sealed: None },
    Table { name: "enrolments", sealed: Some(7) },
    Table { name: "counters", sealed: None },
    Table { name: "tries", sealed: None },
    Table { name: "digests", sealed: None },
];
/// The rows of `meta` that go in; the others are the code itself.
const META: [&[u8]; 2] = [b"instance", b"generation"];
/// What the triggers call.
const FUNCTION: &str = "pam_pose_row";

struct Table {
    name: &'static str,
    /// A sealed column: its length, nonce and tag stand for it.
    sealed: Option<usize>,
}

/// The keys of a store, and the sum of its rows once [`Ledger::follow`] keeps it.
#[derive(Debug)]
pub(super) struct Ledger {
    keys: KeyRing,
    sum: Arc<Mutex<RunningSum>>,
}

/// Exclusive or of the keyed hashes of all covered rows.
#[derive(Debug, Default)]
enum RunningSum {
    /// Nobody follows: counted at each use.
    #[default]
    Loose,
    /// Counted at the next use, then followed.
    Unknown,
    Known([u8; KEY_LEN]),
}

impl Deref for Ledger {
    type Target = KeyRing;

    fn deref(&self) -> &KeyRing {
        &self.keys
    }
}

impl Ledger {
    /// With these keys; every code is counted in full until [`Ledger::follow`].
    pub(super) fn new(keys: KeyRing) -> Self {
        Self { keys, sum: Arc::default() }
    }

    /// The keys alone.
    pub(super) fn into_keys(self) -> KeyRing {
        self.keys
    }

    /// Follows every change that this connection makes from now on: temporary triggers, which no file can bring,
    /// tell each row before and after. To be called when the schema is as it will stay.
    pub(super) fn follow(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let (changed, undone) = (Arc::clone(&self.sum), Arc::clone(&self.sum));
        let row_key = row_key(&self.keys.current);
        connection.create_scalar_function(FUNCTION, -1, FunctionFlags::SQLITE_UTF8, move |row| {
            lock(&changed).change(&row_key, row);
            Ok(Null)
        })?;
        // Also where a commit fails; the next one counts afresh.
        connection.rollback_hook(Some(move || lock(&undone).lose()))?;
        // Otherwise a row that a REPLACE pushes out goes untold.
        connection.pragma_update(None, "recursive_triggers", true)?;
        for (index, table) in COVERED.iter().enumerate() {
            connection.execute_batch(&triggers(connection, index, table.name)?)?;
        }
        *lock(&self.sum) = RunningSum::Unknown;
        Ok(())
    }

    fn sum(&self, connection: &Connection) -> Result<[u8; KEY_LEN], StoreError> {
        if let RunningSum::Known(sum) = *lock(&self.sum) {
            return Ok(sum);
        }
        let counted = count(connection, &self.keys.current)?;
        let mut sum = lock(&self.sum);
        if matches!(*sum, RunningSum::Unknown) {
            *sum = RunningSum::Known(counted);
        }
        Ok(counted)
    }
}

/// The triggers that tell a table's changes.
fn triggers(connection: &Connection, index: usize, table: &str) -> Result<String, StoreError> {
    // Asked as values: a damaged name is then an error, and a planted one cannot end its quotes.
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([table], |row| row.get::<_, String>(0))?
        .collect::<Result<_, _>>()?;
    let row = |side: &str| -> String {
        let quoted = columns.iter().map(|name| format!("{side}.\"{}\"", name.replace('"', "\"\"")));
        format!("SELECT {FUNCTION}({index}, {});", quoted.collect::<Vec<_>>().join(", "))
    };
    let trigger = |event: &str, told: String| {
        format!(
            "CREATE TEMP TRIGGER follow_{table}_{event} AFTER {event} ON main.{table} BEGIN {told} END;\n"
        )
    };
    Ok(trigger("INSERT", row("NEW"))
        + &trigger("DELETE", row("OLD"))
        + &trigger("UPDATE", row("OLD") + &row("NEW")))
}

/// Commits a transaction with its code: the only way that the store's changes become durable.
pub(super) fn commit(transaction: Transaction<'_>, ledger: &Ledger) -> Result<(), StoreError> {
    write(&transaction, ledger)?;
    transaction.commit()?;
    Ok(())
}

/// Renews the code.
pub(super) fn write(connection: &Connection, ledger: &Ledger) -> Result<(), StoreError> {
    let sum = ledger.sum(connection)?;
    // Every test of the store so compares the running sum with a full count.
    #[cfg(test)]
    assert_eq!(sum, count(connection, &ledger.current)?, "a change was not followed");
    connection.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('code', ?1), ('code key', ?2)",
        (code(&ledger.current, &sum), ledger.current.id()),
    )?;
    Ok(())
}

/// Compares the code with what is stored.
pub(super) fn check(connection: &Connection, ledger: &Ledger) -> Result<(), StoreError> {
    let key = ledger.find(&stored(connection, "code key")?).ok_or(StoreError::UnknownKey)?;
    let expected = code(key, &count(connection, key)?);
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

fn code(key: &WrappingKey, sum: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
    let mut mac = keyed(&key.derive(b"pam_pose store code v2"));
    mac.update(sum);
    mac.finalize().into_bytes().into()
}

fn row_key(key: &WrappingKey) -> Zeroizing<[u8; KEY_LEN]> {
    key.derive(b"pam_pose store rows v2")
}

/// The sum of all that is stored.
fn count(connection: &Connection, key: &WrappingKey) -> Result<[u8; KEY_LEN], StoreError> {
    let row_key = row_key(key);
    let mut sum = [0; KEY_LEN];
    for (index, table) in COVERED.iter().enumerate() {
        let mut statement = connection.prepare(&format!("SELECT * FROM {}", table.name))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let hash = hash_row(&row_key, index, columns, |column| row.get_ref(column))?;
            add(&mut sum, hash.as_ref());
        }
    }
    Ok(sum)
}

impl RunningSum {
    /// Takes a row in or out, which is the same; one that cannot be read makes the sum unknown.
    fn change(&mut self, row_key: &[u8; KEY_LEN], told: &Context<'_>) {
        let Self::Known(sum) = self else { return };
        let table = told.get::<u8>(0).map(usize::from);
        let columns = told.len().saturating_sub(1);
        match table.and_then(|table| hash_row(row_key, table, columns, |column| Ok(told.get_raw(column + 1))))
        {
            Ok(hash) => add(sum, hash.as_ref()),
            Err(_) => self.lose(),
        }
    }

    fn lose(&mut self) {
        if matches!(self, Self::Known(_)) {
            *self = Self::Unknown;
        }
    }
}

/// The keyed hash of a covered row; `None` for the rows of `meta` that are the code itself.
fn hash_row<'row>(
    key: &[u8; KEY_LEN],
    table: usize,
    columns: usize,
    value: impl Fn(usize) -> rusqlite::Result<ValueRef<'row>>,
) -> rusqlite::Result<Option<[u8; KEY_LEN]>> {
    let Some(covered) = COVERED.get(table) else { return Ok(None) };
    let mut mac = keyed(key);
    mac.update(&[u8::try_from(table).unwrap_or(u8::MAX)]);
    for column in 0..columns {
        let value = value(column)?;
        if covered.name == "meta"
            && column == 0
            && !matches!(value, ValueRef::Text(key) if META.contains(&key))
        {
            return Ok(None);
        }
        feed(&mut mac, value, covered.sealed == Some(column));
    }
    Ok(Some(mac.finalize().into_bytes().into()))
}

/// Type and length before each value, so that no two rows read alike.
fn feed(mac: &mut Hmac<Sha256>, value: ValueRef<'_>, sealed: bool) {
    let (kind, bytes): (u8, &[u8]) = match &value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(number) => (1, &number.to_le_bytes()),
        ValueRef::Real(number) => (2, &number.to_le_bytes()),
        ValueRef::Text(bytes) => (3, bytes),
        ValueRef::Blob(bytes) => (4, bytes),
    };
    mac.update(&[kind]);
    mac.update(&(bytes.len() as u64).to_le_bytes());
    match (bytes.first_chunk::<24>(), bytes.last_chunk::<16>()) {
        (Some(nonce), Some(tag)) if sealed => {
            mac.update(nonce);
            mac.update(tag);
        }
        _ => mac.update(bytes),
    }
}

fn keyed(key: &[u8; KEY_LEN]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0_u8; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    <Hmac<Sha256> as KeyInit>::new((&*block).into())
}

fn add(sum: &mut [u8; KEY_LEN], hash: Option<&[u8; KEY_LEN]>) {
    if let Some(hash) = hash {
        sum.iter_mut().zip(hash).for_each(|(to, from)| *to ^= from);
    }
}

fn lock(sum: &Mutex<RunningSum>) -> MutexGuard<'_, RunningSum> {
    sum.lock().unwrap_or_else(PoisonError::into_inner)
}
