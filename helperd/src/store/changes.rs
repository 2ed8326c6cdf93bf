//! What was changed, by whom and when: kept in the store beside the syslog line.

use rusqlite::Transaction;

use super::{Store, StoreError, generation, unix_now};

/// Changes kept; older ones go.
const KEPT: i64 = 5_000;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Seconds since 1970.
    pub at: i64,
    /// Uid of who asked.
    pub actor: u32,
    /// Whose enrolment.
    pub user: String,
    /// What: "enrolled", "removed", "password", "unlocked", "adaptation reset", "recovery code used", "keys rotated",
    /// "restored copy accepted".
    pub what: String,
}

impl Store {
    /// The latest changes, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn changes(&self, most: u32) -> Result<Vec<Change>, StoreError> {
        let mut statement =
            self.connection.prepare("SELECT at, actor, user, what FROM changes ORDER BY id DESC LIMIT ?1")?;
        let rows = statement.query_map([most], |row| {
            Ok(Change { at: row.get(0)?, actor: row.get(1)?, user: row.get(2)?, what: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Notes a change in the transaction that makes it, and raises the generation.
pub(super) fn note(
    transaction: &Transaction<'_>,
    actor: u32,
    user: &str,
    what: &str,
) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO changes (at, actor, user, what) VALUES (?1, ?2, ?3, ?4)",
        (unix_now(), actor, user, what),
    )?;
    generation::raise(transaction)?;
    transaction.execute("DELETE FROM changes WHERE id <= (SELECT max(id) FROM changes) - ?1", [KEPT])?;
    Ok(())
}
