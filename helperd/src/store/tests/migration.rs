//! Older stores are migrated after a backup, all or nothing; newer ones refused untouched.

use pose_contract::Outcome;

use super::*;
use crate::lockout::Origin;

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

/// Everything in a table, as SQLite writes it, without the columns named.
fn rows(store: &Store, table: &str, columns: &[String]) -> Vec<String> {
    let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
    let text = format!("SELECT {} FROM {table} ORDER BY 1", quoted.join(" || ',' || "));
    let mut statement = store.connection.prepare(&text).expect("a table");
    statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
}

/// Names and columns of all tables.
fn tables(store: &Store) -> Vec<(String, Vec<String>)> {
    let names = |sql: &str| -> Vec<String> {
        let mut statement = store.connection.prepare(sql).expect("the schema");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a name")).collect()
    };
    names("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
        .into_iter()
        .map(|table| {
            let columns = names(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"));
            (table, columns)
        })
        .collect()
}

/// A store of the first schema with something in every table: gestures, a tombstone, a password, refused and open
/// tries, a success, a wrong password, changes.
fn first_schema(place: &Place) -> Store {
    let mut store = Store::create(&place.paths, ring(1)).expect("create");
    drop(store);
    // As the first version made it: the same tables without what came later.
    let mut connection = connect(&place.paths.database()).expect("connect");
    connection
        .execute_batch("ALTER TABLE enrolments DROP COLUMN adapted; PRAGMA user_version = 1;")
        .expect("as before");
    let ledger = integrity::Ledger::new(ring(1));
    let transaction = write(&mut connection).expect("a transaction");
    integrity::commit(transaction, &ledger).expect("its code");
    drop(connection);
    store = Store::open_with(&place.paths, ring(1), &schema::MIGRATIONS[..1]).expect("the first schema");
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    store.enrol(&ada(), &NewEnrolment { gesture: "bow", ..new_enrolment() }, 0).expect("a second gesture");
    store.enrol(&bob(), &new_enrolment(), 0).expect("enrol");
    store.remove("bob", 0).expect("remove");
    for (outcome, stream) in [(Outcome::Success, b"1"), (Outcome::WrongPose, b"2"), (Outcome::NotLive, b"3")]
    {
        let judgement = Judgement { stream: Some(stream), version: Some(3), ..Judgement::of(outcome) };
        let id = begun(&mut store, Mode::PoseOnly);
        assert_eq!(store.conclude(id, &judgement, &limits(), &at(0)).expect("conclude").outcome, outcome);
    }
    let id = begun(&mut store, Mode::OwnPassword);
    let wrong = Judgement::of(Outcome::WrongPassword);
    store.conclude(id, &wrong, &limits(), &at(0)).expect("conclude");
    begun(&mut store, Mode::PoseOnly);
    store
}

fn begun(store: &mut Store, mode: Mode) -> TryId {
    store.begin("ada", Some(&ada()), Origin::Root, mode, &limits(), &at(0)).expect("begin").id
}

#[test]
fn the_second_schema_takes_everything_over_from_the_first() {
    let place = place();
    let store = first_schema(&place);
    let before: Vec<_> = tables(&store)
        .into_iter()
        .map(|(table, columns)| (rows(&store, &table, &columns), table, columns))
        .collect();
    for (rows, table, columns) in &before {
        assert!(!rows.is_empty(), "nothing in {table}: the test does not show that it is kept");
        assert!(!columns.contains(&"adapted".to_owned()), "not the first schema");
    }
    drop(store);
    let mut store = place.open();
    assert_eq!(schema::version(&store.connection).expect("version"), 2);
    for (rows_before, table, columns) in &before {
        let now = rows(&store, table, columns);
        // The code over the rows is a new one, of more columns.
        let decided = |rows: &[String]| -> Vec<String> {
            rows.iter().filter(|row| !row.starts_with("'code")).cloned().collect()
        };
        assert_eq!(decided(&now), decided(rows_before), "{table}");
    }
    let (version, templates) = store.templates(&ada()).expect("kept");
    let gestures: Vec<&str> = templates.iter().map(|template| template.gesture.as_str()).collect();
    assert_eq!((version, gestures), (3, vec!["wave twice", "bow"]));
    assert!(templates.iter().all(|t| t.template.as_slice() == TEMPLATE && t.adapted.is_none()));
    assert_eq!(store.password(&ada()).expect("a password").expect("kept").as_str(), PHC);
    // A stream seen before the migration is still known, and a login may now leave a recording.
    for (stream, wanted) in [(b"1", Outcome::NotLive), (b"4", Outcome::Success)] {
        let id = begun(&mut store, Mode::PoseOnly);
        let adapted = Adapted { enrolment: templates[1].enrolment, recording: b"later" };
        let judgement = Judgement {
            outcome: Outcome::Success,
            stream: Some(stream),
            version: Some(3),
            adapted: Some(adapted),
        };
        let end = store.conclude(id, &judgement, &limits(), &at(0)).expect("conclude");
        assert_eq!((end.outcome, end.replayed), (wanted, wanted == Outcome::NotLive));
    }
    let kept = |store: &Store| -> Vec<bool> {
        store.templates(&ada()).expect("kept").1.iter().map(|template| template.adapted.is_some()).collect()
    };
    assert_eq!(kept(&store), [false, true]);
    drop(store);
    assert_eq!(kept(&place.open()), [false, true], "and after a restart");
}

#[test]
fn the_program_of_the_first_schema_refuses_the_second_and_leaves_it_alone() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let bytes = std::fs::read(place.paths.database()).expect("the store");
    let told =
        Store::open_with(&place.paths, ring(1), &schema::MIGRATIONS[..1]).expect_err("must be refused");
    assert!(matches!(told, StoreError::Newer { found: 2, known: 1 }), "{told:?}");
    let words = told.to_string();
    assert!(words.contains("install the newer version") && words.contains("store.db.before-v2"), "{words}");
    assert_eq!(std::fs::read(place.paths.database()).expect("the store"), bytes);
    assert_eq!(place.open().templates(&ada()).expect("as it was").1.len(), 1);
}
