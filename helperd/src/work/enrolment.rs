//! An enrolment: the right to it, the password to store, the recordings, the store.

use std::time::Duration;

use pose_contract::Outcome;
use pose_engine::challenge::{Movement, MovementSet, enough};
use pose_engine::enrol::Enrolment;
use pose_engine::session::{End, Limits, Session};
use pose_engine::template::Template;

use super::change::{Right, ask_new_password};
use super::verdict::Verdict;
use super::{Work, store_failed};
use crate::accounts::Account;
use crate::arguments::EnrolOptions;
use crate::place::Place;
use crate::refusal::Refusal;
use crate::store::{NewEnrolment, StoreError, StoredTemplate};

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
    let change = if options.reset_adaptation { reset_adaptation } else { enrol };
    Ok(right.carry_out(|right| change(right, options)))
}

fn enrol(right: &Right<'_>, options: &EnrolOptions) -> Result<Verdict, Verdict> {
    let Right { work, account, .. } = right;
    let config = &work.daemon.config;
    let cannot = options.cannot.union(kept_decoys(work, account, options.replace));
    let asked = usize::from(config.attempt.challenges);
    leave_enough(asked, cannot, MovementSet::default())?;
    let password = ask_new_password(work)?;
    let repetitions = options.repetitions.unwrap_or(config.enrolment.repetitions);
    let limit = Duration::from_secs(u64::from(config.enrolment.limit_seconds));
    let limits =
        Limits { gesture_us: u64::from(config.attempt.gesture_seconds) * 1_000_000, ..Limits::default() };
    let watched =
        work.watch(0, limit, |start_us| Session::enrol(repetitions, limits, start_us), |_| Ok(()))?;
    match watched.end {
        End::Enrolled { mut enrolment } => {
            let contained = enrolment.template.decoys();
            leave_enough(asked, cannot, contained)?;
            enrolment.template = enrolment.template.with_decoys(contained.union(options.cannot));
            store(right, options, &enrolment, repetitions, password.as_ref().map(|phc| phc.as_str()))
        }
        End::Failed { outcome, text } => Err(Verdict::of(outcome, text.clone()).with_text(text)),
        End::Verified(_) => Err(Verdict::of(Outcome::Internal, "an enrolment ended as a login")),
    }
}

/// The decoys of gestures that stay enrolled beside the new one.
fn kept_decoys(work: &Work<'_>, account: &Account, replace: bool) -> MovementSet {
    let stored =
        if replace { Vec::new() } else { work.daemon.store().templates(account).map_or(Vec::new(), |t| t.1) };
    let decoys = |stored: &StoredTemplate| {
        Template::decode(&stored.template).map_or(MovementSet::default(), |t| t.decoys())
    };
    stored.iter().map(decoys).fold(MovementSet::default(), MovementSet::union)
}

/// Refuses when too little is left that could be asked of this person.
fn leave_enough(asked: usize, cannot: MovementSet, contained: MovementSet) -> Result<(), Verdict> {
    if asked == 0 || enough(asked, cannot.union(contained)) {
        return Ok(());
    }
    let names = |set: MovementSet| set.iter().map(Movement::name).collect::<Vec<_>>().join(", ");
    let advice = if contained.is_empty() { "exclude fewer" } else { "choose another gesture, exclude fewer" };
    let text = format!(
        "Too few movements are left to ask for at a login (without {}{}{}): {advice}, or have the administrator set \
         challenges = {} in helperd.toml",
        names(cannot),
        if cannot.is_empty() || contained.is_empty() { "" } else { ", and in the gesture itself " },
        names(contained),
        asked + 1
    );
    Err(Verdict::of(Outcome::EnrolmentRefused, text.clone()).with_text(text))
}

fn store(
    right: &Right<'_>,
    options: &EnrolOptions,
    enrolment: &Enrolment,
    recordings: u8,
    password: Option<&str>,
) -> Result<Verdict, Verdict> {
    let Right { work, account, .. } = right;
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
    let enrolled = right.store()?.enrol(account, &new, actor).map_err(refused_by_store)?;
    work.daemon.audit.change(&account.name, actor, "enrolled");
    // The code leaves the process in a message of the bus, as it must to be shown; its page here is wiped.
    let code = enrolled.recovery_code.printed();
    Ok(Verdict::of(Outcome::Enrolled, format!("version {}", enrolled.version))
        .with("recovery_code", code.as_str())
        .with("strength", enrolment.strength.words)
        .with("strength_percent", enrolment.strength.percent())
        .with("estimate", enrolment.strength.sentence().as_str())
        .with("advice", enrolment.strength.advice.as_str()))
}

fn reset_adaptation(right: &Right<'_>, _: &EnrolOptions) -> Result<Verdict, Verdict> {
    let Right { work, account, .. } = right;
    let actor = work.caller().uid;
    let told = match right.store()?.reset_adaptation(account, actor) {
        Ok(true) => {
            work.daemon.audit.change(&account.name, actor, "adaptation reset");
            "Logins are compared with what was enrolled again"
        }
        Ok(false) => "Nothing was added to the templates; they are as enrolled",
        Err(StoreError::NotEnrolled) => {
            return Err(Verdict::of(Outcome::NotEnrolled, "not enrolled")
                .with_text("Nobody of that name is enrolled; run posectl enroll"));
        }
        Err(error) => return Err(refused_by_store(error)),
    };
    Ok(Verdict::of(Outcome::Done, "adaptation reset").with_text(told))
}

fn refused_by_store(error: StoreError) -> Verdict {
    match error {
        StoreError::Recreated | StoreError::TooManyGestures => {
            Verdict::of(Outcome::EnrolmentRefused, error.to_string()).with_text(error.to_string())
        }
        other => store_failed(other),
    }
}
