//! `pam_chauthtok`: keeps the password that the helper stores in step when this module is in the password stack.

use nix::unistd::{geteuid, getuid};
use pamsm::{LogLvl, PamError, PamFlags};
use pose_contract::{MAX_SECRET, Outcome, ask, is_user_name};

use crate::cue::Manner;
use crate::deadline::Deadline;
use crate::exchange::{Attempt, Event, Failure};
use crate::host::Host;
use crate::options::Options;
use crate::verdict;

/// libpam's first round, in which every module says whether it could change the password (`PAM_PRELIM_CHECK`).
const PRELIM_CHECK: i32 = 0x4000;

/// One round of a password change.
///
/// libpam judges the second round's answer by what the first one said, so the first must not be IGNORE for a
/// user whose password will be changed: a failure would be ignored, too.
#[must_use]
pub fn change(host: &Host<'_>, flags: PamFlags, options: &Options) -> PamError {
    let Some(user) = host.user().filter(|user| is_user_name(user)) else {
        return PamError::AUTHTOK_ERR;
    };
    if flags.bits() & PRELIM_CHECK == 0 && !old_password_was_checked(host) {
        host.log(
            LogLvl::ERR,
            "nobody checked the current password; put pam_pose.so behind the module that does (pam_unix.so)",
        );
        return PamError::AUTHTOK_ERR;
    }
    let mut deadline = Deadline::after(options.timeout);
    let manner = Manner::of(options.cue, &host.service(), host.silent());
    let result = Attempt::set_password(&user, deadline).and_then(|mut attempt| {
        if flags.bits() & PRELIM_CHECK != 0 {
            Ok(PamError::SUCCESS)
        } else {
            update(host, manner, &mut attempt, &mut deadline)
        }
    });
    result.unwrap_or_else(|failure| match failure {
        Failure::NotEnrolled => PamError::IGNORE,
        Failure::Unavailable(why) | Failure::Gone(why) | Failure::Fault(why) | Failure::Refused(why) => {
            host.log(LogLvl::ERR, &format!("the helper's password was not changed: {why}"));
            PamError::AUTHTOK_ERR
        }
        other => {
            host.log(LogLvl::ERR, &format!("the helper's password was not changed: {other:?}"));
            verdict::of_failure(&other)
        }
    })
}

/// A setuid program asks the helper as root, who may change anything; so when a user runs it, an earlier module
/// has to have taken the current password. Without root's rights the helper itself asks for it and for the pose.
fn old_password_was_checked(host: &Host<'_>) -> bool {
    !geteuid().is_root() || getuid().is_root() || host.has_old_password()
}

fn update(
    host: &Host<'_>,
    manner: Manner,
    attempt: &mut Attempt,
    deadline: &mut Deadline,
) -> Result<PamError, Failure> {
    loop {
        let secret = match attempt.next(*deadline)? {
            Event::Progress => continue,
            Event::Instruction { text, .. } => {
                let seconds = deadline.remaining().as_secs();
                deadline
                    .pause(|| manner.instruct(host, &text, seconds))
                    .map_err(|_| Failure::Conversation)?;
                continue;
            }
            Event::Verdict(outcome, text) => return Ok(conclude(host, manner, outcome, &text)),
            Event::Ask(code) if code == ask::NEW_PASSWORD => deadline.pause(|| host.password(false)),
            Event::Ask(code) if code == ask::PASSWORD || code == ask::PASSWORD_OR_RECOVERY => {
                deadline.pause(|| host.old_password())
            }
            Event::Ask(code) => {
                return Err(Failure::Fault(format!("the helper asks for \"{}\" here", code.escape_debug())));
            }
        };
        match secret.map(std::ffi::CStr::to_bytes) {
            Ok(secret) if (1..=MAX_SECRET).contains(&secret.len()) => attempt.answer(secret, *deadline)?,
            Ok(_) => return Ok(PamError::AUTHTOK_ERR),
            Err(code) => return Ok(code),
        }
    }
}

fn conclude(host: &Host<'_>, manner: Manner, outcome: Outcome, text: &str) -> PamError {
    let code = match outcome {
        Outcome::Done => return PamError::SUCCESS,
        Outcome::NotEnrolled => return PamError::IGNORE,
        Outcome::WrongPassword => PamError::AUTHTOK_RECOVERY_ERR,
        _ => PamError::AUTHTOK_ERR,
    };
    host.log(LogLvl::ERR, &format!("the helper's password was not changed: {}", outcome.as_str()));
    manner.explain(host, text);
    code
}
