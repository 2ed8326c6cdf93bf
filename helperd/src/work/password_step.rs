//! The password step of a pass: asked, one turn apart, checked at the same cost for every name, and the gate behind
//! it from which on a try counts.

use pose_contract::{Outcome, ask};

use super::login::{Ended, Judged, Pass, refuse_standing};
use super::verdict::Verdict;
use super::{PROMPT_LIMIT, Work, store_failed};
use crate::accounts::Account;
use crate::lockout::Turn;
use crate::secret::Secret;
use crate::secret::recovery::RecoveryCode;
use crate::store::{Begun, Gate, Standing};

impl Pass<'_> {
    /// Asks for the password and checks it, at the same cost for every name. `Some` when a recovery code took its
    /// place and the pose's.
    pub(super) fn check_password(&self, begun: &Begun) -> Result<Option<Judged>, Ended> {
        let text = if self.question == ask::PASSWORD { "Password: " } else { "Password or recovery code: " };
        let secret = self.work.attempt.ask(self.question, text, PROMPT_LIMIT).map_err(Verdict::stopped)?;
        self.take_turn(begun)?;
        if self.question == ask::PASSWORD_OR_RECOVERY && self.recovers(&secret)? {
            return Ok(Some(Judged::without_capture(Outcome::Done, "recovery code used".into())));
        }
        let right = self.is_password(&secret)?;
        drop(secret);
        let wrong = || Verdict::of(Outcome::WrongPassword, "wrong password");
        match begun.standing {
            // There is nothing to compare with; the next password waits its turn all the same.
            Standing::NotEnrolled | Standing::Removed | Standing::Recreated => {
                self.capture_anyway();
                let verdict = refuse_standing(begun.standing).err().unwrap_or_else(wrong);
                Err(Ended { verdict, judged_as: Outcome::WrongPassword })
            }
            _ if !right => {
                self.capture_anyway();
                Err(wrong().into())
            }
            // Read again there: a lock that held when the prompt came up may have ended before it was answered.
            Standing::Enrolled | Standing::LockedOut(_) | Standing::Busy => {
                self.pass_gate(begun).map(|()| None)
            }
        }
    }

    /// From here on the try counts.
    fn pass_gate(&self, begun: &Begun) -> Result<(), Ended> {
        let now = self.work.now()?;
        let limits = &self.work.daemon.config.lockout;
        match self.work.daemon.store().password_right(begun.id, limits, &now).map_err(store_failed)? {
            Gate::Go => Ok(()),
            Gate::Stop(standing) => {
                refuse_standing(standing)?;
                Err(Verdict::of(Outcome::Internal, "the store stopped an open try").into())
            }
        }
    }

    /// Waits for this password's turn, so that guesses come one delay apart however many callers send them.
    fn take_turn(&self, begun: &Begun) -> Result<(), Verdict> {
        let now = self.work.now()?;
        let limits = &self.work.daemon.config.lockout;
        let turn = self.work.daemon.store().password_turn(begun.id, limits, &now).map_err(store_failed)?;
        match turn {
            Turn::After(wait) => self.work.attempt.pause(wait).map_err(Verdict::stopped),
            Turn::TooMany => Err(Verdict::of(Outcome::Busy, "too many passwords wait to be checked")
                .with_text("Too many tries at once; wait a moment and try again")),
        }
    }

    fn is_password(&self, secret: &Secret) -> Result<bool, Verdict> {
        let stored = match self.account {
            Some(account) => self.work.daemon.store().password(account).map_err(store_failed)?,
            None => None,
        };
        let checked = self.work.daemon.passwords.check(secret, stored.as_ref().map(|phc| phc.as_str()));
        let checked = checked.map_err(|error| Verdict::of(Outcome::Internal, error.to_string()))?;
        if let (true, Some(account)) = (checked.rehash, self.account) {
            self.renew_hash(account, secret);
        }
        Ok(checked.right)
    }

    /// The configured cost has changed: the hash follows with the first right password. No login fails for it.
    fn renew_hash(&self, account: &Account, secret: &Secret) {
        let hash = self.work.daemon.passwords.hash(secret).map_err(|error| error.to_string());
        let renewed = hash.and_then(|phc| {
            let mut store = self.work.daemon.store();
            store.renew_password_hash(account, &phc).map_err(|error| error.to_string())
        });
        if let Err(error) = renewed {
            tracing::warn!("the password hash of {} keeps its old cost: {error}", account.name);
        }
    }

    fn recovers(&self, secret: &Secret) -> Result<bool, Verdict> {
        self.account.map_or(Ok(false), |account| uses_recovery_code(self.work, account, secret))
    }
}

/// Whether it is the account's recovery code, which is used up by this until [`super::change::Right`] gives it back.
pub(super) fn uses_recovery_code(
    work: &Work<'_>,
    account: &Account,
    secret: &Secret,
) -> Result<bool, Verdict> {
    let Some(code) = RecoveryCode::parse(secret) else { return Ok(false) };
    let actor = work.caller().uid;
    let used = work.daemon.store().use_recovery_code(account, &code, actor).map_err(store_failed)?;
    if used {
        work.daemon.audit.change(&account.name, actor, "recovery code used");
        work.recovered_with.set(Some(code));
    }
    Ok(used)
}
