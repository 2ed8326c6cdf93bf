//! Older stores are migrated after a backup, all or nothing; newer ones refused untouched.

use super::*;

const NEXT: schema::Migration = "ALTER TABLE users ADD COLUMN note TEXT; UPDATE users SET note = 'migrated';";
const BROKEN: schema::Migration = "ALTER TABLE users ADD COLUMN other TEXT; UPDATE nowhere SET x = 1;";

fn with(more: &[schema::Migration]) -> Vec<schema::Migration> {
    schema::MIGRATIONS.iter().chain(more).copied().collect()
}

#[test]
fn an_older_store_is_copied_aside_and_migrated_once() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let backup = place.paths.state.join(format!("store.db.before-v{}", schema::MIGRATIONS.len() + 1));
    let store = Store::open_with(&place.paths, ring(1), &with(&[NEXT])).expect("migrates");
    let note: String =
        store.connection.query_row("SELECT note FROM users", [], |row| row.get(0)).expect("note");
    assert_eq!(note, "migrated");
    assert_eq!(store.templates(&ada()).expect("kept").1[0].template.as_slice(), TEMPLATE);
    drop(store);
    let copied = std::fs::read(&backup).expect("backup");
    let store = Store::open_with(&place.paths, ring(1), &with(&[NEXT])).expect("opens");
    assert_eq!(std::fs::read(&backup).expect("backup"), copied, "only a migration makes a backup");
    drop(store);
    // The older program refuses it, until the backup is put back.
    let known = i64::try_from(schema::MIGRATIONS.len()).expect("small");
    let told = place.refused();
    assert!(
        matches!(told, StoreError::Newer { found, known: k } if found == known + 1 && k == known),
        "{told}"
    );
    assert!(told.to_string().contains(&*backup.file_name().expect("name").to_string_lossy()), "{told}");
    std::fs::rename(&backup, place.paths.database()).expect("put back");
    assert_eq!(place.open().templates(&ada()).expect("as before").1.len(), 1);
}

#[test]
fn a_migration_that_fails_leaves_the_old_store() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let told = Store::open_with(&place.paths, ring(1), &with(&[NEXT, BROKEN])).expect_err("fails");
    assert!(matches!(told, StoreError::Sql(_)), "{told:?}");
    assert_eq!(place.open().templates(&ada()).expect("kept").1.len(), 1);
}

#[test]
fn a_removal_takes_the_key_out_of_backups_too() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let mut store = Store::open_with(&place.paths, ring(1), &with(&[NEXT])).expect("migrates");
    let backup = place.paths.state.join(format!("store.db.before-v{}", schema::MIGRATIONS.len() + 1));
    assert!(backup.exists());
    store.remove("ada", 0).expect("remove");
    assert!(!backup.exists(), "it still had the wrapped key");
}

#[test]
fn a_store_from_before_the_first_version_is_garbage() {
    let place = place();
    let store = place.open();
    store.connection.pragma_update(None, "user_version", 0).expect("set");
    drop(store);
    assert!(matches!(place.refused(), StoreError::Garbage(_)));
    for version in [-1, i32::MIN] {
        let connection = connect(&place.paths.database()).expect("connect");
        connection.pragma_update(None, "user_version", version).expect("set");
        drop(connection);
        assert!(matches!(place.refused(), StoreError::Garbage(_)), "{version}");
    }
}
