//! Enrolments come back as they went in, change only as asked, and are gone when removed.

use super::*;
use crate::secret::recovery::RecoveryCode;

#[test]
fn an_enrolment_comes_back_after_reopening() {
    let place = place();
    let enrolled = place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let store = place.open();
    let (version, templates) = store.templates(&ada()).expect("templates");
    assert_eq!(version, enrolled.version);
    assert_eq!(templates.len(), 1);
    assert_eq!(templates[0].template.as_slice(), TEMPLATE);
    assert_eq!(templates[0].gesture, "wave twice");
    assert_eq!(store.password(&ada()).expect("password").expect("stored").as_str(), PHC);
    let list = store.list(None).expect("list");
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].user.as_str(), list[0].uid, list[0].recordings), ("ada", 1000, 3));
    assert_eq!((list[0].strength.as_str(), list[0].removed), ("good", false));
    assert!(list[0].created > 1_700_000_000);
}

#[test]
fn further_gestures_add_up_to_their_limit_and_a_replacement_revokes_all() {
    let place = place();
    let mut store = place.open();
    for count in 1..=4 {
        let version = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol").version;
        assert_eq!(store.templates(&ada()).expect("templates").1.len(), count);
        assert_eq!(store.templates(&ada()).expect("templates").0, version);
    }
    assert!(matches!(store.enrol(&ada(), &new_enrolment(), 0), Err(StoreError::TooManyGestures)));
    assert_eq!(store.templates(&ada()).expect("unchanged").1.len(), 4);
    let new = NewEnrolment { template: b"another", password: None, replace: true, ..new_enrolment() };
    store.enrol(&ada(), &new, 0).expect("replace");
    let (_, templates) = store.templates(&ada()).expect("templates");
    assert_eq!(templates.len(), 1);
    assert_eq!(templates[0].template.as_slice(), b"another");
    assert!(store.password(&ada()).expect("password").is_some(), "kept when none is given");
}

#[test]
fn a_removal_leaves_a_tombstone_and_nothing_that_opens() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    store.enrol(&bob(), &new_enrolment(), 0).expect("enrol");
    assert!(store.remove("ada", 0).expect("remove"));
    assert!(!store.remove("ada", 0).expect("again"), "nothing is left to remove");
    assert!(!store.remove("nobody", 0).expect("unknown"));
    drop(store);
    let store = place.open();
    assert!(matches!(store.templates(&ada()), Err(StoreError::NotEnrolled)));
    assert!(store.password(&ada()).expect("password").is_none());
    assert_eq!(store.templates(&bob()).expect("bob's stay").1.len(), 1);
    let list = store.list(Some("ada")).expect("list");
    assert_eq!(list.len(), 1);
    assert!(list[0].removed);
    let rows: i64 = store
        .connection
        .query_row(
            "SELECT count(*) FROM enrolments WHERE user = (SELECT id FROM users WHERE name = 'ada')",
            [],
            |r| r.get(0),
        )
        .expect("count");
    assert_eq!(rows, 0);
}

#[test]
fn an_interrupted_removal_has_destroyed_the_key_and_the_rest_goes_at_the_next_start() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    assert!(store.destroy_key("ada", 0).expect("first half"));
    assert!(matches!(store.templates(&ada()), Err(StoreError::NotEnrolled)));
    drop(store);
    let store = place.open();
    let rows: i64 =
        store.connection.query_row("SELECT count(*) FROM enrolments", [], |r| r.get(0)).expect("count");
    assert_eq!(rows, 0);
}

#[test]
fn who_was_removed_can_enrol_again_under_a_new_key_and_higher_version() {
    let place = place();
    let mut store = place.open();
    let first = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol").version;
    let key = |store: &Store| store.enrolled(&ada()).expect("user").1.digest("x", b"");
    let old_key = key(&store);
    store.remove("ada", 0).expect("remove");
    let new = NewEnrolment { password: None, ..new_enrolment() };
    let second = store.enrol(&ada(), &new, 0).expect("enrol").version;
    assert!(second > first);
    assert_ne!(key(&store), old_key);
    assert!(store.password(&ada()).expect("password").is_none(), "the old password went with the removal");
}

#[test]
fn every_enrolment_and_removal_is_another_version() {
    let place = place();
    let mut store = place.open();
    let mut seen = vec![store.version(&ada()).expect("never enrolled")];
    for _ in 0..2 {
        for _ in 0..2 {
            store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
            seen.push(store.version(&ada()).expect("enrolled"));
        }
        store.remove("ada", 0).expect("remove");
        seen.push(store.version(&ada()).expect("removed"));
    }
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
}

#[test]
fn a_re_created_or_renamed_account_is_never_the_enrolled_one() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    for other in [Account { uid: 2000, ..ada() }, Account { name: "ada2".into(), ..ada() }] {
        assert!(matches!(store.templates(&other), Err(StoreError::Recreated)), "{other:?}");
        assert!(matches!(store.enrol(&other, &new_enrolment(), 0), Err(StoreError::Recreated)), "{other:?}");
        assert!(store.password(&other).expect("password").is_none(), "{other:?}");
    }
    // After root removed the old enrolment, both may enrol.
    store.remove("ada", 0).expect("remove");
    store.enrol(&Account { uid: 2000, ..ada() }, &new_enrolment(), 0).expect("re-created");
    store.enrol(&Account { name: "ada2".into(), ..ada() }, &new_enrolment(), 0).expect("renamed");
}

#[test]
fn a_recovery_code_works_once_and_only_the_newest_one() {
    let place = place();
    let mut store = place.open();
    let first = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol").recovery_code;
    let second = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol").recovery_code;
    let foreign = store.enrol(&bob(), &new_enrolment(), 0).expect("enrol").recovery_code;
    assert!(!store.use_recovery_code(&ada(), &first, 1000).expect("old"));
    assert!(!store.use_recovery_code(&ada(), &foreign, 1000).expect("bob's"));
    let guessed = RecoveryCode::generate().expect("randomness");
    assert!(!store.use_recovery_code(&ada(), &guessed, 1000).expect("guessed"));
    assert!(store.use_recovery_code(&ada(), &second, 1000).expect("right"));
    assert!(!store.use_recovery_code(&ada(), &second, 1000).expect("again"));
    assert!(store.use_recovery_code(&bob(), &foreign, 1001).expect("bob's own"));
}

#[test]
fn a_recovery_code_that_changed_nothing_is_good_again_unless_there_is_a_newer_one() {
    let place = place();
    let mut store = place.open();
    let first = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol").recovery_code;
    assert!(store.use_recovery_code(&ada(), &first, 1000).expect("right"));
    store.give_back_recovery_code(&ada(), &first, 1000).expect("given back");
    assert!(store.use_recovery_code(&ada(), &first, 1000).expect("good again"));
    let second = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol").recovery_code;
    store.give_back_recovery_code(&ada(), &first, 1000).expect("too late");
    assert!(!store.use_recovery_code(&ada(), &first, 1000).expect("old"));
    assert!(store.use_recovery_code(&ada(), &second, 1000).expect("the newer one stands"));
    store.remove("ada", 0).expect("remove");
    assert!(matches!(store.give_back_recovery_code(&ada(), &second, 1000), Err(StoreError::NotEnrolled)));
}

#[test]
fn a_renewed_hash_is_stored_and_is_no_change() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let changes = store.changes(10).expect("changes");
    store.renew_password_hash(&ada(), "$argon2id$other").expect("renew");
    assert_eq!(store.password(&ada()).expect("password").expect("stored").as_str(), "$argon2id$other");
    assert_eq!(store.changes(10).expect("changes"), changes);
    assert!(matches!(store.renew_password_hash(&bob(), PHC), Err(StoreError::NotEnrolled)));
}

#[test]
fn changes_are_noted_with_who_made_them() {
    let place = place();
    let mut store = place.open();
    let code = store.enrol(&ada(), &new_enrolment(), 1000).expect("enrol").recovery_code;
    store.set_password(&ada(), PHC, 0).expect("password");
    assert!(store.unlock("ada", 0).expect("unlock"));
    assert!(!store.unlock("nobody", 0).expect("unknown"));
    store.use_recovery_code(&ada(), &code, 1000).expect("recovery");
    store.remove("ada", 0).expect("remove");
    let noted: Vec<_> =
        store.changes(10).expect("changes").into_iter().map(|c| (c.actor, c.user, c.what)).collect();
    let expected =
        [(0, "removed"), (1000, "recovery code used"), (0, "unlocked"), (0, "password"), (1000, "enrolled")]
            .map(|(actor, what)| (actor, "ada".to_owned(), what.to_owned()));
    assert_eq!(noted, expected);
}
