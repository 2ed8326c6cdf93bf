//! `posectl list`: who is enrolled, since when, and how strong.

use serde_json::Value;

use super::user_or_self;
use crate::bus::{Details, connect, flag, number, text, to_json};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(user: Option<String>, all: bool, output: Output) -> Result<Exit, Failure> {
    let user = if all { String::new() } else { user_or_self(user)? };
    let enrolments = connect::helper()?.list(&user)?;
    for enrolment in &enrolments {
        output.object(&Value::Object(to_json(enrolment)))?;
        output.say(&line(enrolment))?;
    }
    if enrolments.is_empty() {
        output.remark(&match user.as_str() {
            "" => "Nobody is enrolled. `posectl enroll USER` enrols a user.".to_owned(),
            name => format!("{name} is not enrolled; `posectl enroll {name}` changes that."),
        });
    }
    Ok(Exit::Done)
}

fn line(enrolment: &Details) -> String {
    let mut line = format!(
        "{} (uid {}): ",
        text(enrolment, "user"),
        number(enrolment, "uid").map_or_else(|| "unknown".to_owned(), |uid| uid.to_string())
    );
    if flag(enrolment, "removed") {
        line.push_str("removed; `posectl enroll` enrols again");
        return line;
    }
    let label = text(enrolment, "gesture");
    if !label.is_empty() {
        line.push_str(&format!("\"{label}\", "));
    }
    let recordings = number(enrolment, "recordings").unwrap_or_default();
    line.push_str(&format!("{recordings} recordings, {}", text(enrolment, "strength")));
    if let Some(created) = number(enrolment, "created") {
        line.push_str(&format!(", enrolled {}", date(created)));
    }
    match number(enrolment, "locked_seconds") {
        // What the helper says of a login that is off for good.
        Some(seconds) if seconds >= u64::from(u32::MAX) => line.push_str(", off until `posectl unlock`"),
        Some(seconds) if seconds > 0 => line.push_str(&format!(", locked for {seconds} s more")),
        _ => {}
    }
    line
}

/// Days in the Gregorian calendar, UTC, as year-month-day (Hinnant, "chrono-compatible low-level date algorithms").
fn date(seconds: u64) -> String {
    // Up to the end of the year 9999: beyond lies a corrupt record, not a date.
    let shifted = seconds.min(253_402_300_799) / 86_400 + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_305_600, "2026-11-22"),
            (u64::MAX, "9999-12-31"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }
}
