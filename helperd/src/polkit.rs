//! Asks polkit whether a caller may enrol; without polkit the answer is no.

use std::collections::HashMap;

use futures_lite::FutureExt;
use zbus::{Connection, Variant};

/// First enrolment of the caller's own pose.
pub const ENROL_ACTION: &str = "org.pam_pose.enrol";
/// polkit may show a dialogue.
const ALLOW_INTERACTION: u32 = 1;

/// Whether polkit lets the peer with that unique name do `action`; the person may be asked meanwhile, so this can
/// take as long as a dialogue does. When `given_up` is done first, the dialogue is withdrawn and the answer is no.
/// `name` tells this question from others of ours. A peer that leaves meanwhile is refused by polkit itself.
pub async fn permits(
    connection: &Connection,
    unique: &str,
    action: &str,
    name: &str,
    given_up: impl Future<Output = ()>,
) -> bool {
    let asked = async { Some(ask(connection, unique, action, name).await) };
    let given_up = async {
        given_up.await;
        None
    };
    match asked.or(given_up).await {
        Some(Ok(permitted)) => permitted,
        Some(Err(error)) => {
            tracing::warn!(%error, action, "polkit did not answer; root can enrol without it");
            false
        }
        None => {
            if let Err(error) = call(connection, "CancelCheckAuthorization", &(name,)).await {
                tracing::warn!(%error, action, "polkit did not withdraw its dialogue");
            }
            false
        }
    }
}

async fn ask(connection: &Connection, unique: &str, action: &str, name: &str) -> zbus::Result<bool> {
    let subject = ("system-bus-name", HashMap::from([("name", Variant::from(unique))]));
    let details: HashMap<&str, &str> = HashMap::new();
    let question = (subject, action, details, ALLOW_INTERACTION, name);
    let reply = call(connection, "CheckAuthorization", &question).await?;
    let (permitted, _challenge, _details): (bool, bool, HashMap<String, String>) =
        reply.body().deserialize()?;
    Ok(permitted)
}

async fn call<B: serde::Serialize + zbus::wire::DynamicType>(
    connection: &Connection,
    method: &str,
    body: &B,
) -> zbus::Result<zbus::Message> {
    connection
        .call_method(
            Some("org.freedesktop.PolicyKit1"),
            "/org/freedesktop/PolicyKit1/Authority",
            Some("org.freedesktop.PolicyKit1.Authority"),
            method,
            body,
        )
        .await
}
