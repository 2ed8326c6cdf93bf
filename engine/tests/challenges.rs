//! Each challenge movement is seen when a person shows it, and only then, and only in its time.

mod people;

use people::{Posture, REST, Scene, Wrist, show};
use pose_engine::challenge::{ChallengeReason, Movement, ResponseWindow, judge};
use pose_engine::landmarks::Observation;

const UP: Wrist = [0.1, -1.4];
const OUT: Wrist = [1.4, 0.0];
const HEAD: Wrist = [-0.35, -0.85];
const ACROSS: Wrist = [-0.85, 0.45];

/// What a person does who follows the instruction.
fn shown(movement: Movement, scene: &mut Scene) -> Vec<Observation> {
    let (left, right, lean) = match movement {
        Movement::RaiseLeft => (UP, REST, 0.0),
        Movement::RaiseRight => (REST, UP, 0.0),
        Movement::BothUp => (UP, UP, 0.0),
        Movement::ArmsCrossed => (ACROSS, ACROSS, 0.0),
        Movement::LeanLeft => (REST, REST, 0.3),
        Movement::LeanRight => (REST, REST, -0.3),
        Movement::HandToHead => (REST, HEAD, 0.0),
        Movement::TPose => (OUT, OUT, 0.0),
    };
    let mut out = scene.play(0.6, |_| Posture::default());
    out.extend(scene.play(2.6, show(left, right, lean)));
    out
}

#[test]
fn every_movement_meets_its_own_challenge_and_no_other() {
    for fps in [10, 15, 30] {
        for done in Movement::ALL {
            let mut scene = Scene::new(5);
            scene.fps = fps;
            let asked_at = scene.t_us;
            let observations = shown(done, &mut scene);
            for asked in Movement::ALL {
                let result = judge(asked, &observations, asked_at, &ResponseWindow::default());
                assert_eq!(result.shown, asked == done, "{done:?} for {asked:?} at {fps}: {result:?}");
            }
        }
    }
}

#[test]
fn nothing_before_the_instruction_counts() {
    let mut scene = Scene::new(5);
    let observations = shown(Movement::TPose, &mut scene);
    let asked_at = observations.last().map_or(0, |o| o.t_us);
    assert!(!judge(Movement::TPose, &observations, asked_at, &ResponseWindow::default()).shown);
}

#[test]
fn a_movement_that_was_there_before_it_could_be_read_is_too_early() {
    let mut scene = Scene::new(5);
    let held = scene.play(3.0, |_| Posture { left: OUT, right: OUT, lean: 0.0 });
    let asked_at = held[10].t_us;
    let result = judge(Movement::TPose, &held, asked_at, &ResponseWindow::default());
    assert_eq!(result.why, ChallengeReason::TooEarly);
}

#[test]
fn a_movement_after_the_limit_does_not_count() {
    let mut scene = Scene::new(5);
    let asked_at = scene.t_us;
    let mut observations = scene.play(6.1, |_| Posture::default());
    observations.extend(shown(Movement::BothUp, &mut scene));
    assert!(!judge(Movement::BothUp, &observations, asked_at, &ResponseWindow::default()).shown);
}

#[test]
fn names_come_back() {
    for movement in Movement::ALL {
        assert_eq!(Movement::parse(movement.name()), Some(movement));
    }
    assert_eq!(Movement::parse("sit"), None);
}
