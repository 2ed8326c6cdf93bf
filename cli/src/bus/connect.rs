//! Reaching the helper: the constant socket, bus activation, and the check of who owns the name.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_lite::future::block_on;
use nix::unistd::User;
use pose_contract::{BUS_NAME, HELPER_USER, SYSTEM_BUS_SOCKET};
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;
use zbus::names::WellKnownName;

use super::{Helper, refusal};
use crate::exit::{Exit, Failure};

/// A silent bus or helper is given up after this. Long enough for bus activation of the unit at a cold start.
const PATIENCE: Duration = Duration::from_secs(15);

/// Connects to the helper, starting it by bus activation if it does not run.
pub(crate) fn helper() -> Result<Helper, Failure> {
    patiently(|| block_on(connect()))
}

/// Whether the bus knows how to start the helper.
pub(crate) fn activatable() -> Result<bool, Failure> {
    patiently(|| {
        block_on(async {
            let names =
                bus().await?.list_activatable_names().await.map_err(|e| refusal::of_bus(&e.into()))?;
            Ok(names.iter().any(|known| known.as_str() == BUS_NAME))
        })
    })
}

async fn bus() -> Result<DBusProxy<'static>, Failure> {
    let connection = Builder::address(format!("unix:path={SYSTEM_BUS_SOCKET}").as_str())
        .method_timeout(PATIENCE)
        .build()
        .await
        .map_err(|e| refusal::of_bus(&e))?;
    DBusProxy::new(&connection).await.map_err(|e| refusal::of_bus(&e))
}

async fn connect() -> Result<Helper, Failure> {
    let proxy = bus().await?;
    // A helper that was started by hand runs although the bus could not start it: only the owner counts.
    let started = proxy.start_service_by_name(name(), 0).await;
    let owner = proxy.get_name_owner(name().into()).await;
    let peer = owner.map_err(|e| refusal::of_start(&started.err().unwrap_or(e).into()))?;
    let uid = proxy.get_connection_unix_user((&peer).into()).await.map_err(|e| refusal::of_bus(&e.into()))?;
    if !trusted(uid) {
        return Err(Failure::new(
            Exit::Helper,
            format_args!(
                "the name {BUS_NAME} is owned by user id {uid}, which is neither root nor {HELPER_USER}"
            ),
            "do not type a password now; run `posectl doctor` to check the bus policy",
        ));
    }
    Ok(Helper { connection: proxy.inner().connection().clone(), peer })
}

/// The helper runs as its own user; root stands above it anyway.
fn trusted(uid: u32) -> bool {
    let helper = User::from_name(HELPER_USER).ok().flatten().map(|user| user.uid.as_raw());
    uid == 0 || helper == Some(uid)
}

fn name() -> WellKnownName<'static> {
    WellKnownName::from_static_str_unchecked(BUS_NAME)
}

/// Does work that talks to the bus, for a bounded time: a peer that accepts and then stays silent would hold the
/// handshake for ever.
pub(crate) fn patiently<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    wait.recv_timeout(PATIENCE * 2).unwrap_or_else(|_| {
        Err(Failure::new(
            Exit::Helper,
            "the system bus does not answer",
            "see `systemctl status dbus` and `journalctl -u dbus`",
        ))
    })
}
