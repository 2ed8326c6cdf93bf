//! The database's tables and their versioned migrations (`PRAGMA user_version`).

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{StoreError, integrity};

/// One migration: what takes the schema from the version before to this one.
pub(super) type Migration = &'static str;

/// In order; the schema version is how many have run.
pub(super) const MIGRATIONS: &[Migration] = &[V1, V2];

/// Names what a file is to `file(1)` and to [`super::files`]: "pPos" in big-endian ASCII.
pub(super) const APPLICATION_ID: i64 = 0x7050_6f73;

const V1: Migration = "
-- key: 'instance' (the mark's id, blob), 'generation' (integer, generation.rs), 'code' and 'code key' (blobs,
-- integrity.rs).
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
-- A removed user stays as a tombstone: no key, and so nothing that opens.
CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uid INTEGER NOT NULL CHECK (uid BETWEEN 0 AND 4294967295),
  key_id BLOB NOT NULL,
  wrapped_key BLOB,
  version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
  password BLOB,
  recovery BLOB,
  created INTEGER NOT NULL,
  removed INTEGER,
  CHECK ((wrapped_key IS NULL) = (removed IS NOT NULL))
) STRICT;
CREATE INDEX users_uid ON users (uid);
CREATE TABLE enrolments (
  id INTEGER PRIMARY KEY,
  user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  version INTEGER NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
  gesture BLOB NOT NULL,
  strength TEXT NOT NULL,
  recordings INTEGER NOT NULL CHECK (recordings BETWEEN 0 AND 255),
  created INTEGER NOT NULL,
  template BLOB NOT NULL
) STRICT;
CREATE INDEX enrolments_user ON enrolments (user);
CREATE TABLE counters (
  user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  origin INTEGER NOT NULL CHECK (origin IN (0, 1)),
  failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
  unjudged INTEGER NOT NULL CHECK (unjudged BETWEEN 0 AND 4294967295),
  lock_boot BLOB,
  lock_since INTEGER,
  lock_ms INTEGER,
  PRIMARY KEY (user, origin)
) STRICT, WITHOUT ROWID;
-- By keyed tag of the name: people type passwords at name prompts.
CREATE TABLE delays (
  tag BLOB NOT NULL,
  origin INTEGER NOT NULL CHECK (origin IN (0, 1)),
  wrong INTEGER NOT NULL CHECK (wrong BETWEEN 0 AND 4294967295),
  next_boot BLOB NOT NULL,
  next_ms INTEGER NOT NULL,
  touched INTEGER NOT NULL,
  PRIMARY KEY (tag, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX delays_touched ON delays (touched);
-- phase: 0 begun, 1 judging (password right), 2 challenge shown.
CREATE TABLE tries (
  id BLOB PRIMARY KEY,
  tag BLOB NOT NULL,
  user INTEGER REFERENCES users (id) ON DELETE CASCADE,
  origin INTEGER NOT NULL CHECK (origin IN (0, 1)),
  version INTEGER NOT NULL,
  phase INTEGER NOT NULL CHECK (phase IN (0, 1, 2))
) STRICT, WITHOUT ROWID;
CREATE TABLE digests (
  user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  digest BLOB NOT NULL,
  seen INTEGER NOT NULL,
  PRIMARY KEY (user, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor INTEGER NOT NULL,
  user TEXT NOT NULL,
  what TEXT NOT NULL
) STRICT;
";

/// One recording of a later login beside the enrolled ones, sealed; see `users/adapted.rs`.
const V2: Migration = "ALTER TABLE enrolments ADD COLUMN adapted BLOB;";

/// The schema version in the file.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Runs what is missing of `migrations`, all in one transaction.
pub(super) fn migrate(
    connection: &mut Connection,
    migrations: &[Migration],
    ledger: &integrity::Ledger,
) -> Result<(), StoreError> {
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let transaction = Transaction::new(connection, TransactionBehavior::Exclusive)?;
    let found = version(&transaction)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    let done = usize::try_from(found).map_err(|_| StoreError::Garbage("schema version"))?;
    for migration in migrations.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    integrity::commit(transaction, ledger)?;
    Ok(())
}
