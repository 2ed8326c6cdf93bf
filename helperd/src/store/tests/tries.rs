//! Tries: what counts, what is given back, what can never pass.

use pose_contract::Outcome;

use super::*;
use crate::lockout::{Origin, State, Turn};

/// A judgement with all that success needs.
fn judged(outcome: Outcome, stream: &[u8]) -> Judgement<'_> {
    Judgement { outcome, stream: Some(stream), version: Some(2), adapted: None }
}

fn enrolled(place: &Place) -> Store {
    let mut store = place.open();
    let enrolled = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    assert_eq!(enrolled.version, 2);
    store
}

fn begin(store: &mut Store, origin: Origin, now: u64) -> Begun {
    store.begin("ada", Some(&ada()), origin, Mode::OwnPassword, &limits(), &at(now)).expect("begin")
}

/// A try as far as the pose phase.
fn judging(store: &mut Store, origin: Origin, now: u64) -> TryId {
    let begun = begin(store, origin, now);
    assert_eq!(begun.standing, Standing::Enrolled);
    let gate = store.password_right(begun.id, &limits(), &at(now)).expect("gate");
    assert_eq!(gate, Gate::Go);
    begun.id
}

fn conclude(store: &mut Store, id: TryId, judgement: &Judgement<'_>, now: u64) -> FinalOutcome {
    store.conclude(id, judgement, &limits(), &at(now)).expect("conclude")
}

fn state(store: &Store, origin: Origin, now: u64) -> State {
    store.lock_state(&ada(), origin, &limits(), &at(now)).expect("state")
}

/// So many refused tries, each with a stream of its own.
fn refuse(store: &mut Store, origin: Origin, count: u32, now: u64) -> FinalOutcome {
    let mut last = None;
    for number in 0..count {
        let id = judging(store, origin, now);
        let stream = [origin as u8, u8::try_from(number).unwrap(), now.to_le_bytes()[0]];
        last = Some(conclude(store, id, &judged(Outcome::WrongPose, &stream), now));
    }
    last.expect("one at least")
}

#[test]
fn a_full_pass_succeeds_once() {
    let place = place();
    let mut store = enrolled(&place);
    let id = judging(&mut store, Origin::Root, 0);
    store.challenge_shown(id).expect("shown");
    let end = conclude(&mut store, id, &judged(Outcome::Success, b"s"), 0);
    assert_eq!(end.outcome, Outcome::Success);
    let again = store.conclude(id, &judged(Outcome::Success, b"t"), &limits(), &at(0));
    assert!(matches!(again, Err(StoreError::NoSuchTry)), "a verdict is given once");
}

#[test]
fn success_needs_everything_at_the_moment_of_the_decision() {
    let place = place();
    let mut store = enrolled(&place);
    // No password yet.
    let id = begin(&mut store, Origin::Root, 0).id;
    assert!(matches!(store.challenge_shown(id), Err(StoreError::WrongPhase)));
    assert_eq!(conclude(&mut store, id, &judged(Outcome::Success, b"1"), 0).outcome, Outcome::Refused);
    // No stream; no template version; another one.
    for judgement in [
        Judgement::of(Outcome::Success),
        Judgement { stream: Some(b"2"), ..Judgement::of(Outcome::Success) },
        Judgement { version: Some(1), ..judged(Outcome::Success, b"3") },
        Judgement { stream: None, ..judged(Outcome::Success, b"") },
    ] {
        let id = judging(&mut store, Origin::Root, 0);
        assert_eq!(conclude(&mut store, id, &judgement, 0).outcome, Outcome::Refused, "{judgement:?}");
    }
    // A name without account, an account without enrolment.
    for account in [None, Some(bob())] {
        let begun = store
            .begin("bob", account.as_ref(), Origin::Root, Mode::PoseOnly, &limits(), &at(0))
            .expect("begin");
        assert_eq!(begun.standing, Standing::NotEnrolled);
        assert!(matches!(store.password_right(begun.id, &limits(), &at(0)), Err(StoreError::WrongPhase)));
        let end = conclude(&mut store, begun.id, &judged(Outcome::Success, b"4"), 0);
        assert_eq!(end.outcome, Outcome::Refused);
    }
}

#[test]
fn a_template_that_changes_or_goes_while_a_try_runs_ends_it() {
    let place = place();
    let mut store = enrolled(&place);
    let id = judging(&mut store, Origin::Root, 0);
    store.enrol(&ada(), &NewEnrolment { replace: true, ..new_enrolment() }, 0).expect("replace");
    assert_eq!(conclude(&mut store, id, &judged(Outcome::Success, b"1"), 0).outcome, Outcome::Refused);
    let begun = begin(&mut store, Origin::Root, 0);
    store.password_right(begun.id, &limits(), &at(0)).expect("right");
    store.remove("ada", 0).expect("remove");
    let ended = store.conclude(begun.id, &judged(Outcome::Success, b"2"), &limits(), &at(0));
    assert!(matches!(ended, Err(StoreError::NoSuchTry)), "{ended:?}");
    assert_eq!(begin(&mut store, Origin::Root, 0).standing, Standing::Removed);
}

#[test]
fn standing_tells_what_the_store_knows() {
    let place = place();
    let mut store = enrolled(&place);
    let standing = |store: &mut Store, account: &Account| {
        store
            .begin(&account.name, Some(account), Origin::Root, Mode::OwnPassword, &limits(), &at(0))
            .unwrap()
            .standing
    };
    assert_eq!(standing(&mut store, &ada()), Standing::Enrolled);
    assert_eq!(standing(&mut store, &bob()), Standing::NotEnrolled);
    assert_eq!(standing(&mut store, &Account { uid: 5, ..ada() }), Standing::Recreated);
    store.remove("ada", 0).expect("remove");
    assert_eq!(standing(&mut store, &ada()), Standing::Removed);
    assert_eq!(standing(&mut store, &Account { uid: 5, ..ada() }), Standing::Removed);
}

#[test]
fn an_enrolled_name_that_is_no_account_any_more_is_not_one_that_never_was() {
    let place = place();
    let mut store = enrolled(&place);
    for mode in [Mode::PoseOnly, Mode::OwnPassword] {
        let mut begin =
            |typed: &str| store.begin(typed, None, Origin::Root, mode, &limits(), &at(0)).expect("begin");
        let begun = begin("ada");
        assert_eq!(begun.standing, Standing::Recreated);
        assert_eq!(begin("bob").standing, Standing::NotEnrolled);
        assert!(matches!(store.password_right(begun.id, &limits(), &at(0)), Err(StoreError::WrongPhase)));
        let end = conclude(&mut store, begun.id, &judged(Outcome::Success, b"1"), 0);
        assert_eq!(end.outcome, Outcome::Refused);
    }
    store.remove("ada", 0).expect("remove");
    let begun = store.begin("ada", None, Origin::Root, Mode::PoseOnly, &limits(), &at(0)).expect("begin");
    assert_eq!(begun.standing, Standing::Removed);
}

#[test]
fn five_refused_poses_lock_and_a_right_one_meanwhile_does_not_pass() {
    let place = place();
    let mut store = enrolled(&place);
    // Two tries reach the pose phase before the lock; the first is refused and locks.
    refuse(&mut store, Origin::Root, 3, 0);
    let first = judging(&mut store, Origin::Root, 0);
    let second = judging(&mut store, Origin::Root, 0);
    assert_eq!(conclude(&mut store, first, &judged(Outcome::NotLive, b"a"), 0).locked_seconds, None);
    let end = conclude(&mut store, second, &judged(Outcome::ChallengeMissed, b"b"), 0);
    assert_eq!((end.outcome, end.locked_seconds), (Outcome::ChallengeMissed, Some(30)));
    assert_eq!(begin(&mut store, Origin::Root, 1000).standing, Standing::LockedOut(Some(29)));
    // A try that was begun before the lock does not get around it.
    let begun = begin(&mut store, Origin::Root, 30_000);
    assert_eq!(begun.standing, Standing::Enrolled);
    store.password_right(begun.id, &limits(), &at(30_000)).expect("right");
    assert_eq!(
        conclude(&mut store, begun.id, &judged(Outcome::Success, b"c"), 29_000).outcome,
        Outcome::LockedOut
    );
    // The lock holds across a restart, then ends.
    drop(store);
    let mut store = place.open();
    assert_eq!(begin(&mut store, Origin::Root, 29_999).standing, Standing::LockedOut(Some(1)));
    let id = judging(&mut store, Origin::Root, 30_000);
    assert_eq!(conclude(&mut store, id, &judged(Outcome::Success, b"d"), 30_000).outcome, Outcome::Success);
    assert_eq!(state(&store, Origin::Root, 30_000), State::Open);
}

#[test]
fn tries_side_by_side_cannot_outrun_the_lock() {
    let place = place();
    let mut store = enrolled(&place);
    for _ in 0..5 {
        judging(&mut store, Origin::Root, 0);
    }
    let sixth = begin(&mut store, Origin::Root, 0);
    assert_eq!(sixth.standing, Standing::Busy);
    assert_eq!(store.password_right(sixth.id, &limits(), &at(0)).expect("gate"), Gate::Stop(Standing::Busy));
    let end = conclude(&mut store, sixth.id, &judged(Outcome::Success, b"x"), 0);
    assert_eq!(end.outcome, Outcome::Refused, "it never came to the pose phase");
}

#[test]
fn each_origin_has_its_own_counter_and_success_resets_only_its_own() {
    let place = place();
    let mut store = enrolled(&place);
    refuse(&mut store, Origin::Own, 5, 0);
    assert!(matches!(state(&store, Origin::Own, 0), State::Locked(_)));
    let id = judging(&mut store, Origin::Root, 0);
    assert_eq!(conclude(&mut store, id, &judged(Outcome::Success, b"s"), 0).outcome, Outcome::Success);
    assert!(
        matches!(state(&store, Origin::Own, 0), State::Locked(_)),
        "a login does not open the locker's lock"
    );
    assert!(store.unlock("ada", 0).expect("unlock"));
    assert_eq!(state(&store, Origin::Own, 0), State::Open);
}

#[test]
fn fifty_refused_poses_switch_off_until_unlocked() {
    let place = place();
    let mut store = enrolled(&place);
    let mut now = 0;
    for _ in 0..50 {
        refuse(&mut store, Origin::Root, 1, now);
        now += 3_600_000;
    }
    assert_eq!(begin(&mut store, Origin::Root, now * 1000).standing, Standing::LockedOut(None));
    store.unlock("ada", 0).expect("unlock");
    assert_eq!(begin(&mut store, Origin::Root, now).standing, Standing::Enrolled);
}

#[test]
fn wrong_passwords_delay_and_never_lock() {
    let place = place();
    let mut store = enrolled(&place);
    for number in 0..60_u64 {
        let begun = begin(&mut store, Origin::Root, number * 10_000);
        assert_eq!(begun.standing, Standing::Enrolled, "after {number} wrong passwords");
        let end = conclude(&mut store, begun.id, &Judgement::of(Outcome::WrongPassword), number * 10_000);
        assert_eq!(end.outcome, Outcome::WrongPassword);
    }
    let begun = begin(&mut store, Origin::Root, 590_001);
    let turn = store.password_turn(begun.id, &limits(), &at(590_001)).expect("turn");
    assert!(matches!(turn, Turn::After(wait) if wait.as_millis() == 3_999), "{turn:?}");
    // The owner's right password is taken, and ends the delay.
    assert_eq!(store.password_right(begun.id, &limits(), &at(594_000)).expect("right"), Gate::Go);
    assert_eq!(
        conclude(&mut store, begun.id, &judged(Outcome::Success, b"s"), 594_000).outcome,
        Outcome::Success
    );
    let begun = begin(&mut store, Origin::Root, 594_001);
    let turn = store.password_turn(begun.id, &limits(), &at(594_001)).expect("turn");
    assert_eq!(turn, Turn::After(std::time::Duration::ZERO));
}

#[test]
fn names_that_do_not_exist_are_delayed_like_those_that_do() {
    let place = place();
    let mut store = enrolled(&place);
    let mut turns = Vec::new();
    for account in [Some(ada()), None] {
        let name = account.as_ref().map_or("hunter2", |account| account.name.as_str()).to_owned();
        let mut of_this = Vec::new();
        for number in 0..12 {
            let begun = store
                .begin(&name, account.as_ref(), Origin::Root, Mode::OwnPassword, &limits(), &at(number))
                .expect("begin");
            of_this.push(store.password_turn(begun.id, &limits(), &at(number)).expect("turn"));
            conclude(&mut store, begun.id, &Judgement::of(Outcome::WrongPassword), number);
        }
        turns.push(of_this);
    }
    assert_eq!(turns[0], turns[1]);
    assert!(turns[0].contains(&Turn::TooMany), "{turns:?}");
}

#[test]
fn what_was_not_judged_is_given_back_but_not_for_ever() {
    let place = place();
    let mut store = enrolled(&place);
    let allowed = limits().unjudged_given_back;
    for _ in 0..allowed + 4 {
        let id = judging(&mut store, Origin::Root, 0);
        conclude(&mut store, id, &Judgement::of(Outcome::NobodyInView), 0);
    }
    // Ten given back, then one counted, and the next ten begin.
    refuse(&mut store, Origin::Root, 3, 0);
    assert_eq!(state(&store, Origin::Root, 0), State::Open);
    refuse(&mut store, Origin::Root, 1, 1);
    assert!(matches!(state(&store, Origin::Root, 1), State::Locked(_)));
}

#[test]
fn walking_away_from_a_shown_challenge_costs_a_try_and_a_missing_camera_does_not() {
    let place = place();
    let mut store = enrolled(&place);
    for _ in 0..30 {
        let id = judging(&mut store, Origin::Root, 0);
        conclude(&mut store, id, &Judgement::of(Outcome::CameraMissing), 0);
    }
    assert_eq!(state(&store, Origin::Root, 0), State::Open);
    let ends = [Outcome::NobodyInView, Outcome::Deadline, Outcome::CameraFailed, Outcome::CameraMissing];
    for outcome in ends {
        let id = judging(&mut store, Origin::Root, 0);
        store.challenge_shown(id).expect("shown");
        conclude(&mut store, id, &Judgement::of(outcome), 0);
    }
    let id = judging(&mut store, Origin::Root, 0);
    store.challenge_shown(id).expect("shown");
    store.abandon(id, &limits(), &at(0)).expect("abandon");
    assert!(matches!(state(&store, Origin::Root, 0), State::Locked(_)));
    store.abandon(id, &limits(), &at(0)).expect("abandoning twice is nothing");
}

#[test]
fn a_crash_costs_what_walking_away_costs() {
    let place = place();
    let mut store = enrolled(&place);
    begin(&mut store, Origin::Root, 0);
    judging(&mut store, Origin::Root, 0);
    for _ in 0..3 {
        let id = judging(&mut store, Origin::Root, 0);
        store.challenge_shown(id).expect("shown");
    }
    drop(store);
    let mut store = place.open();
    assert_eq!(store.abandon_all(&limits(), &at(0)).expect("sweep"), 5);
    assert_eq!(store.abandon_all(&limits(), &at(0)).expect("sweep"), 0);
    refuse(&mut store, Origin::Root, 1, 0);
    assert_eq!(state(&store, Origin::Root, 0), State::Open, "three shown and one refused are four");
    refuse(&mut store, Origin::Root, 1, 1);
    assert!(matches!(state(&store, Origin::Root, 1), State::Locked(_)));
}

#[test]
fn a_stream_that_comes_again_is_a_recording_also_after_a_restart() {
    let place = place();
    let mut store = enrolled(&place);
    let id = judging(&mut store, Origin::Root, 0);
    assert_eq!(conclude(&mut store, id, &judged(Outcome::Success, b"stream"), 0).outcome, Outcome::Success);
    drop(store);
    let mut store = place.open();
    let id = judging(&mut store, Origin::Own, 0);
    let end = conclude(&mut store, id, &judged(Outcome::Success, b"stream"), 0);
    assert_eq!((end.outcome, end.replayed), (Outcome::NotLive, true));
    let id = judging(&mut store, Origin::Own, 0);
    assert_eq!(conclude(&mut store, id, &judged(Outcome::Success, b"strean"), 0).outcome, Outcome::Success);
}

#[test]
fn the_tables_stay_bounded_under_a_stranger() {
    let place = place();
    let mut store = enrolled(&place);
    store.connection.pragma_update(None, "synchronous", "OFF").expect("speed, for this test only");
    for number in 0..4_200_u32 {
        let begun = store
            .begin(&format!("guess{number}"), None, Origin::Root, Mode::OwnPassword, &limits(), &at(0))
            .expect("begin");
        conclude(&mut store, begun.id, &Judgement::of(Outcome::WrongPassword), 0);
    }
    let count = |table: &str| -> i64 {
        store
            .connection
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
            .expect("count")
    };
    assert_eq!(count("delays"), 4_096);
    assert_eq!(count("tries"), 0);
}
