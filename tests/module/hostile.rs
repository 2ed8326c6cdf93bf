//! Peers that break the rules: at the socket, in the handshake, in the bus' name, in the helper's name.

use std::io::{BufRead, BufReader, Read, Write};
use std::num::NonZeroU32;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use pose_contract::SYSTEM_BUS_SOCKET;
use zbus::message::Builder;
use zbus::{DynamicType, Message};

use crate::Case;
use crate::place::{Place, PrivateBus};
use crate::run::{Report, host, host_with};

const HANG: Duration = Duration::from_secs(20);
const BUS: &str = "org.freedesktop.DBus";
const HELPER: &str = ":1.7";

pub(crate) const CASES: &[Case] = &[
    ("a_peer_that_keeps_silent_at_any_step_is_left_at_the_deadline", silent),
    ("a_peer_that_closes_at_any_step_is_unavailable", closing),
    ("a_full_backlog_is_left_at_the_deadline", backlog),
    ("garbage_is_refused", garbage),
    ("a_peer_that_drips_bytes_is_left_at_the_deadline", dripping),
    ("an_endless_stream_is_left_at_the_deadline", endless),
    ("a_faithful_scripted_bus_is_served_so_these_tests_test_lies", faithful),
    ("answers_of_anybody_else_are_not_believed", wrong_senders),
    ("answers_to_other_calls_are_not_believed", wrong_serials),
    ("a_name_owned_by_another_user_gets_no_password", wrong_owner),
    ("answers_of_the_wrong_shape_are_faults", wrong_shapes),
    ("the_environment_moves_nothing", environment),
];

/// Serves one connection at the bus' path in a thread, while a host tries to log in.
fn against(words: &[&str], peer: impl FnOnce(UnixStream) + Send + 'static) -> Report {
    let _ = std::fs::remove_file(SYSTEM_BUS_SOCKET);
    let listener = UnixListener::bind(SYSTEM_BUS_SOCKET).expect("socket");
    let served = std::thread::spawn(move || peer(listener.accept().expect("accept").0));
    let report = host(words);
    assert!(report.took < HANG, "{:?}", report.took);
    let _ = served.join();
    report
}

/// Reads until the client goes away.
fn hold(mut stream: UnixStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

/// The authentication dialogue up to `steps` answers.
fn handshake(stream: &UnixStream, steps: usize) {
    let mut reader = BufReader::with_capacity(1, stream.try_clone().expect("clone"));
    let mut line = Vec::new();
    for answer in [&b"OK 0123456789abcdef0123456789abcdef\r\n"[..], b"AGREE_UNIX_FD\r\n"].iter().take(steps) {
        let _ = reader.read_until(b'\n', &mut line);
        let _ = (&*stream).write_all(answer);
    }
    if steps == 2 {
        let _ = reader.read_until(b'\n', &mut line);
    }
}

/// Reads one message and gives its serial.
fn read_call(stream: &mut UnixStream) -> Option<u32> {
    let mut head = [0; 16];
    stream.read_exact(&mut head).ok()?;
    let whole = pam_pose::dbus::message::Incoming::length(&head).ok()?;
    stream.read_exact(&mut vec![0; whole - 16]).ok()?;
    Some(u32::from_le_bytes(head[8..12].try_into().ok()?))
}

/// An answer to call number `serial`.
fn answer<B: serde_like::Body>(serial: u32, sender: &str, body: &B) -> Vec<u8> {
    let call = call(serial);
    reply_bytes(Message::method_return(&call.header()).sender(sender), body)
}

fn failure(serial: u32, sender: &str, name: &str) -> Vec<u8> {
    let call = call(serial);
    reply_bytes(Message::error(&call.header(), name).sender(sender), &("lies",))
}

fn call(serial: u32) -> Message {
    let serial = NonZeroU32::new(serial).expect("serial");
    Message::method_call("/", "X").serial(serial).build(&()).expect("call")
}

fn reply_bytes<B: serde_like::Body>(builder: Builder<'_>, body: &B) -> Vec<u8> {
    builder.build(body).expect("reply").data().to_vec()
}

/// What zbus can marshal.
mod serde_like {
    pub(super) trait Body: zbus::export::serde::Serialize + super::DynamicType {}
    impl<T: zbus::export::serde::Serialize + super::DynamicType> Body for T {}
}

type Reply = Box<dyn Fn(u32) -> Vec<u8> + Send>;

fn event(kind: &'static str, code: &'static str) -> Reply {
    let details = std::collections::HashMap::<String, zbus::OwnedVariant>::new;
    Box::new(move |serial| answer(serial, HELPER, &(kind, code, "text", details())))
}

/// A whole good login in five answers.
fn good() -> Vec<Reply> {
    vec![
        Box::new(|serial| answer(serial, BUS, &(":1.9",))),
        Box::new(|serial| answer(serial, BUS, &(HELPER,))),
        Box::new(|serial| answer(serial, BUS, &(0u32,))),
        Box::new(|serial| answer(serial, HELPER, &("attempt",))),
        event("verdict", "success"),
    ]
}

/// Runs a login against a bus that gives these answers in turn and then keeps silent.
fn scripted(replies: Vec<Reply>) -> Report {
    against(&["user=anybody", "password=precious"], move |mut stream| {
        handshake(&stream, 2);
        for reply in replies {
            let Some(serial) = read_call(&mut stream) else { return };
            let _ = stream.write_all(&reply(serial));
        }
        hold(stream);
    })
}

fn faithful(place: &Place) {
    place.write_service("timeout=5");
    assert_eq!(scripted(good()).code(), "SUCCESS");
}

fn silent(place: &Place) {
    place.write_service("timeout=5");
    for step in 0..3 {
        let report = against(&["user=anybody"], move |stream| {
            handshake(&stream, step);
            hold(stream);
        });
        assert_eq!(report.code(), "AUTHINFO_UNAVAIL", "handshake step {step}");
    }
    for step in 0..good().len() {
        let report = scripted(good().into_iter().take(step).collect());
        assert_eq!(report.code(), "AUTHINFO_UNAVAIL", "call {step}");
    }
}

fn closing(place: &Place) {
    place.write_service("timeout=5");
    for step in 0..3 {
        let report = against(&["user=anybody"], move |stream| handshake(&stream, step));
        assert_eq!(report.code(), "AUTHINFO_UNAVAIL", "handshake step {step}");
    }
    for step in 0..good().len() {
        let report = against(&["user=anybody"], move |mut stream| {
            handshake(&stream, 2);
            for reply in good().iter().take(step) {
                let Some(serial) = read_call(&mut stream) else { return };
                let _ = stream.write_all(&reply(serial));
            }
        });
        assert_eq!(report.code(), "AUTHINFO_UNAVAIL", "call {step}");
    }
}

fn backlog(place: &Place) {
    place.write_service("timeout=5");
    let _ = std::fs::remove_file(SYSTEM_BUS_SOCKET);
    let _listener = UnixListener::bind(SYSTEM_BUS_SOCKET).expect("socket");
    // std listens with the largest backlog that the kernel allows; fill it without blocking.
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, listen, socket};
    let address = UnixAddr::new(Path::new(SYSTEM_BUS_SOCKET)).expect("address");
    listen(&_listener, nix::sys::socket::Backlog::new(0).expect("backlog")).expect("listen");
    let mut waiting = Vec::new();
    loop {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let client = socket(AddressFamily::Unix, SockType::Stream, flags, None).expect("socket");
        let done = connect(std::os::fd::AsRawFd::as_raw_fd(&client), &address);
        waiting.push(client);
        if done.is_err() {
            break;
        }
    }
    let report = host(&["user=anybody"]);
    assert_eq!(report.code(), "AUTHINFO_UNAVAIL");
    assert!(report.took < HANG);
}

fn garbage(place: &Place) {
    place.write_service("timeout=5");
    let lines: [&[u8]; 5] = [
        b"\0\0\0\0\r\n",
        b"REJECTED EXTERNAL\r\n",
        b"ERROR\r\n",
        b"\xff\xfe\xfd\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ];
    for line in lines {
        let report = against(&["user=anybody"], move |mut stream| {
            let _ = stream.write_all(line);
            hold(stream);
        });
        assert!(["AUTHINFO_UNAVAIL", "SYSTEM_ERR"].contains(&report.code()), "{line:?}: {}", report.code());
    }
    let messages: [&[u8]; 7] = [
        b"x\x02\x01\x01\0\0\0\0\x01\0\0\0\0\0\0\0",
        b"l\x02\x01\x02\0\0\0\0\x01\0\0\0\0\0\0\0",
        b"l\x02\x01\x01\xff\xff\xff\xff\x01\0\0\0\0\0\0\0",
        b"l\x02\x01\x01\0\0\0\x08\x01\0\0\0\0\0\0\0",
        b"l\x02\x01\x01\0\0\0\0\x01\0\0\0\xff\xff\xff\x7f",
        b"l\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0",
        b"l\x02\x01\x01\0\0\0\0\x01\0\0\0\x08\0\0\0\x05\x01u\0\x01\0\0",
    ];
    for message in messages {
        let report = against(&["user=anybody"], move |mut stream| {
            handshake(&stream, 2);
            let _ = stream.write_all(message);
            hold(stream);
        });
        assert!(
            ["AUTHINFO_UNAVAIL", "SYSTEM_ERR"].contains(&report.code()),
            "{message:?}: {}",
            report.code()
        );
    }
    let report = against(&["user=anybody"], |mut stream| {
        let _ = stream.write_all(&vec![b'A'; 10_000_000]);
    });
    assert_eq!(report.code(), "SYSTEM_ERR");
}

fn dripping(place: &Place) {
    place.write_service("timeout=5");
    let report = against(&["user=anybody"], |mut stream| {
        handshake(&stream, 2);
        let started = Instant::now();
        let Some(serial) = read_call(&mut stream) else { return };
        for byte in answer(serial, BUS, &("x".repeat(1000),)) {
            if stream.write_all(&[byte]).is_err() || started.elapsed() > HANG {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(report.code(), "AUTHINFO_UNAVAIL");
}

fn endless(place: &Place) {
    place.write_service("timeout=5");
    // Well-formed messages that are never the answer.
    let report = against(&["user=anybody"], |mut stream| {
        handshake(&stream, 2);
        let noise = answer(4000, BUS, &("x",));
        while stream.write_all(&noise).is_ok() {}
    });
    assert_eq!(report.code(), "AUTHINFO_UNAVAIL");
}

fn wrong_senders(place: &Place) {
    place.write_service("timeout=5");
    for (step, sender) in [(0, ":1.66"), (1, ":1.66"), (2, ":1.66"), (3, ":1.66"), (4, ":1.66"), (4, BUS)] {
        let mut replies = good();
        replies[step] = match step {
            0 | 1 => Box::new(move |serial| answer(serial, sender, &(HELPER,))),
            2 => Box::new(move |serial| answer(serial, sender, &(0u32,))),
            3 => Box::new(move |serial| answer(serial, sender, &("attempt",))),
            _ => Box::new(move |serial| {
                let details = std::collections::HashMap::<String, zbus::OwnedVariant>::new();
                answer(serial, sender, &("verdict", "success", "", details))
            }),
        };
        assert_eq!(scripted(replies).code(), "AUTHINFO_UNAVAIL", "step {step} by {sender}");
    }
    // Errors in the helper's name from somebody else are not believed either; the bus' own are.
    for (sender, at_once) in [(":1.66", false), (BUS, true)] {
        let mut replies = good();
        replies[4] =
            Box::new(move |serial| failure(serial, sender, "org.freedesktop.DBus.Error.ServiceUnknown"));
        let report = scripted(replies);
        assert_eq!(report.code(), "AUTHINFO_UNAVAIL", "{sender}");
        let took: u64 = report.all("milliseconds")[0].parse().expect("number");
        assert_eq!(took < 4_000, at_once, "{sender}: {took} ms");
    }
}

fn wrong_serials(place: &Place) {
    place.write_service("timeout=5");
    for step in 0..good().len() {
        let mut replies = good();
        let right = good().remove(step);
        replies[step] = Box::new(move |serial| right(serial + 1));
        assert_eq!(scripted(replies).code(), "AUTHINFO_UNAVAIL", "step {step}");
    }
}

fn wrong_owner(place: &Place) {
    place.write_service("timeout=5 nouserok");
    for (uid, code) in [(0u32, "SUCCESS"), (971, "SUCCESS"), (65534, "SYSTEM_ERR"), (1001, "SYSTEM_ERR")] {
        let mut replies = good();
        replies[2] = Box::new(move |serial| answer(serial, BUS, &(uid,)));
        let report = scripted(replies);
        assert_eq!(report.code(), code, "uid {uid}");
        assert!(!report.shown().iter().any(|message| message.starts_with("1 ")), "a password was asked for");
    }
    if nix::unistd::geteuid().is_root()
        && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|m| m.contains("4294967295"))
    {
        let _bus = PrivateBus::start();
        let _squatter = crate::helper::Helper::start_as(65534);
        assert_eq!(host(&["user=verdict=success"]).code(), "SYSTEM_ERR");
    } else {
        println!(
            "  (without root the squatter with a real uid is skipped; the scripted bus stands in for it)"
        );
    }
}

fn wrong_shapes(place: &Place) {
    place.write_service("timeout=5");
    let shapes: Vec<(usize, Reply)> = vec![
        (0, Box::new(|serial| answer(serial, BUS, &(7u32,)))),
        (1, Box::new(|serial| answer(serial, BUS, &("not.unique",)))),
        (2, Box::new(|serial| answer(serial, BUS, &("0",)))),
        (3, Box::new(|serial| answer(serial, HELPER, &(1u32,)))),
        (3, Box::new(|serial| answer(serial, HELPER, &()))),
        (4, Box::new(|serial| answer(serial, HELPER, &("verdict", "success", "")))),
        (
            4,
            Box::new(|serial| {
                answer(
                    serial,
                    HELPER,
                    &(
                        "verdict",
                        "SUCCESS",
                        "",
                        std::collections::HashMap::<String, zbus::OwnedVariant>::new(),
                    ),
                )
            }),
        ),
        (
            4,
            Box::new(|serial| {
                answer(
                    serial,
                    HELPER,
                    &(
                        "x".repeat(5000),
                        "success",
                        "",
                        std::collections::HashMap::<String, zbus::OwnedVariant>::new(),
                    ),
                )
            }),
        ),
    ];
    for (at, (step, reply)) in shapes.into_iter().enumerate() {
        let mut replies = good();
        replies[step] = reply;
        assert_eq!(scripted(replies).code(), "SYSTEM_ERR", "shape {at}");
    }
}

fn environment(place: &Place) {
    place.write_service("timeout=5");
    // A bus that says yes to everything, where only the environment points to.
    let lure = "/run/lure";
    let _ = std::fs::remove_file(lure);
    let listener = UnixListener::bind(lure).expect("lure");
    listener.set_nonblocking(true).expect("non-blocking");
    let _ = std::fs::remove_file(SYSTEM_BUS_SOCKET);
    let address = format!("unix:path={lure}");
    let report = host_with(&["user=anybody"], |command| {
        for name in ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS", "DBUS_STARTER_ADDRESS"] {
            command.env(name, &address);
        }
    });
    assert_eq!(report.code(), "AUTHINFO_UNAVAIL");
    assert!(listener.accept().is_err(), "the module followed the environment");
}
