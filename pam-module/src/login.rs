//! `pam_authenticate`: a password and a pose.

use std::thread;
use std::time::Duration;

use nix::unistd::geteuid;
use pamsm::{LogLvl, PamError};
use pose_contract::{FLOOR_MS, MAX_SECRET, MAX_SERVICE, Outcome, ask, is_user_name, mode};

use crate::account;
use crate::cue::Manner;
use crate::deadline::{Deadline, now};
use crate::earlier;
use crate::exchange::{Attempt, Event, Failure, Origin};
use crate::host::{Host, peer_of_stdin};
use crate::options::Options;
use crate::verdict;

/// Most messages of one attempt. A gesture, its repetitions and two challenges need under ten; a helper that
/// never stops instructing would stop the clock by making the person read.
const MAX_MESSAGES: usize = 32;
/// From version 127 on polkit's helper is a service of the system's: the agent that it works for has connected to its
/// standard input.
const POLKIT: &str = "polkit-1";
/// Longest terminal or host name passed on, bytes: the helper takes no longer one.
const MAX_ITEM: usize = 255;

/// One login. Never answers faster than the floor, and asks for the delay after failures.
#[must_use]
pub fn authenticate(host: &Host<'_>, options: &Options) -> PamError {
    let started = now();
    let code = match attempt(host, options) {
        Ok(code) => code,
        Err(failure) => {
            report(host, options, &failure);
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
    // A slip at the name's prompt is nobody's fault but a wrong name like another.
    let Some(user) = host.user().filter(|user| is_user_name(user)) else {
        host.log(LogLvl::NOTICE, "no usable user name");
        return Ok(PamError::AUTH_ERR);
    };
    if options.pose_only && earlier::prompt_was_left(host) {
        host.log(LogLvl::NOTICE, "the password prompt was left without an answer; no pose is asked");
        return Ok(PamError::CONV_ERR);
    }
    let mut login = Login::new(host, options, user);
    let (outcome, text) = match login.follow()? {
        Ended::Verdict(outcome, text) => (outcome, text),
        Ended::Here(code) => return Ok(code),
    };
    host.trace(&format!("the helper's verdict: {}", outcome.as_str()));
    Ok(login.conclude(outcome, &text))
}

enum Ended {
    Verdict(Outcome, String),
    Here(PamError),
}

struct Login<'a> {
    host: &'a Host<'a>,
    options: &'a Options,
    manner: Manner,
    user: String,
    service: String,
    origin: Origin,
    deadline: Deadline,
    messages: usize,
}

impl<'a> Login<'a> {
    fn new(host: &'a Host<'a>, options: &'a Options, user: String) -> Self {
        let service = cut(host.service(), MAX_SERVICE);
        let manner = Manner::of(options.cue, &service, host.silent());
        let origin = Origin {
            mode: if options.pose_only { mode::POSE_ONLY } else { mode::OWN_PASSWORD },
            tty: cut(host.tty(), MAX_ITEM),
            rhost: cut(host.rhost(), MAX_ITEM),
            silent: manner == Manner::Nothing,
            login_uid: login_uid(),
            asker: if service == POLKIT { peer_of_stdin() } else { None },
            timeout: options.timeout,
        };
        let deadline = Deadline::after(options.timeout);
        Self { host, options, manner, user, service, origin, deadline, messages: 0 }
    }

    /// Reserves a try. This comes before the password, so that the helper warms up while the person types.
    fn begin(&mut self) -> Result<Attempt, Failure> {
        self.origin.timeout = self.deadline.remaining();
        let attempt = Attempt::begin(&self.user, &self.service, &self.origin, self.deadline)?;
        self.host.trace("the helper reserved a try");
        Ok(attempt)
    }

    /// Takes events until the end.
    ///
    /// A person may sit before the prompt for longer than the helper keeps an attempt, or than the helper lives.
    /// The answer then finds nobody; the password is there by now, and one fresh attempt gets it at once.
    fn follow(&mut self) -> Result<Ended, Failure> {
        let mut attempt = self.begin()?;
        let mut fresh = false;
        let mut answered = false;
        loop {
            match attempt.next(self.deadline)? {
                Event::Progress => {}
                Event::Verdict(Outcome::Deadline, _) if answered && self.messages == 0 && !fresh => {
                    fresh = true;
                    drop(attempt);
                    attempt = self.begin()?;
                }
                Event::Verdict(outcome, text) => return Ok(Ended::Verdict(outcome, text)),
                Event::Instruction { code, text } => self.instruct(&code, &text)?,
                Event::Ask(code) if code == ask::PASSWORD && !self.options.pose_only => {
                    let password = match self.password()? {
                        Ok(password) => password,
                        Err(code) => return Ok(Ended::Here(code)),
                    };
                    match attempt.answer(password, self.deadline) {
                        Err(Failure::Gone(why) | Failure::Unavailable(why)) if !fresh => {
                            self.host
                                .trace(&format!("the attempt ended before the answer, trying anew: {why}"));
                            fresh = true;
                            drop(attempt);
                            attempt = self.begin()?;
                        }
                        other => other?,
                    }
                    answered = true;
                }
                Event::Ask(code) => {
                    return Err(Failure::Fault(format!(
                        "the helper asks for \"{}\" here",
                        code.escape_debug()
                    )));
                }
            }
        }
    }

    fn instruct(&mut self, code: &str, text: &str) -> Result<(), Failure> {
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return Err(Failure::Fault("the helper never stops instructing".into()));
        }
        self.host.trace(&format!("instruction {}", code.escape_debug()));
        let seconds = self.deadline.remaining().as_secs();
        let (host, manner) = (self.host, self.manner);
        self.deadline.pause(|| manner.instruct(host, text, seconds)).map_err(|_| Failure::Conversation)
    }

    /// The password, or the code with which the login ends because there is none.
    fn password(&mut self) -> Result<Result<&'a [u8], PamError>, Failure> {
        let (host, only_cached) = (self.host, self.options.use_first_pass);
        let password = match self.deadline.pause(|| host.password(only_cached)) {
            Ok(password) => password.to_bytes(),
            // libpam says AUTHTOK_ERR when the program's prompt failed or was left without an answer.
            Err(PamError::CONV_ERR | PamError::CONV_AGAIN | PamError::AUTHTOK_ERR) => {
                return Err(Failure::Conversation);
            }
            Err(code) => {
                host.log(LogLvl::NOTICE, &format!("no password to check ({code:?})"));
                return Ok(Err(PamError::AUTH_ERR));
            }
        };
        // No enrolment can have such a password.
        if password.is_empty() || password.len() > MAX_SECRET {
            host.log(LogLvl::NOTICE, "an empty or overlong password");
            return Ok(Err(PamError::AUTH_ERR));
        }
        Ok(Ok(password))
    }

    /// Turns the verdict into a code, shows its reason, and makes sure that it is about the right person.
    fn conclude(&self, outcome: Outcome, text: &str) -> PamError {
        let host = self.host;
        // The answer is about the user of the beginning; a program that switched names gets none.
        if host.user_now().as_ref() != Some(&self.user) {
            host.log(LogLvl::ERR, "the user name changed during the attempt; refused");
            return PamError::AUTH_ERR;
        }
        let code = verdict::of_outcome(outcome, self.options);
        if code == PamError::SUCCESS && !self.options.pose_only && geteuid().is_root() {
            let entry = account::shadow_of(host.pam(), &self.user);
            if let Some(Err(why)) = entry.map(|entry| account::judge(entry, account::today())) {
                host.log(LogLvl::NOTICE, &format!("passed, but the account is closed ({why:?}); refused"));
                return PamError::AUTH_ERR;
            }
        }
        if !matches!(code, PamError::SUCCESS | PamError::IGNORE) {
            self.manner.explain(host, text);
        }
        code
    }
}

/// Who logged in that this process comes from, as the kernel's audit knows it: cron and at set it for their jobs, too.
/// `None` for what comes from no login, such as a greeter, and where the kernel does not tell.
fn login_uid() -> Option<u32> {
    let text = std::fs::read_to_string("/proc/self/loginuid").ok()?;
    text.trim().parse().ok().filter(|uid| *uid != u32::MAX)
}

fn cut(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// Logs a failure and tells the person what they can do about it.
fn report(host: &Host<'_>, options: &Options, failure: &Failure) {
    let (line, shown) = match failure {
        Failure::Unavailable(why) => {
            (format!("the pose check is not available: {why}"), "The pose check is not available now.")
        }
        Failure::Deadline => ("no verdict in time".to_owned(), "The pose check took too long."),
        Failure::Refused(why) => (format!("the helper refused: {why}"), ""),
        Failure::Conversation => ("the program's conversation failed".to_owned(), ""),
        Failure::Interrupted => ("interrupted".to_owned(), ""),
        Failure::Fault(why) | Failure::Gone(why) => (
            format!("{why}; see `posectl doctor`"),
            "The pose check is out of order; ask your administrator.",
        ),
        Failure::NotEnrolled => ("the helper answered out of turn".to_owned(), ""),
        Failure::Memory => ("out of memory or descriptors".to_owned(), ""),
    };
    host.log(LogLvl::ERR, &line);
    Manner::of(options.cue, &host.service(), host.silent()).explain(host, shown);
}
