//! Key rotation: every user's key is wrapped anew, all in one transaction, as soon as a ring with an old key comes.

use super::seal::Owner;
use super::users::read_user;
use super::{Store, StoreError, changes, files, integrity, write};

impl Store {
    /// Wraps all users' keys with the current key, if some are not. Templates stay as they are: their keys do not
    /// change. Answers how many were wrapped anew; after that the old key opens nothing here and can be deleted.
    /// Delays after wrong passwords start afresh, as their names are tagged with the old key.
    ///
    /// # Errors
    /// [`StoreError::UnknownKey`] when a user's key was wrapped by neither key: then nothing is changed.
    pub(super) fn rotate(&mut self) -> Result<usize, StoreError> {
        let current = self.keys.current.id();
        let transaction = write(&mut self.connection)?;
        let ids: Vec<i64> = transaction
            .prepare("SELECT id FROM users WHERE removed IS NULL AND key_id <> ?1")?
            .query_map([current], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &ids {
            let user = read_user(&transaction, *id)?;
            let key = user.key(&self.keys)?;
            let wrapped = key.wrap(&self.keys.current, Owner { name: &user.name, uid: user.uid })?;
            transaction.execute(
                "UPDATE users SET key_id = ?2, wrapped_key = ?3 WHERE id = ?1",
                (id, current, wrapped),
            )?;
        }
        if ids.is_empty() && integrity::is_current(&transaction, &self.keys)? {
            return Ok(0);
        }
        transaction.execute("DELETE FROM delays", [])?;
        changes::note(&transaction, 0, "", "keys rotated")?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        // The log still holds the old wrapping.
        self.truncate_log()?;
        // So do copies made before migrations, which nobody could put back once the old key is deleted.
        files::remove_backups(&self.paths)?;
        Ok(ids.len())
    }
}
