//! Whole attempts of stick people through the live state machine.

mod people;

use people::{Posture, REST, Scene, circle, open, show};
use pose_contract::{Outcome, instruction};
use pose_engine::challenge::Movement;
use pose_engine::landmarks::Observation;
use pose_engine::session::{End, Limits, Session, Step};
use pose_engine::template::Template;

/// Feeds a stream until the session asks for something or ends.
fn feed(session: &mut Session, observations: &[Observation]) -> Option<Step> {
    observations.iter().find_map(|o| session.observe(o))
}

fn code(step: &Step) -> &str {
    match step {
        Step::Instruct { code, .. } => code,
        Step::Finished(_) => "finished",
    }
}

fn enrolled(scene: &mut Scene) -> Template {
    let mut session = Session::enrol(3, Limits::default(), scene.t_us);
    assert_eq!(code(&session.begin()), instruction::ENROL_GESTURE);
    for i in 0..3 {
        let step = feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
        match step {
            Step::Instruct { repetition, .. } => assert_eq!(repetition, Some((i + 2, 3))),
            Step::Finished(End::Enrolled { enrolment }) => return enrolment.template,
            other => panic!("{other:?}"),
        }
    }
    panic!("three recordings are enough")
}

fn outcome(step: Option<Step>) -> Outcome {
    match step {
        Some(Step::Finished(End::Verified(decision))) => decision.outcome,
        Some(Step::Finished(End::Failed { outcome, .. })) => outcome,
        other => panic!("{other:?}"),
    }
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
    let step = feed(&mut session, &scene.play(8.0, |_| Posture::default()));
    assert_eq!(outcome(step), Outcome::ChallengeMissed);
}

#[test]
fn a_camera_that_stops_during_a_challenge_ends_by_ticks() {
    let mut scene = Scene::new(3);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ASKED.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
    assert_eq!(session.tick(scene.t_us + 1_000_000), None);
    assert_eq!(outcome(session.tick(scene.t_us + 60_000_000)), Outcome::ChallengeMissed);
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
    let mut session = Session::verify(vec![template], Vec::new(), Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.empty(3.0)).expect("told to come");
    let step = feed(&mut session, &scene.play(1.0, |_| Posture::default())).expect("asked again");
    assert_eq!(code(&step), instruction::GESTURE);
    assert_eq!(outcome(feed(&mut session, &scene.gesture(circle, 2.4))), Outcome::Success);
}

#[test]
fn a_dark_room_two_people_and_no_movement_are_not_judged() {
    let mut scene = Scene::new(6);
    let template = enrolled(&mut scene);
    let verify = |scene: &Scene| {
        let mut session = Session::verify(vec![template.clone()], Vec::new(), Limits::default(), scene.t_us);
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
    let mut session = Session::verify(vec![template], Vec::new(), Limits::default(), scene.t_us);
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
fn a_challenge_answered_by_a_frozen_stream_is_missed() {
    let mut scene = Scene::new(10);
    let template = enrolled(&mut scene);
    let mut session =
        Session::verify(vec![template], vec![Movement::RaiseLeft], Limits::default(), scene.t_us);
    session.begin();
    feed(&mut session, &scene.gesture(circle, 2.4)).expect("the gesture ends by itself");
    let mut answer = scene.play(0.5, |_| Posture::default());
    answer.extend(scene.play(2.6, show([0.1, -1.4], REST, 0.0)));
    answer.iter_mut().for_each(|o| o.stats.digest = 9);
    assert_eq!(outcome(feed(&mut session, &answer)), Outcome::ChallengeMissed);
}
