//! An old copy of the store that is put back does not bring back what was removed, used up or counted.

use pose_contract::Outcome;

use super::*;
use crate::lockout::Origin;

/// A store whose anchor lies outside its state directory, as installed.
fn anchored() -> Place {
    let mut place = place();
    let outside = place.directory.path().join("anchor");
    std::fs::create_dir(&outside).expect("directory");
    place.paths.anchor = outside.join("generation");
    place
}

fn copy(place: &Place) -> Vec<u8> {
    std::fs::read(place.paths.database()).expect("copy")
}

fn put_back(place: &Place, copy: &[u8]) {
    std::fs::write(place.paths.database(), copy).expect("put back");
}

fn refused_pose(store: &mut Store) {
    let now = at(0);
    let begun =
        store.begin("ada", Some(&ada()), Origin::Own, Mode::PoseOnly, &limits(), &now).expect("begin");
    store.conclude(begun.id, &Judgement::of(Outcome::WrongPose), &limits(), &now).expect("conclude");
}

#[test]
fn a_copy_from_before_any_change_that_matters_is_refused() {
    type Change = fn(&mut Store);
    let changes: &[(&str, Change)] = &[
        ("removal", |store| assert!(store.remove("ada", 0).expect("remove"))),
        ("new gesture", |store| {
            store.enrol(&ada(), &NewEnrolment { replace: true, ..new_enrolment() }, 0).expect("enrol");
        }),
        ("password", |store| store.set_password(&ada(), PHC, 0).expect("password")),
        ("counted try", refused_pose),
    ];
    for (what, change) in changes {
        let place = anchored();
        place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
        let old = copy(&place);
        change(&mut place.open());
        drop(place.open());
        put_back(&place, &old);
        let told = place.refused();
        assert!(matches!(told, StoreError::OldCopy), "{what}: {told:?}");
        assert!(told.to_string().contains("accept-restored"), "{told}");
    }
}

#[test]
fn a_used_recovery_code_stays_used() {
    let place = anchored();
    let code = place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol").recovery_code;
    let old = copy(&place);
    assert!(place.open().use_recovery_code(&ada(), &code, 1000).expect("use"));
    put_back(&place, &old);
    assert!(matches!(place.refused(), StoreError::OldCopy));
}

#[test]
fn root_accepts_a_restored_copy_once() {
    let place = anchored();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let old = copy(&place);
    place.open().remove("ada", 0).expect("remove");
    put_back(&place, &old);
    let order = place.paths.accept_restored();
    std::fs::write(&order, "00112233445566778899aabbccddeeff\n").expect("an order for another machine");
    assert!(matches!(place.refused(), StoreError::OldCopy));
    std::fs::copy(&place.paths.mark, &order).expect("order");
    let store = place.open();
    assert_eq!(store.templates(&ada()).expect("restored").1.len(), 1);
    assert_eq!(store.changes(1).expect("changes")[0].what, "restored copy accepted");
    drop(store);
    assert!(!order.exists(), "used up");
    let newer = copy(&place);
    put_back(&place, &old);
    assert!(matches!(place.refused(), StoreError::OldCopy), "the same old copy again");
    put_back(&place, &newer);
    drop(place.open());
}

#[test]
fn a_missing_damaged_or_foreign_anchor_vouches_for_nothing() {
    let place = anchored();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let good = std::fs::read(&place.paths.anchor).expect("anchor");
    for bad in [
        "".to_owned(),
        "garbage".to_owned(),
        format!("00112233445566778899aabbccddeeff {}\n", u64::MAX),
        String::from_utf8_lossy(&good).replace(' ', " -"),
    ] {
        std::fs::write(&place.paths.anchor, &bad).expect("write");
        assert!(matches!(place.refused(), StoreError::OldCopy), "{bad:?}");
    }
    std::fs::remove_file(&place.paths.anchor).expect("remove");
    assert!(matches!(place.refused(), StoreError::OldCopy), "missing");
    std::fs::write(&place.paths.anchor, good).expect("put back");
    drop(place.open());
}

#[test]
fn an_anchor_that_lags_after_a_crash_follows_at_the_next_start() {
    let place = anchored();
    drop(place.open());
    let lagging = std::fs::read(&place.paths.anchor).expect("anchor");
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let current = std::fs::read(&place.paths.anchor).expect("anchor");
    assert_ne!(lagging, current);
    std::fs::write(&place.paths.anchor, &lagging).expect("as if the crash came before it was written");
    drop(place.open());
    assert_eq!(std::fs::read(&place.paths.anchor).expect("anchor"), current);
}

#[test]
fn an_anchor_that_cannot_be_written_does_not_undo_a_change() {
    let place = anchored();
    let mut store = place.open();
    std::fs::remove_dir_all(place.paths.anchor.parent().expect("directory")).expect("remove");
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    assert_eq!(store.templates(&ada()).expect("stored").1.len(), 1);
}
