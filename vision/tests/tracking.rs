//! The whole pipeline on rendered people: landmarks as MediaPipe's, losing and finding, damaged frames.
//!
//! Needs the runtime library, which `make build` fetches into `target/runtime/`.

use std::path::{Path, PathBuf};

use pose_camera::Frame;
use pose_camera::recording::Clip;
use pose_engine::landmarks::{Observation, part};
use pose_vision::{Assets, FrameTime, Tracker, TrackerOptions, Variant, VisionError};

const REFERENCE: &str = include_str!("data/ben_circle_touch_0.mediapipe.csv");

fn frames(name: &str) -> Vec<Frame> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings").join(name);
    let clip = Clip::open(&path).expect("a shipped recording");
    clip.frames().map(|frame| frame.expect("a whole frame")).collect()
}

fn tracker(options: TrackerOptions) -> Tracker {
    let assets = Assets::beside_executable().expect("models and runtime");
    Tracker::new(&assets, &options).expect("a tracker")
}

fn observe(tracker: &mut Tracker, frames: &[Frame]) -> Vec<Observation> {
    frames.iter().map(|frame| tracker.observe(frame).expect("an observation")).collect()
}

/// Plays frames again later, as if one camera had delivered everything.
fn continued(mut frames: Vec<Frame>, after: &[Frame]) -> Vec<Frame> {
    let last = after.last().map_or(0, |frame| frame.t_us);
    for frame in &mut frames {
        frame.t_us += last + 66_667;
    }
    frames
}

#[test]
fn landmarks_are_mediapipes() {
    let frames = frames("ben_circle_touch_0.avi");
    let options = TrackerOptions { time: FrameTime::Every(33_333), ..TrackerOptions::default() };
    let observations = observe(&mut tracker(options), &frames);
    let (mut errors, mut world_errors, mut visibility_errors) = (vec![], vec![], vec![]);
    for line in REFERENCE.lines().skip(1) {
        let row: Vec<f32> = line.split(',').map(|value| value.parse().expect("a number")).collect();
        let observation = &observations[row[0] as usize];
        let pose = observation.pose.as_ref().expect("a person in every frame");
        let (width, height) = (f32::from(observation.width), f32::from(observation.height));
        let [left, right] = [part::LEFT_SHOULDER, part::RIGHT_SHOULDER].map(|i| pose.landmarks[i]);
        let shoulders = ((left.x - right.x) * width).hypot((left.y - right.y) * height);
        let ours = &pose.landmarks[row[1] as usize];
        errors.push(((ours.x - row[2]) * width).hypot((ours.y - row[3]) * height) / shoulders);
        visibility_errors.push((ours.visibility - row[5]).abs());
        let world = &pose.world[row[1] as usize];
        world_errors.extend((0..3).map(|axis| (world[axis] - row[6 + axis]).abs()));
    }
    let quantile = |errors: &mut Vec<f32>, q: f64| {
        errors.sort_by(f32::total_cmp);
        errors[(errors.len() as f64 * q) as usize]
    };
    // Two JPEG decoders lie between the two sides; on equal pixels the figures are a tenth of these.
    assert_eq!(errors.len(), 33 * frames.len().div_ceil(9));
    assert!(quantile(&mut errors, 0.5) < 0.005, "median, shoulder widths: {}", quantile(&mut errors, 0.5));
    assert!(quantile(&mut errors, 0.95) < 0.02, "95 %, shoulder widths: {}", quantile(&mut errors, 0.95));
    assert!(quantile(&mut visibility_errors, 0.95) < 0.02);
    assert!(quantile(&mut world_errors, 0.95) < 0.02, "95 %, metres: {}", quantile(&mut world_errors, 0.95));
}

#[test]
fn both_models_see_the_same_person() {
    let frames = &frames("ben_circle_touch_0.avi")[..20];
    let full = observe(&mut tracker(TrackerOptions::default()), frames);
    let lite =
        observe(&mut tracker(TrackerOptions { variant: Variant::Lite, ..TrackerOptions::default() }), frames);
    for (full, lite) in full.iter().zip(&lite) {
        let (full, lite) = (full.pose.as_ref().expect("full"), lite.pose.as_ref().expect("lite"));
        for i in [part::NOSE, part::LEFT_SHOULDER, part::RIGHT_SHOULDER] {
            let (a, b) = (full.landmarks[i], lite.landmarks[i]);
            assert!((a.x - b.x).hypot(a.y - b.y) < 0.05, "landmark {i}: {a:?} {b:?}");
        }
    }
}

#[test]
fn people_are_counted_and_an_empty_room_has_none() {
    for (name, people) in [("nobody.avi", 0), ("ben_circle_touch_1.avi", 1), ("two_people.avi", 2)] {
        let frames = frames(name);
        for observation in observe(&mut tracker(TrackerOptions::default()), &frames[..20]) {
            assert_eq!(observation.people, people, "{name} frame {}", observation.sequence);
            assert_eq!(observation.pose.is_some(), people > 0, "{name} frame {}", observation.sequence);
        }
    }
}

#[test]
fn a_second_person_is_noticed_while_the_first_is_followed() {
    let alone = frames("ben_circle_touch_1.avi")[..10].to_vec();
    let joined = continued(frames("two_people.avi"), &alone);
    let mut tracker = tracker(TrackerOptions::default());
    observe(&mut tracker, &alone);
    let counts: Vec<u8> = observe(&mut tracker, &joined[..30]).iter().map(|o| o.people).collect();
    assert_eq!(counts.last(), Some(&2), "{counts:?}");
}

#[test]
fn a_person_who_leaves_is_lost_and_found_again() {
    let before = frames("ben_circle_touch_0.avi")[..10].to_vec();
    let gap = continued(frames("nobody.avi")[..10].to_vec(), &before);
    let after = continued(frames("chidi_circle_touch_0.avi")[..10].to_vec(), &gap);
    let mut tracker = tracker(TrackerOptions::default());
    assert!(observe(&mut tracker, &before).iter().all(|o| o.pose.is_some()));
    let gone = observe(&mut tracker, &gap);
    assert!(gone.iter().all(|o| o.pose.is_none()), "nobody is made up in an empty room");
    assert_eq!(gone.last().map(|o| o.people), Some(0));
    let found = observe(&mut tracker, &after);
    assert!(found[0].pose.is_some(), "found in the first frame");

    // What is found owes nothing to the person before: positions are those of a fresh tracker.
    let fresh = observe(&mut self::tracker(TrackerOptions::default()), &after);
    for (found, fresh) in found.iter().zip(&fresh) {
        let (found, fresh) = (found.pose.as_ref().expect("found"), fresh.pose.as_ref().expect("fresh"));
        for (a, b) in found.landmarks.iter().zip(&fresh.landmarks) {
            assert_eq!((a.x, a.y, a.z), (b.x, b.y, b.z));
        }
    }
}

#[test]
fn reset_forgets_everything() {
    let frames = frames("ben_circle_touch_0.avi");
    let mut tracker = tracker(TrackerOptions::default());
    let first = observe(&mut tracker, &frames[..8]);
    tracker.reset();
    assert_eq!(first, observe(&mut tracker, &frames[..8]));
}

#[test]
fn smoothing_calms_a_person_at_rest() {
    // The head hardly moves in this gesture; what is left is jitter.
    let frames = &frames("ben_circle_touch_0.avi")[..12];
    let path = |smoothing| {
        let observations =
            observe(&mut tracker(TrackerOptions { smoothing, ..TrackerOptions::default() }), frames);
        let noses: Vec<_> =
            observations.iter().map(|o| o.pose.as_ref().expect("a person").landmarks[part::NOSE]).collect();
        noses.windows(2).map(|pair| (pair[0].x - pair[1].x).hypot(pair[0].y - pair[1].y)).sum::<f32>()
    };
    let (raw, smooth) = (path(false), path(true));
    assert!(smooth < raw, "smoothed {smooth}, raw {raw}");
}

#[test]
fn a_damaged_frame_is_an_error_and_the_next_one_is_fine() {
    let frames = frames("ben_circle_touch_0.avi");
    let mut tracker = tracker(TrackerOptions::default());
    observe(&mut tracker, &frames[..5]);
    let mut damaged = frames[5].clone();
    damaged.data.truncate(damaged.data.len() / 2);
    let error = tracker.observe(&damaged).expect_err("half a JPEG");
    assert!(matches!(error, VisionError::Picture(_)), "{error}");
    assert!(observe(&mut tracker, &frames[6..8]).iter().all(|o| o.pose.is_some()));
}

#[test]
fn one_process_keeps_one_runtime() {
    let assets = Assets::beside_executable().expect("models and runtime");
    tracker(TrackerOptions::default());
    let folder = tempfile::tempdir().expect("folder");
    let copy = folder.path().join("libonnxruntime.so.1.31.1");
    std::fs::copy(&assets.runtime, &copy).expect("copy");
    let other = Assets { runtime: copy, ..assets };
    assert!(matches!(
        Tracker::new(&other, &TrackerOptions::default()),
        Err(VisionError::RuntimeFixed { .. })
    ));
}

#[test]
fn missing_assets_are_errors_that_name_the_fix() {
    let nowhere = Assets { models: PathBuf::from("/nowhere"), runtime: PathBuf::from("/nowhere/lib.so") };
    let Err(error) = Tracker::new(&nowhere, &TrackerOptions::default()) else { panic!("nothing is there") };
    assert!(error.to_string().contains("make build"), "{error}");
}

/// Runs in a process of its own, started by the test below.
#[test]
#[ignore = "started by the_runtime_writes_nothing_into_the_home_folder"]
fn track_a_few_frames() {
    observe(&mut tracker(TrackerOptions::default()), &frames("ben_circle_touch_0.avi")[..3]);
}

#[test]
fn the_runtime_writes_nothing_into_the_home_folder() {
    let home = tempfile::tempdir().expect("folder");
    let status = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "track_a_few_frames", "--ignored"])
        .env("HOME", home.path())
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_DATA_HOME")
        .env_remove("ORT_DISABLE_TELEMETRY")
        .stdout(std::process::Stdio::null())
        .status()
        .expect("a process");
    assert!(status.success());
    let found: Vec<_> = std::fs::read_dir(home.path()).expect("list").collect();
    assert!(found.is_empty(), "{found:?}");
}
