//! Attempts through the bus: who gets in, who does not, and what is left when somebody leaves.
#![allow(unsafe_code, reason = "the client makes memfds and connects with another uid")]

mod support;

use pose_engine::challenge::Movement;
use pose_engine::constants::{ACCEPT, ACCEPT_UNCHALLENGED};
use pose_helperd::config::{ChallengePolicy, Config, Override, WarmUp};
use support::house::{NOBODY, PASSWORD, can_be_others, enrolled_state, verdict};
use support::{Event, House, Script};
use zbus::Variant;

fn codes(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.code.as_str()).collect()
}

#[test]
fn the_right_person_with_the_right_password_gets_in() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.begin("root", &[]).unwrap();
    let events = client.run(&attempt, |_| PASSWORD.to_vec());
    let codes = codes(&events);
    assert_eq!(verdict(&events).code, "success", "{events:?}");
    assert_eq!(codes[..2], ["password", "gesture"]);
    assert_eq!(codes.iter().filter(|code| code.starts_with("challenge:")).count(), 2);
    assert_eq!(
        client.next(&attempt).unwrap_err(),
        "org.pam_pose.Error.NoSuchAttempt",
        "a verdict is delivered once"
    );
    house.wait_until("the worker ends", || house.workers() == 0);
}

#[test]
fn another_gesture_is_refused_and_root_learns_why() {
    let house = House::enrolled(&Script::another_gesture());
    let client = house.client();
    let attempt = client.begin_pose_only("root").unwrap();
    let events = client.run(&attempt, |code| panic!("asked for {code}"));
    let verdict = verdict(&events);
    assert!(["wrong_pose", "not_live"].contains(&verdict.code.as_str()), "{events:?}");
    assert!(verdict.details.contains_key("score"));
}

#[test]
fn a_wrong_password_ends_before_the_camera() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.begin("root", &[]).unwrap();
    let events = client.run(&attempt, |_| b"wrong".to_vec());
    assert_eq!(codes(&events), ["password", "wrong_password"]);
}

#[test]
fn a_name_without_an_enrolment_gets_the_same_prompt_and_root_the_reason() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    for name in ["daemon", "no-such-user-3f"] {
        let attempt = client.begin(name, &[]).unwrap();
        let events = client.run(&attempt, |_| PASSWORD.to_vec());
        assert_eq!(codes(&events), ["password", "not_enrolled"], "{name}");
    }
}

#[test]
fn a_caller_that_vanishes_releases_the_camera() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.begin_pose_only("root").unwrap();
    client.wait_for(&attempt, "gesture");
    assert_eq!(house.workers(), 1);
    client.vanish();
    house.wait_until("the camera is released", || house.workers() == 0);
    let next = house.client();
    let attempt = next.begin_pose_only("root").unwrap();
    next.wait_for(&attempt, "gesture");
}

#[test]
fn a_cancelled_attempt_releases_the_camera_and_says_so_once() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.begin_pose_only("root").unwrap();
    client.wait_for(&attempt, "gesture");
    client.cancel(&attempt).unwrap();
    let events = client.run(&attempt, |_| Vec::new());
    assert_eq!(codes(&events), ["deadline"]);
    house.wait_until("the camera is released", || house.workers() == 0);
    assert!(client.cancel(&attempt).is_err());
}

#[test]
fn an_attempt_is_only_its_callers() {
    let house = House::enrolled(&Script::right_person());
    let (owner, other) = (house.client(), house.client());
    let attempt = owner.begin("root", &[]).unwrap();
    let refused = "org.pam_pose.Error.NoSuchAttempt";
    assert_eq!(other.next(&attempt).unwrap_err(), refused);
    assert_eq!(other.answer(&attempt, PASSWORD).unwrap_err(), refused);
    assert_eq!(other.cancel(&attempt).unwrap_err(), refused);
    assert_eq!(owner.next(&attempt).unwrap().code, "password");
}

#[test]
fn a_second_attempt_is_told_that_the_camera_is_busy() {
    let house = House::enrolled(&Script::right_person());
    let (first, second) = (house.client(), house.client());
    let holder = first
        .begin("root", &[("timeout_ms", Variant::from(60_000u32)), ("mode", Variant::from("pose-only"))]);
    first.wait_for(&holder.unwrap(), "gesture");
    let attempt = second.begin_pose_only("root").unwrap();
    assert_eq!(codes(&second.run(&attempt, |_| Vec::new())), ["busy"]);
}

#[test]
fn root_takes_the_camera_from_a_user() {
    if !can_be_others() {
        return;
    }
    let house = House::enrolled(&Script::right_person());
    let (user, root) = (house.client_of(NOBODY), house.client());
    let held = user.begin_pose_only("nobody").unwrap();
    user.wait_for(&held, "gesture");
    let attempt = root.begin_pose_only("root").unwrap();
    root.wait_for(&attempt, "gesture");
    assert_eq!(codes(&user.run(&held, |_| Vec::new())), ["busy"]);
}

#[test]
fn five_refused_poses_lock_and_root_unlocks() {
    let mut config = Config::default();
    config.attempt.challenges = 0;
    let house = House::enrolled_with(&Script::another_gesture(), config);
    let client = house.client();
    for _ in 0..5 {
        let attempt = client.begin_pose_only("root").unwrap();
        assert_ne!(verdict(&client.run(&attempt, |_| Vec::new())).code, "locked_out");
    }
    let attempt = client.begin_pose_only("root").unwrap();
    let events = client.run(&attempt, |_| Vec::new());
    assert_eq!(codes(&events), ["locked_out"]);
    let seconds = u32::try_from(verdict(&events).details["locked_seconds"].try_clone().unwrap()).unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    client.call("Unlock", &("root",)).unwrap();
    let attempt = client.begin_pose_only("root").unwrap();
    client.wait_for(&attempt, "gesture");
}

/// Greeters and lockers ask for the password anew as soon as a try has failed, and their prompt stays for hours.
#[test]
fn a_prompt_that_came_up_during_a_lock_takes_the_password_once_it_has_ended() {
    let mut config = Config::default();
    config.lockout.lock_after = 1;
    config.lockout.first_lock_seconds = 5;
    let house = House::enrolled_with(&Script::right_person(), config);
    let (refused, client) = (house.client(), house.client());
    let attempt = refused.begin_pose_only("root").unwrap();
    let mut event = refused.next(&attempt).unwrap();
    while !event.code.starts_with("challenge:") {
        event = refused.next(&attempt).unwrap();
    }
    refused.vanish();
    house.wait_until("walking away has locked", || {
        let attempt = client.begin_pose_only("root").unwrap();
        client.next(&attempt).unwrap().code == "locked_out"
    });
    let attempt = client.begin("root", &[]).unwrap();
    client.wait_for(&attempt, "password");
    std::thread::sleep(std::time::Duration::from_secs(6));
    client.answer(&attempt, PASSWORD).unwrap();
    client.wait_for(&attempt, "gesture");
}

#[test]
fn a_recovery_code_removes_an_enrolment_and_leaves_a_tombstone() {
    if !can_be_others() {
        return;
    }
    let house = House::enrolled(&Script::right_person());
    let user = house.client_of(NOBODY);
    let attempt = user.change("Remove", "nobody").unwrap();
    let code = enrolled_state().recovery_code.clone();
    let events = user.run(&attempt, |_| code.clone().into_bytes());
    assert_eq!(codes(&events), ["password_or_recovery", "done"]);
    let root = house.client();
    let attempt = root.begin_pose_only("nobody").unwrap();
    assert_eq!(codes(&root.run(&attempt, |_| Vec::new())), ["enrolment_removed"]);
}

#[test]
fn a_recovery_code_stands_for_password_and_pose_once() {
    if !can_be_others() {
        return;
    }
    let house = House::enrolled(&Script::right_person());
    let user = house.client_of(NOBODY);
    let code = enrolled_state().recovery_code.clone();
    let answers = |question: &str| match question {
        "password_or_recovery" => code.clone().into_bytes(),
        _ => b"another one".to_vec(),
    };
    // A change that comes to nothing uses nothing up.
    let attempt = user.change("SetPassword", "nobody").unwrap();
    let events = user.run(&attempt, |question| match question {
        "new_password" => Vec::new(),
        question => answers(question),
    });
    assert_eq!(codes(&events), ["password_or_recovery", "new_password", "enrolment_refused"]);
    let attempt = user.change("SetPassword", "nobody").unwrap();
    assert_eq!(codes(&user.run(&attempt, answers)), ["password_or_recovery", "new_password", "done"]);
    let attempt = user.change("SetPassword", "nobody").unwrap();
    assert_eq!(codes(&user.run(&attempt, answers)), ["password_or_recovery", "wrong_password"]);
}

#[test]
fn changes_need_the_password_and_the_pose_and_nothing_less() {
    if !can_be_others() {
        return;
    }
    let house = House::enrolled(&Script::another_gesture());
    let user = house.client_of(NOBODY);
    let begin = |method: &str| match method {
        "Enroll" => user.enroll("nobody", 3).unwrap(),
        method => user.change(method, "nobody").unwrap(),
    };
    for method in ["Remove", "SetPassword", "Enroll"] {
        let attempt = begin(method);
        let events = user.run(&attempt, |_| b"wrong".to_vec());
        assert_eq!(codes(&events), ["password_or_recovery", "wrong_password"], "{method}");
    }
    // The right password with somebody else's gesture.
    let events = user.run(&begin("Remove"), |_| PASSWORD.to_vec());
    assert_eq!(verdict(&events).code, "refused", "{events:?}");
    let root = house.client();
    let attempt = root.begin_pose_only("nobody").unwrap();
    root.wait_for(&attempt, "gesture");
}

#[test]
fn only_a_services_policy_and_a_silent_host_together_leave_the_challenge_out() {
    let mut config = Config::default();
    let policy = Override { challenge_policy: Some(ChallengePolicy::WhenShown), ..Override::default() };
    config.service.insert("swaylock".into(), policy);
    for (service, silent, challenged) in
        [("swaylock", true, false), ("swaylock", false, true), ("xlock", true, true)]
    {
        let house = House::enrolled_with(&Script::right_person(), config.clone());
        let client = house.client();
        let attempt = client.begin_through(service, "root", silent).unwrap();
        let events = client.run(&attempt, |code| panic!("asked for {code}"));
        let asked = codes(&events).iter().any(|code| code.starts_with("challenge:"));
        assert_eq!(asked, challenged, "{service} {silent}: {events:?}");
        let number = |key: &str| f64::try_from(verdict(&events).details[key].try_clone().unwrap()).unwrap();
        let threshold = if challenged { ACCEPT } else { ACCEPT_UNCHALLENGED };
        assert_eq!(number("threshold"), threshold, "{service} {silent}");
        assert_eq!(verdict(&events).code == "success", number("score") >= threshold, "{events:?}");
    }
}

#[test]
fn a_camera_opened_while_the_password_is_typed_serves_the_login() {
    let mut config = Config::default();
    config.worker.warm_up = WarmUp::Camera;
    let house = House::enrolled_with(&Script::right_person(), config);
    let client = house.client();
    // A wrong password first: what was opened for it must not be in the next one's way.
    let attempt = client.begin("root", &[]).unwrap();
    house.wait_until("a worker is warm", || house.workers() == 1);
    assert_eq!(codes(&client.run(&attempt, |_| b"wrong".to_vec())), ["password", "wrong_password"]);
    let attempt = client.begin("root", &[("timeout_ms", Variant::from(120_000u32))]).unwrap();
    let events = client.run(&attempt, |_| PASSWORD.to_vec());
    assert_eq!(verdict(&events).code, "success", "{events:?}");
    house.wait_until("the worker ends", || house.workers() == 0);
}

#[test]
fn root_sets_a_password_and_the_old_one_is_wrong() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.change("SetPassword", "root").unwrap();
    let events = client.run(&attempt, |_| b"a new one".to_vec());
    assert_eq!(codes(&events), ["new_password", "done"]);
    let attempt = client.begin("root", &[]).unwrap();
    assert_eq!(codes(&client.run(&attempt, |_| PASSWORD.to_vec())), ["password", "wrong_password"]);
    let attempt = client.begin("root", &[]).unwrap();
    assert_eq!(client.next(&attempt).unwrap().code, "password");
    client.answer(&attempt, b"a new one").unwrap();
    client.wait_for(&attempt, "gesture");
}

#[test]
fn the_worker_has_given_up_its_rights_before_it_sees_a_picture() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.begin_pose_only("root").unwrap();
    client.wait_for(&attempt, "gesture");
    let pids = house.worker_pids();
    let [pid] = pids[..] else { panic!("one worker, not {pids:?}") };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} in {status}");
    }
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let status = std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(status.contains("Seccomp:\t2"), "every thread is filtered");
    }
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    assert_eq!(environment, "ORT_DISABLE_TELEMETRY=1\0");
    for descriptor in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let target = std::fs::read_link(descriptor.unwrap().path()).unwrap().display().to_string();
        for foreign in ["store.db", "store.lock", "eventfd", "/bus"] {
            assert!(!target.contains(foreign), "the worker holds {target}");
        }
    }
}

#[test]
fn movements_that_somebody_cannot_do_are_kept_and_enough_must_be_left() {
    let mut house = House::new(&Script::enrolling());
    let client = house.client();
    assert_eq!(client.enroll_without("root", "fly").unwrap_err(), "org.pam_pose.Error.InvalidArgument");
    let too_many = "raise_left,both_up,out_left,t_pose,head_left,head_both,touch_right,arms_crossed";
    let attempt = client.enroll_without("root", too_many).unwrap();
    let events = client.run(&attempt, |code| panic!("asked for {code}"));
    assert_eq!(verdict(&events).code, "enrolment_refused", "before anything is recorded");
    assert!(verdict(&events).text.contains("exclude fewer"), "{events:?}");
    let attempt = client.enroll_without("root", "lean_left,t_pose").unwrap();
    let events = client.run(&attempt, |_| PASSWORD.to_vec());
    assert_eq!(verdict(&events).code, "enrolled", "{events:?}");
    let decoys = house.stored_decoys();
    assert!(decoys.contains(Movement::LeanLeft) && decoys.contains(Movement::TPose), "{decoys:?}");
    assert!(decoys.len() < 6, "{decoys:?}");
}

#[test]
fn a_login_leaves_a_recording_only_where_that_is_switched_on_and_a_reset_forgets_it() {
    for adapt in [false, true] {
        let mut config = Config::default();
        config.enrolment.adapt = adapt;
        config.attempt.challenges = 1;
        // As near to the enrolled recordings as can be: the same clips before the camera again.
        let house = House::enrolled_with(&Script::enrolling(), config);
        let client = house.client();
        // A machine with much else to do may lose the pictures of an answer.
        let passes = |_| {
            let attempt = client.begin_pose_only("root").unwrap();
            verdict(&client.run(&attempt, |_| Vec::new())).code == "success"
        };
        assert!((0..4).any(passes), "nobody gets in");
        let reset = || {
            let attempt = client.reset_adaptation("root").unwrap();
            let events = client.run(&attempt, |code| panic!("asked for {code}"));
            assert_eq!(verdict(&events).code, "done", "{events:?}");
            verdict(&events).text.starts_with("Logins are compared with what was enrolled again")
        };
        assert_eq!(reset(), adapt, "something was forgotten");
        assert!(!reset(), "once");
    }
}
