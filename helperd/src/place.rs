//! Where a caller sits: at this machine or somewhere else, by logind's word and not by the caller's.

use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use crate::caller::Caller;

/// Where a caller sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this machine.
    Here,
    /// Elsewhere, or nobody can tell; the reason is for the journal.
    Elsewhere(String),
}

const LOGIND: &str = "org.freedesktop.login1";

/// Decides where `caller` sits. `rhost` is the remote host the caller names: it can only make a caller remote.
/// Without a logind session only root's login hosts are local; without logind, `require_logind` decides.
pub async fn of(connection: &Connection, caller: &Caller, rhost: &str, require_logind: bool) -> Place {
    if !names_this_host(rhost) {
        return Place::Elsewhere("the caller names a remote host".into());
    }
    let Some(pid) = caller.pid else {
        return undecided(require_logind, "the bus does not know the caller's process");
    };
    match session_of(connection, pid).await {
        Ok(Some(session)) => judge(connection, &session).await.unwrap_or_else(|error| {
            undecided(require_logind, &format!("logind did not describe the session: {error}"))
        }),
        // Login programs and greeters' helpers run before there is a session; only root's are taken for local.
        Ok(None) if caller.uid == 0 => Place::Here,
        Ok(None) => Place::Elsewhere("the caller belongs to no session".into()),
        Err(error) => undecided(require_logind, &format!("logind did not answer: {error}")),
    }
}

/// Whether a remote host's name means this machine. No name is looked up.
fn names_this_host(rhost: &str) -> bool {
    matches!(rhost, "" | "localhost" | "::1" | "127.0.0.1")
}

fn undecided(require_logind: bool, why: &str) -> Place {
    if require_logind { Place::Elsewhere(why.to_owned()) } else { Place::Here }
}

/// The session that the process belongs to; `None` when it belongs to none.
async fn session_of(connection: &Connection, pid: u32) -> zbus::Result<Option<OwnedObjectPath>> {
    let reply = connection
        .call_method(
            Some(LOGIND),
            "/org/freedesktop/login1",
            Some("org.freedesktop.login1.Manager"),
            "GetSessionByPID",
            &(pid,),
        )
        .await;
    match reply {
        Ok(reply) => reply.body().deserialize().map(Some),
        Err(zbus::Error::MethodError(name, _, _))
            if name.as_str() == "org.freedesktop.login1.NoSessionForPID" =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn judge(connection: &Connection, session: &OwnedObjectPath) -> zbus::Result<Place> {
    if bool::try_from(property(connection, session, "Remote").await?)? {
        return Ok(Place::Elsewhere("the caller's session is remote".into()));
    }
    let (seat, _path): (String, OwnedObjectPath) = property(connection, session, "Seat").await?.try_into()?;
    if seat.is_empty() {
        return Ok(Place::Elsewhere("the caller's session has no seat".into()));
    }
    if !bool::try_from(property(connection, session, "Active").await?)? {
        return Ok(Place::Elsewhere("the caller's session is not in the foreground".into()));
    }
    Ok(Place::Here)
}

async fn property(
    connection: &Connection,
    session: &OwnedObjectPath,
    name: &str,
) -> zbus::Result<OwnedVariant> {
    let reply = connection
        .call_method(
            Some(LOGIND),
            session,
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &("org.freedesktop.login1.Session", name),
        )
        .await?;
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
