//! What an attempt leaves behind that could not end as it should.

use zeroize::Zeroizing;

use super::login::Pass;
use super::*;
use crate::audit::Audit;
use crate::config::Config;
use crate::daemon::Parts;
use crate::keys::{KEY_LEN, KeyRing, WrappingKey};
use crate::store::{Mode, NewEnrolment, Standing, Store, StorePaths};
use crate::worker::Setup;

#[test]
fn a_try_that_panicked_stands_in_nobodys_way() {
    in_an_attempt(|work, pass| {
        let ended = work.guarded(|| {
            assert_eq!(pass.begin()?.standing, Standing::Enrolled);
            panic!("on purpose");
        });
        assert_eq!(ended.expect("a verdict").outcome, Outcome::Internal);
        // One refused try locks here, so that one under way keeps all others out.
        assert_eq!(pass.begin().expect("begun").standing, Standing::Enrolled);
        assert_eq!(pass.begin().expect("begun").standing, Standing::Busy, "the next one is under way");
    });
}

#[test]
fn a_template_that_cannot_be_read_says_what_to_do() {
    in_an_attempt(|_, pass| {
        let told = pass.run(&pass.begin().expect("begun")).for_caller(0);
        assert_eq!(told.code, Outcome::StoreError.as_str());
        assert!(told.text.contains("enrol again"), "{}", told.text);
    });
}

#[test]
fn the_status_tells_of_a_store_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let daemon = daemon(folder.path(), &root());
    let told = || String::try_from(crate::overview::status(&daemon).remove("store").expect("told"));
    assert_eq!(told().as_deref(), Ok("ok"));
    let mut garbage = vec![(7, 0, rusqlite::types::Value::Text("no number".into()))];
    daemon.store().damage(|| garbage.pop());
    assert!(told().is_ok_and(|told| told.contains("put a backup back")), "{:?}", told());
}

/// Root's attempt to log in by the pose alone, enrolled with a template that is none.
fn in_an_attempt(body: impl FnOnce(&Work<'_>, &Pass<'_>)) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root();
    let daemon = daemon(folder.path(), &root);
    let attempt = Arc::new(Attempt::new(Caller { unique: ":1.1".into(), uid: 0 }).expect("an attempt"));
    let (begun, _first_word) = async_channel::bounded(1);
    let work = Work::new(&daemon, &attempt, &begun);
    body(&work, &pass(&work, &root));
}

fn root() -> Account {
    accounts::by_name("root").expect("a name service").expect("an account")
}

fn pass<'a>(work: &'a Work<'a>, account: &'a Account) -> Pass<'a> {
    Pass {
        work,
        typed: "root",
        account: Some(account),
        mode: Mode::PoseOnly,
        question: pose_contract::ask::PASSWORD,
        rules: work.daemon.config.attempt.clone(),
        unchallenged: false,
        timeout: Duration::from_secs(20),
        words: false,
    }
}

fn daemon(folder: &std::path::Path, enrolled: &Account) -> Arc<Daemon> {
    let paths = StorePaths::private(&folder.join("state")).expect("paths");
    let keys = KeyRing::of(WrappingKey::new(Zeroizing::new([7; KEY_LEN])));
    let mut store = Store::open(&paths, keys).expect("a store");
    let new = NewEnrolment {
        template: b"joints",
        gesture: "",
        recordings: 3,
        strength: "good",
        password: None,
        replace: false,
        most_gestures: 4,
    };
    store.enrol(enrolled, &new, 0).expect("enrolled");
    let mut config = Config::default();
    config.lockout.lock_after = 1;
    let audit = Audit::new(&folder.join("log"));
    let setup = Setup::default();
    Daemon::new(Parts { config, store, audit, program: "/bin/false".into(), setup }).expect("a daemon")
}
