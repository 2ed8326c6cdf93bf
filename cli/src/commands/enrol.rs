//! `posectl enroll`: consent, password, recordings, and the recovery code once.

use pose_contract::Outcome;
use pose_engine::challenge::Movement;
use zbus::{OwnedVariant, Variant};

use super::{agree, user_or_self};
use crate::args::Enroll;
use crate::bus::{Details, Event, attempt, connect, text};
use crate::exit::{Exit, Failure};
use crate::output::Output;

const CONSENT: &str = "\
What is kept, on this machine only, until `posectl remove`:
  - a template of the movement: positions of nose, shoulders, elbows and wrists over time, encrypted
  - a salted hash of the password you give, the gesture's label and the date
No picture and no video is ever written. The template says something about your body, so it is biometric data;
you need not enrol: the other ways of logging in that this machine offers stay as they are.
A recovery code, shown once at the end, changes or removes the enrolment when the pose does not work any more.";

/// Runs the command.
pub(crate) fn run(args: Enroll, output: Output) -> Result<Exit, Failure> {
    run_heard(args, output, &mut |_| {})
}

/// As [`run`]; `heard` gets every event of the helper.
pub(crate) fn run_heard(
    args: Enroll,
    output: Output,
    heard: &mut dyn FnMut(&Event),
) -> Result<Exit, Failure> {
    let user = user_or_self(args.user.clone())?;
    // Who has no helper learns it before reading on.
    connect::helper()?;
    if args.reset_adaptation {
        let options = Details::from([("reset_adaptation".to_owned(), OwnedVariant::from(true))]);
        let verdict = attempt::run_heard(&connect::helper()?, "Enroll", &user, &options, output, heard)?;
        output.object(&attempt::verdict_json(&verdict))?;
        attempt::require(&verdict, Outcome::Done)?;
        output.say(&format!("{}.", verdict.text))?;
        return Ok(Exit::Done);
    }
    let options = options(&args)?;
    if !args.yes {
        // Also for a program's user: nobody agrees to what was not shown.
        eprintln!("Enrolling {user}.\n{CONSENT}");
    }
    if !args.yes && !agree("Agree?", "--yes")? {
        output.remark("Nothing was recorded.");
        return Ok(Exit::No);
    }
    let times = args.repetitions.map_or_else(|| "several".to_owned(), |count| count.to_string());
    output.remark(&format!(
        "You will do the same gesture {times} times, sitting as you do when you log in. Choose a movement of both arms\n\
         of about 2 to 4 seconds that nobody would guess; begin and end at rest. Nobody else should watch.\n\
         The password asked for may be left empty where the login asks for the system's own (pose_only)."
    ));
    // A fresh connection: the helper must be able to tell which process made it.
    let helper = connect::helper()?;
    let verdict = attempt::run_heard(&helper, "Enroll", &user, &options, output, heard)?;
    output.object(&attempt::verdict_json(&verdict))?;
    attempt::require(&verdict, Outcome::Enrolled)?;
    report(&verdict, &user, output)?;
    Ok(Exit::Done)
}

/// What the helper is asked for; it knows the configured number of recordings.
fn options(args: &Enroll) -> Result<Details, Failure> {
    let mut options = Details::new();
    if let Some(count) = args.repetitions {
        options.insert("repetitions".to_owned(), OwnedVariant::from(count));
    }
    if args.replace {
        options.insert("replace".to_owned(), OwnedVariant::from(true));
    }
    if let Some(label) = &args.gesture {
        options.insert("gesture".to_owned(), plain("--gesture", label)?);
    }
    if !args.cannot.is_empty() {
        let names = args.cannot.iter().map(|name| movement(name)).collect::<Result<Vec<_>, _>>()?;
        options.insert("cannot".to_owned(), plain("--cannot", &names.join(","))?);
    }
    Ok(options)
}

fn plain(option: &str, text: &str) -> Result<OwnedVariant, Failure> {
    Variant::from(text)
        .try_to_owned()
        .map_err(|e| Failure::new(Exit::Usage, format_args!("{option}: {e}"), "use a plain text"))
}

fn movement(name: &str) -> Result<&'static str, Failure> {
    Movement::parse(name.trim()).map(Movement::name).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            format_args!("--cannot {name}: no such movement"),
            "see `posectl movements` for those there are",
        )
    })
}

fn report(verdict: &attempt::Verdict, user: &str, output: Output) -> Result<(), Failure> {
    output.say(&format!("{user} is enrolled."))?;
    if let Some(bar) = attempt::strength_bar(&verdict.details) {
        output.say(&format!("Strength: {bar}"))?;
    }
    let estimate = text(&verdict.details, "estimate");
    if !estimate.is_empty() {
        output.say(&format!("Estimate: {estimate}"))?;
    }
    let advice = text(&verdict.details, "advice");
    if !advice.is_empty() {
        output.say(&format!("Advice: {advice}"))?;
    }
    let code = text(&verdict.details, "recovery_code");
    if !code.is_empty() {
        output.say(&format!(
            "Recovery code: {code}\nWrite it down and keep it away from this machine: it is not shown again."
        ))?;
    }
    output.say("Try it: `posectl test`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn only_what_was_asked_for_is_sent_so_that_the_configuration_decides_the_rest() {
        let sent = |words: &[&str]| {
            let line = ["posectl", "enroll"].iter().chain(words);
            let Command::Enroll(args) = Cli::try_parse_from(line).expect("parses").command else {
                panic!("another command")
            };
            let mut keys: Vec<String> = options(&args).expect("options").into_keys().collect();
            keys.sort();
            keys.join(" ")
        };
        assert_eq!(sent(&["anna"]), "");
        assert_eq!(sent(&["--repetitions", "3"]), "repetitions");
        assert_eq!(sent(&["--replace", "--gesture", "x", "--cannot", "t_pose"]), "cannot gesture replace");
    }
}
