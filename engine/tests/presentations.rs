//! What is live and what is not, and that recordings of a gesture decide as they should.

mod people;

use people::{Posture, REST, Scene, circle, open};
use pose_engine::enrol::{Refusal, enrol};
use pose_engine::gesture::cut;
use pose_engine::landmarks::{LANDMARK_COUNT, Observation};
use pose_engine::liveness::{NotLive, assess};
use pose_engine::matching::verify;
use pose_engine::sequence::Sequence;
use pose_engine::template::Template;

fn recording(scene: &mut Scene, gesture: fn(f32) -> Posture) -> Sequence {
    Sequence::from_observations(cut(&scene.gesture(gesture, 2.4)))
}

/// One posture, held while the whole picture is moved about.
fn moved_photo(scene: &mut Scene) -> Vec<Observation> {
    let mut stream = scene.play(3.0, |_| Posture { right: [0.3, -0.2], left: REST, lean: 0.0 });
    for (i, o) in stream.iter_mut().enumerate() {
        let a = i as f32 * 0.15;
        let (s, c) = (0.25 * a.sin()).sin_cos();
        if let Some(pose) = &mut o.pose {
            for l in 0..LANDMARK_COUNT {
                let p = &mut pose.landmarks[l];
                let (x, y) = ((p.x - 0.5) * 640.0, (p.y - 0.5) * 480.0);
                p.x = 0.5 + (c * x - s * y + 60.0 * a.sin()) / 640.0;
                p.y = 0.5 + (s * x + c * y) * (1.0 + 0.2 * a.cos()) / 480.0;
            }
        }
    }
    stream
}

#[test]
fn a_gesture_is_live_and_a_still_and_a_moved_photo_are_not() {
    let mut scene = Scene::new(11);
    assert!(assess(&scene.gesture(circle, 2.4)).live);
    let still = assess(&scene.play(3.0, |_| Posture::default()));
    assert!(still.reasons.contains(&NotLive::Still), "{still:?}");
    let photo = assess(&moved_photo(&mut scene));
    assert!(photo.reasons.contains(&NotLive::Rigid), "{photo:?}");
    assert!(!assess(&[]).live);
}

#[test]
fn time_that_runs_backwards_is_noticed() {
    let mut scene = Scene::new(12);
    let mut stream = scene.gesture(circle, 2.4);
    stream[40].t_us = stream[10].t_us;
    assert!(assess(&stream).reasons.contains(&NotLive::TimeStamps));
}

#[test]
fn a_loop_of_pictures_is_noticed() {
    let mut scene = Scene::new(13);
    let mut stream = scene.gesture(circle, 2.4);
    let digests: Vec<u64> = stream.iter().map(|o| o.stats.digest).collect();
    let half = stream.len() / 2;
    for (i, o) in stream.iter_mut().enumerate() {
        o.stats.digest = digests[i % half];
    }
    assert!(assess(&stream).reasons.contains(&NotLive::Repeated));
}

#[test]
fn the_same_gesture_passes_and_another_does_not() {
    let mut scene = Scene::new(14);
    let recordings: Vec<Sequence> = (0..3).map(|_| recording(&mut scene, circle)).collect();
    let template = enrol(&recordings).expect("a good enrolment").template;
    let stored = Template::decode(&template.encode()).expect("its own bytes");
    assert_eq!(stored, template);
    assert!(verify(&stored, &recording(&mut scene, circle)).accepted);
    assert!(!verify(&stored, &recording(&mut scene, open)).accepted);
    assert!(!verify(&stored, &Sequence::default()).accepted);
}

#[test]
fn weak_enrolments_are_refused_with_their_reason() {
    let mut scene = Scene::new(15);
    let circles: Vec<Sequence> = (0..3).map(|_| recording(&mut scene, circle)).collect();
    assert_eq!(enrol(&circles[..2]), Err(Refusal::TooFew { found: 2 }));
    assert!(matches!(enrol(&vec![circles[0].clone(); 9]), Err(Refusal::TooMany { found: 9 })));
    let still = Sequence::from_observations(&scene.play(3.0, |_| Posture::default()));
    assert_eq!(enrol(&[still.clone(), still.clone(), still]), Err(Refusal::TooSmall));
    let short = Sequence::from_observations(&scene.play(0.4, circle));
    assert!(matches!(enrol(&[short.clone(), short.clone(), short]), Err(Refusal::TooShort { .. })));
    let odd = [circles[0].clone(), circles[1].clone(), recording(&mut scene, open)];
    assert_eq!(enrol(&odd), Err(Refusal::Outlier { recording: 3 }));
    assert_eq!(enrol(&vec![Sequence::default(); 3]), Err(Refusal::NoBody));
}

#[test]
fn a_driver_that_delivers_each_picture_twice_is_not_taken_for_a_loop() {
    let mut scene = Scene::new(16);
    let mut stream = scene.gesture(circle, 2.4);
    for pair in stream.chunks_mut(2) {
        let digest = pair[0].stats.digest;
        pair.iter_mut().for_each(|o| o.stats.digest = digest);
    }
    assert!(assess(&stream).live);
}

#[test]
fn a_counter_that_stands_falls_or_runs_ahead_is_noticed_and_lost_pictures_are_not() {
    let mut scene = Scene::new(18);
    let stream = scene.gesture(circle, 2.4);
    let counted = |count: fn(u32) -> u32| {
        let mut stream = stream.clone();
        stream.iter_mut().zip(0..).for_each(|(o, i)| o.sequence = count(i));
        assess(&stream).reasons
    };
    assert_eq!(counted(|i| if i < 50 { i } else { 49 }), [NotLive::Counter]);
    assert_eq!(counted(|i| if i < 50 { i + 100 } else { i }), [NotLive::Counter]);
    assert_eq!(counted(|i| if i < 50 { i } else { i + 40 }), [NotLive::Counter]);
    assert_eq!(counted(|i| i.wrapping_add(u32::MAX - 50)), [], "a counter that wraps round");
    let lost: Vec<Observation> = stream
        .iter()
        .enumerate()
        .filter(|(i, _)| !matches!(i % 10, 1 | 4 | 7))
        .map(|(_, o)| o.clone())
        .collect();
    assert_eq!(assess(&lost).reasons, []);
}
