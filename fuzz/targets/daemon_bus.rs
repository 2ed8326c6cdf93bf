//! What any client can send to the daemon: a whole message off the socket, and the arguments in it.
#![no_main]

use std::collections::HashMap;

use pose_helperd::arguments::{self, EnrolOptions, Origin};
use zbus::wire::Endian;
use zbus::wire::serialized::{Context, Data};
use zbus::{Message, OwnedVariant};

type Values = HashMap<String, OwnedVariant>;

pose_fuzz::target!(|data| {
    let endian = if data.first() == Some(&b'B') { Endian::Big } else { Endian::Little };
    let bytes = Data::new(data.to_vec(), Context::new(endian, 0));
    // SAFETY: what zbus does with the bytes of a socket; whether that is sound is the question asked here.
    #[allow(unsafe_code, reason = "the only way in without a socket")]
    let Ok(message) = (unsafe { Message::from_bytes(bytes) }) else { return };
    let _ = format!("{:?}", message.header());
    let body = message.body();
    if let Ok((user, service, origin)) = body.deserialize::<(String, String, Values)>() {
        let _ = (arguments::user(&user), arguments::service(&service));
        if let Ok(origin) = Origin::read(origin) {
            assert!(origin.tty.len() < 256 && origin.rhost.len() < 256);
            assert!((3..=120).contains(&origin.timeout.as_secs()));
        }
    }
    if let Ok((user, options)) = body.deserialize::<(String, Values)>() {
        let _ = (arguments::user(&user), arguments::nothing_else(&options));
        if let Ok(options) = EnrolOptions::read(options) {
            assert!(options.gesture.len() <= 64);
            assert!(options.repetitions.is_none_or(|count| (3..=10).contains(&count)));
        }
    }
    let _ = body.deserialize::<(String,)>();
    let _ = body.deserialize::<(String, zbus::OwnedFd)>();
});
