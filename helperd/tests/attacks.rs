//! Attacks on the daemon, one test each; docs/security.md lists them with those that end at the module or at the bus.
#![allow(unsafe_code, reason = "the client makes memfds and connects with another uid")]

mod support;

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

use pose_helperd::config::Config;
use support::house::{NOBODY, PASSWORD, can_be_others, start_bus_with_policy, verdict};
use support::logind::{HERE, Session, logind, logind_with_closed_lid, logind_with_one, logind_without_users};
use support::{Client, Event, House, Script};
use zbus::Variant;
use zbus::fdo::RequestNameFlags;

const NO_SUCH_ATTEMPT: &str = "org.pam_pose.Error.NoSuchAttempt";
const NOT_AUTHORIZED: &str = "org.pam_pose.Error.NotAuthorized";

fn outcome(client: &Client, attempt: &str) -> String {
    verdict(&client.run(attempt, |_| PASSWORD.to_vec())).code.clone()
}

fn challenges(events: &[Event]) -> usize {
    events.iter().filter(|event| event.code.starts_with("challenge:")).count()
}

#[test]
fn another_callers_attempt_answers_nobody_else() {
    let house = House::enrolled(&Script::right_person());
    let (owner, thief) = (house.client(), house.client());
    let attempt = owner.begin("root", &[]).unwrap();
    assert_eq!(thief.next(&attempt).unwrap_err(), NO_SUCH_ATTEMPT);
    assert_eq!(thief.answer(&attempt, PASSWORD).unwrap_err(), NO_SUCH_ATTEMPT);
    assert_eq!(thief.cancel(&attempt).unwrap_err(), NO_SUCH_ATTEMPT);
    // Nor the same program once it has connected anew.
    assert_eq!(owner.next(&attempt).unwrap().code, "password");
    owner.vanish();
    assert_eq!(house.client().next(&attempt).unwrap_err(), NO_SUCH_ATTEMPT);
}

/// The shipped policy lets nobody send it; on this bus, which lets everybody, it must not be believed either.
#[test]
fn a_forged_word_of_the_bus_ends_nobodys_attempt() {
    let house = House::enrolled(&Script::right_person());
    let (victim, forger) = (house.client(), house.client());
    let attempt = victim.begin("root", &[]).unwrap();
    assert_eq!(victim.next(&attempt).unwrap().code, "password");
    let helper = zbus::block_on(async {
        let bus = zbus::fdo::DBusProxy::new(&forger.0).await.unwrap();
        bus.get_name_owner(pose_contract::BUS_NAME.try_into().unwrap()).await.unwrap()
    });
    let name = victim.0.unique_name().unwrap().to_string();
    let (path, interface) = ("/org/freedesktop/DBus", "org.freedesktop.DBus");
    let left = (name.as_str(), name.as_str(), "");
    let signal = forger.0.emit_signal(Some(helper.as_str()), path, interface, "NameOwnerChanged", &left);
    zbus::block_on(signal).unwrap();
    // Answered after the signal was read, on the same connection.
    assert!(forger.call("Status", &()).is_ok());
    assert_eq!(victim.next(&attempt).unwrap().kind, "progress", "it still waits for the password");
}

/// With the shipped bus policy, as on a real system bus.
#[test]
fn a_squatter_does_not_get_the_name() {
    if !can_be_others() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut bus, address) = start_bus_with_policy(folder.path());
    let own = |client: &Client| {
        let flags = RequestNameFlags::REPLACE_EXISTING | RequestNameFlags::DO_NOT_QUEUE;
        zbus::block_on(client.0.request_name_with_flags(pose_contract::BUS_NAME, flags))
    };
    let (squatter, helper) = (Client::with_uid(&address, NOBODY), Client::new(&address));
    let early = own(&squatter);
    let helper_owns = own(&helper);
    let late = own(&squatter);
    // Root's calls reach the helper, or who has its name; the stranger's do not.
    let unlock = squatter.call("Unlock", &("nobody",));
    let _ = bus.kill();
    let _ = bus.wait();
    assert!(helper_owns.is_ok(), "{helper_owns:?}");
    for refused in [early, late] {
        let error = refused.expect_err("the policy gives the name to the helper's user alone").to_string();
        assert!(error.contains("AccessDenied"), "{error}");
    }
    assert!(unlock.unwrap_err().starts_with("org.freedesktop.DBus.Error.AccessDenied"));
}

#[test]
fn a_verdict_is_given_once_and_for_one_attempt() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let first = client.begin_pose_only("root").unwrap();
    assert_eq!(outcome(&client, &first), "success");
    for _ in 0..3 {
        assert_eq!(client.next(&first).unwrap_err(), NO_SUCH_ATTEMPT, "the verdict is spent");
    }
    let second = client.begin("root", &[]).unwrap();
    assert_ne!(first, second);
    assert_eq!(client.next(&second).unwrap().code, "password", "the next attempt begins at its beginning");
}

#[test]
fn sudo_over_ssh_is_refused_although_it_names_no_remote_host() {
    let house = House::enrolled(&Script::right_person());
    // Sessions of sshd have no seat and say that they are remote.
    let _logind = logind(&house, true, Session { remote: true, seat: "", ..HERE }, true);
    let client = house.client();
    let attempt = client.begin("root", &[("tty", "/dev/pts/3".into()), ("rhost", "".into())]).unwrap();
    let event = client.next(&attempt).unwrap();
    assert_eq!((event.kind.as_str(), event.code.as_str()), ("verdict", "remote"));
    assert_eq!(house.workers(), 0, "no camera was opened");
}

#[test]
fn tmux_started_from_a_remote_login_is_not_taken_for_the_desktop() {
    let house = House::enrolled(&Script::right_person());
    // Its server belongs to the user's services and to no session, while the user has a session at the seat and one
    // from elsewhere: nobody can tell who types.
    let _logind = logind(&house, false, HERE, true);
    let client = house.client();
    let attempt = client.begin("root", &[("tty", "/dev/pts/9".into())]).unwrap();
    assert_eq!(client.next(&attempt).unwrap().code, "remote");
}

#[test]
fn a_job_of_cron_or_at_is_not_taken_for_a_login_program() {
    let house = House::enrolled(&Script::right_person());
    // Both belong to services of the system's and to no session. A job comes from a login, wherever that was.
    let _logind = logind_without_users(&house);
    let client = house.client();
    let attempt = client.begin("root", &[("login_uid", 1000u32.into())]).unwrap();
    assert_eq!(client.next(&attempt).unwrap().code, "remote");
    assert_eq!(house.workers(), 0, "no camera was opened");
    let attempt = client.begin("root", &[]).unwrap();
    assert_eq!(client.next(&attempt).unwrap().code, "password", "a greeter");
}

/// `pkexec` over ssh with an agent of its own: polkit 127 starts its helper as a service of the system's, outside every
/// session, so that what counts is where the agent sits. A tunnel to sshd comes from this machine's own address.
#[test]
fn what_asks_for_people_who_may_sit_anywhere_is_not_taken_for_a_login_program() {
    let house = House::enrolled(&Script::right_person());
    let mut agent = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let client = house.client();
    let first = |service: &str, options: &[(&str, Variant<'_>)]| {
        let options = support::client::dictionary(options);
        let reply = client.call("Begin", &("root", service, options)).unwrap();
        client.next(&reply.body().deserialize::<String>().unwrap()).unwrap().code
    };
    let asker = || [("asker", Variant::from(agent.id()))];
    let outside = logind_without_users(&house);
    assert_eq!(first("polkit-1", &[]), "remote");
    assert_eq!(first("polkit-1", &asker()), "remote", "an agent in no session");
    assert_eq!(first("sshd", &[("rhost", "127.0.0.1".into())]), "remote");
    assert_eq!(house.workers(), 0, "no camera was opened");
    assert_eq!(first("login", &[]), "password", "a login program");
    zbus::block_on(outside.close()).unwrap();
    let ssh = logind_with_one(&house, agent.id(), Session { remote: true, seat: "", ..HERE });
    assert_eq!(first("polkit-1", &asker()), "remote", "an agent in a remote session");
    zbus::block_on(ssh.close()).unwrap();
    let desktop = logind_with_one(&house, agent.id(), HERE);
    assert_eq!(first("polkit-1", &asker()), "password", "the desktop's agent");
    assert_eq!(first("polkit-1", &[("asker", 1u32.into())]), "remote", "another process");
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(first("polkit-1", &[("asker", agent.id().into())]), "remote", "an agent that has ended");
    zbus::block_on(desktop.close()).unwrap();
    let _old = logind(&house, true, HERE, false);
    assert_eq!(first("polkit-1", &[]), "password", "a helper that the agent itself has started");
}

#[test]
fn a_session_that_was_switched_away_from_starts_no_camera() {
    let house = House::enrolled(&Script::right_person());
    let _logind = logind(&house, true, Session { active: false, ..HERE }, false);
    let client = house.client();
    let attempt = client.begin_pose_only("root").unwrap();
    assert_eq!(client.next(&attempt).unwrap().code, "remote");
}

#[test]
fn a_closed_lid_ends_before_the_camera_opens() {
    let house = House::enrolled(&Script::right_person());
    let _logind = logind_with_closed_lid(&house);
    let client = house.client();
    let attempt = client.begin_pose_only("root").unwrap();
    let events = client.run(&attempt, |_| Vec::new());
    assert_eq!(events.len(), 1, "no instruction was shown: {events:?}");
    assert_eq!(verdict(&events).code, "lid_closed");
}

/// `sudo -S` and `-A` leave the module nobody to show anything to, and it says so ("silent").
#[test]
fn a_host_that_can_show_nothing_does_not_dodge_the_challenge() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    for silent in [true, false] {
        let options = [("mode", Variant::from("pose-only")), ("silent", Variant::from(silent))];
        let attempt = client.begin("root", &options).unwrap();
        let events = client.run(&attempt, |_| Vec::new());
        assert_eq!(challenges(&events), 2, "silent: {silent}; {events:?}");
    }
    // What the policy does not know, no caller can say.
    let refused = client.begin("root", &[("challenges", Variant::from(0u32))]);
    assert_eq!(refused.unwrap_err(), "org.pam_pose.Error.InvalidArgument");
}

#[test]
fn walking_away_from_a_challenge_to_get_another_costs_a_try_each_time() {
    let house = House::enrolled(&Script::right_person());
    for _ in 0..5 {
        let client = house.client();
        let (attempt, mut event) = begun_when_free(&house, &client);
        while !event.code.starts_with("challenge:") {
            assert_ne!(event.kind, "verdict", "{event:?}");
            event = client.next(&attempt).unwrap();
        }
        client.vanish();
        house.wait_until("the camera is released", || house.workers() == 0);
    }
    let (_, event) = begun_when_free(&house, &house.client());
    assert_eq!((event.kind.as_str(), event.code.as_str()), ("verdict", "locked_out"));
}

/// Root's next attempt and its first event. A try is counted a moment after its camera is released; until then the next
/// one that could lock is denied as busy.
fn begun_when_free(house: &House, client: &Client) -> (String, Event) {
    let mut begun = None;
    house.wait_until("the earlier try is counted", || {
        let attempt = client.begin_pose_only("root").unwrap();
        let event = client.next(&attempt).unwrap();
        let busy = event.kind == "verdict" && event.code == "busy";
        begun = Some((attempt, event));
        !busy
    });
    begun.unwrap()
}

#[test]
fn fifty_wrong_passwords_of_a_stranger_do_not_keep_the_owner_out() {
    let mut config = Config::default();
    // The delays are tested in the store; here they would only take their time.
    config.lockout.longest_delay_ms = 500;
    config.lockout.wrong_passwords_free = 10;
    let house = House::enrolled_with(&Script::right_person(), config);
    let stranger = house.client();
    for number in 0..50 {
        let attempt = stranger.begin("root", &[]).unwrap();
        let events = stranger.run(&attempt, |_| format!("guess {number}").into_bytes());
        assert_eq!(verdict(&events).code, "wrong_password", "{number}");
    }
    let owner = house.client();
    let attempt = owner.begin("root", &[]).unwrap();
    assert_eq!(outcome(&owner, &attempt), "success");
}

#[test]
fn a_camera_that_is_pulled_out_is_a_failure_and_no_way_past() {
    let house = House::enrolled(&Script::right_person().unplugged_at("gesture"));
    let client = house.client();
    let attempt = client.begin_pose_only("root").unwrap();
    assert_eq!(outcome(&client, &attempt), "camera_failed");
}

/// A program that runs as the user: no polkit, no password, nobody before the camera who would do its bidding.
#[test]
fn malware_of_the_user_neither_enrols_nor_removes_nor_changes_nor_tests() {
    if !can_be_others() {
        return;
    }
    let mut config = Config::default();
    config.limits.begins_per_minute = 6_000;
    let house = House::enrolled_with(&Script::right_person(), config);
    let malware = house.client_of(NOBODY);
    let guess = |attempt: &str| {
        let events = malware.run(attempt, |code| {
            assert!(code.starts_with("password"), "asked for {code}");
            b"a guess".to_vec()
        });
        assert!(
            !events.iter().any(|event| event.code == "gesture"),
            "no camera without a password: {events:?}"
        );
        verdict(&events).code.clone()
    };
    for method in ["Remove", "SetPassword"] {
        assert_eq!(guess(&malware.change(method, "nobody").unwrap()), "wrong_password", "{method}");
    }
    assert_eq!(guess(&malware.enroll("nobody", 3).unwrap()), "wrong_password");
    let options = support::client::dictionary(&[("mode", Variant::from("pose-only"))]);
    let test = malware.call("Test", &("nobody", options)).unwrap();
    let test: String = test.body().deserialize().unwrap();
    assert_eq!(guess(&test), "wrong_password", "a test asks for the password whatever its caller claims");
    for method in ["Remove", "SetPassword"] {
        assert_eq!(malware.change(method, "root").unwrap_err(), NOT_AUTHORIZED, "{method}");
    }
    let listed: Vec<std::collections::HashMap<String, zbus::OwnedVariant>> =
        malware.call("List", &("nobody",)).unwrap().body().deserialize().unwrap();
    assert_eq!(listed.len(), 1, "the enrolment is still there");
}

/// A peer hands its connection on and ends; its process' number is then another's, who sits somewhere else.
#[test]
fn a_process_number_used_again_does_not_move_a_caller() {
    let house = House::enrolled(&Script::right_person());
    let _logind = logind(&house, true, HERE, false);
    let honest = house.client();
    let attempt = honest.begin_pose_only("root").unwrap();
    honest.wait_for(&attempt, "gesture");
    honest.cancel(&attempt).unwrap();

    let Some((stream, number)) = connected_by_a_process_that_ended(&house) else { return };
    let client = Client(zbus::block_on(zbus::connection::Builder::unix_stream(stream).build()).unwrap());
    let attempt = client.begin_pose_only("root").unwrap();
    assert_eq!(client.next(&attempt).unwrap().code, "remote", "nobody has the number");

    let Some(other) = Sleeper::with_number(number) else {
        eprintln!("skipped: giving a process a number of one's choice needs root");
        return;
    };
    let attempt = client.begin_pose_only("root").unwrap();
    let event = client.next(&attempt).unwrap();
    drop(other);
    assert_eq!(event.code, "remote", "somebody else has the number");
}

/// A connection that a child process made and left to us, and the child's number.
fn connected_by_a_process_that_ended(house: &House) -> Option<(UnixStream, i32)> {
    let path = house.address.strip_prefix("unix:path=")?.split(',').next()?.to_owned();
    let socket = nix::sys::socket::UnixAddr::new(path.as_str()).ok()?;
    // Made before the fork and shared with the child, who connects it; the kernel notes the child as the peer.
    let stream = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Unix,
        nix::sys::socket::SockType::Stream,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    )
    .ok()?;
    // SAFETY: the child makes two system calls and ends; it allocates nothing and takes no lock.
    let child = match unsafe { nix::unistd::fork() }.expect("fork") {
        nix::unistd::ForkResult::Child => {
            let done = nix::sys::socket::connect(stream.as_raw_fd(), &socket);
            // SAFETY: ends the child without running anything of the parent's.
            unsafe { libc::_exit(i32::from(done.is_err())) }
        }
        nix::unistd::ForkResult::Parent { child } => child,
    };
    let end = nix::sys::wait::waitpid(child, None).expect("the child");
    assert_eq!(end, nix::sys::wait::WaitStatus::Exited(child, 0), "it connected");
    Some((stream.into(), child.as_raw()))
}

/// A process that waits for its end.
struct Sleeper(i32);

impl Sleeper {
    /// With a number of our choice, which nobody may have at the time.
    fn with_number(number: i32) -> Option<Self> {
        let numbers = [number];
        // SAFETY: all zero is a valid value of this plain struct.
        let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
        arguments.exit_signal = libc::SIGCHLD as u64;
        arguments.set_tid = numbers.as_ptr() as u64;
        arguments.set_tid_size = 1;
        // SAFETY: as fork; `numbers` lives until the call returns.
        let pid =
            unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<libc::clone_args>()) };
        match pid {
            0 => loop {
                // SAFETY: waits for a signal, nothing else.
                unsafe { libc::pause() };
            },
            _ if pid == i64::from(number) => Some(Self(number)),
            _ => None,
        }
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.0);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        let _ = nix::sys::wait::waitpid(pid, None);
    }
}
