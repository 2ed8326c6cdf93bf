//! Where a caller sits: at this machine or somewhere else, by logind's word and not by the caller's.

use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use crate::boottime::BootTime;
use crate::caller::{Caller, Callers};
use crate::process::Process;

/// Where a caller sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this machine; in that logind session, if it is known.
    Here(Option<String>),
    /// Elsewhere, or nobody can tell; the reason is for the journal.
    Elsewhere(String),
}

pub(crate) const LOGIND: &str = "org.freedesktop.login1";
pub(crate) const MANAGER: &str = "org.freedesktop.login1.Manager";
pub(crate) const MANAGER_PATH: &str = "/org/freedesktop/login1";
pub(crate) const SESSION: &str = "org.freedesktop.login1.Session";
const USER: &str = "org.freedesktop.login1.User";

/// PAM services of root's programs that ask for who may sit anywhere: ssh, which a tunnel reaches from this machine's own
/// address; the remote desktop's login; polkit's helper where it is a service of the system's (polkit 127), which works for
/// the agent that has connected to it.
const FOR_ANYBODY: [&str; 3] = ["sshd", "polkit-1", "xrdp-sesman"];

/// What the caller says of itself. It can only make a caller remote, but for whom root's own services ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'a> {
    /// The PAM service; "" for changes, which have none.
    pub service: &'a str,
    /// The remote host; "" for none.
    pub rhost: &'a str,
    /// Who logged in that its process comes from.
    pub login_uid: Option<u32>,
    /// The process that a service of [`FOR_ANYBODY`] asks for.
    pub asker: Option<u32>,
}

/// Decides where `caller` sits.
///
/// A process in a session sits where the session does. One of a user's own services (desktop terminals and lockers
/// are such) sits at the user's graphical session, unless the user is logged in from elsewhere as well: then nobody
/// can tell. Outside any user only root's login hosts are local, and not what comes from somebody's login without being in its
/// session: jobs of cron and at, which may have been left from anywhere; nor what asks for people who may sit anywhere.
/// Without logind, `require_logind` decides.
pub async fn of(
    connection: &Connection,
    callers: &Callers,
    caller: &Caller,
    told: Told<'_>,
    require_logind: bool,
) -> Place {
    if !names_this_host(told.rhost) {
        return Place::Elsewhere("the caller names a remote host".into());
    }
    let found = match callers.process(caller, connection).await {
        Ok(Ok(process)) => match by_process(connection, callers, caller, process.pid, told).await {
            // What logind told of the number holds for the process only if that has it still.
            Ok(_) if !process.lives() => Ok(Place::Elsewhere("the caller's process has ended".into())),
            found => found,
        },
        Ok(Err(unknown)) => Ok(Place::Elsewhere(unknown.into())),
        Err(error) => Err(error),
    };
    found.unwrap_or_else(|error| {
        let why = format!("logind did not tell: {error}");
        if require_logind { Place::Elsewhere(why) } else { Place::Here(None) }
    })
}

async fn by_process(
    connection: &Connection,
    callers: &Callers,
    caller: &Caller,
    pid: u32,
    told: Told<'_>,
) -> zbus::Result<Place> {
    if let Some(place) = by_session_or_user(connection, pid).await? {
        return Ok(place);
    }
    // Login programs and greeters' own processes run before there is a user; only root's are taken for local.
    Ok(match (caller.uid, told.asker) {
        (0, Some(asker)) if FOR_ANYBODY.contains(&told.service) => {
            by_asker(connection, asker, callers.connected(caller)).await?
        }
        (0, None) if FOR_ANYBODY.contains(&told.service) => {
            Place::Elsewhere("the caller belongs to no session and asks for who may sit anywhere".into())
        }
        (0, _) if told.login_uid.is_none() => Place::Here(None),
        (0, _) => Place::Elsewhere("the caller comes from a login and belongs to no session".into()),
        _ => Place::Elsewhere("the caller belongs to no session".into()),
    })
}

/// A process' place where it belongs to somebody.
async fn by_session_or_user(connection: &Connection, pid: u32) -> zbus::Result<Option<Place>> {
    if let Some(session) =
        find(connection, "GetSessionByPID", pid, "org.freedesktop.login1.NoSessionForPID").await?
    {
        return judge(connection, &session).await.map(Some);
    }
    match find(connection, "GetUserByPID", pid, "org.freedesktop.login1.NoUserForPID").await? {
        Some(user) => by_user(connection, &user).await.map(Some),
        None => Ok(None),
    }
}

/// Where the process sits that one of root's services asks for; it was there before the service came to the bus.
async fn by_asker(connection: &Connection, pid: u32, connected: BootTime) -> zbus::Result<Place> {
    let process = match Process::of_number(pid, connected) {
        Ok(process) => process,
        Err(why) => return Ok(Place::Elsewhere(format!("of who is asked for: {why}"))),
    };
    let place = by_session_or_user(connection, pid).await?;
    Ok(match place {
        Some(place) if process.lives() => place,
        _ => Place::Elsewhere("who is asked for belongs to no session".into()),
    })
}

/// Whether logind says that the lid is closed; a machine without lid or logind has none to close.
pub async fn lid_closed(connection: &Connection) -> bool {
    let manager = OwnedObjectPath::try_from(MANAGER_PATH);
    let Ok(manager) = manager else { return false };
    let closed = property(connection, &manager, MANAGER, "LidClosed").await;
    closed.is_ok_and(|value| bool::try_from(value).unwrap_or(false))
}

/// Whose session it is.
pub async fn owner(connection: &Connection, session: &str) -> zbus::Result<u32> {
    let session = OwnedObjectPath::try_from(session)?;
    let (uid, _): (u32, OwnedObjectPath) =
        property(connection, &session, SESSION, "User").await?.try_into()?;
    Ok(uid)
}

/// A process of a user's own services.
async fn by_user(connection: &Connection, user: &OwnedObjectPath) -> zbus::Result<Place> {
    type Named = (String, OwnedObjectPath);
    let sessions: Vec<Named> = property(connection, user, USER, "Sessions").await?.try_into()?;
    for (_, session) in &sessions {
        if bool::try_from(property(connection, session, SESSION, "Remote").await?)? {
            return Ok(Place::Elsewhere("the user is logged in from elsewhere as well".into()));
        }
    }
    let (name, display): Named = property(connection, user, USER, "Display").await?.try_into()?;
    if name.is_empty() {
        return Ok(Place::Elsewhere("the user has no graphical session".into()));
    }
    judge(connection, &display).await
}

/// Whether a remote host's name means this machine. No name is looked up.
fn names_this_host(rhost: &str) -> bool {
    matches!(rhost, "" | "localhost" | "::1" | "127.0.0.1")
}

/// What the process belongs to; `None` when logind answers that it belongs to none.
async fn find(
    connection: &Connection,
    method: &str,
    pid: u32,
    none: &str,
) -> zbus::Result<Option<OwnedObjectPath>> {
    let reply = connection.call_method(Some(LOGIND), MANAGER_PATH, Some(MANAGER), method, &(pid,)).await;
    match reply {
        Ok(reply) => reply.body().deserialize().map(Some),
        Err(zbus::Error::MethodError(name, ..)) if name.as_str() == none => Ok(None),
        Err(error) => Err(error),
    }
}

async fn judge(connection: &Connection, session: &OwnedObjectPath) -> zbus::Result<Place> {
    if bool::try_from(property(connection, session, SESSION, "Remote").await?)? {
        return Ok(Place::Elsewhere("the caller's session is remote".into()));
    }
    let (seat, _): (String, OwnedObjectPath) =
        property(connection, session, SESSION, "Seat").await?.try_into()?;
    if seat.is_empty() {
        return Ok(Place::Elsewhere("the caller's session has no seat".into()));
    }
    if !bool::try_from(property(connection, session, SESSION, "Active").await?)? {
        return Ok(Place::Elsewhere("the caller's session is not in the foreground".into()));
    }
    Ok(Place::Here(Some(session.to_string())))
}

/// One property of one of logind's objects.
pub(crate) async fn property(
    connection: &Connection,
    object: &OwnedObjectPath,
    interface: &str,
    name: &str,
) -> zbus::Result<OwnedVariant> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let reply = connection.call_method(Some(LOGIND), object, properties, "Get", &(interface, name)).await?;
    reply.body().deserialize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_hosts_own_names_are_local() {
        for here in ["", "localhost", "::1", "127.0.0.1"] {
            assert!(names_this_host(here), "{here}");
        }
        for elsewhere in ["10.0.0.7", "example.org", "localhost.example.org", " ", "LOCALHOST."] {
            assert!(!names_this_host(elsewhere), "{elsewhere}");
        }
    }
}
