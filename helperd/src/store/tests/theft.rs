//! A stolen state directory tells neither templates nor labels nor password hashes nor typed names.

use pose_contract::Outcome;

use super::*;
use crate::lockout::Origin;

fn all_bytes(place: &Place) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(&place.paths.state).expect("list") {
        bytes.extend(std::fs::read(entry.expect("entry").path()).expect("read"));
    }
    bytes
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn nothing_secret_lies_open_in_the_files() {
    let place = place();
    let mut store = place.open();
    let code = store.enrol(&ada(), &new_enrolment(), 0).expect("enrol").recovery_code;
    let now = at(0);
    // A password typed at the name prompt.
    for _ in 0..8 {
        let begun = store
            .begin("hunter2-typed", None, Origin::Root, Mode::OwnPassword, &limits(), &now)
            .expect("begin");
        store.conclude(begun.id, &Judgement::of(Outcome::WrongPassword), &limits(), &now).expect("conclude");
    }
    let begun =
        store.begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &limits(), &now).expect("begin");
    let stream = b"landmark stream of a login";
    let judgement =
        Judgement { outcome: Outcome::Success, stream: Some(stream), version: Some(2), adapted: None };
    store.conclude(begun.id, &judgement, &limits(), &now).expect("conclude");
    let wrapped = [1_u8; 32];
    let check = |bytes: &[u8], when: &str| {
        assert!(has(bytes, b"ada"), "{when}: the search looks at the right files");
        for secret in [
            TEMPLATE,
            b"wave twice",
            PHC.as_bytes(),
            b"argon2",
            b"hunter2-typed",
            stream,
            code.symbols(),
            code.printed().as_bytes(),
            wrapped.as_slice(),
        ] {
            assert!(!has(bytes, secret), "{when}: {:?}", String::from_utf8_lossy(secret));
        }
    };
    check(&all_bytes(&place), "while open");
    drop(store);
    check(&all_bytes(&place), "after closing");
}

#[test]
fn a_removed_users_sealed_rows_and_key_are_gone_from_the_files() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let blob = |sql: &str| -> Vec<u8> { store.connection.query_row(sql, [], |row| row.get(0)).expect("row") };
    let key = blob("SELECT wrapped_key FROM users");
    let template = blob("SELECT template FROM enrolments");
    assert!(has(&all_bytes(&place), &key));
    assert!(has(&all_bytes(&place), &template));
    store.remove("ada", 0).expect("remove");
    let left = all_bytes(&place);
    assert!(!has(&left, &key), "the wrapped key");
    assert!(!has(&left, &template), "the sealed template");
}

/// Who can write the file but has no key: what would each edit open?
#[test]
fn a_store_edited_by_something_else_is_refused() {
    for edit in [
        "DELETE FROM users",
        "UPDATE users SET removed = 1, wrapped_key = NULL",
        "UPDATE users SET uid = 1001",
        "UPDATE users SET name = 'bob'",
        "UPDATE users SET password = NULL",
        "UPDATE users SET recovery = x'00'",
        "DELETE FROM enrolments",
        "UPDATE enrolments SET template = x'00'",
        "DELETE FROM counters",
        "UPDATE counters SET failures = 0",
        "UPDATE counters SET lock_ms = 0",
        "DELETE FROM tries",
        "UPDATE tries SET phase = 0",
        "DELETE FROM digests",
        "UPDATE meta SET value = 1000 WHERE key = 'generation'",
        "DELETE FROM meta WHERE key = 'code'",
        "UPDATE meta SET value = x'00' WHERE key = 'code'",
    ] {
        let place = place();
        let mut store = place.open();
        store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
        let now = at(0);
        for _ in 0..6 {
            let begun = store
                .begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &limits(), &now)
                .expect("begin");
            let judgement = Judgement {
                outcome: Outcome::WrongPose,
                stream: Some(&begun.id.0),
                version: Some(2),
                adapted: None,
            };
            store.conclude(begun.id, &judgement, &limits(), &now).expect("conclude");
        }
        let begun =
            store.begin("ada", Some(&ada()), Origin::Own, Mode::PoseOnly, &limits(), &now).expect("begin");
        store.challenge_shown(begun.id).expect("shown");
        drop(store);
        drop(place.open());
        let editor = rusqlite::Connection::open(place.paths.database()).expect("editor");
        let edited = editor.execute(edit, []).expect("edit");
        assert!(edited > 0, "{edit} edits nothing");
        drop(editor);
        let told = place.refused();
        assert!(matches!(told, StoreError::Tampered), "{edit}: {told:?}");
    }
}

#[test]
fn rows_of_an_old_copy_under_a_newer_generation_are_refused() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let old = place.directory.path().join("old.db");
    std::fs::copy(place.paths.database(), &old).expect("copy");
    place.open().remove("ada", 0).expect("remove");
    let editor = rusqlite::Connection::open(place.paths.database()).expect("editor");
    editor
        .execute_batch(&format!(
            "ATTACH '{}' AS old; DELETE FROM users; INSERT INTO users SELECT * FROM old.users;
             INSERT INTO enrolments SELECT * FROM old.enrolments;",
            old.display()
        ))
        .expect("splice");
    drop(editor);
    assert!(matches!(place.refused(), StoreError::Tampered));
}

#[test]
fn rows_moved_between_users_do_not_open() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    store.enrol(&bob(), &NewEnrolment { template: b"bob's", ..new_enrolment() }, 0).expect("enrol");
    // Bob's template under Ada's name; then Bob's key as well.
    let swap = |sql: &str| store.connection.execute(sql, []).expect("swap");
    swap("UPDATE enrolments SET template = (SELECT template FROM enrolments WHERE user = 2) WHERE user = 1");
    assert!(matches!(store.templates(&ada()), Err(StoreError::Seal(_))));
    swap("UPDATE users SET wrapped_key = (SELECT wrapped_key FROM users WHERE id = 2) WHERE id = 1");
    assert!(matches!(store.templates(&ada()), Err(StoreError::Seal(_))));
    assert_eq!(store.templates(&bob()).expect("bob's own").1.len(), 1);
}
