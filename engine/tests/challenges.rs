//! Each challenge movement is seen when a person shows it, and only then, and only in its time.

mod people;

use people::{Posture, REST, Scene, circle, follow, glide, posture_of, show};
use pose_engine::challenge::{
    ChallengeReason, Movement, MovementSet, ResponseWindow, Rest, contained, judge,
};
use pose_engine::landmarks::part;
use pose_engine::sequence::Sequence;

#[test]
fn every_movement_meets_its_own_challenge_and_no_other() {
    for fps in [10, 15, 30] {
        for done in Movement::ALL {
            let mut scene = Scene::new(5);
            scene.fps = fps;
            let asked_at = scene.t_us;
            let observations = follow(done, &mut scene);
            for asked in Movement::ALL {
                let result = judge(asked, &observations, None, asked_at, &ResponseWindow::default());
                assert_eq!(result.shown, asked == done, "{done:?} for {asked:?} at {fps}: {result:?}");
            }
        }
    }
}

#[test]
fn nothing_before_the_instruction_counts() {
    let mut scene = Scene::new(5);
    let observations = follow(Movement::TPose, &mut scene);
    let asked_at = observations.last().map_or(0, |o| o.t_us);
    assert!(!judge(Movement::TPose, &observations, None, asked_at, &ResponseWindow::default()).shown);
}

#[test]
fn a_movement_that_was_there_before_it_could_be_read_is_too_early() {
    let mut scene = Scene::new(5);
    let held = scene.play(3.0, |_| posture_of(Movement::TPose));
    let asked_at = held[10].t_us;
    let result = judge(Movement::TPose, &held, None, asked_at, &ResponseWindow::default());
    assert_eq!(result.why, ChallengeReason::TooEarly);
}

#[test]
fn a_movement_after_the_limit_does_not_count() {
    let mut scene = Scene::new(5);
    let asked_at = scene.t_us;
    let mut observations = scene.play(6.1, |_| Posture::default());
    observations.extend(follow(Movement::BothUp, &mut scene));
    assert!(!judge(Movement::BothUp, &observations, None, asked_at, &ResponseWindow::default()).shown);
}

#[test]
fn a_movement_that_sets_out_before_the_instruction_could_be_read_does_not_count() {
    for (pause, counts) in [(0.05, false), (0.15, false), (0.5, true)] {
        let mut scene = Scene::new(5);
        let asked_at = scene.t_us;
        let Posture { left, right, lean } = posture_of(Movement::OutRight);
        let mut observations = scene.play(pause, |_| Posture::default());
        observations.extend(scene.play(2.6, show(left, right, lean)));
        let result = judge(Movement::OutRight, &observations, None, asked_at, &ResponseWindow::default());
        assert_eq!(result.shown, counts, "{pause} s: {result:?}");
    }
}

#[test]
fn who_sits_aside_and_settles_slowly_into_a_lean_has_set_out_in_time() {
    let mut scene = Scene::new(5);
    let seated_aside = Rest::of(&Sequence::from_observations(
        &scene.play(2.0, |_| Posture { lean: 0.18, ..Posture::default() }),
    ));
    let asked_at = scene.t_us;
    let lean = posture_of(Movement::LeanLeft).lean;
    // Most of the way in half a second, the rest, in which the lean becomes one, in two.
    let observations = scene.play(4.0, |t| {
        let quick = ((t - 0.7) / 0.5).clamp(0.0, 1.0);
        let slow = ((t - 1.2) / 2.0).clamp(0.0, 1.0);
        Posture { lean: lean * (0.8 * quick + 0.2 * slow), ..Posture::default() }
    });
    let result =
        judge(Movement::LeanLeft, &observations, seated_aside.as_ref(), asked_at, &ResponseWindow::default());
    assert!(result.shown, "{result:?}");
}

#[test]
fn a_hand_that_sinks_slowly_and_then_sets_out_has_set_out_in_time() {
    let mut scene = Scene::new(5);
    let asked_at = scene.t_us;
    let hand = posture_of(Movement::HeadRight).right;
    let between = |share: f32| Posture {
        right: [0, 1].map(|k| REST[k] + (hand[k] - REST[k]) * share),
        ..Posture::default()
    };
    // Slowly from the instruction on, then quickly.
    let observations =
        scene.play(3.0, |t| between(if t < 0.7 { 0.3 * t } else { (0.21 + (t - 0.7) / 0.3).min(1.0) }));
    let result = judge(Movement::HeadRight, &observations, None, asked_at, &ResponseWindow::default());
    assert!(result.shown, "{result:?}");
}

#[test]
fn who_holds_the_arms_out_and_brings_them_over_a_border_has_answered_nothing() {
    for (below, counts) in [(0.4, false), (1.0, true)] {
        let mut scene = Scene::new(5);
        let asked_at = scene.t_us;
        let [x, _] = posture_of(Movement::TPose).left;
        let goal = [x, 0.3];
        let observations = scene.play(3.0, |t| {
            let hand = glide(t, 0.8, 1.3, [x, goal[1] + below], goal);
            Posture { left: hand, right: hand, lean: 0.0 }
        });
        let result = judge(Movement::TPose, &observations, None, asked_at, &ResponseWindow::default());
        assert_eq!(result.shown, counts, "{below}: {result:?}");
    }
}

#[test]
fn a_hand_that_comes_steadily_from_the_instruction_on_has_set_out_too_early() {
    let mut scene = Scene::new(5);
    let asked_at = scene.t_us;
    let goal = posture_of(Movement::HeadRight).right;
    // Slowly, but faster than any sinking hand; then quicker and quicker.
    let observations = scene.play(3.0, |t| {
        let share = if t < 0.7 { 0.7 * t } else { (0.49 + (t - 0.7) / 0.25).min(1.0) };
        Posture { right: [0, 1].map(|k| REST[k] + (goal[k] - REST[k]) * share), ..Posture::default() }
    });
    let result = judge(Movement::HeadRight, &observations, None, asked_at, &ResponseWindow::default());
    assert_eq!(result.why, ChallengeReason::TooEarly);
}

#[test]
fn a_hand_that_passes_by_shows_nothing() {
    let mut scene = Scene::new(6);
    let asked_at = scene.t_us;
    let mut observations = scene.play(0.6, |_| Posture::default());
    let up = posture_of(Movement::RaiseLeft).left;
    observations.extend(scene.play(1.6, |t| {
        let there = glide(t, 0.0, 0.8, REST, up);
        Posture { left: if t < 0.8 { there } else { glide(t, 0.8, 1.6, up, REST) }, ..Posture::default() }
    }));
    observations.extend(scene.play(2.0, |_| Posture::default()));
    let result = judge(Movement::RaiseLeft, &observations, None, asked_at, &ResponseWindow::default());
    assert_eq!(result.why, ChallengeReason::NotSeen);
}

#[test]
fn a_hand_lifted_to_the_shoulder_is_a_raised_one_and_one_at_the_face_is_not() {
    for (wrist, counts) in [([0.85, -0.1], true), ([0.62, -0.25], false)] {
        let mut scene = Scene::new(6);
        let asked_at = scene.t_us;
        let mut observations = scene.play(3.0, |_| Posture::default());
        for observation in &mut observations[30..] {
            scene.put(observation, part::LEFT_ELBOW, [0.6, 0.7]);
            scene.put(observation, part::LEFT_WRIST, wrist);
        }
        let result = judge(Movement::RaiseLeft, &observations, None, asked_at, &ResponseWindow::default());
        assert_eq!(result.shown, counts, "{wrist:?}: {result:?}");
    }
}

#[test]
fn a_hand_that_is_lost_for_moments_before_the_trunk_still_touches_the_shoulder() {
    // Touching, and after so long lost for so long, again and again.
    for (seen, lost, counts) in [(0.5, 0.2, true), (0.5, 0.7, false), (0.2, 5.0, false)] {
        let mut scene = Scene::new(6);
        let asked_at = scene.t_us;
        let touching = posture_of(Movement::TouchLeft);
        let observations = scene.play(4.5, |t| match t - 0.8 {
            before if before < 0.0 => Posture::default(),
            t if t % (seen + lost) < seen => touching,
            _ => Posture { right: [-0.6, 0.9], ..Posture::default() },
        });
        let result = judge(Movement::TouchLeft, &observations, None, asked_at, &ResponseWindow::default());
        assert_eq!(result.shown, counts, "{seen} s seen, {lost} s lost: {result:?}");
    }
}

#[test]
fn one_arm_after_the_other_is_one_movement_of_both() {
    let mut scene = Scene::new(7);
    let asked_at = scene.t_us;
    let up = posture_of(Movement::BothUp).left;
    let mut observations = scene.play(0.6, |_| Posture::default());
    observations.extend(scene.play(2.4, |t| Posture {
        left: glide(t, 0.0, 0.6, REST, up),
        right: glide(t, 0.5, 1.1, REST, up),
        lean: 0.0,
    }));
    let result = judge(Movement::BothUp, &observations, None, asked_at, &ResponseWindow::default());
    assert!(result.shown, "{result:?}");
}

#[test]
fn one_recording_meets_one_challenge_at_most() {
    let mut scene = Scene::new(8);
    let asked_at = scene.t_us;
    let several = [Movement::HeadRight, Movement::BothUp, Movement::LeanLeft, Movement::TPose];
    let recording: Vec<_> = several.iter().flat_map(|m| follow(*m, &mut scene)).collect();
    let window = ResponseWindow { limit_us: 60_000_000, ..ResponseWindow::default() };
    let met: Vec<Movement> =
        Movement::ALL.into_iter().filter(|m| judge(*m, &recording, None, asked_at, &window).shown).collect();
    assert_eq!(met, [Movement::HeadRight], "the first one decides");
    let held = contained(&Sequence::from_observations(&recording));
    assert!(several.iter().all(|m| held.contains(*m)), "{held:?}");
}

#[test]
fn who_comes_back_from_a_lean_does_not_lean_to_the_other_side() {
    let mut scene = Scene::new(9);
    let rest = Rest::of(&Sequence::from_observations(&scene.gesture(circle, 2.4)));
    let asked_at = scene.t_us;
    let mut observations = scene.play(0.5, |_| posture_of(Movement::LeanLeft));
    observations.extend(scene.play(1.0, |t| {
        let lean = posture_of(Movement::LeanLeft).lean * glide(t, 0.0, 0.6, [1.0, 0.0], [0.0, 0.0])[0];
        Posture { lean, ..Posture::default() }
    }));
    observations.extend(follow(Movement::TPose, &mut scene));
    let window = ResponseWindow::default();
    let result = judge(Movement::TPose, &observations, rest.as_ref(), asked_at, &window);
    assert!(result.shown, "{result:?}");
    let result = judge(Movement::TPose, &observations, None, asked_at, &window);
    assert_eq!(result.why, ChallengeReason::AnotherMovement(Movement::LeanRight));
}

#[test]
fn a_set_keeps_what_is_put_in() {
    let set: MovementSet = [Movement::TPose, Movement::LeanLeft, Movement::TPose].into_iter().collect();
    assert_eq!(set.len(), 2);
    assert_eq!(MovementSet::of_bits(set.bits()), Some(set));
    assert_eq!(set.iter().collect::<Vec<_>>(), [Movement::TPose, Movement::LeanLeft]);
    assert_eq!(MovementSet::of_bits(1 << Movement::ALL.len()), None);
}

#[test]
fn names_come_back() {
    for movement in Movement::ALL {
        assert_eq!(Movement::parse(movement.name()), Some(movement));
    }
    assert_eq!(Movement::parse("sit"), None);
}
