//! Recordings: what is read, and that whatever else is given ends in an error that says what to do.

mod common;

use std::time::Duration;

use common::{jpegs, pattern};
use pose_camera::recording::{Clip, RecordedCamera};
use pose_camera::{Camera, PixelFormat};

#[test]
fn an_avi_gives_its_pictures_with_size_rate_and_time() {
    let clip = Clip::open(&pattern()).unwrap();
    assert_eq!((clip.len(), clip.width(), clip.height(), clip.fps()), (12, 64, 48, 15.0));
    assert_eq!(clip.duration_us(), 800_000);
    let frames: Vec<_> = clip.frames().map(Result::unwrap).collect();
    assert_eq!(frames[3].t_us, 200_000);
    assert!(frames.iter().all(|f| f.format == PixelFormat::Mjpg && f.data.starts_with(&[0xff, 0xd8])));
    assert!(frames.iter().all(|f| f.data.ends_with(&[0xff, 0xd9])));
}

#[test]
fn a_camera_plays_a_clip_on_its_cue_and_rests_before_and_after() {
    let mut camera = RecordedCamera::open(&pattern()).unwrap();
    let wait = Duration::from_secs(2);
    let before: Vec<_> = (0..3).map(|_| camera.next_frame(wait).unwrap()).collect();
    assert!(before.iter().all(|f| f.format == PixelFormat::Rgb24 && f.data.len() == 64 * 48 * 3));
    assert_ne!(before[0].data, before[2].data);
    camera.cue("gesture");
    let played: Vec<_> = (0..30).map(|_| camera.next_frame(wait).unwrap()).collect();
    let clip = jpegs();
    let shown = played.iter().filter(|f| clip.contains(&f.data)).count();
    assert!(shown > 0 && shown <= clip.len());
    assert_eq!(played[29].format, PixelFormat::Rgb24);
    let all: Vec<_> = before.iter().chain(&played).collect();
    assert!(all.windows(2).all(|w| w[0].t_us < w[1].t_us && w[0].sequence < w[1].sequence));
}
