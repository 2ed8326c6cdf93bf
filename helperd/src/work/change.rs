//! Changes to enrolments, and who may make them: root, whoever passes in full, or the holder of a recovery code.

use std::time::Duration;

use pose_contract::{Outcome, ask};

use super::login::Pass;
use super::verdict::Verdict;
use super::{PROMPT_LIMIT, Work, store_failed, store_refused};
use crate::accounts::{self, Account};
use crate::place::Place;
use crate::refusal::Refusal;
use crate::store::{Mode, StoreError};

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
    /// An enrolment without a stored password: polkit asks for the account's, the camera for the pose.
    PermissionAndPose,
    /// An enrolment with a stored password: both, or the recovery code.
    PasswordAndPose,
}

/// The right to change one account's enrolment.
pub(super) struct Right<'a> {
    work: &'a Work<'a>,
    account: &'a Account,
    needed: Needed,
}

impl<'a> Right<'a> {
    /// Finds out what the caller has to show; call it before the first call is answered.
    pub(super) fn of(work: &'a Work<'a>, account: &'a Account, place: &Place) -> Result<Self, Refusal> {
        let needed = if work.caller().uid == 0 {
            Needed::Nothing
        } else {
            if let Place::Elsewhere(why) = place {
                return Err(Refusal::NotAuthorized(format!("{why}; sit at the machine, or ask root")));
            }
            let store = work.daemon.store();
            match store.templates(account) {
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
            }
        };
        if matches!(needed, Needed::Permission | Needed::PermissionAndPose) {
            work.attempt.want_permission();
        }
        Ok(Self { work, account, needed })
    }

    /// Has the caller show it.
    ///
    /// # Errors
    /// The verdict of a caller that did not.
    pub(super) fn show(&self) -> Result<(), Verdict> {
        if matches!(self.needed, Needed::Permission | Needed::PermissionAndPose) {
            let permitted = self.work.attempt.wait_for_permission(PERMIT_LIMIT).map_err(Verdict::stopped)?;
            if !permitted {
                return Err(Verdict::of(Outcome::Refused, "polkit did not permit it")
                    .with_text("Not permitted; authenticate when asked, or ask root to run posectl enroll"));
            }
        }
        match self.needed {
            Needed::Nothing | Needed::Permission => Ok(()),
            Needed::PermissionAndPose => self.pass(Mode::PoseOnly),
            Needed::PasswordAndPose => self.pass(Mode::OwnPassword),
        }
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
    if let Err(verdict) = right.show() {
        return Ok(verdict);
    }
    let actor = work.caller().uid;
    Ok(match work.daemon.store().remove(&account.name, actor) {
        Ok(true) => {
            work.daemon.audit.change(&account.name, actor, "removed");
            Verdict::of(Outcome::Done, "removed").with_text("Removed; the stored template is destroyed")
        }
        Ok(false) => Verdict::of(Outcome::NotEnrolled, "removed meanwhile"),
        Err(error) => store_failed(error),
    })
}

/// `SetPassword`
pub(super) fn set_password(work: &Work<'_>, user: &str, place: &Place) -> Result<Verdict, Refusal> {
    let account = work.existing_account(user)?;
    if matches!(work.daemon.store().templates(&account), Err(StoreError::NotEnrolled)) {
        return Err(Refusal::NotEnrolled("this user has no enrolment; run posectl enroll".into()));
    }
    let right = Right::of(work, &account, place)?;
    work.answer_first_call();
    Ok(right.show().and_then(|()| store_password(work, &account)).unwrap_or_else(|verdict| verdict))
}

fn store_password(work: &Work<'_>, account: &Account) -> Result<Verdict, Verdict> {
    let Some(phc) = ask_new_password(work)? else {
        return Err(Verdict::of(Outcome::EnrolmentRefused, "an empty password")
            .with_text("The password is empty; nothing was changed, enter one"));
    };
    let actor = work.caller().uid;
    work.daemon.store().set_password(account, &phc, actor).map_err(store_failed)?;
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
