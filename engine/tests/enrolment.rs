//! What enrolment refuses, with words that say what to do, on simulated people; and what it takes.

use pose_engine::enrol::{Refusal, enrol};
use pose_engine::sequence::{Joint, Sequence};
use pose_engine::simulate::{COMMON, Rng, person};

/// One simulated person's own gesture, again and again: a seed whose gesture passes.
fn own(recordings: usize) -> Vec<Sequence> {
    person(None, recordings, &mut Rng::new(2))
}

fn changed(of: &Sequence, time: f64, size: f32) -> Sequence {
    let first = of.frames()[0];
    Sequence::from_frames(of.times_us().iter().zip(of.frames()).map(|(t, frame)| {
        let frame = std::array::from_fn(|k| {
            let (rest, joint) = (first[k], frame[k]);
            Joint { x: rest.x + (joint.x - rest.x) * size, y: rest.y + (joint.y - rest.y) * size, ..joint }
        });
        ((*t as f64 * time) as u64, frame)
    }))
}

/// The movement as something else does it: half as high, mirrored, backwards in time.
fn backwards(of: &Sequence) -> Sequence {
    let mirrored = of.mirrored();
    let frames: Vec<_> = mirrored.frames().iter().rev().copied().collect();
    Sequence::from_frames(mirrored.times_us().iter().copied().zip(frames))
}

fn refusal(recordings: &[Sequence]) -> Refusal {
    let refusal = enrol(recordings).expect_err("must be refused");
    let words = refusal.to_string();
    assert!(words.contains(';') && words.len() > 30, "no next step in: {words}");
    refusal
}

#[test]
fn a_gesture_of_ones_own_is_taken_with_3_to_8_recordings() {
    for n in [3, 5, 8] {
        let enrolment = enrol(&own(n)).expect("taken");
        assert_eq!(enrolment.template.recordings().len(), n);
        assert!((0.0..=1.0).contains(&enrolment.strength.score));
        assert!(enrolment.strength.sentence().contains("strangers"));
    }
}

#[test]
fn too_few_and_too_many_are_counted() {
    assert_eq!(refusal(&own(2)), Refusal::TooFew { found: 2 });
    assert_eq!(refusal(&own(9)), Refusal::TooMany { found: 9 });
}

#[test]
fn gestures_that_nobody_could_use_are_refused_for_what_is_wrong_with_them() {
    let all = |time, size| own(3).iter().map(|s| changed(s, time, size)).collect::<Vec<_>>();
    assert!(matches!(refusal(&all(0.12, 1.0)), Refusal::TooShort { seconds } if seconds < 1.0));
    assert!(matches!(refusal(&all(8.0, 1.0)), Refusal::TooLong { seconds } if seconds > 15.0));
    assert_eq!(refusal(&all(1.0, 0.05)), Refusal::TooSmall);
    assert_eq!(refusal(&vec![Sequence::default(); 3]), Refusal::NoBody);
}

#[test]
fn the_odd_recording_is_named() {
    for odd in 0..5 {
        let mut recordings = own(5);
        recordings[odd] = backwards(&recordings[odd]);
        assert_eq!(refusal(&recordings), Refusal::Outlier { recording: odd + 1 });
    }
}

#[test]
fn recordings_that_have_nothing_in_common_are_not_repeatable() {
    let mut rng = Rng::new(5);
    let recordings: Vec<Sequence> = (0..4).map(|_| person(None, 1, &mut rng).remove(0)).collect();
    assert_eq!(refusal(&recordings), Refusal::NotRepeatable);
}

/// Several persons for each everyday gesture, of whom a few have a style of their own.
#[test]
fn everyday_gestures_are_refused_or_advised_against() {
    let mut rng = Rng::new(11);
    let (mut refused, mut warned, mut all, mut common, mut named) = (0, 0, 0, 0, 0);
    for (index, name) in COMMON.iter().enumerate() {
        for _ in 0..3 {
            let result = enrol(&person(Some(index), 3, &mut rng));
            all += 1;
            match result {
                Err(Refusal::TooCommon { like }) => {
                    refused += 1;
                    common += 1;
                    named += usize::from(like == *name);
                }
                Err(_) => refused += 1,
                Ok(enrolment) => {
                    warned += usize::from(enrolment.strength.advice.contains("others try first"));
                }
            }
        }
    }
    assert!(refused * 5 >= all * 2, "{refused} of {all} refused");
    assert!((refused + warned) * 10 >= all * 8, "{refused} refused and {warned} advised against, of {all}");
    // Scratching the head is like a salute, drinking like adjusting glasses.
    assert!(common * 6 >= all && named * 2 >= common, "{named} of {common} called by their name");
}

#[test]
fn most_gestures_of_ones_own_are_not_called_common() {
    let mut rng = Rng::new(21);
    let common = (0..12)
        .filter(|_| matches!(enrol(&person(None, 3, &mut rng)), Err(Refusal::TooCommon { .. })))
        .count();
    assert!(common <= 2, "{common} of 12");
}
