//! What `make install` refuses, and what it leaves when it breaks off.

use std::path::Path;
use std::process::Command;

#[test]
fn another_prefix_is_refused_before_anything_is_placed() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    for elsewhere in [("prefix", "/usr/local"), ("sysconfdir", "/opt/etc")] {
        let folder = tempfile::tempdir().expect("a folder");
        let run = Command::new(top.join("scripts/install"))
            .envs([("DESTDIR", folder.path().to_str().expect("text")), elsewhere])
            .output()
            .expect("runs");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(!run.status.success() && said.contains("DESTDIR=DIR"), "{elsewhere:?}: {said}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "{elsewhere:?}");
    }
}

/// A stack that names the module refuses every login, sudo's too, while its file is a piece.
#[test]
fn an_installation_that_runs_out_of_space_leaves_the_module_that_was_there() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("mkdir");
        std::fs::write(path, text).expect("write");
    };
    std::fs::create_dir(folder.path().join("scripts")).expect("mkdir");
    std::fs::copy(top.join("scripts/install"), folder.path().join("scripts/install")).expect("copy");
    write(
        "scripts/install-list",
        "file 0644 module.so $libdir/pam_pose.so\nfile 0644 note $prefix/share/note\n",
    );
    write("module.so", &"new ".repeat(4_096));
    write("note", "new");
    write("to/usr/lib/pam_pose/manifest", "before");
    write("to/usr/lib/here/pam_pose.so", "old");
    let install = |limit: &str| {
        let script = format!("{limit} exec scripts/install");
        Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .envs([("DESTDIR", folder.path().join("to").as_os_str()), ("libdir", "/usr/lib/here".as_ref())])
            .output()
            .expect("runs")
            .status
            .success()
    };
    let read = |name: &str| std::fs::read_to_string(folder.path().join("to/usr").join(name)).expect(name);
    // No file may grow beyond 8 KiB: `install` is killed in the middle of the module.
    assert!(!install("ulimit -f 8;"), "it must say so");
    assert_eq!(
        (read("lib/here/pam_pose.so").as_str(), read("lib/pam_pose/manifest").as_str()),
        ("old", "before")
    );
    assert_eq!(std::fs::read_dir(folder.path().join("to/usr/lib/here")).expect("list").count(), 1, "pieces");
    assert!(install(""));
    assert_eq!((read("lib/here/pam_pose.so").len(), read("share/note").as_str()), (16_384, "new"));
}
