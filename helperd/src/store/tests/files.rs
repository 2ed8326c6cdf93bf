//! Lost, foreign, exposed, corrupt, full and read-only stores: an error each, never an empty store.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::*;

#[test]
fn the_first_start_makes_the_store_and_a_lost_store_is_never_made_again() {
    let place = place();
    drop(place.open());
    assert!(!place.paths.state.join("first-start").exists());
    std::fs::remove_file(place.paths.database()).expect("lose it");
    let told = place.refused();
    assert!(matches!(told, StoreError::Lost(_)), "{told}");
    assert!(!place.paths.database().exists());
}

#[test]
fn a_first_start_for_another_instance_makes_nothing() {
    let place = place();
    std::fs::write(place.paths.state.join("first-start"), "00112233445566778899aabbccddeeff\n")
        .expect("write");
    assert!(matches!(place.refused(), StoreError::Lost(_)));
}

#[test]
fn an_interrupted_first_start_is_made_good() {
    let place = place();
    std::fs::write(place.paths.unfinished(), b"half").expect("write");
    drop(place.open());
    // The order outlives a crash between putting the store in place and removing the order: then it is used up.
    let mark = std::fs::read(&place.paths.mark).expect("mark");
    std::fs::write(place.paths.state.join("first-start"), mark).expect("write");
    drop(place.open());
    std::fs::remove_file(place.paths.database()).expect("lose it");
    assert!(matches!(place.refused(), StoreError::Lost(_)));
}

#[test]
fn a_store_without_mark_or_of_another_installation_is_refused() {
    let place = place();
    drop(place.open());
    let mark = std::fs::read(&place.paths.mark).expect("mark");
    std::fs::write(&place.paths.mark, "00112233445566778899aabbccddeeff\n").expect("another");
    assert!(matches!(place.refused(), StoreError::Foreign));
    for malformed in ["", "x\n", "00112233445566778899aabbccddeef\n", "+0112233445566778899aabbccddeeff\n"] {
        std::fs::write(&place.paths.mark, malformed).expect("malformed");
        assert!(matches!(place.refused(), StoreError::NoMark(_)), "{malformed:?}");
    }
    std::fs::remove_file(&place.paths.mark).expect("remove");
    assert!(matches!(place.refused(), StoreError::NoMark(_)));
    std::fs::write(&place.paths.mark, mark).expect("put back");
    drop(place.open());
}

#[test]
fn a_store_that_others_can_reach_is_refused() {
    let place = place();
    drop(place.open());
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("chmod");
    for open in [0o750, 0o701, 0o777] {
        mode(&place.paths.state, open);
        assert!(place.refused().to_string().contains("chmod 700"));
    }
    mode(&place.paths.state, 0o700);
    for open in [0o640, 0o604] {
        mode(&place.paths.database(), open);
        assert!(place.refused().to_string().contains("chmod 600"));
    }
    mode(&place.paths.database(), 0o600);
    let link = place.paths.state.join("link");
    std::fs::hard_link(place.paths.database(), &link).expect("link");
    assert!(matches!(place.refused(), StoreError::Exposed(..)), "a second name for the file");
    std::fs::remove_file(place.paths.database()).expect("unlink");
    std::os::unix::fs::symlink(&link, place.paths.database()).expect("symlink");
    assert!(matches!(place.refused(), StoreError::Exposed(..)), "a symbolic link");
}

#[test]
fn everything_the_store_writes_is_private() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    for entry in std::fs::read_dir(&place.paths.state).expect("list") {
        let entry = entry.expect("entry");
        let mode = entry.metadata().expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
}

#[test]
fn only_one_process_has_the_store() {
    let place = place();
    let _open = place.open();
    assert!(matches!(place.refused(), StoreError::InUse));
    assert!(matches!(Store::create(&place.paths, ring(1)), Err(StoreError::InUse)));
}

#[test]
fn files_that_are_no_store_are_corrupt_ones_and_stay_as_they_are() {
    let place = place();
    drop(place.open());
    let good = std::fs::read(place.paths.database()).expect("read");
    let mut header = good.clone();
    header[..16].fill(b'x');
    let mut body = good.clone();
    for page in body.chunks_mut(4096).skip(1) {
        page[..200].fill(0xff);
    }
    let cut = good[..good.len() / 2].to_vec();
    let other = {
        let path = place.directory.path().join("other.db");
        let connection = rusqlite::Connection::open(&path).expect("open");
        connection.execute_batch("CREATE TABLE t (x); PRAGMA user_version = 1;").expect("table");
        drop(connection);
        std::fs::read(path).expect("read")
    };
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("text", b"hello, not a database at all, only a line of text".repeat(100)),
        ("header", header),
        ("body", body),
        ("cut", cut),
        ("other program's", other),
    ] {
        std::fs::write(place.paths.database(), &bytes).expect("write");
        let told = place.refused();
        assert!(matches!(told, StoreError::Corrupt(_)), "{what}: {told:?}");
        assert!(told.to_string().contains("put a backup back"), "{told}");
        assert!(std::fs::read(place.paths.database()).expect("read") == bytes, "{what}: it was written to");
    }
    std::fs::write(place.paths.database(), good).expect("put back");
    drop(place.open());
}

#[test]
fn a_wrong_key_is_an_error_and_not_an_empty_store() {
    let place = place();
    place.open().enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    assert!(matches!(Store::open(&place.paths, ring(2)), Err(StoreError::UnknownKey)));
    assert_eq!(place.open().templates(&ada()).expect("with the right key").1.len(), 1);
}

#[test]
fn a_store_that_cannot_grow_says_so_and_keeps_what_it_has() {
    let place = place();
    let mut store = place.open();
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let pages: i64 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("pages");
    store
        .connection
        .pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))
        .expect("limit");
    let large = vec![7; 200_000];
    let told = store.enrol(&ada(), &NewEnrolment { template: &large, replace: true, ..new_enrolment() }, 0);
    assert!(matches!(told, Err(StoreError::DiskFull)), "{told:?}");
    let (version, templates) = store.templates(&ada()).expect("kept");
    assert_eq!((version, templates[0].template.as_slice()), (2, TEMPLATE));
    drop(store);
    assert_eq!(place.open().templates(&ada()).expect("kept").1.len(), 1);
}

/// Runs one of the ignored tests below on a file system of its own.
fn on_tmpfs(options: &str, test: &str) {
    let directory = tempfile::tempdir().expect("directory");
    let script =
        "mount -t tmpfs -o mode=700,$1 tmpfs \"$2\" && POSE_TMPFS=\"$2\" \"$3\" --ignored --exact \"$4\"";
    let run = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh", options])
        .args([directory.path(), &std::env::current_exe().expect("exe")])
        .arg(test)
        .output();
    let allowed = Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
    if !allowed {
        eprintln!("skipped: no user and mount namespaces here");
        return;
    }
    let run = run.expect("run");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && told.contains("1 passed"),
        "{told}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn a_full_file_system_stops_changes_and_no_half_one_is_left() {
    on_tmpfs("size=512k", "store::tests::files::inside_a_full_file_system");
}

#[test]
#[ignore = "run by the test above, on a small file system"]
fn inside_a_full_file_system() {
    let directory = std::env::var("POSE_TMPFS").expect("run by another test");
    let paths = StorePaths::private(Path::new(&directory)).expect("paths");
    let mut store = Store::open(&paths, ring(1)).expect("open");
    store.enrol(&ada(), &new_enrolment(), 0).expect("enrol");
    let filler = Path::new(&directory).join("filler");
    let _ = std::fs::write(&filler, vec![0; 600_000]);
    let large = vec![7; 100_000];
    let told = store.enrol(&bob(), &NewEnrolment { template: &large, ..new_enrolment() }, 0);
    assert!(matches!(told, Err(StoreError::DiskFull)), "{told:?}");
    let told = (0..500).find_map(|_| {
        store
            .begin("ada", Some(&ada()), crate::lockout::Origin::Root, Mode::PoseOnly, &limits(), &at(0))
            .err()
    });
    assert!(matches!(told, Some(StoreError::DiskFull)), "no room for a reserved try is no try: {told:?}");
    drop(store);
    std::fs::remove_file(filler).expect("free space");
    let mut store = Store::open(&paths, ring(1)).expect("open again");
    assert_eq!(store.templates(&ada()).expect("kept").1.len(), 1);
    assert!(matches!(store.templates(&bob()), Err(StoreError::NotEnrolled)));
    store.enrol(&bob(), &new_enrolment(), 0).expect("enrol");
}

#[test]
fn a_read_only_file_system_is_named() {
    on_tmpfs("size=2m", "store::tests::files::inside_a_read_only_file_system");
}

#[test]
#[ignore = "run by the test above, on a file system of its own"]
fn inside_a_read_only_file_system() {
    let directory = std::env::var("POSE_TMPFS").expect("run by another test");
    let paths = StorePaths::private(Path::new(&directory)).expect("paths");
    drop(Store::open(&paths, ring(1)).expect("open"));
    let status = Command::new("mount").args(["-o", "remount,ro", &directory]).status().expect("mount");
    assert!(status.success());
    let told = Store::open(&paths, ring(1)).expect_err("read-only");
    assert!(matches!(told, StoreError::ReadOnly), "{told:?}");
}
