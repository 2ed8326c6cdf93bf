//! `pam_authenticate`: a password and a pose.

use std::thread;
use std::time::Duration;

use nix::unistd::geteuid;
use pamsm::{LogLvl, PamError};
use pose_contract::{FLOOR_MS, MAX_SECRET, MAX_SERVICE, MAX_USER, Outcome, ask, mode};

use crate::account;
use crate::conversation::{Style, show};
use crate::deadline::{Deadline, now};
use crate::exchange::{Attempt, Event, Failure, Origin};
use crate::host::Host;
use crate::options::Options;
use crate::verdict;

/// Most messages of one attempt. A gesture, its repetitions and two challenges need under ten; a helper that
/// never stops instructing would stop the clock by making the person read.
const MAX_MESSAGES: usize = 32;

/// One login. Never answers faster than the floor, and asks for the delay after failures.
#[must_use]
pub fn authenticate(host: &Host<'_>, options: &Options) -> PamError {
    let started = now();
    let code = match attempt(host, options) {
        Ok(code) => code,
        Err(failure) => {
            report(host, &failure);
            verdict::of_failure(&failure)
        }
    };
    if code == PamError::AUTH_ERR {
        host.delay_failure();
    }
    let floor = Duration::from_millis(FLOOR_MS);
    thread::sleep(floor.saturating_sub(now().saturating_sub(started)));
    code
}

fn attempt(host: &Host<'_>, options: &Options) -> Result<PamError, Failure> {
    let Some(user) = host.user().filter(|user| !user.is_empty() && user.len() <= MAX_USER) else {
        host.log(LogLvl::NOTICE, "no usable user name");
        return Ok(PamError::AUTH_ERR);
    };
    let mut deadline = Deadline::after(options.timeout);
    let service: String = host.service().chars().take(MAX_SERVICE).collect();
    let origin = Origin {
        mode: if options.pose_only { mode::POSE_ONLY } else { mode::OWN_PASSWORD },
        tty: host.tty(),
        rhost: host.rhost(),
        silent: host.silent(),
        timeout: options.timeout,
    };
    // Before the password: the helper warms up while the person types.
    let mut attempt = Attempt::begin(&user, &service, &origin, deadline)?;
    host.trace("the helper reserved a try");
    let (outcome, text) = match follow(host, options, &mut attempt, &mut deadline)? {
        Ended::Verdict(outcome, text) => (outcome, text),
        Ended::Here(code) => return Ok(code),
    };
    host.trace(&format!("the helper's verdict: {}", outcome.as_str()));
    Ok(conclude(host, options, &user, outcome, &text))
}

enum Ended {
    Verdict(Outcome, String),
    Here(PamError),
}

/// Takes events until the end.
fn follow(
    host: &Host<'_>,
    options: &Options,
    attempt: &mut Attempt,
    deadline: &mut Deadline,
) -> Result<Ended, Failure> {
    let mut messages = 0;
    loop {
        match attempt.next(*deadline)? {
            Event::Progress => {}
            Event::Verdict(outcome, text) => return Ok(Ended::Verdict(outcome, text)),
            Event::Instruction { code, text } => {
                messages += 1;
                if messages > MAX_MESSAGES {
                    return Err(Failure::Fault("the helper never stops instructing".into()));
                }
                host.trace(&format!("instruction {}", code.escape_debug()));
                let line = format!("{text} (within {} s)", deadline.remaining().as_secs());
                deadline.pause(|| show(host, Style::Info, &line)).map_err(|_| Failure::Conversation)?;
            }
            Event::Ask(code) if code == ask::PASSWORD && !options.pose_only => {
                if let Some(code) = send_password(host, options, attempt, deadline)? {
                    return Ok(Ended::Here(code));
                }
            }
            Event::Ask(code) => {
                return Err(Failure::Fault(format!("the helper asks for \"{}\" here", code.escape_debug())));
            }
        }
    }
}

/// Gets the password and sends it. A code: there is none to send.
fn send_password(
    host: &Host<'_>,
    options: &Options,
    attempt: &mut Attempt,
    deadline: &mut Deadline,
) -> Result<Option<PamError>, Failure> {
    let password = match deadline.pause(|| host.password(options.use_first_pass)) {
        Ok(password) => password.to_bytes(),
        // libpam says AUTHTOK_ERR when the program's prompt failed or was left without an answer.
        Err(PamError::CONV_ERR | PamError::CONV_AGAIN | PamError::AUTHTOK_ERR) => {
            return Err(Failure::Conversation);
        }
        Err(code) => {
            host.log(LogLvl::NOTICE, &format!("no password to check ({code:?})"));
            return Ok(Some(PamError::AUTH_ERR));
        }
    };
    // No enrolment can have such a password.
    if password.is_empty() || password.len() > MAX_SECRET {
        host.log(LogLvl::NOTICE, "an empty or overlong password");
        return Ok(Some(PamError::AUTH_ERR));
    }
    attempt.answer(password, *deadline).map(|()| None)
}

/// Turns the verdict into a code, shows its reason, and makes sure that it is about the right person.
fn conclude(host: &Host<'_>, options: &Options, user: &str, outcome: Outcome, text: &str) -> PamError {
    // The answer is about the user of the beginning; a program that switched names gets none.
    if host.user_now().as_deref() != Some(user) {
        host.log(LogLvl::ERR, "the user name changed during the attempt; refused");
        return PamError::AUTH_ERR;
    }
    let code = verdict::of_outcome(outcome, options);
    if code == PamError::SUCCESS && !options.pose_only && geteuid().is_root() {
        let entry = account::shadow_of(host.pam(), user);
        if let Some(Err(why)) = entry.map(|entry| account::judge(entry, account::today())) {
            host.log(LogLvl::NOTICE, &format!("passed, but the account is closed ({why:?}); refused"));
            return PamError::AUTH_ERR;
        }
    }
    let shown = !matches!(code, PamError::SUCCESS | PamError::IGNORE) && !text.is_empty();
    if shown && show(host, Style::Error, text).is_err() {
        host.trace("the reason could not be shown");
    }
    code
}

/// Logs a failure and tells the person what they can do about it.
fn report(host: &Host<'_>, failure: &Failure) {
    let (line, shown) = match failure {
        Failure::Unavailable(why) => {
            (format!("the pose check is not available: {why}"), "The pose check is not available now.")
        }
        Failure::Deadline => ("no verdict in time".to_owned(), "The pose check took too long."),
        Failure::Refused(why) => (format!("the helper refused: {why}"), ""),
        Failure::Conversation => ("the program's conversation failed".to_owned(), ""),
        Failure::Interrupted => ("interrupted".to_owned(), ""),
        Failure::Fault(why) => (
            format!("{why}; see `posectl doctor`"),
            "The pose check is out of order; ask your administrator.",
        ),
        Failure::NotEnrolled => ("the helper answered out of turn".to_owned(), ""),
        Failure::Memory => ("out of memory or descriptors".to_owned(), ""),
    };
    host.log(LogLvl::ERR, &line);
    if !shown.is_empty() {
        let _ = show(host, Style::Error, shown);
    }
}
