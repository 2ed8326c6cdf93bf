//! Keyed digests of earlier attempts' landmark streams: a stream that comes again, exactly, is a recording.

use rusqlite::Transaction;

use super::StoreError;
use super::seal::UserKey;

/// Digests kept for one user; the oldest go.
const KEPT: i64 = 1_000;

/// Remembers a stream; whether it was known already.
pub(super) fn seen_before(
    transaction: &Transaction<'_>,
    user: i64,
    key: &UserKey,
    stream: &[u8],
) -> Result<bool, StoreError> {
    let digest = key.digest("landmark stream", stream);
    let next = "(SELECT coalesce(max(seen), 0) + 1 FROM digests WHERE user = ?1)";
    let added = transaction.execute(
        &format!("INSERT OR IGNORE INTO digests (user, digest, seen) VALUES (?1, ?2, {next})"),
        (user, digest),
    )?;
    transaction.execute(
        "DELETE FROM digests WHERE user = ?1
         AND seen <= (SELECT max(seen) FROM digests WHERE user = ?1) - ?2",
        (user, KEPT),
    )?;
    Ok(added == 0)
}
