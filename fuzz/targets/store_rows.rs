//! Rows of the database as a damaged disk or somebody who writes to it leaves them; then everything that reads them.
#![no_main]

use std::sync::OnceLock;

use pose_contract::Outcome;
use pose_fuzz::Input;
use pose_helperd::accounts::Account;
use pose_helperd::keys::{KEY_LEN, KeyRing, WrappingKey};
use pose_helperd::lockout::{Limits, Moment, Origin};
use pose_helperd::store::{Judgement, Mode, NewEnrolment, Store, StoreError, StorePaths, TryId};
use rusqlite::types::Value;

const PHC: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2E$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo";
const TEMPLATE: &[u8] = b"joints of a wave with the left hand";

pose_fuzz::target!(|data| {
    let (place, open) = furnished();
    let Ok(mut store) = Store::open(&place.1, keys()) else { panic!("the sound store opens") };
    let mut input = Input(data);
    store.damage(|| {
        let more = !input.is_empty();
        more.then(|| (usize::from(input.byte()), usize::from(input.byte()), value(&mut input)))
    });
    exercise(&mut store, *open);
    drop(store);
    match Store::open(&place.1, keys()) {
        Ok(mut store) => exercise(&mut store, *open),
        Err(error) => assert!(!matches!(error, StoreError::NotEnrolled)),
    }
});

fn value(input: &mut Input<'_>) -> Value {
    match input.byte() % 6 {
        0 => Value::Null,
        1 => Value::Integer(input.u64() as i64),
        2 => Value::Integer(i64::from(input.byte()) - 3),
        3 => Value::Real(f64::from_bits(input.u64())),
        4 => {
            let length = usize::from(input.byte());
            Value::Text(String::from_utf8_lossy(input.bytes(length)).into_owned())
        }
        _ => {
            let length = usize::from(input.byte());
            Value::Blob(input.bytes(length).to_vec())
        }
    }
}

type Place = (tempfile::TempDir, StorePaths);

/// A copy of a store with one user, everything that can be stored, and an open try.
fn furnished() -> (Place, &'static TryId) {
    static MASTER: OnceLock<(Place, TryId)> = OnceLock::new();
    let (master, open) = MASTER.get_or_init(furnish);
    let copy = place();
    for file in ["store.db", "instance", "generation"] {
        std::fs::copy(master.1.state.join(file), copy.1.state.join(file)).expect("copy");
    }
    (copy, open)
}

fn place() -> Place {
    let folder = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let paths = StorePaths::private(&folder.path().join("state")).expect("paths");
    (folder, paths)
}

fn furnish() -> (Place, TryId) {
    let place = place();
    let mut store = Store::open(&place.1, keys()).expect("a store");
    store.enrol(&ada(), &enrolment(), 0).expect("enrolled");
    for outcome in [Outcome::WrongPassword, Outcome::WrongPassword, Outcome::WrongPose, Outcome::WrongPose] {
        let begun = store
            .begin("ada", Some(&ada()), Origin::Root, Mode::OwnPassword, &Limits::default(), &at(0))
            .expect("begun");
        let judgement = Judgement { outcome, stream: Some(begun.id.0.as_slice()), version: None, adapted: None };
        store.conclude(begun.id, &judgement, &Limits::default(), &at(0)).expect("concluded");
    }
    let open = store
        .begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &Limits::default(), &at(0))
        .expect("begun");
    drop(store);
    (place, open.id)
}

/// Calls everything. Nobody gets in by a try that was judged wrong.
fn exercise(store: &mut Store, open: TryId) {
    let (limits, now) = (Limits::default(), at(10));
    let _ = store.list(None);
    let _ = store.changes(10);
    let _ = store.templates(&ada());
    let _ = store.password(&ada());
    let _ = store.lock_state(&ada(), Origin::Root, &limits, &now);
    let _ = store.password_turn(open, &limits, &now);
    let _ = store.challenge_shown(open);
    let judgement = Judgement { outcome: Outcome::WrongPose, stream: Some(b"5"), version: Some(2), adapted: None };
    if let Ok(end) = store.conclude(open, &judgement, &limits, &now) {
        assert_ne!(end.outcome, Outcome::Success);
    }
    if let Ok(begun) = store.begin("ada", Some(&ada()), Origin::Own, Mode::OwnPassword, &limits, &now) {
        let _ = store.password_right(begun.id, &limits, &now);
        let _ = store.abandon(begun.id, &limits, &now);
    }
    let _ = store.set_password(&ada(), PHC, 0);
    let _ = store.enrol(&ada(), &enrolment(), 0);
    let _ = store.unlock("ada", 0);
    let _ = store.remove("ada", 0);
    let _ = store.abandon_all(&limits, &now);
}

fn keys() -> KeyRing {
    KeyRing::of(WrappingKey::new(zeroize::Zeroizing::new([1; KEY_LEN])))
}

fn ada() -> Account {
    Account { name: "ada".into(), uid: 1000 }
}

fn enrolment() -> NewEnrolment<'static> {
    NewEnrolment {
        template: TEMPLATE,
        gesture: "wave twice",
        recordings: 3,
        strength: "good",
        password: Some(PHC),
        replace: false,
        most_gestures: 4,
    }
}

fn at(ms: u64) -> Moment {
    Moment { boot: [1; 16], ms }
}
