//! One file a command. Each takes what it needs and answers with an exit code or a failure.
//!
//! Drives the helper: [`enrol`], [`list`], [`change`] (remove, passwd, unlock), [`test`], [`studio`]. On recordings:
//! [`rehearse`], [`landmarks`], [`bench`]. On this machine: [`devices`], and `doctor` beside this module. What may
//! be asked: [`movements`]. PAM stacks:
//! [`pam`], [`emergency_off`]. Papers: [`papers`].

pub(crate) mod bench;
pub(crate) mod change;
pub(crate) mod devices;
pub(crate) mod emergency_off;
pub(crate) mod enrol;
pub(crate) mod landmarks;
pub(crate) mod list;
pub(crate) mod movements;
pub(crate) mod pam;
pub(crate) mod papers;
pub(crate) mod rehearse;
pub(crate) mod studio;
pub(crate) mod test;

use std::io::{self, BufRead, IsTerminal, Write};

use nix::unistd::{Uid, User};

use crate::exit::{Exit, Failure};

/// The named user, or the one who runs this.
pub(crate) fn user_or_self(named: Option<String>) -> Result<String, Failure> {
    if let Some(name) = named {
        return Ok(name);
    }
    let uid = Uid::current();
    match User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err(Failure::new(
            Exit::Usage,
            format_args!("user id {uid} has no name in the user database"),
            "name the user on the command line",
        )),
    }
}

/// Asks a yes-or-no question; anything but yes is no. Without a terminal nobody can agree, so it fails.
pub(crate) fn agree(question: &str, flag: &str) -> Result<bool, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            format_args!("stdin is no terminal to ask: {question}"),
            format_args!("add {flag} if you agree"),
        ));
    }
    eprint!("{question} [y/N] ");
    // Without the prompt the person still sees that input is awaited.
    let _ = io::stderr().flush();
    let mut answer = String::new();
    let read = stdin.lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
