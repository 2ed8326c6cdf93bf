//! Rows of `tries` and `counters`.

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::super::StoreError;
use super::TryId;
use crate::lockout::{BootId, Counter, Lock, Moment, Origin};

/// How far a try has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Before the password.
    Begun = 0,
    /// The password was right.
    Judging = 1,
    /// A challenge was shown.
    Shown = 2,
}

/// A row of `tries`.
pub(super) struct Try {
    pub(super) id: TryId,
    pub(super) tag: [u8; 32],
    pub(super) user: Option<i64>,
    pub(super) origin: Origin,
    pub(super) version: u32,
    pub(super) phase: Phase,
}

impl Try {
    /// For a name that is not enrolled, until told otherwise.
    pub(super) fn new(id: TryId, tag: [u8; 32], origin: Origin) -> Self {
        Self { id, tag, user: None, origin, version: 0, phase: Phase::Begun }
    }

    pub(super) fn insert(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        transaction.execute(
            "INSERT INTO tries (id, tag, user, origin, version, phase) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (self.id.0, self.tag, self.user, self.origin as u8, self.version, self.phase as u8),
        )?;
        Ok(())
    }

    pub(super) fn read(transaction: &Transaction<'_>, id: TryId) -> Result<Self, StoreError> {
        transaction
            .query_row(
                "SELECT id, tag, user, origin, version, phase FROM tries WHERE id = ?1",
                [id.0],
                from_row,
            )
            .optional()?
            .ok_or(StoreError::NoSuchTry)
    }

    pub(super) fn update_phase(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        transaction.execute("UPDATE tries SET phase = ?2 WHERE id = ?1", (self.id.0, self.phase as u8))?;
        Ok(())
    }

    pub(super) fn delete(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        transaction.execute("DELETE FROM tries WHERE id = ?1", [self.id.0])?;
        Ok(())
    }

    /// Other tries of the same user and origin that count already.
    pub(super) fn others_judging(&self, transaction: &Transaction<'_>) -> Result<u32, StoreError> {
        Ok(transaction.query_row(
            "SELECT count(*) FROM tries WHERE user = ?1 AND origin = ?2 AND phase > 0 AND id <> ?3",
            (self.user, self.origin as u8, self.id.0),
            |row| row.get(0),
        )?)
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Try> {
    let bad = |value| rusqlite::Error::from(FromSqlError::OutOfRange(value));
    Ok(Try {
        id: TryId(row.get(0)?),
        tag: row.get(1)?,
        user: row.get(2)?,
        origin: match row.get::<_, i64>(3)? {
            0 => Origin::Root,
            1 => Origin::Own,
            other => return Err(bad(other)),
        },
        version: row.get(4)?,
        phase: match row.get::<_, i64>(5)? {
            0 => Phase::Begun,
            1 => Phase::Judging,
            2 => Phase::Shown,
            other => return Err(bad(other)),
        },
    })
}

/// A user's counter for an origin; a fresh one when there is none.
pub(super) fn counter(connection: &Connection, user: i64, origin: Origin) -> Result<Counter, StoreError> {
    type Stored = (u32, u32, Option<BootId>, Option<i64>, Option<i64>);
    let stored: Option<Stored> = connection
        .query_row(
            "SELECT failures, unjudged, lock_boot, lock_since, lock_ms FROM counters
             WHERE user = ?1 AND origin = ?2",
            (user, origin as u8),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )
        .optional()?;
    let Some((failures, unjudged, boot, since, ms)) = stored else { return Ok(Counter::default()) };
    let lock = match (boot, since, ms) {
        (None, None, None) => None,
        (Some(boot), Some(since), Some(ms)) => {
            let unsigned = |value: i64| u64::try_from(value).map_err(|_| StoreError::Garbage("lock"));
            Some(Lock { since: Moment { boot, ms: unsigned(since)? }, ms: unsigned(ms)? })
        }
        _ => return Err(StoreError::Garbage("lock")),
    };
    Ok(Counter { failures, unjudged, lock })
}

/// Writes a counter back.
pub(super) fn write_counter(
    transaction: &Transaction<'_>,
    user: i64,
    origin: Origin,
    counter: &Counter,
) -> Result<(), StoreError> {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT OR REPLACE INTO counters (user, origin, failures, unjudged, lock_boot, lock_since, lock_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            user,
            origin as u8,
            counter.failures,
            counter.unjudged,
            counter.lock.map(|lock| lock.since.boot),
            counter.lock.map(|lock| signed(lock.since.ms)),
            counter.lock.map(|lock| signed(lock.ms)),
        ),
    )?;
    Ok(())
}
