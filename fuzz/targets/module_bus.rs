//! What any peer on the bus can send into a root process: the module's own D-Bus reader.
#![no_main]

use pam_pose::dbus::message::{FIXED_HEADER, Incoming};
use pam_pose::dbus::strings;

pose_fuzz::target!(|data| {
    let Some(head) = data.get(..FIXED_HEADER) else { return };
    if let Ok(length) = Incoming::length(head) {
        assert!(length >= FIXED_HEADER);
    }
    let Ok(message) = Incoming::parse(data) else { return };
    let _ = message.error_text();
    for signature in ["s", "u", "sssa{sv}", message.signature.as_str()] {
        let Ok(mut body) = message.body(signature) else { continue };
        let _ = body.clone().u32();
        let _ = strings::<3>(body.clone());
        let _ = body.string();
    }
});
