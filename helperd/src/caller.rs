//! Who calls: identity from the bus daemon for each call, never from arguments; and since when it is on the bus.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::BusName;

use crate::boottime::BootTime;
use crate::process::{Process, Unknown};
use crate::refusal::Refusal;

/// Callers remembered. A unique name is never used twice on a bus and never changes its uid, so what was once
/// learnt stays true; forgetting costs one more question to the bus.
const REMEMBERED: usize = 512;

/// A peer on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Unique bus name.
    pub unique: String,
    /// User id that the kernel vouched for when the peer connected.
    pub uid: u32,
}

impl Caller {
    /// Whether the caller may ask about `uid`: root about anybody, anybody else about itself.
    #[must_use]
    pub fn may_ask_about(&self, uid: u32) -> bool {
        self.uid == 0 || self.uid == uid
    }
}

/// Looks callers up, and remembers them.
#[derive(Clone)]
pub struct Callers(Arc<Mutex<Known>>);

struct Known {
    callers: HashMap<String, Caller>,
    /// Since when each peer is on the bus. The bus bounds how many there are.
    connected: HashMap<String, BootTime>,
    /// Peers that are not listed were there before this.
    since: BootTime,
}

impl Default for Callers {
    fn default() -> Self {
        let known = Known { callers: HashMap::new(), connected: HashMap::new(), since: BootTime::now() };
        Self(Arc::new(Mutex::new(known)))
    }
}

impl Callers {
    /// The sender of a call.
    ///
    /// # Errors
    /// [`Refusal::NotAuthorized`] when the bus cannot say who it is, for instance because it has already left.
    pub async fn of(&self, header: &Header<'_>, connection: &Connection) -> Result<Caller, Refusal> {
        let unique = sender(header)?;
        if let Some(known) = self.known().callers.get(&unique) {
            return Ok(known.clone());
        }
        self.ask(unique, connection).await
    }

    /// The same, asking the bus even if the caller is known: fails once the caller has left.
    ///
    /// # Errors
    /// As [`Callers::of`].
    pub async fn still_there(&self, header: &Header<'_>, connection: &Connection) -> Result<Caller, Refusal> {
        self.ask(sender(header)?, connection).await
    }

    /// Notes that a peer is on the bus from now on.
    pub fn came(&self, unique: &str) {
        self.known().connected.insert(unique.to_owned(), BootTime::now());
    }

    /// Forgets a caller that has left.
    pub fn forget(&self, unique: &str) {
        let mut known = self.known();
        known.callers.remove(unique);
        known.connected.remove(unique);
    }

    /// The process behind a connection: the one that made it, or none.
    pub(crate) async fn process(
        &self,
        caller: &Caller,
        connection: &Connection,
    ) -> zbus::Result<Result<Process, Unknown>> {
        let name = BusName::try_from(caller.unique.as_str())?;
        let bus = DBusProxy::new(connection).await?;
        let credentials = bus.get_connection_credentials(name).await?;
        let pid = credentials.process_id();
        if let Some(fd) = credentials.into_process_fd() {
            return Ok(Process::held_by_bus(fd.into()));
        }
        let pid =
            pid.ok_or_else(|| zbus::Error::Failure("the bus does not know the caller's process".into()))?;
        Ok(Process::of_number(pid, self.connected(caller)))
    }

    /// Since when a caller is on the bus, at the latest.
    pub(crate) fn connected(&self, caller: &Caller) -> BootTime {
        let known = self.known();
        known.connected.get(&caller.unique).copied().unwrap_or(known.since)
    }

    async fn ask(&self, unique: String, connection: &Connection) -> Result<Caller, Refusal> {
        let unknown = |_| Refusal::NotAuthorized("the bus does not know this caller; connect again".into());
        let bus = DBusProxy::new(connection).await.map_err(Refusal::internal)?;
        let name = BusName::try_from(unique.as_str()).map_err(|_| unknown(()))?;
        let credentials = bus.get_connection_credentials(name).await.map_err(|_| unknown(()))?;
        let uid = credentials.unix_user_id().ok_or_else(|| unknown(()))?;
        let caller = Caller { unique: unique.clone(), uid };
        let known = &mut self.known().callers;
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(unique, caller.clone());
        Ok(caller)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        match self.0.lock() {
            Ok(known) => known,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

fn sender(header: &Header<'_>) -> Result<String, Refusal> {
    let sender = header
        .sender()
        .ok_or_else(|| Refusal::NotAuthorized("a call without a sender; use the bus".into()))?;
    Ok(sender.to_string())
}
