//! The module as a file and as a guest: what it links and exports, and what it leaves behind in its host.

use std::process::Command;

use crate::Case;
use crate::helper::Helper;
use crate::place::{Place, PrivateBus};
use crate::run::{finish, host, host_with, trap};

pub(crate) const CASES: &[Case] = &[
    ("the_file_exports_nothing_but_the_hooks", exports),
    ("the_file_needs_nothing_but_libc_and_libpam", needs),
    ("a_hundred_logins_leave_no_thread_and_no_descriptor_and_a_forked_child_still_logs_in", guest),
    ("a_shipped_file_is_small", size),
    ("the_module_stands_on_few_crates", crates),
    ("no_login_looks_into_the_environment", no_getenv),
    ("valgrind_finds_nothing", valgrind),
];

fn tool(name: &str, args: &[&str], place: &Place) -> String {
    let out = Command::new(name).args(args).arg(&place.module).output().expect(name);
    assert!(out.status.success(), "{name}");
    String::from_utf8(out.stdout).expect("text")
}

fn exports(place: &Place) {
    let listed = tool("nm", &["-D", "--defined-only", "--format=posix"], place);
    let mut names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    let hooks = [
        "pam_sm_acct_mgmt",
        "pam_sm_authenticate",
        "pam_sm_chauthtok",
        "pam_sm_close_session",
        "pam_sm_open_session",
        "pam_sm_setcred",
    ];
    assert_eq!(names, hooks);
}

fn needs(place: &Place) {
    let listed = tool("objdump", &["-p"], place);
    let mut needed: Vec<&str> =
        listed.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(str::trim).collect();
    needed.sort_unstable();
    let allowed =
        ["ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libc.so.6", "libgcc_s.so.1", "libpam.so.0"];
    assert!(needed.iter().all(|name| allowed.contains(name)), "{needed:?}");
    assert!(needed.contains(&"libpam.so.0"), "{needed:?}");
}

/// Only a file that was named is a release build.
fn size(place: &Place) {
    let bytes = std::fs::metadata(&place.module).expect("module").len();
    if std::env::var_os("PAM_POSE_MODULE").is_some() {
        assert!(bytes <= 1_500_000, "{bytes} bytes");
    } else {
        println!("  (skipped for a debug build of {bytes} bytes; name the release build in PAM_POSE_MODULE)");
    }
}

fn crates(_: &Place) {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", "pam-module", "-e", "normal", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree");
    let listed = String::from_utf8_lossy(&tree.stdout);
    let unique: std::collections::BTreeSet<&str> =
        listed.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    assert!((2..=40).contains(&unique.len()), "{unique:?} {}", String::from_utf8_lossy(&tree.stderr));
    // What must never get into other people's root processes: the engine, models, a store, threads.
    let foreign = ["pose-engine", "pose-vision", "pose-helperd", "ort", "rusqlite", "toml", "tokio", "zbus"];
    assert!(
        !unique.iter().any(|line| foreign.contains(&line.split(' ').next().unwrap_or_default())),
        "{unique:?}"
    );
}

fn guest(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("");
    let user = "user=ask=password,tell=gesture,verdict=success";
    let report = host(&[user, "password=p", "times=100", "fork=1"]);
    let codes = report.all("code");
    assert_eq!(codes.len(), 102, "100 logins, one before them and one in the child");
    assert!(codes.iter().all(|code| *code == "SUCCESS"), "{codes:?}");
    assert_eq!(report.pair("threads"), (1, 1));
    let (before, after) = report.pair("fds");
    assert_eq!(before, after);
    // The same for logins that end badly.
    place.write_service("timeout=5");
    for user in ["user=tell=gesture,verdict=wrong_pose", "user=error=org.pam_pose.Error.Internal"] {
        let report = host(&[user, "times=10"]);
        let (before, after) = report.pair("fds");
        assert_eq!((before, report.pair("threads")), (after, (1, 1)), "{user}");
    }
}

fn no_getenv(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("debug");
    for user in ["user=ask=password,tell=gesture,verdict=success", "user=verdict=yes", "user=refuse=org.x.Y"]
    {
        let report = host_with(&[user, "password=p"], trap);
        assert_eq!(report.all("getenv"), Vec::<&str>::new(), "{user}");
    }
}

fn valgrind(place: &Place) {
    let _bus = PrivateBus::start();
    let _helper = Helper::start();
    place.write_service("");
    let table = [
        ("user=ask=password,tell=gesture,verdict=success", "conv=normal", "SUCCESS"),
        ("user=ask=password,tell=gesture,verdict=wrong_pose", "conv=strings", "AUTH_ERR"),
        ("user=tell=gesture,verdict=success", "conv=null-reply", "SUCCESS"),
        ("user=error=org.pam_pose.Error.Internal", "conv=normal", "SYSTEM_ERR"),
    ];
    for (user, manner, code) in table {
        let report = finish(
            Command::new("valgrind")
                .args([
                    "--quiet",
                    "--error-exitcode=99",
                    "--leak-check=full",
                    "--errors-for-leak-kinds=definite",
                ])
                .args(["--track-fds=yes", "--keep-debuginfo=yes"])
                .arg(std::env::current_exe().expect("own path"))
                .args(["host", user, manner, "password=p"]),
        );
        assert_eq!(report.code(), code, "{user}");
    }
}
