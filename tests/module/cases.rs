//! Logins against the scripted helper on a real bus.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use pose_contract::{Outcome, PamCode};

use crate::Case;
use crate::helper::Helper;
use crate::place::{Place, PrivateBus};
use crate::run::{compile, host, host_with, trap};

/// Longer than any wait of these tests, shorter than a hang.
const HANG: Duration = Duration::from_secs(20);

pub(crate) const CASES: &[Case] = &[
    ("every_verdict_maps_to_its_code_under_every_option", verdicts),
    ("a_slip_at_the_names_prompt_is_a_wrong_name_and_no_fault", slips),
    ("a_password_travels_sealed_and_only_when_asked", password),
    ("what_the_helper_learns_about_the_origin", origin),
    ("a_remote_host_whose_name_is_not_text_is_still_told", odd_host),
    ("polkits_helper_says_whom_it_works_for", asker),
    ("a_program_that_comes_from_a_login_says_whose", login_uid),
    ("instructions_come_one_short_message_at_a_time_with_the_time_left", instructions),
    ("cue_prompt_puts_instructions_into_prompts_and_sends_no_other_message", cue_prompt),
    ("lockers_without_text_get_none_and_the_helper_is_told", cue_auto),
    ("a_password_typed_after_the_attempt_ended_gets_one_fresh_attempt", late_password),
    ("a_refused_option_is_logged_with_what_is_accepted", logged_option),
    ("silence_is_kept_when_asked_for", silence),
    ("a_failing_conversation_ends_in_conv_err_and_cancels", conversations),
    ("odd_but_lawful_conversations_work", odd_conversations),
    ("errors_of_the_helper_deny", errors),
    ("a_user_switched_during_the_attempt_is_refused", switched),
    ("use_first_pass_takes_the_earlier_password_and_never_asks", first_pass),
    ("pose_only_sends_no_password", pose_only),
    ("a_password_prompt_that_was_left_asks_for_no_pose", left_prompt),
    ("malformed_options_deny_before_anything_happens", options),
    ("closed_accounts_are_refused_after_a_pass", accounts),
    ("the_other_hooks_stay_out_of_the_way", other_hooks),
    ("a_helper_that_hangs_or_dies_ends_the_login", dying),
    ("no_bus_and_no_helper_are_unavailable", nobody),
    ("the_bus_starts_the_helper", activation),
    ("time_at_the_prompt_is_not_counted", prompt_time),
    ("no_result_is_faster_than_the_floor", floor),
    ("ctrl_c_ends_the_wait_and_house_keeping_does_not", signals),
    ("a_password_change_keeps_the_helper_in_step", change),
    ("a_user_changes_a_password_through_setuid_programs_only_with_the_old_one", setuid_change),
    ("endless_instructions_are_a_fault", flood),
];

fn code_name(code: PamCode) -> &'static str {
    match code {
        PamCode::Success => "SUCCESS",
        PamCode::AuthErr => "AUTH_ERR",
        PamCode::MaxTries => "MAXTRIES",
        PamCode::UserUnknown => "USER_UNKNOWN",
        PamCode::AuthinfoUnavail => "AUTHINFO_UNAVAIL",
        PamCode::SystemErr => "SYSTEM_ERR",
    }
}

fn verdicts(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    for words in ["", "nouserok", "pose_only", "pose_only nouserok debug timeout=60"] {
        place.write_service(words);
        for outcome in Outcome::all() {
            let excused = words.contains("nouserok") && outcome == Outcome::NotEnrolled;
            // A stack with nothing but IGNORE denies: that is libpam's own rule.
            let expected = if excused { "PERM_DENIED" } else { code_name(outcome.pam_code()) };
            let user = format!("user=verdict={}", outcome.as_str());
            let report = host(&[&user]);
            assert_eq!(report.code(), expected, "{outcome:?} with \"{words}\"");
            let delayed = report.all("delay") != ["0"];
            assert_eq!(delayed, expected == "AUTH_ERR", "{outcome:?} with \"{words}\"");
        }
    }
    // With somebody else to say yes, an ignored module lets the stack go on, and a tombstone does not.
    place.write_stack("auth required MODULE nouserok\nauth required pam_permit.so\n");
    assert_eq!(host(&["user=verdict=not_enrolled"]).code(), "SUCCESS");
    assert_eq!(host(&["user=verdict=enrolment_removed"]).code(), "USER_UNKNOWN");
}

fn slips(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("pose_only nouserok");
    for name in
        ["verdict=success:", "verdict=success/", "verdict=success\t", "-verdict=success", &"x".repeat(300)]
    {
        let report = host(&[&format!("user={name}")]);
        assert_eq!((report.code(), report.shown()), ("AUTH_ERR", Vec::new()), "{name}");
    }
    assert_eq!(helper.stop(), Vec::<String>::new(), "none of them was asked about");
}

fn password(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("");
    let report = host(&["user=ask=password,tell=gesture,verdict=success", "password=s3cret ü"]);
    assert_eq!(report.code(), "SUCCESS");
    let said = helper.stop();
    // F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW, and not F_SEAL_WRITE.
    assert_eq!(said[1], "answer s3cret ü seals=0x7 length=9");
    assert_eq!(said.len(), 2, "{said:?}");
}

fn origin(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("timeout=33");
    host(&["user=verdict=success", "tty=tty7", "rhost=far.example"]);
    place.write_service("pose_only");
    host(&["user=verdict=success", "silent=1"]);
    let said = helper.stop();
    for (line, expected, seconds) in [
        (&said[0], ["own-password", "far.example", "tty7", "Bool(false)"], 33),
        (&said[1], ["pose-only", "rhost", "tty", "Bool(true)"], 20),
    ] {
        assert!(line.starts_with("begin pose-test "), "{line}");
        assert!(expected.iter().all(|part| line.contains(part)), "{line}");
        // What is left of the attempt's time, in milliseconds.
        let (_, left) = line.split_once("timeout_ms=OwnedVariant(U32(").expect("timeout");
        let left: u32 = left.split_once(')').expect("number").0.parse().expect("number");
        assert!(((seconds - 3) * 1000..=seconds * 1000).contains(&left), "{line}");
    }
}

/// Left out, it would turn whoever comes from there into somebody who sits here.
fn odd_host(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("pose_only");
    host(&["user=verdict=success", "latin=1", "rhost=b\u{fc}ro"]);
    let said = helper.stop();
    assert!(said[0].contains("b\u{fffd}ro"), "{said:?}");
}

/// polkit's helper as a service: its standard input is the socket that the agent has connected to.
fn asker(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("pose_only");
    std::fs::copy("/run/pam.d/pose-test", "/run/pam.d/polkit-1").expect("service file");
    for service in ["service=polkit-1", "service=pose-test"] {
        let (agent, own) = UnixStream::pair().expect("sockets");
        let stdin = |command: &mut Command| _ = command.stdin(OwnedFd::from(own));
        host_with(&["user=verdict=success", service], stdin);
        drop(agent);
    }
    host(&["user=verdict=success", "service=polkit-1"]);
    let said = helper.stop();
    assert!(said[0].contains(&format!("asker=OwnedVariant(U32({}))", std::process::id())), "{said:?}");
    assert!(said[1..].iter().all(|line| !line.contains("asker")), "{said:?}");
}

/// Root may set the login uid where the kernel has audit and is not told to hold it fast.
fn login_uid(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("");
    let file = "/proc/thread-self/loginuid";
    let set = |uid: u32| std::fs::write(file, uid.to_string());
    let before = std::fs::read_to_string(file).unwrap_or_default();
    let mut expected = Vec::new();
    for (uid, told) in [(u32::MAX, None), (1234, Some("login_uid=OwnedVariant(U32(1234))"))] {
        if set(uid).is_ok() {
            host(&["user=verdict=success"]);
            expected.push(told);
        } else {
            println!("SKIPPED a login uid of {uid}: it cannot be set here");
        }
    }
    if let Ok(before) = before.trim().parse() {
        let _ = set(before);
    }
    let said = helper.stop();
    assert_eq!(said.len(), expected.len());
    for (line, told) in said.iter().zip(expected) {
        match told {
            Some(told) => assert!(line.contains(told), "{line}"),
            None => assert!(!line.contains("login_uid"), "{line}"),
        }
    }
}

fn instructions(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("timeout=40");
    let report = host(&["user=tell=gesture,progress,tell=challenge+t_pose,verdict=challenge_missed"]);
    let shown = report.shown();
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert!(shown[0].starts_with("4 Please do gesture (within ") && shown[0].ends_with(" s)"), "{shown:?}");
    assert!(shown[1].starts_with("4 Please do challenge:t_pose (within "), "{shown:?}");
    assert_eq!(shown[2], "3 Because challenge_missed");
}

fn cue_prompt(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("cue=prompt");
    let report = host(&["user=tell=gesture,verdict=wrong_pose", "password=typed by mistake"]);
    let shown = report.shown();
    assert_eq!((report.code(), shown.len()), ("AUTH_ERR", 1), "{shown:?}");
    assert!(shown[0].starts_with("1 Please do gesture (within ") && shown[0].ends_with("then press Enter: "));
    // What is typed there is no password for anybody.
    let report = host(&["user=tell=gesture,ask=password,verdict=success", "password=p"]);
    assert_eq!(report.all("message").iter().filter(|message| message.starts_with("1 1 Password")).count(), 1);
}

fn cue_auto(place: &Place) {
    let _bus = PrivateBus::start();
    let mut helper = Helper::start();
    place.write_service("");
    std::fs::copy("/run/pam.d/pose-test", "/run/pam.d/swaylock").expect("service file");
    let report = host(&["user=tell=gesture,verdict=wrong_pose", "service=swaylock"]);
    assert_eq!((report.code(), report.shown().len()), ("AUTH_ERR", 0));
    assert!(helper.line().contains("silent=OwnedVariant(Bool(true))"));
}

fn late_password(place: &Place) {
    let _bus = PrivateBus::start();
    place.write_service("timeout=10");
    for end in ["gone=org.pam_pose.Error.NoSuchAttempt", "gone=org.pam_pose.Error.WrongState", "late"] {
        let helper = Helper::start();
        let report = host(&[&format!("user=ask=password,{end},verdict=success"), "password=typed late"]);
        assert_eq!((report.code(), report.shown().len()), ("SUCCESS", 1), "{end}");
        let said = helper.stop();
        assert_eq!(said.iter().filter(|line| line.starts_with("begin")).count(), 2, "{end}: {said:?}");
        assert!(said.iter().any(|line| line.starts_with("answer typed late ")), "{end}: {said:?}");
    }
    // Once only: a helper that never knows its attempts is a fault.
    let _helper = Helper::start();
    let report = host(&["user=ask=password,goners", "password=p"]);
    assert_eq!(report.code(), "SYSTEM_ERR");
}

fn logged_option(place: &Place) {
    let _bus = PrivateBus::start();
    place.write_service("nouserokay");
    let report = host_with(&["user=open"], trap);
    let lines = report.all("syslog");
    let line = lines.iter().find(|line| line.contains("pam_pose(pose-test:auth)")).expect("a line");
    assert!(line.starts_with("80 ") || line.starts_with("83 "), "authpriv.err: {line}");
    assert!(line.contains("\"nouserokay\"") && line.contains("nouserok, timeout=SECONDS"), "{line}");
}

fn silence(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("");
    let report = host(&["user=tell=gesture,verdict=wrong_pose", "silent=1"]);
    assert_eq!((report.code(), report.shown().len()), ("AUTH_ERR", 0));
}

fn conversations(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("");
    let user = "user=tell=gesture,verdict=success";
    for manner in ["conv=fail", "conv=null-function"] {
        assert_eq!(host(&[user, manner]).code(), "CONV_ERR", "{manner}");
    }
    assert_eq!(host(&["user=open", "conv=fail-prompt"]).code(), "CONV_ERR");
    std::thread::sleep(Duration::from_millis(200));
    let cancelled = helper.stop().iter().filter(|line| *line == "cancel").count();
    assert_eq!(cancelled, 3);
}

fn odd_conversations(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("");
    for manner in ["conv=null-reply", "conv=strings"] {
        assert_eq!(host(&["user=tell=gesture,verdict=success", manner]).code(), "SUCCESS", "{manner}");
    }
}

fn errors(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("nouserok");
    let table = [
        ("org.pam_pose.Error.NotAuthorized", "AUTH_ERR"),
        ("org.pam_pose.Error.Busy", "AUTHINFO_UNAVAIL"),
        ("org.pam_pose.Error.NoSuchAttempt", "SYSTEM_ERR"),
        ("org.pam_pose.Error.InvalidArgument", "SYSTEM_ERR"),
        ("org.pam_pose.Error.WrongState", "SYSTEM_ERR"),
        ("org.pam_pose.Error.Store", "SYSTEM_ERR"),
        ("org.pam_pose.Error.NotEnrolled", "SYSTEM_ERR"),
        ("org.pam_pose.Error.Internal", "SYSTEM_ERR"),
        ("org.example.Whatever", "SYSTEM_ERR"),
    ];
    for (name, code) in table {
        for user in [format!("user=refuse={name}"), format!("user=progress,error={name}")] {
            assert_eq!(host(&[&user]).code(), code, "{user}");
        }
    }
    for user in
        ["user=verdict=yes", "user=verdict=", "user=kind=sesame", "user=ask=new_password", "user=ask=pin"]
    {
        assert_eq!(host(&[user]).code(), "SYSTEM_ERR", "{user}");
    }
}

fn switched(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("nouserok");
    for verdict in ["success", "not_enrolled"] {
        let user = format!("user=tell=gesture,verdict={verdict}");
        assert_eq!(host(&[&user, "switch=root"]).code(), "AUTH_ERR", "{verdict}");
    }
}

fn first_pass(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("use_first_pass");
    let report = host(&["user=open", "password=never asked"]);
    assert_eq!((report.code(), report.shown().len()), ("AUTH_ERR", 0));
    // The first module of the stack asks, the second takes what libpam kept.
    place.write_stack("auth optional MODULE\nauth required MODULE use_first_pass\n");
    let report = host(&["user=open", "password=kept"]);
    assert_eq!((report.code(), report.shown().len()), ("SUCCESS", 1));
    let answers = helper.stop().iter().filter(|line| line.starts_with("answer kept ")).count();
    assert_eq!(answers, 2);
}

fn pose_only(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("pose_only");
    assert_eq!(host(&["user=tell=gesture,verdict=success"]).code(), "SUCCESS");
    // A helper that asks all the same gets nothing.
    let report = host(&["user=ask=password,verdict=success", "password=precious"]);
    assert_eq!(
        (report.code(), report.all("message").iter().any(|m| m.starts_with("1 1 "))),
        ("SYSTEM_ERR", false)
    );
    assert!(!helper.stop().iter().any(|line| line.starts_with("answer")));
}

fn left_prompt(place: &Place) {
    let _bus = PrivateBus::start();
    let behind = "auth required pam_unix.so\nauth required MODULE pose_only\n";
    let ahead = "auth sufficient MODULE pose_only\nauth required pam_unix.so\n";
    let asked_again = "auth optional pam_unix.so\nauth optional MODULE\nauth required MODULE pose_only\n";
    let wrong = "user=verdict=wrong_pose";
    for (what, stack, user, manner, rounds, begun) in [
        ("left", behind, wrong, "conv=fail-prompt", "rounds=1", 0),
        ("left twice", behind, wrong, "conv=fail-prompt", "rounds=2", 0),
        ("left, then a wrong password", behind, wrong, "conv=fail-first", "rounds=2", 1),
        ("a wrong password", behind, wrong, "conv=normal", "rounds=1", 1),
        ("the prompt comes after the pose", ahead, wrong, "conv=fail-prompt", "rounds=2", 2),
        ("another module has asked since", asked_again, "user=open", "conv=fail-first", "rounds=1", 2),
    ] {
        let helper = Helper::start();
        place.write_stack(stack);
        let report = host(&[user, "password=wrong", manner, rounds]);
        assert_ne!(report.code(), "SUCCESS", "{what}");
        let said = helper.stop();
        let begins = said.iter().filter(|line| line.starts_with("begin")).count();
        assert_eq!(begins, begun, "{what}: {said:?}");
    }
}

fn options(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    for words in ["nouserOK", "timeout=", "timeout=0", "timeout=1e3", "--help", "pose_only nouserok=yes"] {
        place.write_service(words);
        assert_eq!(host(&["user=verdict=success"]).code(), "SYSTEM_ERR", "{words}");
        assert_eq!(host(&["user=verdict=success", "action=passwd"]).code(), "SYSTEM_ERR", "{words}");
    }
    assert_eq!(helper.stop(), Vec::<String>::new());
}

fn accounts(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("");
    for (user, code) in [("user=open", "SUCCESS"), ("user=locked", "AUTH_ERR"), ("user=expired", "AUTH_ERR")]
    {
        assert_eq!(host(&[user, "password=p"]).code(), code, "{user}");
    }
}

fn other_hooks(place: &Place) {
    let _bus = PrivateBus::start();
    place.write_stack(
        "account required MODULE\naccount required pam_permit.so\nauth required MODULE\n\
                       session required MODULE\nsession required pam_permit.so\n",
    );
    for action in ["action=acct", "action=open", "action=close", "action=cred"] {
        assert_eq!(host(&["user=open", action]).code(), "SUCCESS", "{action}");
    }
}

fn dying(place: &Place) {
    let _bus = PrivateBus::start();
    place.write_service("timeout=5");
    for (user, code) in [
        ("user=tell=gesture,exit", "AUTHINFO_UNAVAIL"),
        ("user=tell=gesture,hang", "AUTHINFO_UNAVAIL"),
        ("user=progress", "AUTHINFO_UNAVAIL"),
    ] {
        let _helper = Helper::start();
        let report = host(&[user]);
        assert_eq!(report.code(), code, "{user}");
        assert!(report.took < HANG, "{user}: {:?}", report.took);
    }
}

fn nobody(place: &Place) {
    place.write_service("nouserok");
    let _ = std::fs::remove_file(pose_contract::SYSTEM_BUS_SOCKET);
    assert_eq!(host(&["user=verdict=success"]).code(), "AUTHINFO_UNAVAIL");
    let bus = PrivateBus::start();
    assert_eq!(host(&["user=verdict=success"]).code(), "AUTHINFO_UNAVAIL");
    drop(bus);
    // A socket file that nobody listens on any more.
    assert_eq!(host(&["user=verdict=success"]).code(), "AUTHINFO_UNAVAIL");
}

fn activation(place: &Place) {
    let myself = std::env::current_exe().expect("own path");
    let bus = PrivateBus::start_activating(&format!("{} helper", myself.display()));
    place.write_service("");
    assert_eq!(host(&["user=verdict=success"]).code(), "SUCCESS");
    drop(bus);
    // One that is started and never comes.
    let _bus = PrivateBus::start_activating("/bin/sleep 5");
    let report = host(&["user=verdict=success"]);
    assert_eq!(report.code(), "AUTHINFO_UNAVAIL");
    assert_eq!(report.shown(), ["3 The pose check is not available now."]);
}

fn prompt_time(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("timeout=5");
    let report = host(&["user=open", "password=p", "think=6000"]);
    assert_eq!(report.code(), "SUCCESS");
}

fn floor(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("pose_only");
    for user in ["user=verdict=success", "user=verdict=wrong_pose", "user=refuse=org.pam_pose.Error.Busy"] {
        let took: u64 = host(&[user]).all("milliseconds")[0].parse().expect("number");
        assert!(took >= 50, "{user}: {took} ms");
    }
}

fn signals(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("timeout=15");
    let report = host(&["user=tell=gesture,hang", "int=1"]);
    assert_eq!(report.code(), "CONV_ERR");
    let took: u64 = report.all("milliseconds")[0].parse().expect("number");
    assert!(took < 12_000, "{took} ms");
    std::thread::sleep(Duration::from_millis(200));
    assert!(helper.stop().contains(&"cancel".to_owned()));
    let _helper = Helper::start();
    assert_eq!(host(&["user=slow=2500,verdict=success", "chld=1"]).code(), "SUCCESS");
}

fn change(place: &Place) {
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    place.write_service("");
    let both = "user=ask=password,ask=new_password,verdict=done";
    let report = host(&[both, "action=passwd", "old=before", "password=after"]);
    assert_eq!(report.code(), "SUCCESS");
    let table = [
        ("user=ask=password,verdict=wrong_password", "AUTHTOK_RECOVERY_ERR"),
        ("user=ask=password,verdict=refused", "AUTHTOK_ERR"),
        ("user=verdict=success", "AUTHTOK_ERR"),
        ("user=refuse=org.pam_pose.Error.NotAuthorized", "AUTHTOK_ERR"),
    ];
    for (user, code) in table {
        assert_eq!(host(&[user, "action=passwd", "old=before", "password=after"]).code(), code, "{user}");
    }
    let said = helper.stop();
    let answers: Vec<&String> = said.iter().filter(|line| line.starts_with("answer")).collect();
    assert_eq!(answers[0], "answer before seals=0x7 length=6");
    assert_eq!(answers[1], "answer after seals=0x7 length=5");
    // Users that the helper does not know change their passwords undisturbed.
    let _helper = Helper::start();
    place.write_stack("password required MODULE\npassword required pam_permit.so\n");
    assert_eq!(host(&["user=refuse=org.pam_pose.Error.NotEnrolled", "action=passwd"]).code(), "SUCCESS");
}

const CHECKED: &str = r#"
#include <security/pam_modules.h>
int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    return pam_set_item(pamh, PAM_OLDAUTHTOK, "before");
}
"#;

fn setuid_change(place: &Place) {
    if !std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| map.contains("4294967295")) {
        println!("  (skipped: needs other users than root; run as root)");
        return;
    }
    let _bus = PrivateBus::start();
    let helper = Helper::start();
    let words =
        ["user=ask=new_password,verdict=done", "action=passwd", "ruid=1001", "old=before", "password=after"];
    place.write_service("");
    assert_eq!(host(&words).code(), "AUTHTOK_ERR");
    assert!(!helper.stop().iter().any(|line| line.starts_with("answer")));
    // Behind a module that leaves the checked password in libpam, as pam_unix does.
    std::fs::write("/run/checked.c", CHECKED).expect("source");
    compile("/run/checked.c", "/run/checked.so");
    place.write_stack("password required /run/checked.so\npassword required MODULE\n");
    let helper = Helper::start();
    assert_eq!(host(&words).code(), "SUCCESS");
    assert!(helper.stop().iter().any(|line| line.starts_with("answer after ")));
}

fn flood(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("");
    let report = host(&["user=flood"]);
    assert_eq!(report.code(), "SYSTEM_ERR");
    assert!(report.shown().len() <= 40, "{}", report.shown().len());
}
