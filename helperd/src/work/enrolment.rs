//! An enrolment: the right to it, the password to store, the recordings, the store.

use std::time::Duration;

use pose_contract::Outcome;
use pose_engine::enrol::Enrolment;
use pose_engine::session::{End, Limits, Session};

use super::change::{Right, ask_new_password};
use super::verdict::Verdict;
use super::{Work, store_failed};
use crate::accounts::Account;
use crate::arguments::EnrolOptions;
use crate::place::Place;
use crate::refusal::Refusal;
use crate::store::{NewEnrolment, StoreError};

/// Carries an enrolment out.
pub(super) fn run(
    work: &Work<'_>,
    user: &str,
    options: &EnrolOptions,
    place: &Place,
) -> Result<Verdict, Refusal> {
    let account = work.existing_account(user)?;
    let right = Right::of(work, &account, place)?;
    work.answer_first_call();
    Ok(right.show().and_then(|()| enrol(work, &account, options)).unwrap_or_else(|verdict| verdict))
}

fn enrol(work: &Work<'_>, account: &Account, options: &EnrolOptions) -> Result<Verdict, Verdict> {
    let password = ask_new_password(work)?;
    let config = &work.daemon.config;
    let repetitions = options.repetitions.unwrap_or(config.enrolment.repetitions);
    let limit = Duration::from_secs(u64::from(config.enrolment.limit_seconds));
    let limits =
        Limits { gesture_us: u64::from(config.attempt.gesture_seconds) * 1_000_000, ..Limits::default() };
    let watched =
        work.watch(0, limit, |start_us| Session::enrol(repetitions, limits, start_us), |_| Ok(()))?;
    match watched.end {
        End::Enrolled { enrolment } => {
            store(work, account, options, &enrolment, repetitions, password.as_ref().map(|phc| phc.as_str()))
        }
        End::Failed { outcome, text } => Err(Verdict::of(outcome, text.clone()).with_text(text)),
        End::Verified(_) => Err(Verdict::of(Outcome::Internal, "an enrolment ended as a login")),
    }
}

fn store(
    work: &Work<'_>,
    account: &Account,
    options: &EnrolOptions,
    enrolment: &Enrolment,
    recordings: u8,
    password: Option<&str>,
) -> Result<Verdict, Verdict> {
    let template = zeroize::Zeroizing::new(enrolment.template.encode());
    let new = NewEnrolment {
        template: &template,
        gesture: &options.gesture,
        recordings,
        strength: enrolment.strength.words,
        password,
        replace: options.replace,
        most_gestures: work.daemon.config.enrolment.gestures_per_user,
    };
    let actor = work.caller().uid;
    let enrolled = work.daemon.store().enrol(account, &new, actor).map_err(refused_by_store)?;
    work.daemon.audit.change(&account.name, actor, "enrolled");
    // The code leaves the process in a message of the bus, as it must to be shown; its page here is wiped.
    let code = enrolled.recovery_code.printed();
    Ok(Verdict::of(Outcome::Enrolled, format!("version {}", enrolled.version))
        .with("recovery_code", code.as_str())
        .with("strength", enrolment.strength.words)
        .with("advice", enrolment.strength.advice.as_str()))
}

fn refused_by_store(error: StoreError) -> Verdict {
    match error {
        StoreError::Recreated | StoreError::TooManyGestures => {
            Verdict::of(Outcome::EnrolmentRefused, error.to_string()).with_text(error.to_string())
        }
        other => store_failed(other),
    }
}
