//! Key rotation keeps everything readable with the new key and nothing with the old one.

use super::*;

fn rotating(old: u8, new: u8) -> KeyRing {
    KeyRing { old: Some(WrappingKey::new(Zeroizing::new([old; KEY_LEN]))), ..ring(new) }
}

#[test]
fn after_a_rotation_the_new_key_opens_everything_and_the_old_one_nothing() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let code = store.enrol(&bob(), &new_enrolment(), 0).expect("enrol").recovery_code;
    store.remove("ada", 0).expect("remove");
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    store.enrol(&Account { name: "eve".into(), uid: 1002 }, &new_enrolment(), 0).expect("enrol");
    store.remove("eve", 0).expect("a tombstone has no key to wrap");
    drop(store);
    drop(Store::open(&place.paths, rotating(1, 2)).expect("rotates"));
    let mut store = Store::open(&place.paths, ring(2)).expect("opens");
    for account in [ada(), bob()] {
        assert_eq!(store.templates(&account).expect("templates").1[0].template.as_slice(), TEMPLATE);
        assert_eq!(store.password(&account).expect("password").expect("stored").as_str(), PHC);
    }
    assert!(store.use_recovery_code(&bob(), &code, 1001).expect("the code stays good"));
    assert!(store.changes(5).expect("changes").iter().any(|change| change.what == "keys rotated"));
    drop(store);
    assert!(matches!(Store::open(&place.paths, ring(1)), Err(StoreError::UnknownKey)));
}

#[test]
fn a_store_without_users_rotates_as_well() {
    let place = place();
    drop(place.open());
    drop(Store::open(&place.paths, rotating(1, 2)).expect("rotates"));
    drop(Store::open(&place.paths, ring(2)).expect("the new key alone"));
    assert!(matches!(Store::open(&place.paths, ring(1)), Err(StoreError::UnknownKey)));
}

#[test]
fn the_old_wrapping_is_gone_from_the_files() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let old: Vec<u8> =
        store.connection.query_row("SELECT wrapped_key FROM users", [], |row| row.get(0)).expect("row");
    drop(store);
    let _open = Store::open(&place.paths, rotating(1, 2)).expect("rotates");
    for entry in std::fs::read_dir(&place.paths.state).expect("list") {
        let bytes = std::fs::read(entry.expect("entry").path()).expect("read");
        assert!(!bytes.windows(old.len()).any(|window| window == old));
    }
}

#[test]
fn a_rotation_with_the_wrong_old_key_changes_nothing() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let told = Store::open(&place.paths, rotating(7, 2)).expect_err("wrong old key");
    assert!(matches!(told, StoreError::UnknownKey), "{told:?}");
    assert_eq!(place.open().templates(&ada()).expect("as before").1.len(), 1);
}

#[test]
fn opening_again_with_both_keys_is_nothing_new() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    for _ in 0..3 {
        let store = Store::open(&place.paths, rotating(1, 2)).expect("opens");
        let rotations =
            store.changes(10).expect("changes").iter().filter(|c| c.what == "keys rotated").count();
        assert_eq!(rotations, 1);
    }
}

/// Whoever has the old key and steals the disk later must not find a copy that it opens.
#[test]
fn no_copy_under_the_old_key_is_left_beside_the_store() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    drop(store);
    let copy = place.paths.state.join("store.db.before-v2");
    std::fs::copy(place.paths.state.join("store.db"), &copy).expect("as a migration leaves it");
    drop(place.open());
    assert!(copy.exists(), "a start without a rotation keeps it");
    drop(Store::open(&place.paths, rotating(1, 2)).expect("rotates"));
    assert!(!copy.exists());
}
