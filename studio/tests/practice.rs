//! Practising on a recording of a rendered person, through the same stage that the page uses.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use pose_camera::recording::RecordedCamera;
use pose_studio::practice::Practice;
use pose_studio::stage::{Stage, Wish};
use pose_vision::{Assets, Tracker, TrackerOptions};

/// Far above what three gestures of three seconds take on a slow machine.
const HANG: Duration = Duration::from_secs(90);

#[test]
fn a_gesture_done_three_times_is_practised_and_its_strength_told() {
    let Ok(assets) = Assets::beside_executable() else {
        eprintln!("SKIPPED: models or ONNX Runtime are not there; `make build` fetches them");
        return;
    };
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    let folder = tempfile::tempdir().expect("folder");
    let clip = |n: u8| format!("{:?}", recordings.join(format!("ben_circle_touch_{n}.avi")));
    let script = folder.path().join("script.toml");
    std::fs::write(&script, format!("enrol = [{}, {}, {}]\n", clip(0), clip(1), clip(2))).expect("write");
    let mut camera = RecordedCamera::open(&script).expect("script");
    let tracker = Tracker::new(&assets, &TrackerOptions::default()).expect("models");
    let stage = Stage::default();
    let page = stage.clone();
    let reader = thread::spawn(move || {
        let begun = Instant::now();
        while begun.elapsed() < HANG {
            let view = page.look();
            if view.practised {
                page.ask(Wish::Rest);
                return (view.message, view.strength);
            }
            thread::sleep(Duration::from_millis(100));
        }
        page.ask(Wish::Rest);
        (format!("hangs at: {}", page.look().message), None)
    });
    stage.look();
    stage.ask(Wish::Practise);
    Practice::new(tracker, stage).watch(&mut camera).expect("the camera plays");
    let (message, strength) = reader.join().expect("reader");
    assert!(message.starts_with("Practised."), "{message}");
    let strength = strength.expect("told");
    assert!((1..=100).contains(&strength.percent) && !strength.words.is_empty(), "{strength:?}");
    assert!(strength.estimate.contains("2000 simulated strangers"), "{strength:?}");
}
