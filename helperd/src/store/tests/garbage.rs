//! Rows full of garbage are errors: no panic, no success, and no "not enrolled" out of a damaged row.

use std::sync::OnceLock;

use pose_contract::Outcome;
use proptest::prelude::*;
use rusqlite::types::Value;

use super::*;
use crate::lockout::Origin;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        (-3_i64..300).prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Real),
        ".{0,40}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..80).prop_map(Value::Blob),
        Just(Value::Blob(vec![0; 16])),
        Just(Value::Blob(vec![0; 32])),
    ]
}

/// One user with everything that can be stored, and an open try: made once, then copied.
fn furnished() -> (Place, TryId) {
    static MASTER: OnceLock<(Place, TryId)> = OnceLock::new();
    let (master, open) = MASTER.get_or_init(furnish);
    let copy = place();
    for file in ["store.db", "instance", "generation"] {
        std::fs::copy(master.paths.state.join(file), copy.paths.state.join(file)).expect("copy");
    }
    (copy, *open)
}

fn furnish() -> (Place, TryId) {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let now = at(0);
    for _ in 0..2 {
        let begun = store
            .begin("ada", Some(&ada()), Origin::Root, Mode::OwnPassword, &limits(), &now)
            .expect("begin");
        store.conclude(begun.id, &Judgement::of(Outcome::WrongPassword), &limits(), &now).expect("conclude");
    }
    for stream in [b"1", b"2", b"3", b"4"] {
        let begun =
            store.begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &limits(), &now).expect("begin");
        let judgement =
            Judgement { outcome: Outcome::WrongPose, stream: Some(stream), version: Some(2), adapted: None };
        store.conclude(begun.id, &judgement, &limits(), &now).expect("conclude");
    }
    let open =
        store.begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &limits(), &now).expect("begin");
    drop(store);
    (place, open.id)
}

/// Without waiting for the disk: these tests are about contents.
fn open_quickly(place: &Place) -> Result<Store, StoreError> {
    let store = Store::open(&place.paths, ring(1))?;
    store.connection.pragma_update(None, "synchronous", "OFF").expect("speed");
    Ok(store)
}

/// Calls everything; answers nothing, for the point is that it returns.
fn exercise(store: &mut Store, open: TryId) {
    let now = at(10);
    let _ = store.list(None);
    let _ = store.changes(10);
    let _ = store.templates(&ada());
    let _ = store.password(&ada());
    let _ = store.lock_state(&ada(), Origin::Root, &limits(), &now);
    let _ = store.password_turn(open, &limits(), &now);
    let _ = store.challenge_shown(open);
    let judgement =
        Judgement { outcome: Outcome::WrongPose, stream: Some(b"5"), version: Some(2), adapted: None };
    let _ = store.conclude(open, &judgement, &limits(), &now);
    if let Ok(begun) = store.begin("ada", Some(&ada()), Origin::Own, Mode::OwnPassword, &limits(), &now) {
        let _ = store.password_right(begun.id, &limits(), &now);
        let _ = store.abandon(begun.id, &limits(), &now);
    }
    let _ = store.set_password(&ada(), PHC, 0);
    let _ = store.enrol(&ada(), &new_enrolment(), 0);
    let _ = store.unlock("ada", 0);
    let _ = store.remove("ada", 0);
    let _ = store.abandon_all(&limits(), &now);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn garbage_in_any_columns_never_panics(
        garbage in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), value()), 1..4),
    ) {
        let (place, open) = furnished();
        let mut store = open_quickly(&place).expect("open");
        let mut garbage = garbage.into_iter().map(|(table, column, value)| {
            (table.index(usize::MAX), column.index(usize::MAX), value)
        });
        store.damage(|| garbage.next());
        exercise(&mut store, open);
        drop(store);
        if let Ok(mut store) = open_quickly(&place) {
            exercise(&mut store, open);
        }
    }

    #[test]
    fn a_file_with_flipped_bytes_never_panics(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let (place, open) = furnished();
        let mut bytes = std::fs::read(place.paths.database()).expect("read");
        for (at, value) in &flips {
            let at = at.index(bytes.len());
            bytes[at] ^= value;
        }
        std::fs::write(place.paths.database(), bytes).expect("write");
        if let Ok(mut store) = open_quickly(&place) {
            exercise(&mut store, open);
        }
    }
}

#[test]
fn a_damaged_row_is_never_not_enrolled() {
    for damage in [
        "UPDATE users SET wrapped_key = x'00'",
        "UPDATE users SET key_id = x'00'",
        "UPDATE enrolments SET template = x'00'",
        "UPDATE enrolments SET gesture = x'00'",
        "UPDATE enrolments SET version = 7",
        "UPDATE users SET password = x'00'",
        "DELETE FROM enrolments",
    ] {
        let (place, _) = furnished();
        let store = open_quickly(&place).expect("open");
        store.connection.execute(damage, []).expect("damage");
        let told = store.templates(&ada()).map(drop).and_then(|()| store.password(&ada()).map(drop));
        assert!(
            matches!(told, Err(StoreError::Seal(_) | StoreError::UnknownKey | StoreError::Garbage(_))),
            "{damage}: {told:?}"
        );
    }
}
