//! The page in a real browser, without a screen: what a person sees while practising. `make test-page` brings the browser;
//! pictures of the page lie in `POSE_SHOTS` afterwards.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use pose_camera::recording::RecordedCamera;
use pose_studio::access::{Access, LISTEN};
use pose_studio::practice::Practice;
use pose_studio::server::serve;
use pose_studio::stage::{Stage, View, Wish};
use pose_vision::{Assets, Tracker, TrackerOptions};

/// Far above what three gestures of three seconds and a browser take on a slow machine.
const HANG: Duration = Duration::from_secs(240);

/// A browser that shows pages without a screen.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found =
        std::env::split_paths(&path).map(|folder| folder.join("chromium")).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: no chromium; `make test-page` installs it");
    }
    found
}

/// Serves the stage as posectl does and answers with the address, which works once.
fn served(stage: &Stage) -> String {
    let listener = TcpListener::bind(LISTEN).expect("a port");
    let address = listener.local_addr().expect("an address");
    let uid = std::fs::metadata("/proc/self").expect("me").uid();
    let access = Access::new(address, uid).expect("randomness");
    let url = access.url().expect("unused");
    let stage = stage.clone();
    thread::spawn(move || serve(&listener, access, &stage));
    url
}

/// Opens the page, lets it run for two seconds, keeps a picture of it and answers with its document.
fn shown(browser: &Path, stage: &Stage, folder: &Path, name: &str) -> String {
    let profile = tempfile::tempdir().expect("folder");
    let run = |more: &[String]| {
        let output = Command::new(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--virtual-time-budget=2000",
            ])
            .args(["--window-size=760,980", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(more)
            .arg(served(stage))
            .output()
            .expect("a browser");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&[format!("--screenshot={}", folder.join(name).with_extension("png").display())]);
    run(&["--dump-dom".to_owned()])
}

/// The words between the tags of an element.
fn words<'a>(document: &'a str, id: &str) -> &'a str {
    let from = document.find(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id} in {document}"));
    let text = document[from..].split_once('>').expect("a tag").1;
    text.split_once('<').expect("its end").0
}

/// Whether an element is not shown.
fn hidden(document: &str, id: &str) -> bool {
    let from = document.find(&format!("id=\"{id}\"")).expect("the element");
    document[from..].split_once('>').expect("a tag").0.contains("hidden")
}

/// Looks at the stage, as a page does, until something is shown.
fn wait_for(stage: &Stage, what: &str, is: impl Fn(&View) -> bool) {
    let begun = Instant::now();
    loop {
        let view = stage.look();
        if is(&view) {
            return;
        }
        assert!(begun.elapsed() < HANG, "{what} did not come: {view:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A page that stays open while the browser starts again and again.
fn stays_open(stage: Stage) {
    thread::spawn(move || {
        loop {
            stage.look();
            thread::sleep(Duration::from_millis(500));
        }
    });
}

#[test]
fn a_person_sees_the_picture_what_to_do_and_how_strong_the_gesture_is() {
    let Some(browser) = browser() else { return };
    let Ok(assets) = Assets::beside_executable() else {
        eprintln!("SKIPPED: models or ONNX Runtime are not there; `make build` fetches them");
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let shots = std::env::var_os("POSE_SHOTS").map_or_else(|| folder.path().to_owned(), PathBuf::from);
    std::fs::create_dir_all(&shots).expect("a folder for the pictures");
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    let clips: Vec<String> =
        (0..3).map(|n| format!("{:?}", recordings.join(format!("ben_circle_touch_{n}.avi")))).collect();
    let script = folder.path().join("script.toml");
    std::fs::write(&script, format!("enrol = [{0}]\ngesture = [{0}]\n", clips.join(", "))).expect("write");

    let stage = Stage::default();
    let document = shown(&browser, &stage, &shots, "off");
    assert_eq!(words(&document, "message"), "The camera is off.");
    assert!(hidden(&document, "strength"));

    let mut camera = RecordedCamera::open(&script).expect("script");
    let tracker = Tracker::new(&assets, &TrackerOptions::default()).expect("models");
    let page = stage.clone();
    stays_open(stage.clone());
    stage.look();
    stage.ask(Wish::Practise);
    let watching = thread::spawn(move || Practice::new(tracker, page).watch(&mut camera));
    wait_for(&stage, "the second recording", |view| view.message.contains("2 of 3"));
    let document = shown(&browser, &stage, &shots, "recording");
    assert!(!words(&document, "message").is_empty(), "{document}");
    wait_for(&stage, "the strength", |view| view.strength.is_some());
    let document = shown(&browser, &stage, &shots, "practised");
    assert!(!hidden(&document, "strength"));
    assert!(words(&document, "estimate").contains("simulated strangers"), "{document}");
    let told = stage.look().strength.expect("told");
    assert_eq!(words(&document, "words"), told.words);
    stage.ask(Wish::Try);
    wait_for(&stage, "an instruction", |view| view.message.starts_with("Do your gesture"));
    shown(&browser, &stage, &shots, "trying");
    stage.ask(Wish::Rest);
    watching.join().expect("watching").expect("the camera plays");
}
