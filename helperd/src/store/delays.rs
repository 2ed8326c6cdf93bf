//! Delays after wrong passwords: one row a name and origin, for names that exist and names that do not.

use rusqlite::{OptionalExtension, Transaction};

use super::{StoreError, unix_now};
use crate::lockout::{BootId, Delay, Moment, Origin};

/// Rows kept; the longest untouched go. Bounds what a stranger who tries names can fill.
const KEPT: i64 = 4_096;

pub(super) fn read(
    transaction: &Transaction<'_>,
    tag: &[u8],
    origin: Origin,
    now: &Moment,
) -> Result<Delay, StoreError> {
    let row = transaction
        .query_row(
            "SELECT wrong, next_boot, next_ms FROM delays WHERE tag = ?1 AND origin = ?2",
            (tag, origin as u8),
            |row| Ok((row.get::<_, u32>(0)?, row.get::<_, BootId>(1)?, row.get::<_, i64>(2)?)),
        )
        .optional()?;
    let Some((wrong, boot, ms)) = row else { return Ok(Delay::none(*now)) };
    let ms = u64::try_from(ms).map_err(|_| StoreError::Garbage("delay"))?;
    Ok(Delay { wrong, next: Moment { boot, ms } })
}

pub(super) fn write(
    transaction: &Transaction<'_>,
    tag: &[u8],
    origin: Origin,
    delay: &Delay,
) -> Result<(), StoreError> {
    if delay.wrong == 0 {
        return clear(transaction, tag, origin);
    }
    let ms = i64::try_from(delay.next.ms).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT OR REPLACE INTO delays (tag, origin, wrong, next_boot, next_ms, touched)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (tag, origin as u8, delay.wrong, delay.next.boot, ms, unix_now()),
    )?;
    transaction.execute(
        "DELETE FROM delays WHERE (tag, origin) IN (
           SELECT tag, origin FROM delays ORDER BY touched DESC, tag LIMIT -1 OFFSET ?1)",
        [KEPT],
    )?;
    Ok(())
}

pub(super) fn clear(transaction: &Transaction<'_>, tag: &[u8], origin: Origin) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM delays WHERE tag = ?1 AND origin = ?2", (tag, origin as u8))?;
    Ok(())
}
