//! The shipped file equals the code; every kind of mistake is told with its line and what to write.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;

const SHIPPED: &str = include_str!("../../../config/helperd.toml");

#[test]
fn the_shipped_file_writes_out_every_default() {
    assert_eq!(parse(SHIPPED).expect("valid"), Config::default());
    let shipped: toml::Table = toml::from_str(SHIPPED).expect("TOML");
    let mut code = toml::Table::try_from(Config::default()).expect("serialises");
    // Overrides have no defaults to write out.
    assert_eq!(code.remove("service"), Some(toml::Value::Table(toml::Table::new())));
    assert_eq!(shipped, code, "a key is missing from the shipped file or has another value there");
}

#[test]
fn an_empty_file_means_the_defaults() {
    assert_eq!(parse("").expect("valid"), Config::default());
}

#[test]
fn a_service_overrides_only_what_it_sets() {
    let config = parse(
        "[attempt]\nchallenges = 3\n[service.swaylock]\nchallenge_policy = \"when-shown\"\n\
         [service.sudo]\nchallenges = 1\ncapture_always = true\n",
    )
    .expect("valid");
    let locker = config.attempt_for("swaylock");
    assert_eq!((locker.challenges, locker.challenge_policy), (3, ChallengePolicy::WhenShown));
    let sudo = config.attempt_for("sudo");
    assert_eq!((sudo.challenges, sudo.challenge_policy), (1, ChallengePolicy::Required));
    assert!(sudo.capture_always);
    assert_eq!(config.attempt_for("login"), config.attempt);
}

#[test]
fn mistakes_are_told_with_line_and_remedy() {
    for (text, line, told) in [
        ("[camera]\n\ndivice = \"auto\"\n", 3, "unknown key `divice`; did you mean `device`?"),
        ("[camra]\n", 1, "unknown key `camra`; did you mean `camera`?"),
        ("# x\n[lockout]\nlock_afer = 5\n", 3, "did you mean `lock_after`?"),
        ("[service.sudo]\nchalenges = 1\n", 2, "did you mean `challenges`?"),
        ("[camera]\nqwertyuiop = 1\n", 2, "known here: device, identity, allow_virtual"),
        ("[vision]\nvariant = \"ful\"\n", 2, "unknown value `ful`; did you mean `full`?"),
        (
            "[vision]\nthreads = \"two\"\n",
            2,
            "invalid type: string \"two\", expected usize; correct this line",
        ),
        ("[camera]\nallow_virtual = 1\n", 2, "expected a boolean"),
        ("[vision]\nthreads = -1\n", 2, "expected usize"),
        ("[attempt]\nchallenges = 300\n", 2, "expected u8"),
        ("camera = 3\n", 1, "expected struct Camera"),
        ("[camera\n", 1, "correct this line"),
        ("[camera]\ndevice = \"a\"\ndevice = \"b\"\n", 3, "duplicate key"),
        ("[camera]\nidentity = \"046d\"\n", 2, "`camera.identity` must be \"any\", vendor:product"),
        ("[camera]\nidentity = \"046d:0825:\"\n", 2, "`camera.identity` must be"),
        ("[camera]\ncontrols = { exposure = 1 }\n", 2, "must be one of brightness, contrast"),
        ("[camera.controls]\ngain = \"auto\"\n", 2, "expected i32"),
        ("[vision]\n\n\nthreads = 99\n", 4, "`vision.threads` must be between 1 and 16; change it"),
        ("[attempt]\nchallenges = 0\n", 2, "between 1 and 4"),
        ("[service.x]\nchallenge_policy = \"when-shown\"\nchallenges = 0\n", 3, "between 1 and 4"),
        ("[attempt]\nchallenge_policy = \"when-shown\"\n", 2, "of a locker that shows no text"),
        ("[service.sudo]\nchallenge_policy = \"when-shown\"\n", 2, "this service shows everything"),
        ("[service.su]\ngesture_seconds = 0\n", 2, "`service.su.gesture_seconds` must be between 3 and 60"),
        ("[service.\"a/b\"]\n", 1, "the name of a file in /etc/pam.d"),
        ("[camera]\nallow_virtual = true\n", 2, "unless `device` names the virtual camera"),
        ("[camera]\ndevice = \"video0\"\n", 2, "a device node below /dev/"),
        ("[vision]\nmodels = \"models\"\n", 2, "an absolute path"),
        ("[lockout]\noff_after = 2\n", 2, "at least `lock_after`"),
        ("[lockout]\nfirst_lock_seconds = 7200\n", 1, "at least `first_lock_seconds`"),
        ("[enrolment]\nrepetitions = 2\n", 2, "between 3 and 8"),
    ] {
        let mistake = parse(text).expect_err(text);
        assert!(mistake.what.contains(told), "{text:?}: {mistake}");
        assert_eq!(mistake.line, line, "{text:?}: {mistake}");
    }
}

#[test]
fn a_file_is_believed_only_when_nobody_else_could_write_it() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("helperd.toml");
    assert_eq!(load(&path, Owner::RootOrCaller).expect("missing is defaults"), Config::default());
    assert!(check(&path, Owner::RootOrCaller).expect("taken").contains("is missing"), "and told so");
    std::fs::File::create(&path).expect("create").write_all(b"[camera]\nx = 1\n").expect("write");
    let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("chmod");
    mode(0o644);
    let told = load(&path, Owner::RootOrCaller).expect_err("unknown key").to_string();
    assert!(told.starts_with(&format!("{}:2: unknown key", path.display())), "{told}");
    for open in [0o664, 0o646] {
        mode(open);
        let told = load(&path, Owner::RootOrCaller).expect_err("writable by others").to_string();
        assert!(told.contains("chmod go-w"), "{told}");
    }
    let told = load(directory.path(), Owner::RootOrCaller).expect_err("directory").to_string();
    assert!(told.contains("not a regular file"), "{told}");
    std::fs::write(&path, [b'#'; 70_000]).expect("write");
    mode(0o644);
    let told = load(&path, Owner::RootOrCaller).expect_err("large").to_string();
    assert!(told.contains("larger than"), "{told}");
    std::fs::write(&path, b"# ok\n# \xff\n").expect("write");
    let told = load(&path, Owner::RootOrCaller).expect_err("bytes").to_string();
    assert!(told.contains(":2: not UTF-8"), "{told}");
}

#[test]
fn only_root_owns_the_installed_file() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("helperd.toml");
    std::fs::write(&path, b"").expect("write");
    if !nix::unistd::geteuid().is_root() {
        let told = load(&path, Owner::Root).expect_err("not root's").to_string();
        assert!(told.contains("chown root"), "{told}");
        return;
    }
    if std::os::unix::fs::chown(&path, Some(1000), Some(1000)).is_err() {
        eprintln!("skipped: this user namespace has no second uid");
        return;
    }
    for owner in [Owner::Root, Owner::RootOrCaller] {
        let told = load(&path, owner).expect_err("not root's").to_string();
        assert!(told.contains("belongs to uid 1000"), "{told}");
    }
}

#[test]
fn a_fifo_in_place_of_the_file_does_not_hang() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("helperd.toml");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).expect("fifo");
    let told = load(&path, Owner::RootOrCaller).expect_err("fifo").to_string();
    assert!(told.contains("not a regular file"), "{told}");
}

mod garbage {
    use proptest::prelude::*;

    use super::*;

    /// The shipped file with pieces cut out, doubled or overwritten.
    fn damaged() -> impl Strategy<Value = String> {
        let edit = (any::<prop::sample::Index>(), 0_usize..40, ".{0,12}");
        proptest::collection::vec(edit, 1..8).prop_map(|edits| {
            let mut text: Vec<char> = SHIPPED.chars().collect();
            for (at, length, new) in edits {
                let start = at.index(text.len() + 1);
                let end = (start + length).min(text.len());
                text.splice(start..end, new.chars());
            }
            text.into_iter().collect()
        })
    }

    fn answers(text: &str) {
        match parse(text) {
            Ok(config) => assert!(bounds::first_broken(&config).is_none()),
            Err(mistake) => {
                assert!((1..=text.split('\n').count()).contains(&mistake.line), "{mistake}: {text:?}");
                assert!(!mistake.what.contains('\n'), "{mistake}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_configuration_or_a_mistake_with_its_line(text in "\\PC{0,200}(\n\\PC{0,80}){0,4}") {
            answers(&text);
        }

        #[test]
        fn a_damaged_file_is_a_configuration_or_a_mistake_with_its_line(text in damaged()) {
            answers(&text);
        }
    }
}
