//! What callers may and may not do, and what the daemon says to nonsense.
#![allow(unsafe_code, reason = "the client makes memfds and connects with another uid")]

mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use support::client::{dictionary, memfd};
use support::house::{NOBODY, PASSWORD, can_be_others, serve_as, verdict};
use support::logind::{HERE, Session, logind};
use support::{House, Script};
use zbus::{OwnedVariant, Variant, interface};

const DENIED: &str = "org.pam_pose.Error.NotAuthorized";
const INVALID: &str = "org.pam_pose.Error.InvalidArgument";

#[test]
fn the_live_introspection_is_the_contract() {
    let house = House::new(&Script::right_person());
    let call = house.client();
    let reply = zbus::block_on(call.0.call_method(
        Some(pose_contract::BUS_NAME),
        pose_contract::OBJECT_PATH,
        Some("org.freedesktop.DBus.Introspectable"),
        "Introspect",
        &(),
    ));
    let live: String = reply.unwrap().body().deserialize().unwrap();
    assert_eq!(members(&live), members(pose_contract::INTROSPECTION_XML));
}

/// "method Name arg:type:direction …" for every member of our interface, in the order of their names.
fn members(xml: &str) -> Vec<String> {
    let start =
        xml.find(&format!("<interface name=\"{}\">", pose_contract::INTERFACE)).expect("the interface");
    let body = &xml[start..start + xml[start..].find("</interface>").expect("its end")];
    let attribute = |tag: &str, name: &str| {
        let from = tag.find(&format!("{name}=\"")).map(|at| at + name.len() + 2)?;
        Some(tag[from..].split('"').next().expect("a value").to_owned())
    };
    let mut members: Vec<String> = Vec::new();
    for tag in body.split('<') {
        let kind = tag.split([' ', '>', '/']).next().expect("a kind");
        let mut word = |text: String| members.push(text);
        match kind {
            "method" | "signal" => word(format!("{kind} {}", attribute(tag, "name").expect("a name"))),
            "property" => word(format!(
                "property {} {} {}",
                attribute(tag, "name").expect("a name"),
                attribute(tag, "type").expect("a type"),
                attribute(tag, "access").expect("an access")
            )),
            "arg" => {
                let text = ["name", "type", "direction"]
                    .map(|key| attribute(tag, key).unwrap_or_default())
                    .join(":");
                let last = members.last_mut().expect("an argument belongs to a method");
                last.push(' ');
                last.push_str(&text);
            }
            _ => {}
        }
    }
    members.sort();
    members
}

#[test]
fn nonsense_is_refused_by_name() {
    let house = House::new(&Script::right_person());
    let client = house.client();
    let long = "x".repeat(300);
    for user in ["", "a/b", "a\nb", "../root", long.as_str()] {
        assert_eq!(client.begin(user, &[]).unwrap_err(), INVALID, "{user:?}");
    }
    for option in
        [("mode", Variant::from("sometimes")), ("tty", Variant::from(7u32)), ("uid", Variant::from(0u32))]
    {
        assert_eq!(client.begin("root", &[option]).unwrap_err(), INVALID);
    }
    let empty: HashMap<&str, Variant<'_>> = HashMap::new();
    assert_eq!(client.call("Begin", &("root", "../sudo", &empty)).unwrap_err(), INVALID);
    assert_eq!(client.enroll("root", 2).unwrap_err(), INVALID);
    assert_eq!(client.enroll("no-such-user-3f", 3).unwrap_err(), INVALID);
    assert_eq!(client.next("").unwrap_err(), "org.pam_pose.Error.NoSuchAttempt");
    assert_eq!(client.next(&long).unwrap_err(), "org.pam_pose.Error.NoSuchAttempt");
    let wrong_type = client.call("Begin", &("root", 7u32)).unwrap_err();
    assert!(wrong_type.starts_with("org.freedesktop.DBus.Error.InvalidArgs"), "{wrong_type}");
    let unknown = client.call("Open", &()).unwrap_err();
    assert!(unknown.starts_with("org.freedesktop.DBus.Error.UnknownMethod"), "{unknown}");
    assert_eq!(client.change("Remove", "daemon").unwrap_err(), "org.pam_pose.Error.NotEnrolled");
}

#[test]
fn an_answer_must_be_asked_for_and_sealed() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.begin("root", &[]).unwrap();
    assert_eq!(client.next(&attempt).unwrap().code, "password");
    let unsealed = (attempt.as_str(), zbus::Fd::from(memfd(b"secret")));
    assert_eq!(client.call("Answer", &unsealed).unwrap_err(), INVALID);
    let file = (attempt.as_str(), zbus::Fd::from(std::os::fd::OwnedFd::from(tempfile::tempfile().unwrap())));
    assert_eq!(client.call("Answer", &file).unwrap_err(), INVALID);
    assert_eq!(client.answer(&attempt, &[b'x'; 2000]).unwrap_err(), INVALID);
    client.answer(&attempt, b"wrong").unwrap();
    assert_eq!(client.answer(&attempt, b"again").unwrap_err(), "org.pam_pose.Error.WrongState");
    assert_eq!(verdict(&client.run(&attempt, |_| Vec::new())).code, "wrong_password");
}

#[test]
fn a_user_asks_only_about_itself() {
    if !can_be_others() {
        return;
    }
    let house = House::enrolled(&Script::right_person());
    let user = house.client_of(NOBODY);
    for name in ["root", "daemon", "no-such-user-3f"] {
        assert_eq!(user.begin(name, &[]).unwrap_err(), DENIED, "{name}");
        assert_eq!(user.enroll(name, 3).unwrap_err(), DENIED, "{name}");
        assert_eq!(user.change("Remove", name).unwrap_err(), DENIED, "{name}");
        assert_eq!(user.change("SetPassword", name).unwrap_err(), DENIED, "{name}");
        assert_eq!(user.call("List", &(name,)).unwrap_err(), DENIED, "{name}");
    }
    assert_eq!(user.call("List", &("",)).unwrap_err(), DENIED);
    assert_eq!(user.call("Unlock", &("nobody",)).unwrap_err(), DENIED);
    assert_eq!(user.call("ApproveCameras", &()).unwrap_err(), DENIED);
    let own: Vec<HashMap<String, OwnedVariant>> =
        user.call("List", &("nobody",)).unwrap().body().deserialize().unwrap();
    assert_eq!(own.len(), 1);
    let status: HashMap<String, OwnedVariant> =
        user.call("Status", &()).unwrap().body().deserialize().unwrap();
    assert!(status.contains_key("busy"));
}

#[test]
fn one_user_has_few_attempts_and_calls() {
    if !can_be_others() {
        return;
    }
    let house = House::enrolled(&Script::right_person());
    let user = house.client_of(NOBODY);
    let refused: Vec<String> = (0..100).filter_map(|_| user.begin("nobody", &[]).err()).collect();
    assert!(refused.len() >= 96, "{}", refused.len());
    assert!(refused.iter().all(|name| name == "org.pam_pose.Error.Busy"), "{refused:?}");
    assert!(house.client().begin("root", &[]).is_ok(), "root still gets in");
}

struct Polkit(bool);

#[interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Polkit {
    fn check_authorization(
        &self,
        subject: (String, HashMap<String, OwnedVariant>),
        action: String,
        _details: HashMap<String, String>,
        flags: u32,
        _cancellation: String,
    ) -> (bool, bool, HashMap<String, String>) {
        let asked = subject.0 == "system-bus-name" && action == "org.pam_pose.enrol" && flags == 1;
        (self.0 && asked, false, HashMap::new())
    }
}

#[test]
fn a_first_enrolment_needs_polkits_word() {
    if !can_be_others() {
        return;
    }
    let house = House::new(&Script::enrolling());
    let user = house.client_of(NOBODY);
    let denied = |why: &str| {
        let attempt = user.enroll("nobody", 3).unwrap();
        let events = user.run(&attempt, |code| panic!("{why}: asked for {code}"));
        assert_eq!(verdict(&events).code, "refused", "{why}");
        assert!(verdict(&events).text.contains("root"), "{why}: says what to do");
    };
    denied("no polkit");
    let (name, path) = ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority");
    let no = serve_as(&house.address, name, path, Polkit(false));
    denied("polkit says no");
    zbus::block_on(no.close()).unwrap();
    let _yes = permissive(&house);
    let attempt = user.enroll("nobody", 3).unwrap();
    user.wait_for(&attempt, "new_password");
}

fn permissive(house: &House) -> zbus::Connection {
    serve_as(
        &house.address,
        "org.freedesktop.PolicyKit1",
        "/org/freedesktop/PolicyKit1/Authority",
        Polkit(true),
    )
}

/// Somebody who was permitted a first enrolment must not add a gesture to the one that its owner has made meanwhile.
#[test]
fn a_right_to_change_ends_with_the_enrolment_that_it_was_for() {
    if !can_be_others() {
        return;
    }
    let house = House::new(&Script::enrolling());
    let _polkit = permissive(&house);
    let (owner, other) = (house.client_of(NOBODY), house.client_of(NOBODY));
    let [early, own] = [&other, &owner].map(|client| {
        let attempt = client.enroll("nobody", 3).unwrap();
        client.wait_for(&attempt, "new_password");
        attempt
    });
    owner.answer(&own, PASSWORD).unwrap();
    let events = owner.run(&own, |code| panic!("asked for {code}"));
    assert_eq!(verdict(&events).code, "enrolled", "{events:?}");

    other.answer(&early, b"another one").unwrap();
    let events = other.run(&early, |code| panic!("asked for {code}"));
    assert_eq!(verdict(&events).code, "refused", "{events:?}");
    assert!(verdict(&events).text.contains("begin again"), "{events:?}");
    let listed: Vec<HashMap<String, OwnedVariant>> =
        owner.call("List", &("nobody",)).unwrap().body().deserialize().unwrap();
    assert_eq!(listed.len(), 1, "the owner's gesture alone");
}

/// Where the login asks for the system's password, none is stored, and still the code has to be good for something.
#[test]
fn a_recovery_code_is_taken_where_no_password_is_stored() {
    if !can_be_others() {
        return;
    }
    let house = House::new(&Script::enrolling());
    let root = house.client();
    let attempt = root.enroll("nobody", 3).unwrap();
    let events = root.run(&attempt, |_| Vec::new());
    assert_eq!(verdict(&events).code, "enrolled", "{events:?}");
    let code = String::try_from(verdict(&events).details["recovery_code"].try_clone().unwrap()).unwrap();

    let _polkit = permissive(&house);
    let user = house.client_of(NOBODY);
    let events_of = |answer: &str| {
        let attempt = user.change("Remove", "nobody").unwrap();
        let answer = answer.as_bytes();
        user.wait_for(&attempt, "password_or_recovery");
        user.answer(&attempt, answer).unwrap();
        (user.next(&attempt).unwrap(), attempt)
    };
    let (event, _) = events_of("00000-00000-00000-00000-00");
    assert_eq!((event.kind.as_str(), event.code.as_str()), ("verdict", "wrong_password"));
    let (event, attempt) = events_of("");
    assert_eq!((event.kind.as_str(), event.code.as_str()), ("instruction", "gesture"), "the pose is wanted");
    user.cancel(&attempt).unwrap();
    let (event, _) = events_of(&code);
    assert_eq!((event.kind.as_str(), event.code.as_str()), ("verdict", "done"));
}

/// A polkit whose dialogue nobody answers; it notes what is withdrawn.
#[derive(Clone, Default)]
struct Patient {
    asked: Arc<Mutex<Vec<String>>>,
    withdrawn: Arc<Mutex<Vec<String>>>,
}

#[interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Patient {
    async fn check_authorization(
        &self,
        _subject: (String, HashMap<String, OwnedVariant>),
        _action: String,
        _details: HashMap<String, String>,
        _flags: u32,
        cancellation: String,
    ) -> (bool, bool, HashMap<String, String>) {
        self.asked.lock().unwrap().push(cancellation);
        std::future::pending().await
    }

    fn cancel_check_authorization(&self, cancellation: String) {
        self.withdrawn.lock().unwrap().push(cancellation);
    }
}

#[test]
fn polkits_dialogue_goes_away_with_its_attempt() {
    if !can_be_others() {
        return;
    }
    let house = House::new(&Script::enrolling());
    let polkit = Patient::default();
    let (name, path) = ("org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority");
    let _served = serve_as(&house.address, name, path, polkit.clone());
    let asked = || polkit.asked.lock().unwrap().clone();
    let withdrawn = || polkit.withdrawn.lock().unwrap().clone();

    let user = house.client_of(NOBODY);
    let attempt = user.enroll("nobody", 3).unwrap();
    house.wait_until("polkit is asked", || asked().len() == 1);
    assert!(!asked()[0].is_empty());
    user.cancel(&attempt).unwrap();
    house.wait_until("the dialogue is withdrawn", || withdrawn() == asked());

    user.enroll("nobody", 3).unwrap();
    house.wait_until("polkit is asked again", || asked().len() == 2);
    user.vanish();
    house.wait_until("the dialogue is withdrawn", || withdrawn() == asked());
}

#[test]
fn whoever_sits_elsewhere_is_refused_before_the_camera() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let elsewhere = |options: &[(&str, Variant<'_>)]| {
        let mut options: HashMap<&str, Variant<'_>> = dictionary(options);
        options.insert("mode", Variant::from("pose-only"));
        let reply = client.call("Begin", &("root", "sudo", options)).unwrap();
        let attempt: String = reply.body().deserialize().unwrap();
        let event = client.next(&attempt).unwrap();
        (event.kind == "verdict" && event.code == "remote", event)
    };
    let (refused, event) = elsewhere(&[("rhost", Variant::from("attacker.example"))]);
    assert!(refused, "{event:?}");
    let cases = [
        (true, Session { remote: true, ..HERE }, false, true),
        (true, Session { seat: "", ..HERE }, false, true),
        (true, Session { active: false, ..HERE }, false, true),
        (true, HERE, false, false),
        (true, HERE, true, false),
        (false, HERE, false, false),
        (false, HERE, true, true),
        (false, Session { active: false, ..HERE }, false, true),
    ];
    for (in_session, session, also_remote, expected) in cases {
        let logind = logind(&house, in_session, session, also_remote);
        let (refused, event) = elsewhere(&[]);
        assert_eq!(refused, expected, "{event:?}");
        zbus::block_on(logind.close()).unwrap();
    }
}

#[test]
fn sleep_and_the_background_end_a_capture_by_loginds_word_alone() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let logind = logind(&house, true, HERE, false);
    let say = |from: &zbus::Connection, sleeping: bool| {
        let (path, interface, to) = match sleeping {
            true => {
                ("/org/freedesktop/login1", "org.freedesktop.login1.Manager", Some(pose_contract::BUS_NAME))
            }
            false => ("/session", "org.freedesktop.DBus.Properties", Some(pose_contract::BUS_NAME)),
        };
        zbus::block_on(async {
            if sleeping {
                from.emit_signal(to, path, interface, "PrepareForSleep", &(true,)).await
            } else {
                let changed = dictionary(&[("Active", Variant::from(false))]);
                let nothing: Vec<&str> = Vec::new();
                let body = ("org.freedesktop.login1.Session", changed, nothing);
                from.emit_signal(to, path, interface, "PropertiesChanged", &body).await
            }
        })
        .unwrap();
    };
    for (sleeping, outcome) in [(true, "deadline"), (false, "remote")] {
        let attempt =
            client.begin("root", &[("mode", "pose-only".into()), ("timeout_ms", 60_000u32.into())]).unwrap();
        client.wait_for(&attempt, "gesture");
        say(&client.0, sleeping);
        // A forged signal is heard before this call is answered, as the bus keeps the order of one sender.
        client.call("Status", &()).unwrap();
        assert_ne!(client.next(&attempt).unwrap().kind, "verdict", "somebody else's signal changes nothing");
        say(&logind, sleeping);
        assert_eq!(verdict(&client.run(&attempt, |_| Vec::new())).code, outcome);
        house.wait_until("the camera is released", || house.workers() == 0);
    }
    let attempt = client.begin_pose_only("root").unwrap();
    assert_eq!(verdict(&client.run(&attempt, |_| Vec::new())).code, "success", "the next login works");
}

#[test]
fn the_standard_interfaces_answer_as_the_specification_says() {
    const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
    let house = House::new(&Script::right_person());
    let client = house.client();
    let (ours, path) = (pose_contract::INTERFACE, pose_contract::OBJECT_PATH);
    let get = |interface: &str, name: &str| plain(&client, path, PROPERTIES, "Get", &(interface, name));
    let version: OwnedVariant = get(ours, "Version").unwrap().body().deserialize().unwrap();
    assert_eq!(String::try_from(version).unwrap(), env!("CARGO_PKG_VERSION"));
    let all = plain(&client, path, PROPERTIES, "GetAll", &(ours,)).unwrap();
    let all: HashMap<String, OwnedVariant> = all.body().deserialize().unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["Version"]);
    plain(&client, path, "org.freedesktop.DBus.Peer", "Ping", &()).unwrap();
    let refusals = [
        ("UnknownProperty", get(ours, "Secret")),
        ("UnknownInterface", get("a.b", "Version")),
        ("UnknownMethod", plain(&client, path, ours, "Open", &())),
        ("UnknownInterface", plain(&client, path, "a.b", "Begin", &())),
        ("UnknownObject", plain(&client, "/org/pam_pose/Helper1/attempt", ours, "Status", &())),
    ];
    for (name, refused) in refusals {
        assert_eq!(refused.unwrap_err(), format!("org.freedesktop.DBus.Error.{name}"));
    }
    // What an attempt is lies in no object of its own, so that nobody finds one by walking the tree.
    let attempt = client.begin("root", &[]).unwrap();
    let introspectable = "org.freedesktop.DBus.Introspectable";
    let tree = plain(&client, "/org/pam_pose", introspectable, "Introspect", &()).unwrap();
    let tree: String = tree.body().deserialize().unwrap();
    assert!(tree.contains("<node name=\"Helper1\"") && !tree.contains(&attempt), "{tree}");
}

/// A call of any interface; the error's name.
fn plain<B: serde::Serialize + zbus::wire::DynamicType>(
    client: &support::Client,
    path: &str,
    interface: &str,
    method: &str,
    body: &B,
) -> Result<zbus::Message, String> {
    let call = client.0.call_method(Some(pose_contract::BUS_NAME), path, Some(interface), method, body);
    zbus::block_on(call).map_err(|error| match error {
        zbus::Error::MethodError(name, ..) => name.to_string(),
        zbus::Error::FDO(error) => zbus::DBusError::name(&*error).to_string(),
        other => other.to_string(),
    })
}

#[test]
fn busctl_reads_the_helper() {
    let house = House::new(&Script::right_person());
    let (name, path) = (pose_contract::BUS_NAME, pose_contract::OBJECT_PATH);
    let busctl = |words: &[&str]| {
        let address = format!("--address={}", house.address);
        std::process::Command::new("busctl").args([address.as_str(), "--no-pager"]).args(words).output()
    };
    let Ok(tree) = busctl(&["tree", "--list", name]) else {
        eprintln!("skipped: busctl is not installed (it comes with systemd)");
        return;
    };
    let text = |output: std::process::Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(text(tree).lines().any(|line| line == path));
    let members = text(busctl(&["introspect", name, path]).unwrap());
    for member in [".Begin", ".Next", ".Unlock", ".Version"] {
        assert!(members.contains(member), "{member} in {members}");
    }
    let version = text(busctl(&["get-property", name, path, pose_contract::INTERFACE, "Version"]).unwrap());
    assert_eq!(version.trim(), format!("s \"{}\"", env!("CARGO_PKG_VERSION")));
    let status = text(busctl(&["call", name, path, pose_contract::INTERFACE, "Status"]).unwrap());
    assert!(status.starts_with("a{sv} "), "{status}");
}
