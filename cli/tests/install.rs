//! What `make install` refuses.

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
