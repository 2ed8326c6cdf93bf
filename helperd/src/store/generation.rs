//! The store's generation, and its anchor outside the state directory: an old copy put back is noticed.
//!
//! Every change of an enrolment and every counted refusal raises the generation in its own transaction; the anchor
//! follows after the commit, so that it is never ahead of the store that wrote it. A store behind its anchor is an
//! old copy: in it a removed enrolment, a used recovery code or a counted try would live again.
//!
//! The anchor is a file of one line, `<instance id> <generation>`. Whoever can put back the whole disk puts back
//! the anchor too; this is told where the threats are told.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::files::{self, InstanceId};
use super::{Store, StoreError, StorePaths, changes, integrity};
use crate::config::trusted::{self, Owner};

/// Raises the generation in a transaction that changes something.
pub(super) fn raise(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let raised = transaction.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'", [])?;
    if raised == 1 { Ok(()) } else { Err(StoreError::Garbage("generation")) }
}

fn read(connection: &Connection) -> Result<u64, StoreError> {
    let stored: i64 =
        connection.query_row("SELECT value FROM meta WHERE key = 'generation'", [], |row| row.get(0))?;
    u64::try_from(stored).map_err(|_| StoreError::Garbage("generation"))
}

/// Refuses a store that is behind its anchor, or whose anchor is gone, unless root has accepted it: an
/// `accept-restored` file with the instance's id in the state directory, used up here.
pub(super) fn check(
    paths: &StorePaths,
    connection: &mut Connection,
    ledger: &integrity::Ledger,
    instance: &InstanceId,
) -> Result<(), StoreError> {
    let found = read(connection)?;
    let anchored = read_anchor(&paths.anchor, instance)?;
    if anchored.is_some_and(|anchored| found >= anchored) {
        return write_anchor(paths, instance, found);
    }
    if !files::ordered(&paths.accept_restored(), instance)? {
        return Err(StoreError::OldCopy);
    }
    let transaction = connection.transaction()?;
    let next = anchored.unwrap_or_default().max(found).saturating_add(1);
    let next = i64::try_from(next).map_err(|_| StoreError::Garbage("generation"))?;
    transaction.execute("UPDATE meta SET value = ?1 WHERE key = 'generation'", [next])?;
    changes::note(&transaction, 0, "", "restored copy accepted")?;
    integrity::commit(transaction, ledger)?;
    write_anchor(paths, instance, read(connection)?)?;
    files::remove_if_there(&paths.accept_restored())
}

impl Store {
    /// Whether the store can be read now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn check(&self) -> Result<(), StoreError> {
        read(&self.connection).map(drop)
    }

    /// Lets the anchor follow a committed change. A failure is no reason to undo the change: the anchor only lags,
    /// and the next change or start lets it follow again.
    pub(super) fn anchor(&self) {
        let followed = read(&self.connection)
            .and_then(|generation| write_anchor(&self.paths, &self.instance, generation));
        if let Err(error) = followed {
            tracing::warn!("the store's anchor {} lags: {error}", self.paths.anchor.display());
        }
    }
}

fn read_anchor(path: &Path, instance: &InstanceId) -> Result<Option<u64>, StoreError> {
    let Some(bytes) = trusted::read(path, Owner::RootOrCaller, 128)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let mut words = text.split_ascii_whitespace();
    let id = words.next().and_then(|word| files::parse_id(word.as_bytes()));
    let generation = words.next().and_then(|word| word.parse().ok());
    // Another installation's anchor, or a damaged one, vouches for nothing.
    Ok(if id.as_ref() == Some(instance) { generation } else { None })
}

/// Replaces the anchor durably, if it says something else.
pub(super) fn write_anchor(
    paths: &StorePaths,
    instance: &InstanceId,
    generation: u64,
) -> Result<(), StoreError> {
    if read_anchor(&paths.anchor, instance)? == Some(generation) {
        return Ok(());
    }
    let directory = paths.anchor.parent().unwrap_or(Path::new("/"));
    let unfinished = paths.anchor.with_extension("new");
    files::remove_if_there(&unfinished)?;
    let mut file = files::private_options().create_new(true).open(&unfinished).map_err(files::io)?;
    let line = format!("{} {generation}\n", files::print_id(instance));
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(files::io)?;
    std::fs::rename(&unfinished, &paths.anchor).map_err(files::io)?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(files::io)
}
