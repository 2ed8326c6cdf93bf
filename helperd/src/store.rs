//! The store: users, sealed templates and password hashes, counters and open tries, in one SQLite file.
//!
//! # Rules
//! - Every change is one transaction with `synchronous=FULL`: power loss leaves the old or the new state.
//! - One process has the store open (`store.lock`); it is 0600 in a 0700 directory.
//! - A missing store is never re-created by itself: see [`Store::open`] and `files`.
//! - A try is reserved ([`Store::begin`]) before anything is checked, and only [`Store::conclude`] lets in.
//! - Every commit renews a keyed code over all that decides ([`integrity`]); a file without the right one is refused.
//! - Nothing stored is believed: rows are bounded by the schema, sealed rows are bound to their owner, and garbage
//!   is an error, never a panic and never "not enrolled".

mod changes;
#[cfg(any(test, fuzzing))]
mod damage;
mod delays;
mod error;
mod files;
mod generation;
mod integrity;
mod replay;
mod rotation;
mod schema;
mod seal;
mod tries;
mod users;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use crate::accounts::Account;
use crate::keys::{self, KeyRing};
pub use changes::Change;
pub use error::StoreError;
pub use files::{InstanceId, StorePaths};
pub use tries::{Begun, FinalOutcome, Gate, Judgement, Mode, Standing, TryId};
pub use users::{Adapted, Enrolled, EnrolmentInfo, NewEnrolment, StoredTemplate};

use seal::Owner;

/// The open store. One per process; callers share it behind a mutex.
pub struct Store {
    connection: Connection,
    keys: integrity::Ledger,
    paths: StorePaths,
    instance: InstanceId,
    _lock: files::Lock,
}

impl Store {
    /// Makes a new, empty store, which must not be there yet, for the installation whose mark is at `paths.mark`.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreError::InUse`] when a store is there already.
    pub fn create(paths: &StorePaths, keys: KeyRing) -> Result<Self, StoreError> {
        let lock = files::lock(paths)?;
        if paths.database().exists() {
            return Err(StoreError::InUse);
        }
        let instance = files::read_mark(paths)?;
        files::sweep_unfinished(paths)?;
        let keys = build(&paths.unfinished(), &instance, keys)?;
        generation::write_anchor(paths, &instance, 0)?;
        files::put_in_place(paths)?;
        drop(lock);
        Self::open(paths, keys)
    }

    /// Opens the store: checks who can reach it, that it is this installation's, that it is sound; migrates it
    /// after a backup; and sweeps what a crash left.
    ///
    /// A missing store is [`StoreError::Lost`], except once after installation: `store-admin` leaves
    /// `first-start` with the instance's id in the state directory, and this call makes the store and removes it.
    /// A store older than its anchor is [`StoreError::OldCopy`] (see `generation`). With an old key in the ring
    /// all users' keys are wrapped anew.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(paths: &StorePaths, keys: KeyRing) -> Result<Self, StoreError> {
        Self::open_with(paths, keys, schema::MIGRATIONS)
    }

    fn open_with(
        paths: &StorePaths,
        keys: KeyRing,
        migrations: &[schema::Migration],
    ) -> Result<Self, StoreError> {
        let lock = files::lock(paths)?;
        let instance = files::read_mark(paths)?;
        if !files::present(paths)? {
            if !files::first_start_ordered(paths, &instance)? {
                return Err(StoreError::Lost(paths.database()));
            }
            drop(lock);
            return Self::create(paths, keys);
        }
        files::check_header(paths)?;
        files::forget_first_start(paths)?;
        let mut connection = connect(&paths.database())?;
        let keys = integrity::Ledger::new(keys);
        check_sound(&connection)?;
        check_instance(&connection, &instance)?;
        files::migrate(paths, &mut connection, migrations, &keys)?;
        generation::check(paths, &mut connection, &keys, &instance)?;
        keys.follow(&mut connection)?;
        let mut store = Self { connection, keys, paths: paths.clone(), instance, _lock: lock };
        store.sweep_removed()?;
        if store.keys.old.is_some() {
            let count = store.rotate()?;
            tracing::info!("{count} users' keys wrapped anew; the old key can be deleted now");
        }
        Ok(store)
    }

    /// Where it lies.
    #[must_use]
    pub fn paths(&self) -> &StorePaths {
        &self.paths
    }

    /// Empties the write-ahead log, which holds old pages.
    fn truncate_log(&self) -> Result<(), StoreError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Tag of a typed name: keyed, because a name prompt sees passwords too.
    fn tag(&self, name: &str) -> [u8; 32] {
        keys::mac(&self.keys.current.derive(b"pam_pose name tags v1"), &[name.as_bytes()])
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.paths.database().display())
    }
}

/// Begins a transaction that writes; [`integrity::commit`] ends it.
fn write(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    Ok(Transaction::new(connection, TransactionBehavior::Immediate)?)
}

fn owner(account: &Account) -> Owner<'_> {
    Owner { name: &account.name, uid: account.uid }
}

/// A complete, closed database at `path`; hands the keys back.
fn build(path: &Path, instance: &InstanceId, keys: KeyRing) -> Result<KeyRing, StoreError> {
    files::create_private(path)?;
    let mut connection = connect(path)?;
    let ledger = integrity::Ledger::new(keys);
    schema::migrate(&mut connection, schema::MIGRATIONS, &ledger)?;
    connection.execute(
        "INSERT INTO meta (key, value) VALUES ('instance', ?1), ('generation', 0)",
        [instance.as_slice()],
    )?;
    integrity::write(&connection, &ledger)?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(ledger.into_keys())
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    // A planted schema (views, triggers) must not run anything.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    // Before anything is read: no second process can come in between.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

fn check_sound(connection: &Connection) -> Result<(), StoreError> {
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if answer == "ok" { Ok(()) } else { Err(StoreError::Corrupt(answer)) }
}

fn check_instance(connection: &Connection, mark: &InstanceId) -> Result<(), StoreError> {
    let stored: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM meta WHERE key = 'instance'", [], |row| row.get(0))
        .optional()?;
    if stored.as_deref() == Some(mark.as_slice()) { Ok(()) } else { Err(StoreError::Foreign) }
}

/// Seconds since 1970, for people's eyes only; nothing is decided by it.
fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
