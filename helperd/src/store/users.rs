//! Users and their enrolments: enrol, read back, remove, password and recovery code.

mod adapted;
mod row;

use rusqlite::Transaction;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::seal::UserKey;
use super::{Store, StoreError, changes, files, integrity, owner, unix_now, write};
use crate::accounts::Account;
use crate::secret::recovery::RecoveryCode;
pub use adapted::Adapted;
pub(super) use adapted::keep;
pub(super) use row::{Found, UserRow, find, read_user};

const TEMPLATE: &str = "template";
const GESTURE: &str = "gesture label";
const PASSWORD: &str = "password hash";
const RECOVERY: &str = "recovery code";

/// What an enrolment stores.
pub struct NewEnrolment<'a> {
    /// The engine's encoded template.
    pub template: &'a [u8],
    /// The user's own label of the gesture (stored sealed: it may describe it).
    pub gesture: &'a str,
    /// Recordings it was made of.
    pub recordings: u8,
    /// The strength meter's word.
    pub strength: &'a str,
    /// PHC string of the password to store; `None` keeps what is stored.
    pub password: Option<&'a str>,
    /// Replace all earlier gestures (the new one revokes them) instead of adding one.
    pub replace: bool,
    /// Gestures that one user may keep.
    pub most_gestures: u32,
}

/// An enrolment was stored.
#[derive(Debug)]
pub struct Enrolled {
    /// The user's new template version.
    pub version: u32,
    /// The one-time recovery code, told once; only its keyed hash is kept. Every enrolment makes a new one.
    pub recovery_code: RecoveryCode,
}

/// A template read back.
pub struct StoredTemplate {
    /// Names the enrolment in this store.
    pub enrolment: i64,
    /// A later login's recording, in the engine's encoding, where one is kept.
    pub adapted: Option<Zeroizing<Vec<u8>>>,
    /// The engine's encoded template.
    pub template: Zeroizing<Vec<u8>>,
    /// The user's label.
    pub gesture: String,
}

/// One enrolment or tombstone, for listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentInfo {
    /// Canonical user name.
    pub user: String,
    /// Uid at enrolment.
    pub uid: u32,
    /// Template version.
    pub version: u32,
    /// The user's label; empty for a tombstone.
    pub gesture: String,
    /// Seconds since 1970; of the removal for a tombstone.
    pub created: i64,
    /// Recordings it was made of.
    pub recordings: u8,
    /// The strength meter's word.
    pub strength: String,
    /// A tombstone: the enrolment was removed.
    pub removed: bool,
}

impl Store {
    /// Stores an enrolment. The first one of a user, and one after a removal, makes a new user key.
    ///
    /// # Errors
    /// [`StoreError::Recreated`] while an earlier account of that name or uid is enrolled,
    /// [`StoreError::TooManyGestures`]; see [`StoreError`].
    pub fn enrol(
        &mut self,
        account: &Account,
        new: &NewEnrolment<'_>,
        actor: u32,
    ) -> Result<Enrolled, StoreError> {
        let recovery_code = RecoveryCode::generate().ok_or(StoreError::Randomness)?;
        let transaction = write(&mut self.connection)?;
        let (user, key) = match find(&transaction, account)? {
            Found::Enrolled(user) => {
                let key = user.key(&self.keys)?;
                (user, key)
            }
            Found::Removed(id) => {
                transaction.execute("DELETE FROM enrolments WHERE user = ?1", [id])?;
                row::revive(&transaction, &self.keys, account, id)?
            }
            Found::Unknown => row::insert(&transaction, &self.keys, account)?,
            Found::Recreated => return Err(StoreError::Recreated),
        };
        if new.replace {
            transaction.execute("DELETE FROM enrolments WHERE user = ?1", [user.id])?;
            transaction.execute("DELETE FROM digests WHERE user = ?1", [user.id])?;
        }
        let kept: u32 =
            transaction
                .query_row("SELECT count(*) FROM enrolments WHERE user = ?1", [user.id], |row| row.get(0))?;
        if kept >= new.most_gestures {
            return Err(StoreError::TooManyGestures);
        }
        let version = user.next_version()?;
        insert_enrolment(&transaction, &key, account, user.id, version, new)?;
        if let Some(phc) = new.password {
            store_password(&transaction, &key, account, user.id, phc)?;
        }
        transaction.execute(
            "UPDATE users SET version = ?2, recovery = ?3 WHERE id = ?1",
            (user.id, version, key.digest(RECOVERY, recovery_code.symbols())),
        )?;
        changes::note(&transaction, actor, &account.name, "enrolled")?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        Ok(Enrolled { version, recovery_code })
    }

    /// The user's templates and their version, which [`Store::conclude`] compares again.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`], also for a tombstone; see [`StoreError`].
    pub fn templates(&self, account: &Account) -> Result<(u32, Vec<StoredTemplate>), StoreError> {
        let (user, key) = self.enrolled(account)?;
        let mut statement = self.connection.prepare(
            "SELECT version, gesture, template, id, adapted FROM enrolments WHERE user = ?1 ORDER BY id",
        )?;
        let mut rows = statement.query([user.id])?;
        let mut templates = Vec::new();
        while let Some(row) = rows.next()? {
            let version: u32 = row.get(0)?;
            let gesture: Vec<u8> = row.get(1)?;
            let sealed: Vec<u8> = row.get(2)?;
            let later: Option<Vec<u8>> = row.get(4)?;
            templates.push(StoredTemplate {
                enrolment: row.get(3)?,
                adapted: later.map(|sealed| adapted::open(&key, account, version, &sealed)).transpose()?,
                template: key.open(TEMPLATE, owner(account), version, &sealed)?,
                gesture: open_text(&key, GESTURE, account, version, &gesture)?,
            });
        }
        // A user without templates is never written: rows were lost, and that is not "never enrolled".
        if templates.is_empty() {
            Err(StoreError::Garbage("enrolment"))
        } else {
            Ok((user.version, templates))
        }
    }

    /// How an account's enrolment stands: another number after every enrolment and removal, 0 for an account that
    /// never had one.
    ///
    /// # Errors
    /// [`StoreError::Recreated`]; see [`StoreError`].
    pub fn version(&self, account: &Account) -> Result<u32, StoreError> {
        match find(&self.connection, account)? {
            Found::Enrolled(user) => Ok(user.version),
            Found::Removed(id) => Ok(read_user(&self.connection, id)?.version),
            Found::Unknown => Ok(0),
            Found::Recreated => Err(StoreError::Recreated),
        }
    }

    /// The PHC string of the user's password; `None` when none is stored or the user is not enrolled, so that the
    /// caller checks against nothing at the same cost.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn password(&self, account: &Account) -> Result<Option<Zeroizing<String>>, StoreError> {
        let (user, key) = match self.enrolled(account) {
            Ok(found) => found,
            Err(StoreError::NotEnrolled | StoreError::Recreated) => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(sealed) = user.password else { return Ok(None) };
        let plain = key.open(PASSWORD, owner(account), 0, &sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| StoreError::Garbage("password hash"))?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    /// Replaces the password's PHC string.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`]; see [`StoreError`].
    pub fn set_password(&mut self, account: &Account, phc: &str, actor: u32) -> Result<(), StoreError> {
        let (user, key) = self.enrolled(account)?;
        let transaction = write(&mut self.connection)?;
        store_password(&transaction, &key, account, user.id, phc)?;
        changes::note(&transaction, actor, &account.name, "password")?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        Ok(())
    }

    /// Replaces the PHC string by one of the same password at another cost: nothing that a person changed.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`]; see [`StoreError`].
    pub fn renew_password_hash(&mut self, account: &Account, phc: &str) -> Result<(), StoreError> {
        let (user, key) = self.enrolled(account)?;
        let transaction = write(&mut self.connection)?;
        store_password(&transaction, &key, account, user.id, phc)?;
        integrity::commit(transaction, &self.keys)?;
        Ok(())
    }

    /// Uses up the one-time recovery code: `true` once, for the right one. Ends lock-outs as well.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`]; see [`StoreError`].
    pub fn use_recovery_code(
        &mut self,
        account: &Account,
        code: &RecoveryCode,
        actor: u32,
    ) -> Result<bool, StoreError> {
        let (user, key) = self.enrolled(account)?;
        let digest = key.digest(RECOVERY, code.symbols());
        let transaction = write(&mut self.connection)?;
        let stored: Option<Vec<u8>> =
            transaction.query_row("SELECT recovery FROM users WHERE id = ?1", [user.id], |row| row.get(0))?;
        if !stored.is_some_and(|stored| bool::from(stored.as_slice().ct_eq(&digest))) {
            return Ok(false);
        }
        transaction.execute("UPDATE users SET recovery = NULL WHERE id = ?1", [user.id])?;
        transaction.execute("DELETE FROM counters WHERE user = ?1", [user.id])?;
        changes::note(&transaction, actor, &account.name, "recovery code used")?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        Ok(true)
    }

    /// Makes a recovery code that was used up good again, because nothing was changed with it. A newer one stands.
    ///
    /// # Errors
    /// [`StoreError::NotEnrolled`]; see [`StoreError`].
    pub fn give_back_recovery_code(
        &mut self,
        account: &Account,
        code: &RecoveryCode,
        actor: u32,
    ) -> Result<(), StoreError> {
        let (user, key) = self.enrolled(account)?;
        let transaction = write(&mut self.connection)?;
        transaction.execute(
            "UPDATE users SET recovery = ?2 WHERE id = ?1 AND recovery IS NULL",
            (user.id, key.digest(RECOVERY, code.symbols())),
        )?;
        changes::note(&transaction, actor, &account.name, "recovery code given back")?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        Ok(())
    }

    /// Removes a user's enrolments. The key goes first and by itself: once that is durable nothing sealed opens
    /// any more, also if the rest is interrupted. A tombstone stays. By stored name, so that it works for accounts
    /// that are gone or re-created. `false` when nobody of that name is enrolled.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn remove(&mut self, name: &str, actor: u32) -> Result<bool, StoreError> {
        if !self.destroy_key(name, actor)? {
            return Ok(false);
        }
        self.sweep_removed()?;
        files::remove_backups(&self.paths)?;
        Ok(true)
    }

    /// The first, deciding half of a removal.
    pub(super) fn destroy_key(&mut self, name: &str, actor: u32) -> Result<bool, StoreError> {
        let transaction = write(&mut self.connection)?;
        let destroyed = transaction.execute(
            "UPDATE users SET wrapped_key = NULL, password = NULL, recovery = NULL, removed = ?2,
               version = version + 1
             WHERE name = ?1 AND removed IS NULL",
            (name, unix_now()),
        )?;
        if destroyed == 0 {
            return Ok(false);
        }
        changes::note(&transaction, actor, name, "removed")?;
        integrity::commit(transaction, &self.keys)?;
        self.anchor();
        Ok(true)
    }

    /// All enrolments and tombstones, or one user's.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn list(&self, name: Option<&str>) -> Result<Vec<EnrolmentInfo>, StoreError> {
        let mut statement =
            self.connection.prepare("SELECT id FROM users WHERE ?1 IS NULL OR name = ?1 ORDER BY name")?;
        let ids: Vec<i64> = statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut list = Vec::new();
        for id in ids {
            let user = read_user(&self.connection, id)?;
            match user.removed {
                Some(removed) => list.push(user.tombstone(removed)),
                None => self.list_user(&user, &mut list)?,
            }
        }
        Ok(list)
    }

    fn list_user(&self, user: &UserRow, list: &mut Vec<EnrolmentInfo>) -> Result<(), StoreError> {
        let account = Account { name: user.name.clone(), uid: user.uid };
        let key = user.key(&self.keys)?;
        let mut statement = self.connection.prepare(
            "SELECT version, gesture, strength, recordings, created FROM enrolments WHERE user = ?1 ORDER BY id",
        )?;
        let mut rows = statement.query([user.id])?;
        while let Some(row) = rows.next()? {
            let version: u32 = row.get(0)?;
            let gesture: Vec<u8> = row.get(1)?;
            list.push(EnrolmentInfo {
                user: user.name.clone(),
                uid: user.uid,
                version,
                gesture: open_text(&key, GESTURE, &account, version, &gesture)?,
                created: row.get(4)?,
                recordings: row.get(3)?,
                strength: row.get(2)?,
                removed: false,
            });
        }
        Ok(())
    }

    /// Deletes what tombstones still have (all of it unopenable) and empties the log, which holds old pages.
    pub(super) fn sweep_removed(&mut self) -> Result<(), StoreError> {
        let transaction = write(&mut self.connection)?;
        let mut swept = 0;
        for table in ["enrolments", "counters", "digests", "tries"] {
            swept += transaction.execute(
                &format!(
                    "DELETE FROM {table} WHERE user IN (SELECT id FROM users WHERE removed IS NOT NULL)"
                ),
                [],
            )?;
        }
        integrity::commit(transaction, &self.keys)?;
        if swept > 0 {
            self.truncate_log()?;
        }
        Ok(())
    }

    pub(super) fn enrolled(&self, account: &Account) -> Result<(UserRow, UserKey), StoreError> {
        match find(&self.connection, account)? {
            Found::Enrolled(user) => {
                let key = user.key(&self.keys)?;
                Ok((user, key))
            }
            Found::Recreated => Err(StoreError::Recreated),
            Found::Removed(_) | Found::Unknown => Err(StoreError::NotEnrolled),
        }
    }
}

fn insert_enrolment(
    transaction: &Transaction<'_>,
    key: &UserKey,
    account: &Account,
    user: i64,
    version: u32,
    new: &NewEnrolment<'_>,
) -> Result<(), StoreError> {
    let gesture = key.seal(GESTURE, owner(account), version, new.gesture.as_bytes())?;
    let template = key.seal(TEMPLATE, owner(account), version, new.template)?;
    transaction.execute(
        "INSERT INTO enrolments (user, version, gesture, strength, recordings, created, template)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (user, version, gesture, new.strength, new.recordings, unix_now(), template),
    )?;
    Ok(())
}

fn store_password(
    transaction: &Transaction<'_>,
    key: &UserKey,
    account: &Account,
    user: i64,
    phc: &str,
) -> Result<(), StoreError> {
    let sealed = key.seal(PASSWORD, owner(account), 0, phc.as_bytes())?;
    transaction.execute("UPDATE users SET password = ?2 WHERE id = ?1", (user, sealed))?;
    Ok(())
}

fn open_text(
    key: &UserKey,
    what: &'static str,
    account: &Account,
    version: u32,
    sealed: &[u8],
) -> Result<String, StoreError> {
    let plain = key.open(what, owner(account), version, sealed)?;
    std::str::from_utf8(&plain).map(ToOwned::to_owned).map_err(|_| StoreError::Garbage(what))
}
