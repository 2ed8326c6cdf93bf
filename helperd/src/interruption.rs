//! What ends a capture besides its caller: the machine goes to sleep, or the caller's session leaves the foreground. What
//! changes of sessions besides is passed on to [`crate::locking`].

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use futures_lite::StreamExt;
use zbus::message::Type;
use zbus::names::BusName;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedVariant};

use crate::attempt::Stop;
use crate::daemon::Daemon;
use crate::place::{LOGIND, MANAGER};

const QUEUE: Option<NonZeroUsize> = NonZeroUsize::new(16);

/// Listens to logind for as long as it is polled. Without logind nothing is ever heard.
pub(crate) async fn watch(daemon: Arc<Daemon>, connection: Connection) {
    let both = futures_lite::future::zip(
        listen(&connection, manager_rule(), |message| on_manager(&daemon, message)),
        listen(&connection, session_rule(), |message| on_session(&daemon, message)),
    );
    if let (Err(error), _) | (_, Err(error)) = both.await {
        tracing::warn!(%error, "not listening to logind: a capture goes on until its own end when the machine sleeps");
    }
}

/// Sleep, and sessions that come and go.
fn manager_rule() -> zbus::Result<MatchRule<'static>> {
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(LOGIND);
    rule.interface(MANAGER).build()
}

fn session_rule() -> zbus::Result<MatchRule<'static>> {
    let rule = MatchRule::builder().msg_type(Type::Signal).sender(LOGIND);
    let rule = rule.interface("org.freedesktop.DBus.Properties").member("PropertiesChanged");
    rule.arg(0, "org.freedesktop.login1.Session").build()
}

async fn listen(
    connection: &Connection,
    rule: zbus::Result<MatchRule<'static>>,
    heard: impl Fn(&Message) -> zbus::Result<()>,
) -> zbus::Result<()> {
    let mut stream = MessageStream::for_match_rule(rule?, connection, QUEUE).await?;
    while let Some(message) = stream.next().await {
        let message = message?;
        // Anybody can address a signal to us; the bus' match rule does not filter those.
        if is_logind(connection, &message).await && heard(&message).is_err() {
            tracing::debug!("a signal of logind in another form than expected");
        }
    }
    Ok(())
}

async fn is_logind(connection: &Connection, message: &Message) -> bool {
    let Ok(bus) = zbus::fdo::DBusProxy::new(connection).await else { return false };
    let Ok(name) = BusName::try_from(LOGIND) else { return false };
    let owner = bus.get_name_owner(name).await.ok();
    owner.is_some() && owner.as_deref() == message.header().sender()
}

fn on_manager(daemon: &Daemon, message: &Message) -> zbus::Result<()> {
    match message.header().member().map(|member| member.as_str()) {
        Some("PrepareForSleep") => return on_sleep(daemon, message),
        Some("SessionNew" | "SessionRemoved") => daemon.locking.look_again(),
        _ => {}
    }
    Ok(())
}

fn on_sleep(daemon: &Daemon, message: &Message) -> zbus::Result<()> {
    let going: bool = message.body().deserialize()?;
    if going {
        daemon.seat.stop_owner(Stop::Asleep, |_| true);
    }
    Ok(())
}

fn on_session(daemon: &Daemon, message: &Message) -> zbus::Result<()> {
    let body = message.body();
    let (_, changed, _): (&str, HashMap<&str, OwnedVariant>, Vec<&str>) = body.deserialize()?;
    if changed.contains_key("LockedHint") || changed.contains_key("Active") {
        daemon.locking.look_again();
    }
    let active = changed.get("Active").and_then(|value| bool::try_from(value).ok());
    let header = message.header();
    if let (Some(active), Some(path)) = (active, header.path()) {
        daemon.attempts.session_active(path.as_str(), active);
        if !active {
            daemon.seat.stop_owner(Stop::Away, |attempt| attempt.is_in_session(path.as_str()));
        }
    }
    Ok(())
}
