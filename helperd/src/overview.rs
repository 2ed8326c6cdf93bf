//! Answers that need no attempt: list, status, unlock.

use std::collections::HashMap;

use zbus::OwnedVariant;

use crate::accounts::{self, Account};
use crate::attempt::detail;
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::lockout::{Moment, Origin, State};
use crate::refusal::Refusal;
use crate::store::EnrolmentInfo;
use crate::work::store_refused;

/// Most enrolments in one answer.
const MOST: usize = 4096;

/// `List`
pub(crate) fn list(
    daemon: &Daemon,
    user: &str,
    caller: &Caller,
) -> Result<Vec<HashMap<String, OwnedVariant>>, Refusal> {
    let name = if user.is_empty() { None } else { Some(canonical(user, caller)?) };
    if name.is_none() && caller.uid != 0 {
        return Err(Refusal::NotAuthorized("only root lists everybody; name your own user".into()));
    }
    let now = Moment::now().map_err(Refusal::internal)?;
    let found = daemon.store().list(name.as_deref()).map_err(store_refused)?;
    // A stored name may have been another account's before; only root sees that one's.
    let own = |info: &EnrolmentInfo| caller.may_ask_about(info.uid);
    found.iter().filter(|info| own(info)).take(MOST).map(|info| describe(daemon, info, &now)).collect()
}

/// The account's canonical name; root may also ask for stored names whose account is gone.
fn canonical(user: &str, caller: &Caller) -> Result<String, Refusal> {
    let account = accounts::by_name(user).map_err(Refusal::internal)?;
    match account {
        Some(account) if caller.may_ask_about(account.uid) => Ok(account.name),
        None if caller.uid == 0 => Ok(user.to_owned()),
        _ => Err(Refusal::NotAuthorized("only root asks for others; name your own user".into())),
    }
}

fn describe(
    daemon: &Daemon,
    info: &EnrolmentInfo,
    now: &Moment,
) -> Result<HashMap<String, OwnedVariant>, Refusal> {
    let account = Account { name: info.user.clone(), uid: info.uid };
    let mut locked = 0;
    for origin in Origin::ALL {
        let state = daemon
            .store()
            .lock_state(&account, origin, &daemon.config.lockout, now)
            .map_err(store_refused)?;
        locked = locked.max(match state {
            State::Open => 0,
            State::Locked(_) => {
                state.seconds().and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(u32::MAX)
            }
            State::Off => u32::MAX,
        });
    }
    let values = [
        ("user", detail(info.user.as_str())),
        ("uid", detail(info.uid)),
        ("version", detail(info.version)),
        ("gesture", detail(info.gesture.as_str())),
        ("created", detail(u64::try_from(info.created).unwrap_or_default())),
        ("recordings", detail(u32::from(info.recordings))),
        ("strength", detail(info.strength.as_str())),
        ("removed", detail(info.removed)),
        ("locked_seconds", detail(locked)),
    ];
    Ok(values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// `Unlock`
pub(crate) fn unlock(daemon: &Daemon, user: &str, actor: u32) -> Result<(), Refusal> {
    let name = accounts::by_name(user).ok().flatten().map_or_else(|| user.to_owned(), |account| account.name);
    if !daemon.store().unlock(&name, actor).map_err(store_refused)? {
        return Err(Refusal::NotEnrolled("this user has no enrolment; see posectl list".into()));
    }
    daemon.audit.change(&name, actor, "unlocked");
    Ok(())
}

/// `Status`
pub(crate) fn status(daemon: &Daemon) -> HashMap<String, OwnedVariant> {
    let camera = daemon.camera_status();
    let vision = &daemon.config.vision;
    let store = daemon.store().check().err().map_or_else(|| "ok".to_owned(), |error| error.to_string());
    let values = [
        ("version", detail(env!("CARGO_PKG_VERSION"))),
        ("camera", detail(camera.name.as_str())),
        ("camera_state", detail(camera.state.as_str())),
        ("models", detail(vision.models.display().to_string())),
        ("runtime", detail(vision.runtime.display().to_string())),
        ("store", detail(store.as_str())),
        ("busy", detail(daemon.seat.is_taken())),
        ("locked_times", detail(daemon.distrusted_times().spans().flatten().collect::<Vec<u64>>())),
    ];
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
