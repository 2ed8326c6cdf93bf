//! `posectl remove`, `passwd` and `unlock`: changes to what the helper keeps.

use pose_contract::Outcome;
use serde_json::json;

use super::{agree, user_or_self};
use crate::bus::{Details, attempt, connect};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// `posectl remove`.
pub(crate) fn remove(user: Option<String>, yes: bool, output: Output) -> Result<Exit, Failure> {
    let user = user_or_self(user)?;
    let helper = connect::helper()?;
    if !yes && !agree(&format!("Remove the enrolment of {user}? It cannot be brought back."), "--yes")? {
        output.remark("Nothing was changed.");
        return Ok(Exit::No);
    }
    let verdict = attempt::run(&helper, "Remove", &user, &Details::new(), output)?;
    output.object(&attempt::verdict_json(&verdict))?;
    attempt::require(&verdict, Outcome::Done)?;
    output.say(&format!("The enrolment of {user} is removed."))?;
    Ok(Exit::Done)
}

/// `posectl passwd`.
pub(crate) fn passwd(user: Option<String>, output: Output) -> Result<Exit, Failure> {
    let user = user_or_self(user)?;
    let verdict = attempt::run(&connect::helper()?, "SetPassword", &user, &Details::new(), output)?;
    output.object(&attempt::verdict_json(&verdict))?;
    attempt::require(&verdict, Outcome::Done)?;
    output.say(&format!(
        "The password stored for {user} is changed (the system's own password is another thing)."
    ))?;
    Ok(Exit::Done)
}

/// `posectl unlock`.
pub(crate) fn unlock(user: &str, output: Output) -> Result<Exit, Failure> {
    connect::helper()?.unlock(user)?;
    output.object(&json!({ "user": user, "unlocked": true }))?;
    output.say(&format!("{user} may try again."))?;
    Ok(Exit::Done)
}
