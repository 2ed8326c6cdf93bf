//! Whole attempts of stick people through the live state machine.

mod people;

use people::attempts::{code, enrolled, feed, outcome};
use people::{Posture, REST, Scene, circle, follow, glide, open, show};
use pose_contract::{Outcome, instruction};
use pose_engine::challenge::{Challenge, Movement};
use pose_engine::decide::Reason;
use pose_engine::landmarks::Observation;
use pose_engine::liveness::NotLive;
use pose_engine::session::{End, Limits, Session, Step};

/// Limits of a login that asks no challenge.
fn unasked() -> Limits {
    Limits { challenges_required: 0, ..Limits::default() }
}

const ASKED: [Movement; 2] = [Movement::RaiseLeft, Movement::TPose];

fn right_answers(scene: &mut Scene, session: &mut Session) -> Option<Step> {
    let up = [0.1, -1.4];
    let out = [1.4, 0.0];
    let mut first = scene.play(0.5, |_| Posture::default());
    first.extend(scene.play(2.6, show(up, REST, 0.0)));
    let step = feed(session, &first)?;
    assert_eq!(code(&step), "challenge:t_pose");
    let mut second = scene.play(0.5, |_| Posture::default());
    second.extend(scene.play(2.6, show(out, out, 0.0)));
    feed(session, &second)
}

#[test]
fn the_enrolled_person_with_gesture_and_challenges_passes() {
    let mut scene = Scene::new(1);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ASKED.to_vec(), Limits::default(), scene.t_us);
    assert_eq!(code(&session.begin()), instruction::GESTURE);
    let step = feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
    assert_eq!(code(&step), "challenge:raise_left");
    assert_eq!(outcome(right_answers(&mut scene, &mut session)), Outcome::Success);
}

#[test]
fn another_gesture_is_refused_after_the_same_instructions() {
    let mut scene = Scene::new(2);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ASKED.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    let step = feed(&mut session, &scene.gesture(open, 2.4)).expect("the gesture ends by itself");
    assert_eq!(code(&step), "challenge:raise_left");
    assert_eq!(outcome(right_answers(&mut scene, &mut session)), Outcome::WrongPose);
}

#[test]
fn a_challenge_that_is_not_answered_is_missed() {
    let mut scene = Scene::new(3);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ASKED.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
    let step = feed(&mut session, &scene.play(8.0, |_| Posture::default())).expect("the next one comes");
    assert_eq!(code(&step), "challenge:t_pose");
    let step = feed(&mut session, &scene.play(8.0, |_| Posture::default()));
    assert_eq!(outcome(step), Outcome::ChallengeMissed);
}

#[test]
fn who_answers_only_the_last_challenge_has_missed_one() {
    let mut scene = Scene::new(3);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ASKED.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
    feed(&mut session, &follow(Movement::OutRight, &mut scene)).expect("another movement ends the first");
    let step = feed(&mut session, &follow(Movement::TPose, &mut scene));
    assert_eq!(outcome(step), Outcome::ChallengeMissed);
}

#[test]
fn a_decoy_is_asked_like_any_other_and_need_not_be_answered() {
    for (decoy, expected) in [(0, Outcome::Success), (1, Outcome::ChallengeMissed)] {
        let mut scene = Scene::new(3);
        let template = enrolled(&mut scene);
        let mut asked = ASKED.map(Challenge::from).to_vec();
        asked[decoy].decoy = true;
        let mut session = Session::verify_among_decoys(vec![template], asked, Limits::default(), scene.t_us);
        session.begin();
        feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
        let from = scene.t_us;
        let step = feed(&mut session, &scene.play(8.0, |_| Posture::default())).expect("the next one comes");
        assert_eq!(code(&step), "challenge:t_pose");
        assert!(scene.t_us - from >= Limits::default().challenge.limit_us);
        let step = feed(&mut session, &follow(Movement::TPose, &mut scene));
        assert_eq!(outcome(step), expected);
    }
}

#[test]
fn a_session_that_is_given_no_challenges_refuses_unless_none_are_required() {
    let mut scene = Scene::new(3);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], Vec::new(), Limits::default(), scene.t_us);
    session.begin();
    assert_eq!(outcome(feed(&mut session, &scene.gesture(circle, 2.4))), Outcome::ChallengeMissed);
}

#[test]
fn a_print_that_is_moved_on_and_on_is_judged_and_a_slow_person_is_not() {
    let mut scene = Scene::new(11);
    let template = enrolled(&mut scene);
    let mut verify = |stream: &dyn Fn(&mut Scene) -> Vec<Observation>| {
        let mut session =
            Session::verify(vec![template.clone()], ASKED.to_vec(), Limits::default(), scene.t_us);
        session.begin();
        outcome(feed(&mut session, &stream(&mut scene)))
    };
    let shaken = |scene: &mut Scene| {
        let mut stream = scene.play(9.0, |_| Posture::default());
        for o in &mut stream {
            let t = o.t_us as f32 / 1.0e6;
            for l in o.pose.iter_mut().flat_map(|pose| &mut pose.landmarks) {
                l.x += 0.12 * (4.0 * t).sin();
                l.y += 0.05 * (3.1 * t).cos();
            }
        }
        stream
    };
    assert_eq!(verify(&shaken), Outcome::NotLive);
    let restless = |scene: &mut Scene| {
        scene.play(9.0, |t| Posture {
            right: [0.4 + 0.5 * (3.0 * t).sin(), -0.2 * (3.0 * t).cos()],
            ..Posture::default()
        })
    };
    assert_eq!(verify(&restless), Outcome::NotFinished);
    assert_eq!(verify(&|scene| scene.play(9.0, |_| Posture::default())), Outcome::NotFinished);
}

#[test]
fn lost_pictures_neither_end_a_gesture_nor_make_it_rigid() {
    for (lost, seed) in [(0, 19), (30, 20), (40, 21), (50, 22), (50, 23)] {
        let mut scene = Scene::new(seed);
        scene.fps = 15;
        let template = enrolled(&mut scene);
        let mut session = Session::verify(vec![template], Vec::new(), unasked(), scene.t_us);
        session.begin();
        let mut dice = seed;
        let mut stream = scene.gesture(circle, 2.4);
        stream.retain(|_| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % 100 >= lost
        });
        let Some(Step::Finished(End::Verified(decision))) = feed(&mut session, &stream) else {
            panic!("{lost} % lost: the gesture ends")
        };
        let not_live = |r: &Reason| matches!(r, Reason::NotLive(_));
        assert!(!decision.reasons.iter().any(not_live), "{lost} % lost: {:?}", decision.reasons);
    }
}

#[test]
fn a_pause_of_the_camera_is_not_a_rest() {
    let mut scene = Scene::new(24);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], Vec::new(), unasked(), scene.t_us);
    session.begin();
    let stream = scene.gesture(circle, 2.4);
    // 0.8 s without pictures, while the hand draws its circle: before and after it is in the same place.
    let (from, to) = (stream[0].t_us + 1_100_000, stream[0].t_us + 1_900_000);
    let cut = |o: &&Observation| o.t_us < from || o.t_us > to;
    let ended_at = stream.iter().filter(cut).find(|o| session.observe(o).is_some()).map(|o| o.t_us);
    let rest_from = stream[0].t_us + 2_900_000;
    assert!(ended_at.is_some_and(|at| at > rest_from), "{ended_at:?} is before the rest at {rest_from}");
}

#[test]
fn a_camera_that_stops_during_a_challenge_ends_by_ticks() {
    let mut scene = Scene::new(3);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ASKED.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
    assert_eq!(session.tick(scene.t_us + 1_000_000), None);
    let step = session.tick(scene.t_us + 60_000_000).expect("the next one comes");
    assert_eq!(code(&step), "challenge:t_pose");
    assert_eq!(outcome(session.tick(scene.t_us + 120_000_000)), Outcome::ChallengeMissed);
}

#[test]
fn an_empty_room_is_told_and_then_given_up() {
    let mut scene = Scene::new(4);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ASKED.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    let step = feed(&mut session, &scene.empty(3.0)).expect("told to come");
    assert_eq!(code(&step), instruction::COME_INTO_VIEW);
    assert_eq!(outcome(feed(&mut session, &scene.empty(9.0))), Outcome::NobodyInView);
}

#[test]
fn somebody_who_comes_late_is_asked_again() {
    let mut scene = Scene::new(4);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], Vec::new(), unasked(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.empty(3.0)).expect("told to come");
    let step = feed(&mut session, &scene.play(1.0, |_| Posture::default())).expect("asked again");
    assert_eq!(code(&step), instruction::GESTURE);
    assert_eq!(outcome(feed(&mut session, &scene.gesture(circle, 2.4))), Outcome::Success);
}

#[test]
fn who_sits_turned_is_told_and_asked_again_before_anything_is_judged() {
    let mut scene = Scene::new(31);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], Vec::new(), unasked(), scene.t_us);
    session.begin();
    scene.nose = 0.2;
    let step = feed(&mut session, &scene.gesture(open, 2.4)).expect("told to turn");
    assert_eq!(code(&step), instruction::REFRAME);
    scene.nose = 0.0;
    let step = feed(&mut session, &scene.play(3.0, |_| Posture::default())).expect("asked again");
    assert_eq!(code(&step), instruction::GESTURE);
    assert_eq!(outcome(feed(&mut session, &scene.gesture(circle, 2.4))), Outcome::Success);
}

#[test]
fn whoever_still_sits_turned_is_judged() {
    let mut scene = Scene::new(32);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], Vec::new(), unasked(), scene.t_us);
    session.begin();
    scene.nose = -0.2;
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("told to turn");
    assert_eq!(session.tick(scene.t_us), None, "time to turn is left");
    let step = session.tick(scene.t_us + 2_600_000).expect("asked again by time alone");
    assert_eq!(code(&step), instruction::GESTURE);
    scene.t_us += 2_600_000;
    assert_eq!(outcome(feed(&mut session, &scene.gesture(open, 2.4))), Outcome::WrongPose);
}

#[test]
fn being_told_to_turn_says_neither_that_there_is_an_enrolment_nor_that_the_gesture_is_right() {
    let mut scene = Scene::new(33);
    let template = enrolled(&mut scene);
    scene.nose = 0.25;
    for templates in [Vec::new(), vec![template]] {
        for gesture in [circle as fn(f32) -> Posture, open] {
            let mut session = Session::verify(templates.clone(), Vec::new(), unasked(), scene.t_us);
            session.begin();
            let step = feed(&mut session, &scene.gesture(gesture, 2.4)).expect("told to turn");
            assert_eq!(code(&step), instruction::REFRAME);
        }
    }
}

#[test]
fn a_dark_room_two_people_and_no_movement_are_not_judged() {
    let mut scene = Scene::new(6);
    let template = enrolled(&mut scene);
    let verify = |scene: &Scene| {
        let mut session = Session::verify(vec![template.clone()], Vec::new(), unasked(), scene.t_us);
        session.begin();
        session
    };
    let mut session = verify(&scene);
    let mut dark = scene.empty(9.0);
    dark.iter_mut().for_each(|o| o.stats.luma_mean = 0.01);
    let step = dark.iter().filter_map(|o| session.observe(o)).last();
    assert_eq!(outcome(step), Outcome::TooDark);

    let mut session = verify(&scene);
    assert_eq!(outcome(feed(&mut session, &scene.play(9.0, |_| Posture::default()))), Outcome::NotFinished);

    scene.people = 2;
    let mut session = verify(&scene);
    assert_eq!(outcome(feed(&mut session, &scene.gesture(circle, 2.4))), Outcome::SeveralPeople);
}

#[test]
fn a_frozen_stream_is_not_live() {
    let mut scene = Scene::new(7);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], Vec::new(), unasked(), scene.t_us);
    session.begin();
    let mut stream = scene.gesture(circle, 2.4);
    stream.iter_mut().for_each(|o| o.stats.digest = 9);
    assert_eq!(outcome(feed(&mut session, &stream)), Outcome::NotLive);
}

#[test]
fn a_recording_that_differs_is_asked_again_by_its_number() {
    let mut scene = Scene::new(8);
    let mut session = Session::enrol(3, Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("second");
    feed(&mut session, &scene.gesture(open, 2.4)).expect("third");
    let step = feed(&mut session, &scene.gesture(circle, 2.4)).expect("again");
    let Step::Instruct { code, text, repetition } = step else { panic!("{step:?}") };
    assert_eq!((code.as_str(), repetition), (instruction::ENROL_AGAIN, Some((2, 3))));
    assert!(text.contains("recording 2") || text.contains("Recording 2"), "{text}");
    let step = feed(&mut session, &scene.gesture(circle, 2.4));
    assert!(matches!(step, Some(Step::Finished(End::Enrolled { .. }))), "{step:?}");
}

#[test]
fn the_odd_recording_is_named_as_soon_as_it_can_be_told() {
    let mut scene = Scene::new(11);
    let mut session = Session::enrol(5, Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(open, 2.4)).expect("second");
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("third");
    let step = feed(&mut session, &scene.gesture(circle, 2.4)).expect("again");
    let Step::Instruct { code, repetition, .. } = step else { panic!("{step:?}") };
    assert_eq!((code.as_str(), repetition), (instruction::ENROL_AGAIN, Some((1, 5))));
    for next in [4, 5] {
        let step = feed(&mut session, &scene.gesture(circle, 2.4)).expect("the next");
        let Step::Instruct { repetition, .. } = step else { panic!("{step:?}") };
        assert_eq!(repetition, Some((next, 5)));
    }
    let step = feed(&mut session, &scene.gesture(circle, 2.4));
    assert!(matches!(step, Some(Step::Finished(End::Enrolled { .. }))), "{step:?}");
}

#[test]
fn a_gesture_that_is_too_common_is_told_after_one_recording_and_another_may_follow() {
    let raised = |t: f32| {
        let right = match t {
            t if t < 0.7 => glide(t, 0.0, 0.7, REST, [0.15, -1.2]),
            t if t < 1.3 => [0.15, -1.2],
            t => glide(t, 1.3, 2.0, [0.15, -1.2], REST),
        };
        Posture { right, ..Posture::default() }
    };
    let mut scene = Scene::new(12);
    let mut session = Session::enrol(3, Limits::default(), scene.t_us);
    session.begin();
    let step = feed(&mut session, &scene.gesture(raised, 2.0)).expect("again");
    let Step::Instruct { code, text, repetition } = step else { panic!("{step:?}") };
    assert_eq!((code.as_str(), repetition), (instruction::ENROL_AGAIN, Some((1, 3))));
    assert!(text.contains("a raised hand") && text.contains("choose one"), "{text}");
    for _ in 0..2 {
        feed(&mut session, &scene.gesture(circle, 2.4)).expect("the next");
    }
    let step = feed(&mut session, &scene.gesture(circle, 2.4));
    assert!(matches!(step, Some(Step::Finished(End::Enrolled { .. }))), "{step:?}");
}

#[test]
fn an_enrolment_without_a_body_movement_is_refused_in_the_end() {
    let mut scene = Scene::new(9);
    let mut session = Session::enrol(3, Limits::default(), scene.t_us);
    session.begin();
    let wink = |t: f32| Posture { right: [0.15 + 0.2 * (t * 9.0).sin(), 1.3], ..Posture::default() };
    let mut steps = 0;
    let end = loop {
        steps += 1;
        assert!(steps < 40, "an enrolment ends");
        match feed(&mut session, &scene.gesture(wink, 1.5)) {
            Some(Step::Finished(end)) => break end,
            Some(Step::Instruct { .. }) | None => {}
        }
    };
    assert!(matches!(end, End::Failed { .. }), "{end:?}");
}

#[test]
fn a_challenge_answered_by_a_frozen_stream_is_not_live() {
    let mut scene = Scene::new(10);
    let template = enrolled(&mut scene);
    let mut session =
        Session::verify(vec![template], vec![Movement::RaiseLeft], Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
    let mut answer = scene.play(0.5, |_| Posture::default());
    answer.extend(scene.play(2.6, show([0.1, -1.4], REST, 0.0)));
    answer.iter_mut().for_each(|o| o.stats.digest = 9);
    assert_eq!(outcome(feed(&mut session, &answer)), Outcome::NotLive);
}

#[test]
fn a_gesture_played_again_in_answer_is_a_loop() {
    let mut scene = Scene::new(17);
    let template = enrolled(&mut scene);
    let mut session =
        Session::verify(vec![template], vec![Movement::RaiseLeft], Limits::default(), scene.t_us);
    session.begin();
    let gesture = scene.gesture(circle, 2.4);
    feed(&mut session, &gesture).expect("the gesture ends by itself");
    let mut again = scene.play(8.0, |_| Posture::default());
    for (o, before) in again.iter_mut().zip(gesture) {
        o.stats.digest = before.stats.digest;
    }
    let Some(Step::Finished(End::Verified(decision))) = feed(&mut session, &again) else { panic!("judged") };
    assert!(decision.reasons.contains(&Reason::NotLive(NotLive::Looped)), "{:?}", decision.reasons);
}
