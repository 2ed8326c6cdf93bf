//! Changes to enrolments, and who may make them: root, whoever passes in full, or the holder of a recovery code.

use std::sync::MutexGuard;
use std::time::Duration;

use pose_contract::{Outcome, ask};

use super::login::Pass;
use super::password_step::uses_recovery_code;
use super::verdict::Verdict;
use super::{PROMPT_LIMIT, Work, store_failed, store_refused};
use crate::accounts::{self, Account};
use crate::place::Place;
use crate::refusal::Refusal;
use crate::store::{Mode, Store, StoreError};

/// Longest wait for polkit's dialogue.
const PERMIT_LIMIT: Duration = Duration::from_secs(180);
/// Time for the camera part of a full pass.
const PASS_LIMIT: Duration = Duration::from_secs(30);
/// Rules of a full pass are those of this service in the configuration.
const SERVICE: &str = "posectl";

/// What a caller has to show before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needed {
    /// Root needs nothing.
    Nothing,
    /// Nothing to pass with yet: polkit asks for the account's own password.
    Permission,
    /// An enrolment without a stored password: polkit asks for the account's, then the pose or the recovery code.
    PermissionAndPose,
    /// An enrolment with a stored password: both, or the recovery code.
    PasswordAndPose,
}

/// The right to change one account's enrolment.
pub(super) struct Right<'a> {
    pub(super) work: &'a Work<'a>,
    pub(super) account: &'a Account,
    needed: Needed,
    /// How the enrolment stood when it was found out what is needed; root's right is for whatever stands.
    shown_for: Option<u32>,
}

impl<'a> Right<'a> {
    /// Finds out what the caller has to show; call it before the first call is answered.
    pub(super) fn of(work: &'a Work<'a>, account: &'a Account, place: &Place) -> Result<Self, Refusal> {
        let (needed, shown_for) = if work.caller().uid == 0 {
            (Needed::Nothing, None)
        } else {
            if let Place::Elsewhere(why) = place {
                return Err(Refusal::NotAuthorized(format!("{why}; sit at the machine, or ask root")));
            }
            let store = work.daemon.store();
            let needed = match store.templates(account) {
                Ok(_) if store.password(account).map_err(store_refused)?.is_some() => Needed::PasswordAndPose,
                Ok(_) => Needed::PermissionAndPose,
                Err(StoreError::NotEnrolled) => Needed::Permission,
                Err(StoreError::Recreated) => {
                    return Err(Refusal::NotAuthorized(
                        "an earlier account of this name or uid is enrolled; ask root to run posectl remove"
                            .into(),
                    ));
                }
                Err(error) => return Err(store_refused(error)),
            };
            (needed, Some(store.version(account).map_err(store_refused)?))
        };
        if matches!(needed, Needed::Permission | Needed::PermissionAndPose) {
            work.attempt.want_permission();
        }
        Ok(Self { work, account, needed, shown_for })
    }

    /// Has the caller show it, and makes the change. A recovery code is used up by a change, not by one that failed.
    pub(super) fn carry_out(&self, change: impl FnOnce(&Self) -> Result<Verdict, Verdict>) -> Verdict {
        self.show().and_then(|()| change(self)).unwrap_or_else(|verdict| {
            self.give_back_recovery_code();
            verdict
        })
    }

    fn give_back_recovery_code(&self) {
        let Some(code) = self.work.recovered_with.take() else { return };
        let (name, actor) = (&self.account.name, self.work.caller().uid);
        match self.work.daemon.store().give_back_recovery_code(self.account, &code, actor) {
            Ok(()) => self.work.daemon.audit.change(name, actor, "recovery code given back"),
            Err(error) => tracing::warn!("the recovery code of {name} stays used up: {error}"),
        }
    }

    /// # Errors
    /// The verdict of a caller that did not show it.
    fn show(&self) -> Result<(), Verdict> {
        if matches!(self.needed, Needed::Permission | Needed::PermissionAndPose) {
            let permitted = self.work.attempt.wait_for_permission(PERMIT_LIMIT).map_err(Verdict::stopped)?;
            if !permitted {
                return Err(Verdict::of(Outcome::Refused, "polkit did not permit it")
                    .with_text("Not permitted; authenticate when asked, or ask root to run posectl enroll"));
            }
        }
        match self.needed {
            Needed::Nothing | Needed::Permission => Ok(()),
            Needed::PermissionAndPose if self.recovers()? => Ok(()),
            Needed::PermissionAndPose => self.pass(Mode::PoseOnly),
            Needed::PasswordAndPose => self.pass(Mode::OwnPassword),
        }
    }

    /// The store for the change, if what the right was shown for still stands. A right may wait at a prompt for a day;
    /// an enrolment that was made, added to or removed meanwhile wants to be shown one of its own.
    ///
    /// # Errors
    /// The verdict of a caller whose right is no longer one.
    pub(super) fn store(&self) -> Result<MutexGuard<'a, Store>, Verdict> {
        let store = self.work.daemon.store();
        match self.shown_for {
            Some(version) if store.version(self.account).map_err(store_failed)? != version => Err(
                Verdict::of(Outcome::Refused, "the enrolment changed since the right to change it was shown")
                    .with_text("The enrolment was changed meanwhile; begin again"),
            ),
            _ => Ok(store),
        }
    }

    /// Where no password is asked for, the recovery code is: who cannot show the pose any more has nothing else.
    fn recovers(&self) -> Result<bool, Verdict> {
        let text = "Recovery code, or nothing to show your pose: ";
        let secret =
            self.work.attempt.ask(ask::PASSWORD_OR_RECOVERY, text, PROMPT_LIMIT).map_err(Verdict::stopped)?;
        if secret.is_empty() || uses_recovery_code(self.work, self.account, &secret)? {
            return Ok(!secret.is_empty());
        }
        Err(Verdict::of(Outcome::WrongPassword, "not the recovery code")
            .with_text("That is not the recovery code; try again, or leave it empty to show your pose"))
    }

    fn pass(&self, mode: Mode) -> Result<(), Verdict> {
        let pass = Pass {
            work: self.work,
            typed: &self.account.name,
            account: Some(self.account),
            mode,
            question: ask::PASSWORD_OR_RECOVERY,
            rules: self.work.daemon.config.attempt_for(SERVICE),
            unchallenged: false,
            timeout: PASS_LIMIT,
            words: false,
        };
        let begun =
            pass.begin().map_err(|refusal| Verdict::of(Outcome::StoreError, format!("{refusal:?}")))?;
        let verdict = pass.run(&begun);
        // "Done" is a recovery code that was used up; it stands for password and pose.
        if matches!(verdict.outcome, Outcome::Success | Outcome::Done) { Ok(()) } else { Err(verdict) }
    }
}

/// `Remove`
pub(super) fn remove(work: &Work<'_>, user: &str, place: &Place) -> Result<Verdict, Refusal> {
    // Root also removes what an account that is gone or another by now has left; the stored name counts.
    let account = if work.caller().uid == 0 {
        accounts::by_name(user)
            .ok()
            .flatten()
            .unwrap_or_else(|| Account { name: user.to_owned(), uid: u32::MAX })
    } else {
        work.existing_account(user)?
    };
    let listed = work.daemon.store().list(Some(&account.name)).map_err(store_refused)?;
    if !listed.iter().any(|enrolment| !enrolment.removed) {
        return Err(Refusal::NotEnrolled("this user has no enrolment; nothing was removed".into()));
    }
    let right = Right::of(work, &account, place)?;
    work.answer_first_call();
    Ok(right.carry_out(destroy))
}

fn destroy(right: &Right<'_>) -> Result<Verdict, Verdict> {
    let Right { work, account, .. } = right;
    let actor = work.caller().uid;
    if !right.store()?.remove(&account.name, actor).map_err(store_failed)? {
        return Err(Verdict::of(Outcome::NotEnrolled, "removed meanwhile"));
    }
    work.daemon.audit.change(&account.name, actor, "removed");
    Ok(Verdict::of(Outcome::Done, "removed").with_text("Removed; the stored template is destroyed"))
}

/// `SetPassword`
pub(super) fn set_password(work: &Work<'_>, user: &str, place: &Place) -> Result<Verdict, Refusal> {
    let account = work.existing_account(user)?;
    if matches!(work.daemon.store().templates(&account), Err(StoreError::NotEnrolled)) {
        return Err(Refusal::NotEnrolled("this user has no enrolment; run posectl enroll".into()));
    }
    let right = Right::of(work, &account, place)?;
    work.answer_first_call();
    Ok(right.carry_out(store_password))
}

fn store_password(right: &Right<'_>) -> Result<Verdict, Verdict> {
    let Right { work, account, .. } = right;
    let Some(phc) = ask_new_password(work)? else {
        return Err(Verdict::of(Outcome::EnrolmentRefused, "an empty password")
            .with_text("The password is empty; nothing was changed, enter one"));
    };
    let actor = work.caller().uid;
    right.store()?.set_password(account, &phc, actor).map_err(store_failed)?;
    work.daemon.audit.change(&account.name, actor, "password");
    Ok(Verdict::of(Outcome::Done, "password set").with_text("The new password is stored"))
}

/// Asks for the password to store, as its PHC string; `None` for an empty one.
pub(super) fn ask_new_password(work: &Work<'_>) -> Result<Option<zeroize::Zeroizing<String>>, Verdict> {
    let secret =
        work.attempt.ask(ask::NEW_PASSWORD, "Password to store: ", PROMPT_LIMIT).map_err(Verdict::stopped)?;
    if secret.is_empty() {
        return Ok(None);
    }
    let hashed = work.daemon.passwords.hash(&secret);
    hashed.map(Some).map_err(|error| Verdict::of(Outcome::Internal, error.to_string()))
}
