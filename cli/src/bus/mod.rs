//! The helper over the system bus: one pinned peer, plain method calls, errors as failures with a next step.
//!
//! # Layout
//! - [`connect`]: the constant socket, activation, the unique name and its owner
//! - [`attempt`]: driving one attempt from its start to its verdict
//! - [`interrupt`]: Ctrl-C during an attempt
//! - [`secret`]: handing a secret over in a sealed memory file
//! - `refusal`: D-Bus errors in words

pub(crate) mod attempt;
pub(crate) mod connect;
pub(crate) mod interrupt;
mod refusal;
pub(crate) mod secret;

use std::collections::HashMap;

use futures_lite::future::block_on;
use pose_contract::{INTERFACE, OBJECT_PATH};
use serde::Serialize;
use zbus::names::OwnedUniqueName;
use zbus::proxy::MethodFlags;
use zbus::{Connection, DynamicType, OwnedVariant, Proxy};

use crate::exit::Failure;

/// Named values as the contract passes them (`a{sv}`).
pub(crate) type Details = HashMap<String, OwnedVariant>;

/// A connection to the helper's process that owned the bus name when it was looked up. The process is pinned: a
/// successor under the same name is not talked to.
#[derive(Clone)]
pub(crate) struct Helper {
    connection: Connection,
    peer: OwnedUniqueName,
}

/// One answer of `Next`.
#[derive(Debug)]
pub(crate) struct Event {
    /// `pose_contract::kind`.
    pub(crate) kind: String,
    /// What is asked, instructed or decided.
    pub(crate) code: String,
    /// One short line for people.
    pub(crate) text: String,
    /// Further values.
    pub(crate) details: Details,
}

impl Helper {
    /// Starts an attempt by `method` (`Enroll`, `Remove`, `SetPassword`, `Test`) and returns its name. Waits as
    /// long as it takes: the person may have to authorise it in a polkit dialogue first.
    pub(crate) fn start(&self, method: &str, user: &str, options: &Details) -> Result<String, Failure> {
        let started = block_on(async {
            let proxy = Proxy::new(&self.connection, &self.peer, OBJECT_PATH, INTERFACE).await?;
            proxy.call_with_flags(method, MethodFlags::ALLOW_INTERACTIVE_AUTH, &(user, options)).await
        });
        let attempt: Option<String> = started.map_err(|e| refusal::of_call(&e))?;
        attempt.ok_or_else(|| refusal::unintelligible(method, &zbus::Error::InvalidReply))
    }

    /// The attempt's next event; waits for at most a second.
    pub(crate) fn next(&self, attempt: &str) -> Result<Event, Failure> {
        let (kind, code, text, details) = self.call("Next", &(attempt,))?;
        Ok(Event { kind, code, text, details })
    }

    /// Answers the attempt's last question.
    pub(crate) fn answer(&self, attempt: &str, secret: &secret::Sealed) -> Result<(), Failure> {
        self.call("Answer", &(attempt, zbus::Fd::from(secret.as_fd())))
    }

    /// Ends the attempt; the camera is released.
    pub(crate) fn cancel(&self, attempt: &str) -> Result<(), Failure> {
        self.call("Cancel", &(attempt,))
    }

    /// Ends a lock-out.
    pub(crate) fn unlock(&self, user: &str) -> Result<(), Failure> {
        self.call("Unlock", &(user,))
    }

    /// Trusts the cameras that were plugged in while the session was locked.
    pub(crate) fn approve_cameras(&self) -> Result<(), Failure> {
        self.call("ApproveCameras", &())
    }

    /// A user's enrolments; all users' for an empty name.
    pub(crate) fn list(&self, user: &str) -> Result<Vec<Details>, Failure> {
        self.call("List", &(user,))
    }

    /// The helper's state.
    pub(crate) fn status(&self) -> Result<Details, Failure> {
        self.call("Status", &())
    }

    fn call<B, R>(&self, method: &str, body: &B) -> Result<R, Failure>
    where
        B: Serialize + DynamicType,
        R: serde::de::DeserializeOwned + zbus::Type,
    {
        let called = block_on(self.connection.call_method(
            Some(&self.peer),
            OBJECT_PATH,
            Some(INTERFACE),
            method,
            body,
        ));
        let reply = called.map_err(|e| refusal::of_call(&e))?;
        reply.body().deserialize().map_err(|e| refusal::unintelligible(method, &e))
    }
}

/// A text among the details; empty when it is missing or no text.
pub(crate) fn text<'a>(details: &'a Details, key: &str) -> &'a str {
    details.get(key).and_then(|value| <&str>::try_from(value).ok()).unwrap_or_default()
}

/// A number among the details, whatever its width; `None` when it is missing or no number.
pub(crate) fn number(details: &Details, key: &str) -> Option<u64> {
    let value = details.get(key)?;
    u64::try_from(value).ok().or_else(|| u32::try_from(value).ok().map(u64::from))
}

/// Whether a switch among the details is on.
pub(crate) fn flag(details: &Details, key: &str) -> bool {
    details.get(key).and_then(|value| bool::try_from(value).ok()).unwrap_or_default()
}

/// The details as JSON; values of types the contract does not use are left out.
pub(crate) fn to_json(details: &Details) -> serde_json::Map<String, serde_json::Value> {
    let value = |v: &OwnedVariant| {
        <&str>::try_from(v)
            .map(serde_json::Value::from)
            .or_else(|_| bool::try_from(v).map(serde_json::Value::from))
            .or_else(|_| u32::try_from(v).map(serde_json::Value::from))
            .or_else(|_| u64::try_from(v).map(serde_json::Value::from))
            .or_else(|_| f64::try_from(v).map(serde_json::Value::from))
            .ok()
    };
    let mut pairs: Vec<_> = details.iter().filter_map(|(k, v)| Some((k.clone(), value(v)?))).collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs.into_iter().collect()
}
