//! A later login's recording: kept by a success and nothing else, never in the place of what was enrolled, forgotten by a
//! reset, gone with the enrolment.

use pose_contract::Outcome;

use super::*;
use crate::lockout::Origin;

const LATER: &[u8] = b"a later wave, as secret as the first";

/// One login that ends in `outcome` and brings a recording for an enrolment.
fn login(store: &mut Store, outcome: Outcome, stream: &[u8], enrolment: i64, recording: &[u8]) -> Outcome {
    let (version, _) = store.templates(&ada()).expect("templates");
    let begun =
        store.begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &limits(), &at(0)).expect("begin");
    let judgement = Judgement {
        outcome,
        stream: Some(stream),
        version: Some(version),
        adapted: Some(Adapted { enrolment, recording }),
    };
    store.conclude(begun.id, &judgement, &limits(), &at(0)).expect("conclude").outcome
}

fn kept(store: &Store) -> Vec<Option<Vec<u8>>> {
    let (_, stored) = store.templates(&ada()).expect("templates");
    stored.iter().map(|template| template.adapted.as_ref().map(|bytes| bytes.to_vec())).collect()
}

fn enrolled() -> (Place, Store, i64) {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let id = store.templates(&ada()).expect("templates").1[0].enrolment;
    (place, store, id)
}

#[test]
fn only_a_success_keeps_a_recording_and_the_newest_stands() {
    let (place, mut store, id) = enrolled();
    assert_eq!(login(&mut store, Outcome::WrongPose, b"1", id, LATER), Outcome::WrongPose);
    assert_eq!(login(&mut store, Outcome::ChallengeMissed, b"2", id, LATER), Outcome::ChallengeMissed);
    assert_eq!(kept(&store), [None]);
    assert_eq!(login(&mut store, Outcome::Success, b"3", id, b"first"), Outcome::Success);
    assert_eq!(login(&mut store, Outcome::Success, b"4", id, LATER), Outcome::Success);
    // A stream that comes again is a replay, whatever it was judged as.
    assert_eq!(login(&mut store, Outcome::Success, b"3", id, b"replayed"), Outcome::NotLive);
    assert_eq!(kept(&store), [Some(LATER.to_vec())]);
    drop(store);
    let store = place.open();
    assert_eq!(kept(&store), [Some(LATER.to_vec())], "and after a restart");
    assert_eq!(store.templates(&ada()).expect("kept").1[0].template.as_slice(), TEMPLATE, "as enrolled");
    drop(store);
    let file = std::fs::read(place.paths.database()).expect("file");
    assert!(!file.windows(LATER.len()).any(|window| window == LATER), "sealed");
}

#[test]
fn a_recording_for_an_enrolment_that_is_not_the_user_s_is_dropped() {
    let (_place, mut store, id) = enrolled();
    store.enrol(&bob(), &new_enrolment(), 0).expect("enrol");
    let bobs = store.templates(&bob()).expect("templates").1[0].enrolment;
    assert_ne!(bobs, id);
    assert_eq!(login(&mut store, Outcome::Success, b"1", bobs, LATER), Outcome::Success);
    assert_eq!(kept(&store), [None]);
    assert!(store.templates(&bob()).expect("templates").1[0].adapted.is_none());
}

#[test]
fn a_reset_forgets_ends_open_tries_and_is_noted() {
    let (_place, mut store, id) = enrolled();
    assert!(!store.reset_adaptation(&ada(), 0).expect("nothing there"));
    login(&mut store, Outcome::Success, b"1", id, LATER);
    let (version, _) = store.templates(&ada()).expect("templates");
    let open =
        store.begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &limits(), &at(0)).expect("begin");
    assert!(store.reset_adaptation(&ada(), 0).expect("reset"));
    assert_eq!(kept(&store), [None]);
    assert_eq!(store.templates(&ada()).expect("templates").0, version + 1);
    let judgement = Judgement {
        stream: Some(b"2"),
        version: Some(version),
        adapted: Some(Adapted { enrolment: id, recording: LATER }),
        ..Judgement::of(Outcome::Success)
    };
    let end = store.conclude(open.id, &judgement, &limits(), &at(0)).expect("conclude");
    assert_eq!(end.outcome, Outcome::Refused, "judged by what is forgotten now");
    assert_eq!(kept(&store), [None]);
    assert_eq!(store.changes(1).expect("changes")[0].what, "adaptation reset");
    assert!(matches!(store.reset_adaptation(&bob(), 0), Err(StoreError::NotEnrolled)));
}

#[test]
fn a_new_gesture_starts_without_the_old_one_s_recording() {
    let (_place, mut store, id) = enrolled();
    login(&mut store, Outcome::Success, b"1", id, LATER);
    store.enrol(&ada(), &NewEnrolment { replace: true, ..new_enrolment() }, 0).expect("enrol");
    assert_eq!(kept(&store), [None]);
}
