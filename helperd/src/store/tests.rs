//! The store as its callers use it.

mod adaptation;
mod enrolment;
mod files;
mod garbage;
mod killed;
mod migration;
mod rollback;
mod rotation;
mod theft;
mod tries;

use zeroize::Zeroizing;

use super::*;
use crate::keys::{KEY_LEN, WrappingKey};
use crate::lockout::{Limits, Moment};

/// A store of its own in a directory of its own.
struct Place {
    directory: tempfile::TempDir,
    paths: StorePaths,
}

fn place() -> Place {
    let directory = tempfile::tempdir().expect("directory");
    let paths = StorePaths::private(&directory.path().join("state")).expect("paths");
    Place { directory, paths }
}

impl Place {
    fn open(&self) -> Store {
        Store::open(&self.paths, ring(1)).expect("open")
    }

    fn refused(&self) -> StoreError {
        Store::open(&self.paths, ring(1)).expect_err("must be refused")
    }
}

fn ring(byte: u8) -> KeyRing {
    KeyRing::of(WrappingKey::new(Zeroizing::new([byte; KEY_LEN])))
}

fn ada() -> Account {
    Account { name: "ada".into(), uid: 1000 }
}

fn bob() -> Account {
    Account { name: "bob".into(), uid: 1001 }
}

const TEMPLATE: &[u8] = b"joints of a wave with the left hand, not to be read by a thief";
const PHC: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2E$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo";

fn new_enrolment() -> NewEnrolment<'static> {
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

fn limits() -> Limits {
    Limits::default()
}

fn at(ms: u64) -> Moment {
    Moment { boot: [1; 16], ms }
}
