//! `posectl test`: the checks and limits of a login, without a door behind it.

use pose_contract::Outcome;

use super::user_or_self;
use crate::bus::{Details, attempt, connect, to_json};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(user: Option<String>, output: Output) -> Result<Exit, Failure> {
    let user = user_or_self(user)?;
    let verdict = attempt::run(&connect::helper()?, "Test", &user, &Details::new(), output)?;
    output.object(&attempt::verdict_json(&verdict))?;
    attempt::require(&verdict, Outcome::Success)?;
    output.say(&format!("Passed: a login of {user} would have been let in."))?;
    for (name, value) in to_json(&verdict.details) {
        output
            .say(&format!("  {name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))?;
    }
    Ok(Exit::Done)
}
