//! Bad input of every kind: the exit code that is documented for it, and words that say what to do.

mod fixture;

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use fixture::{REPOSITORY, clip, clips, posectl, run, runtime};

/// The bytes of a recording's pictures.
fn pictures(name: &str) -> Vec<Vec<u8>> {
    let bytes = fs::read(clip(name)).expect("recording");
    let starts: Vec<usize> =
        bytes.windows(8).enumerate().filter(|(_, w)| w.starts_with(b"00dc")).map(|(i, _)| i).collect();
    let picture = |&at: &usize| {
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
        bytes.get(at + 8..at + 8 + length).filter(|p| p.starts_with(&[0xff, 0xd8])).map(<[u8]>::to_vec)
    };
    starts.iter().filter_map(picture).collect()
}

/// The same JPEG with another height in its frame header.
fn with_height(mut jpeg: Vec<u8>, height: u16) -> Vec<u8> {
    let at = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).expect("baseline JPEG");
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg
}

fn bad_clips(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let whole = fs::read(clip("ben_raise_left")).expect("recording");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).expect("write");
        path
    };
    let mixed = folder.join("mixed");
    fs::create_dir(&mixed).expect("folder");
    let pictures = pictures("ben_raise_left");
    fs::write(mixed.join("0.jpg"), &pictures[0]).expect("write");
    fs::write(mixed.join("1.jpg"), with_height(pictures[1].clone(), 100)).expect("write");
    let empty = folder.join("empty-folder");
    fs::create_dir(&empty).expect("folder");
    vec![
        (file("truncated.avi", &whole[..whole.len() / 2]), "cut short"),
        (file("empty.avi", b""), "empty"),
        (file("text.avi", b"this is a shopping list and nothing else\n"), "not a recording"),
        (file("frameless.y4m", b"YUV4MPEG2 W64 H48 F15:1 C420\n"), "no picture"),
        (file("odd.y4m", b"YUV4MPEG2 W0 H48 F15:1 C420\nFRAME\n"), "damaged"),
        (mixed, "one size"),
        (empty, "no picture"),
        (folder.join("missing.avi"), "cannot be read"),
    ]
}

#[test]
fn each_bad_recording_is_refused_by_name_with_what_to_do() {
    let Some(_) = runtime() else { return };
    let folder = tempfile::tempdir().expect("folder");
    for (path, words) in bad_clips(folder.path()) {
        let name = path.file_name().expect("name").to_string_lossy().into_owned();
        let path = path.to_string_lossy().into_owned();
        let out = folder.path().join("out.jsonl");
        let run = posectl(&["landmarks", &path, "-o", &out.to_string_lossy()]);
        assert_eq!(run.code, 3, "{name}: {}", run.stderr);
        assert!(run.stderr.contains(&name) && run.stderr.contains(words), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(';') || run.stderr.contains("next:"), "no next step: {}", run.stderr);
        assert!(!out.exists(), "half a file was left behind");
    }
}

#[test]
fn an_unreadable_probe_does_not_keep_the_others_from_being_judged() {
    let Some(_) = runtime() else { return };
    let mut command = Command::new(env!("CARGO_BIN_EXE_posectl"));
    command.args(["rehearse", "--json", "--enrol"]).args(clips("ben_circle_touch", 0..3));
    command.args(["--probe", "/nonexistent.avi"]).arg(clip("ben_circle_touch_3"));
    let run = run(&mut command);
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("/nonexistent.avi"), "{}", run.stderr);
    assert_eq!(run.lines().len(), 1);
    assert_eq!(run.lines()[0]["verdict"], "accept");
}

#[test]
fn a_broken_line_of_landmarks_is_named_by_its_number() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("broken.jsonl");
    fs::write(&path, "{\"user\":\"a\",\"gesture\":\"g\",\"fps\":15,\"lm\":[]}\nnot json\n").expect("write");
    let run = posectl(&["eval", "--json", &path.to_string_lossy()]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("line 2") || run.stderr.contains(":2"), "{}", run.stderr);
}

#[test]
fn landmarks_of_an_empty_room_are_null_and_the_evaluation_reads_them() {
    let Some(_) = runtime() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("out.jsonl").to_string_lossy().into_owned();
    let run = posectl(&["landmarks", &clip("nobody"), &clip("ben_raise_left"), "-o", &out, "--no-smoothing"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let text = fs::read_to_string(&out).expect("written");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert!(lines[0]["lm"].as_array().expect("frames").iter().all(serde_json::Value::is_null));
    let first = &lines[1]["lm"][0];
    assert_eq!((first.as_array().map(Vec::len), first[0].as_array().map(Vec::len)), (Some(33), Some(4)));
    assert_eq!(lines[1]["world"][0][0].as_array().map(Vec::len), Some(3));
    for key in ["set", "user", "gesture", "rep", "view", "kind", "fps", "w", "h", "t_ms", "presence"] {
        assert!(!lines[1][key].is_null(), "{key}");
    }
    assert_eq!(posectl(&["eval", "--json", &out]).code, 0);
}

/// A copy of the parts of the source tree that posectl finds its models and runtime in.
fn copied_tree(runtime: &Path) -> tempfile::TempDir {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let tree = tempfile::tempdir_in(target).expect("folder beside the program, so that links work");
    for folder in ["models", "target/debug", "target/runtime"] {
        fs::create_dir_all(tree.path().join(folder)).expect("folder");
    }
    for entry in fs::read_dir(Path::new(REPOSITORY).join("models")).expect("models") {
        let path = entry.expect("entry").path();
        if path.is_file() {
            fs::copy(&path, tree.path().join("models").join(path.file_name().expect("name"))).expect("copy");
        }
    }
    fs::hard_link(env!("CARGO_BIN_EXE_posectl"), tree.path().join("target/debug/posectl")).expect("link");
    let library = tree.path().join("target/runtime").join(runtime.file_name().expect("name"));
    fs::hard_link(runtime, library).expect("link");
    tree
}

#[test]
fn changed_models_and_foreign_libraries_are_refused_with_the_fix() {
    let Some(runtime) = runtime() else { return };
    let landmarks = |tree: &Path| {
        let mut command = Command::new(tree.join("target/debug/posectl"));
        run(command.args(["landmarks", &clip("nobody"), "-o", "-"]))
    };
    let tree = copied_tree(&runtime);
    assert_eq!(landmarks(tree.path()).code, 0, "an intact copy works without installation");

    let model = tree.path().join("models/pose_landmark_full_noseg_f16w.onnx");
    let mut bytes = fs::read(&model).expect("model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&model, bytes).expect("write");
    let changed = landmarks(tree.path());
    assert_eq!(changed.code, 10, "{}", changed.stderr);
    assert!(
        changed.stderr.contains("SHA-256") && changed.stderr.contains("make build"),
        "{}",
        changed.stderr
    );

    fs::remove_file(&model).expect("remove");
    let missing = landmarks(tree.path());
    assert_eq!(missing.code, 10, "{}", missing.stderr);
    assert!(missing.stderr.contains("make build"), "{}", missing.stderr);

    let tree = copied_tree(&runtime);
    let library = tree.path().join("target/runtime").join(runtime.file_name().expect("name"));
    fs::remove_file(&library).expect("remove");
    fs::write(&library, "no library").expect("write");
    let foreign = landmarks(tree.path());
    assert_eq!(foreign.code, 10, "{}", foreign.stderr);
    assert!(foreign.stderr.contains("make build"), "{}", foreign.stderr);
}

#[test]
fn the_runtime_leaves_nothing_in_the_home_folder() {
    let Some(_) = runtime() else { return };
    let home = tempfile::tempdir().expect("folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_posectl"));
    command.args(["landmarks", &clip("nobody"), "-o", "-"]);
    command.env("HOME", home.path()).env_remove("XDG_CACHE_HOME").env_remove("ORT_DISABLE_TELEMETRY");
    assert_eq!(run(&mut command).code, 0);
    assert_eq!(
        fs::read_dir(home.path()).expect("readable").count(),
        0,
        "something was kept in the home folder"
    );
}

#[test]
fn the_environment_cannot_move_the_bus() {
    let folder = tempfile::tempdir().expect("folder");
    let socket = folder.path().join("bus");
    let listener = UnixListener::bind(&socket).expect("listens");
    listener.set_nonblocking(true).expect("non-blocking");
    let address = format!("unix:path={}", socket.display());
    for name in ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS", "DBUS_STARTER_ADDRESS"] {
        let run = run(Command::new(env!("CARGO_BIN_EXE_posectl")).args(["list", "root"]).env(name, &address));
        assert_ne!(run.code, 70, "{}", run.stderr);
    }
    match listener.accept() {
        Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock),
        Ok((mut stream, _)) => {
            let mut said = [0; 64];
            let read = stream.read(&mut said).unwrap_or(0);
            panic!("posectl came to the address of the environment and said {:?}", &said[..read]);
        }
    }
}

#[test]
fn what_reads_a_program_gets_is_json_and_the_manual_lists_every_exit_code() {
    let doctor = posectl(&["doctor", "--json"]);
    assert!(matches!(doctor.code, 0 | 1), "{}", doctor.stderr);
    let report = &doctor.lines()[0];
    for finding in report["findings"].as_array().expect("findings") {
        let ok = finding["level"] == "ok";
        assert_eq!(finding["fix"].as_str().expect("fix").is_empty(), ok, "{finding}");
    }
    assert!(posectl(&["devices", "--json"]).lines()[0]["devices"].is_array());
    let folder = tempfile::tempdir().expect("folder");
    assert_eq!(posectl(&["man", &folder.path().to_string_lossy()]).code, 0);
    let page = fs::read_to_string(folder.path().join("posectl.1")).expect("page");
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "70", "130"] {
        assert!(page.contains(&format!(".TP\n{code}\n")), "{code}");
    }
    assert!(folder.path().join("posectl-rehearse.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        assert!(posectl(&["completions", shell]).stdout.contains("rehearse"), "{shell}");
    }
}
