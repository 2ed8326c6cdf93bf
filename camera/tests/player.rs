//! The recorded camera behaves like a webcam, and like its script says.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{jpegs, pattern, scratch, write};
use pose_camera::recording::{Clip, RecordedCamera};
use pose_camera::{Camera, CameraError, Frame, PixelFormat};

const WAIT: Duration = Duration::from_secs(5);

fn frames(camera: &mut RecordedCamera, count: usize) -> Vec<Frame> {
    (0..count).map(|_| camera.next_frame(WAIT).unwrap()).collect()
}

/// Clips that can be told apart by their pictures: `a` has the first four, `b` the next, `c` the last.
fn stage(script: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = scratch();
    for (name, pictures) in ["a", "b", "c"].iter().zip(jpegs().chunks(4)) {
        fs::create_dir(dir.path().join(name)).unwrap();
        for (i, picture) in pictures.iter().enumerate() {
            write(&dir.path().join(name), &format!("{i}.jpg"), picture);
        }
        write(&dir.path().join(name), "fps.txt", b"10");
    }
    let path = write(dir.path(), "script.toml", script.as_bytes());
    (dir, path)
}

/// Which clip was played, from the pictures that came; rest pictures carry noise and match none.
fn played(dir: &Path, frames: &[Frame]) -> Option<&'static str> {
    ["a", "b", "c"].into_iter().find(|name| {
        let clip: Vec<_> = Clip::open(&dir.join(name)).unwrap().frames().map(|f| f.unwrap().data).collect();
        frames.iter().any(|f| clip.contains(&f.data))
    })
}

#[test]
fn a_clip_is_played_on_its_cue_and_somebody_rests_before_and_after() {
    let mut camera = RecordedCamera::open(&pattern()).unwrap();
    let before = frames(&mut camera, 3);
    assert!(before.iter().all(|f| f.format == PixelFormat::Rgb24 && f.data.len() == 64 * 48 * 3));
    assert!(before[0].data != before[1].data && before[0].data != before[2].data);
    camera.cue("gesture");
    let after = frames(&mut camera, 30);
    let clip = jpegs();
    let shown: Vec<_> = after.iter().filter_map(|f| clip.iter().position(|j| *j == f.data)).collect();
    assert!(!shown.is_empty() && shown.windows(2).all(|w| w[0] < w[1]), "{shown:?}");
    assert_eq!(after[29].format, PixelFormat::Rgb24);
    let all: Vec<_> = before.iter().chain(&after).collect();
    assert!(all.windows(2).all(|w| w[0].t_us < w[1].t_us && w[0].sequence < w[1].sequence));
}

#[test]
fn time_stamps_keep_the_beat_from_rest_through_a_clip_and_back() {
    let mut camera = RecordedCamera::open(&pattern()).unwrap();
    let mut all = frames(&mut camera, 4);
    camera.cue("gesture");
    all.extend(frames(&mut camera, 20));
    for pair in all.windows(2) {
        let beats = (pair[1].t_us - pair[0].t_us) as f64 / 66_666.67;
        assert!((beats - beats.round()).abs() < 0.01 && beats > 0.5, "{beats}");
    }
}

#[test]
fn a_slow_reader_gets_the_newest_picture_and_the_others_are_dropped() {
    let mut camera = RecordedCamera::open(&pattern()).unwrap();
    let first = frames(&mut camera, 1).remove(0);
    std::thread::sleep(Duration::from_millis(400));
    let next = frames(&mut camera, 1).remove(0);
    assert!(next.t_us - first.t_us > 300_000);
    assert_eq!(u64::from(next.sequence - first.sequence - 1), camera.dropped());
    assert!(camera.dropped() >= 4);
}

#[test]
fn a_short_wait_ends_in_time_out_and_the_picture_still_comes() {
    let (dir, path) = stage("gesture = 'a'");
    write(&dir.path().join("a"), "fps.txt", b"1");
    let mut camera = RecordedCamera::open(&path).unwrap();
    frames(&mut camera, 1);
    assert!(matches!(camera.next_frame(Duration::from_millis(20)), Err(CameraError::TimedOut)));
    frames(&mut camera, 1);
}

#[test]
fn instructions_pick_the_clips_that_the_script_names() {
    let script =
        "gesture = ['a', 'b']\nenrol = ['b', 'c']\ndefault_challenge = 'c'\n[challenge]\nraise_left = 'a'\n";
    let (dir, path) = stage(script);
    type Case = (usize, &'static [&'static str], &'static [Option<&'static str>]);
    let cases: [Case; 6] = [
        (0, &["gesture"], &[Some("a")]),
        (1, &["gesture"], &[Some("b")]),
        (2, &["gesture"], &[Some("a")]),
        (0, &["enrol_gesture"; 3], &[Some("b"), Some("c"), None]),
        (0, &["challenge:raise_left", "challenge:t_pose"], &[Some("a"), Some("c")]),
        (0, &["look_here", "challenge:", ""], &[None, Some("c"), None]),
    ];
    for (turn, cues, want) in cases {
        let mut camera = RecordedCamera::open_turn(&path, turn).unwrap();
        for (cue, want) in cues.iter().zip(want) {
            camera.cue(cue);
            assert_eq!(played(dir.path(), &frames(&mut camera, 5)), *want, "turn {turn}, {cue}");
        }
    }
}

#[test]
fn each_opening_takes_the_next_gesture() {
    let (dir, path) = stage("gesture = ['a', 'b', 'c']");
    let seen: Vec<_> = (0..4)
        .map(|_| {
            let mut camera = RecordedCamera::open(&path).unwrap();
            camera.cue("gesture");
            played(dir.path(), &frames(&mut camera, 5))
        })
        .collect();
    assert_eq!(seen, [Some("a"), Some("b"), Some("c"), Some("a")]);
}

#[test]
fn a_recording_may_end_instead_of_resting() {
    let (_dir, path) = stage("gesture = 'a'\nat_end = 'end'");
    let mut camera = RecordedCamera::open(&path).unwrap();
    camera.cue("gesture");
    let end = (0..10).map(|_| camera.next_frame(WAIT)).find_map(Result::err);
    assert!(matches!(end, Some(CameraError::EndOfRecording)));
}

#[test]
fn the_same_seed_gives_the_same_noise_and_another_one_other_noise() {
    let pictures = |seed: u8| {
        let (_dir, path) = stage(&format!("gesture = 'a'\nseed = {seed}"));
        frames(&mut RecordedCamera::open_turn(&path, 0).unwrap(), 1).remove(0).data
    };
    assert_eq!(pictures(1), pictures(1));
    assert_ne!(pictures(1), pictures(2));
}

#[test]
fn faults_come_when_the_script_says_and_stay() {
    let end = |script: &str, cue: &str| {
        let (_dir, path) = stage(script);
        let mut camera = RecordedCamera::open(&path)?;
        frames(&mut camera, 2);
        camera.cue(cue);
        let first = (0..200).map(|_| camera.next_frame(Duration::from_millis(100))).find_map(Result::err);
        let again = camera.next_frame(Duration::from_millis(1));
        assert!(again.is_err(), "the fault went away");
        first.map_or(Ok(()), Err)
    };
    let fault = |kind: &str, when: &str| format!("gesture = 'a'\n[fault]\nkind = '{kind}'\n{when}");
    assert!(matches!(end(&fault("unplug", "after_ms = 1000"), ""), Err(CameraError::Unplugged)));
    assert!(matches!(
        end(&fault("unplug", "cue = 'challenge'"), "challenge:t_pose"),
        Err(CameraError::Unplugged)
    ));
    assert!(matches!(end(&fault("stall", "after_ms = 1000"), ""), Err(CameraError::TimedOut)));
    assert!(matches!(end(&fault("busy", ""), ""), Err(CameraError::Busy { .. })));
    assert!(matches!(end(&fault("missing", ""), ""), Err(CameraError::Missing { .. })));
    let (_dir, path) = stage(&fault("unplug", "cue = 'challenge'"));
    let mut camera = RecordedCamera::open(&path).unwrap();
    camera.cue("gesture");
    frames(&mut camera, 20);
}

#[test]
fn a_stall_is_told_from_a_slow_picture_after_a_while() {
    let (_dir, path) = stage("gesture = 'a'\nfault = { kind = 'stall', after_ms = 1 }");
    let mut camera = RecordedCamera::open(&path).unwrap();
    let errors: Vec<_> =
        (0..30).filter_map(|_| camera.next_frame(Duration::from_millis(100)).err()).collect();
    assert!(matches!(errors.last(), Some(CameraError::Stalled)), "{errors:?}");
}

#[test]
fn a_script_with_a_mistake_is_refused_with_its_place() {
    let table = [
        ("gesture = 5", "a clip's path or a list"),
        ("gestures = 'a'", "unknown field `gestures`"),
        ("gesture = 'a'\n[challenge]\nraise_lef = 'a'", "raise_lef"),
        ("gesture = 'a'\nfault = { kind = 'explode' }", "explode"),
        ("seed = 3", "names no clip"),
        ("gesture = ", "line 1"),
    ];
    for (script, words) in table {
        let (_dir, path) = stage(script);
        let error = RecordedCamera::open(&path).map(|_| ()).unwrap_err();
        assert!(matches!(error, CameraError::Script(_)), "{script}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("script.toml"), "{script}: {text}");
    }
    let (_dir, path) = stage("gesture = 'nowhere.avi'");
    let error = RecordedCamera::open(&path).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("nowhere.avi"), "{error}");
}
