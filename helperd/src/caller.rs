//! Who calls: identity from the bus daemon for each call, never from arguments.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::Header;
use zbus::names::BusName;

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
    /// Process id, if the bus knows it; only good for asking logind, a process id can be used again.
    pub pid: Option<u32>,
}

impl Caller {
    /// Whether the caller may ask about `uid`: root about anybody, anybody else about itself.
    #[must_use]
    pub fn may_ask_about(&self, uid: u32) -> bool {
        self.uid == 0 || self.uid == uid
    }
}

/// Looks callers up, and remembers them.
#[derive(Clone, Default)]
pub struct Callers(Arc<Mutex<HashMap<String, Caller>>>);

impl Callers {
    /// The sender of a call.
    ///
    /// # Errors
    /// [`Refusal::NotAuthorized`] when the bus cannot say who it is, for instance because it has already left.
    pub async fn of(&self, header: &Header<'_>, connection: &Connection) -> Result<Caller, Refusal> {
        let unique = sender(header)?;
        if let Some(known) = self.known().get(&unique) {
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

    /// Forgets a caller that has left.
    pub fn forget(&self, unique: &str) {
        self.known().remove(unique);
    }

    async fn ask(&self, unique: String, connection: &Connection) -> Result<Caller, Refusal> {
        let unknown = |_| Refusal::NotAuthorized("the bus does not know this caller; connect again".into());
        let bus = DBusProxy::new(connection).await.map_err(Refusal::internal)?;
        let name = BusName::try_from(unique.as_str()).map_err(|_| unknown(()))?;
        let credentials = bus.get_connection_credentials(name).await.map_err(|_| unknown(()))?;
        let uid = credentials.unix_user_id().ok_or_else(|| unknown(()))?;
        let caller = Caller { unique: unique.clone(), uid, pid: credentials.process_id() };
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(unique, caller.clone());
        Ok(caller)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Caller>> {
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
