//! Asks polkit whether a caller may enrol; without polkit the answer is no.

use std::collections::HashMap;

use zbus::{Connection, Variant};

/// First enrolment of the caller's own pose.
pub const ENROL_ACTION: &str = "org.pam_pose.enrol";
/// polkit may show a dialogue.
const ALLOW_INTERACTION: u32 = 1;

/// Whether polkit lets the peer with that unique name do `action`; the person may be asked meanwhile, so this can
/// take as long as a dialogue does. A peer that leaves meanwhile is refused by polkit itself.
pub async fn permits(connection: &Connection, unique: &str, action: &str) -> bool {
    match ask(connection, unique, action).await {
        Ok(permitted) => permitted,
        Err(error) => {
            tracing::warn!(%error, action, "polkit did not answer; root can enrol without it");
            false
        }
    }
}

async fn ask(connection: &Connection, unique: &str, action: &str) -> zbus::Result<bool> {
    let subject = ("system-bus-name", HashMap::from([("name", Variant::from(unique))]));
    let details: HashMap<&str, &str> = HashMap::new();
    let reply = connection
        .call_method(
            Some("org.freedesktop.PolicyKit1"),
            "/org/freedesktop/PolicyKit1/Authority",
            Some("org.freedesktop.PolicyKit1.Authority"),
            "CheckAuthorization",
            &(subject, action, details, ALLOW_INTERACTION, ""),
        )
        .await?;
    let (permitted, _challenge, _details): (bool, bool, HashMap<String, String>) =
        reply.body().deserialize()?;
    Ok(permitted)
}
