//! Writes anything into any column, as a damaged disk does: for the tests and the fuzzer, in no other build.

use rusqlite::types::Value;

use super::Store;

/// Every column that this program reads.
const COLUMNS: &[(&str, &[&str])] = &[
    (
        "users",
        &["name", "uid", "key_id", "wrapped_key", "version", "password", "recovery", "created", "removed"],
    ),
    ("enrolments", &["version", "gesture", "strength", "recordings", "created", "template", "adapted"]),
    ("counters", &["origin", "failures", "unjudged", "lock_boot", "lock_since", "lock_ms"]),
    ("delays", &["tag", "origin", "wrong", "next_boot", "next_ms", "touched"]),
    ("tries", &["tag", "user", "origin", "version", "phase"]),
    ("digests", &["digest", "seen"]),
    ("changes", &["at", "actor", "user", "what"]),
    ("meta", &["value"]),
];

impl Store {
    /// Writes each of `garbage` (table, column, value; the numbers wrap around) past the schema's checks, and from
    /// then on does not wait for the disk: what follows is about contents.
    #[allow(clippy::expect_used, clippy::indexing_slicing, reason = "in no build that serves")]
    pub fn damage(&mut self, mut garbage: impl FnMut() -> Option<(usize, usize, Value)>) {
        let set = |name, value: bool| self.connection.pragma_update(None, name, value).expect("a pragma");
        set("ignore_check_constraints", true);
        set("foreign_keys", false);
        set("synchronous", false);
        while let Some((table, column, value)) = garbage() {
            let (table, columns) = COLUMNS[table % COLUMNS.len()];
            let column = columns[column % columns.len()];
            // Strict tables refuse some types themselves; that is as good.
            let _ = self.connection.execute(&format!("UPDATE OR IGNORE {table} SET {column} = ?1"), [&value]);
        }
        set("foreign_keys", true);
    }
}
