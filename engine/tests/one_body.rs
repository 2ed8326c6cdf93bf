//! Attempts in which one body makes the gesture and another answers, and honest ones that might look like it.

mod people;

use people::attempts::{enrolled, feed, outcome};
use people::{Posture, Scene, circle, follow};
use pose_contract::Outcome;
use pose_engine::challenge::Movement;
use pose_engine::decide::{Decision, Reason};
use pose_engine::landmarks::Observation;
use pose_engine::liveness::NotLive;
use pose_engine::session::{End, Limits, Session, Step};

/// A login up to the first movement that it asks.
fn asked(scene: &mut Scene, movements: [Movement; 2]) -> Session {
    let template = enrolled(scene);
    let mut session = Session::verify(vec![template], movements.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    let step = feed(&mut session, &scene.gesture(circle, 2.4));
    assert!(matches!(step, Some(Step::Instruct { .. })), "{step:?}");
    session
}

fn rest(scene: &mut Scene, seconds: f32) -> Vec<Observation> {
    scene.play(seconds, |_| Posture::default())
}

/// A screen that leaves the view within so many seconds, the body on it with it.
fn taken_away(scene: &mut Scene, seconds: f32, across: f32) -> Vec<Observation> {
    let [x, y] = scene.place;
    let steps = (seconds * scene.fps as f32) as u64;
    let out = (0..steps)
        .flat_map(|i| {
            scene.place = [x + across * scene.width * i as f32 / steps as f32, y];
            scene.play(1.0 / scene.fps as f32, |_| Posture::default())
        })
        .collect();
    scene.place = [x, y];
    out
}

fn decision(step: Option<Step>) -> Decision {
    match step {
        Some(Step::Finished(End::Verified(decision))) => decision,
        other => panic!("{other:?}"),
    }
}

/// Both movements, after what happens first.
fn answers(
    session: &mut Session,
    scene: &mut Scene,
    before: &[Observation],
    movements: [Movement; 2],
) -> Option<Step> {
    assert!(feed(session, before).is_none(), "nothing is answered yet");
    let step = feed(session, &follow(movements[0], scene));
    assert!(matches!(step, Some(Step::Instruct { .. })), "{step:?}");
    feed(session, &follow(movements[1], scene))
}

const ARMS: [Movement; 2] = [Movement::RaiseLeft, Movement::TPose];

/// What is different about who answers.
type Other = (&'static str, fn(&mut Scene));

/// A gesture, then what happens before the first answer, then both answers.
fn answered_after(seed: u64, meanwhile: impl Fn(&mut Scene) -> Vec<Observation>) -> Decision {
    let mut scene = Scene::new(seed);
    let mut session = asked(&mut scene, ARMS);
    let mut before = rest(&mut scene, 0.6);
    before.extend(meanwhile(&mut scene));
    before.extend(rest(&mut scene, 0.6));
    decision(answers(&mut session, &mut scene, &before, ARMS))
}

#[track_caller]
fn assert_exchange(decision: &Decision, what: &str) {
    let seen = decision.reasons.contains(&Reason::NotLive(NotLive::Exchanged));
    assert!(!decision.accept && seen, "{what}: {:?}", decision.reasons);
}

#[test]
fn somebody_else_who_answers_is_refused_for_place_size_or_face() {
    assert_eq!(answered_after(1, |_| Vec::new()).outcome, Outcome::Success);
    let others: [Other; 4] = [
        ("beside", |scene| scene.place[0] += 0.6 * scene.width),
        ("a little beside", |scene| scene.place[0] += 0.3 * scene.width),
        ("nearer", |scene| scene.width *= 1.3),
        ("another head", |scene| scene.head = 1.4),
    ];
    for (who, change) in others {
        let decision = answered_after(1, |scene| {
            change(scene);
            Vec::new()
        });
        assert_exchange(&decision, who);
    }
}

#[test]
fn a_screen_that_is_taken_away_is_seen_also_where_the_next_body_sits_in_its_place() {
    for (seconds, across) in [(0.2, 0.8), (0.4, 1.2), (0.7, 2.0)] {
        let decision = answered_after(2, |scene| taken_away(scene, seconds, across));
        assert_exchange(&decision, &format!("{seconds} s"));
    }
}

#[test]
fn an_exchange_while_nobody_is_seen_is_one_too() {
    let decision = answered_after(3, |scene| {
        let nobody = scene.empty(0.3);
        scene.place[0] += 0.35 * scene.width;
        nobody
    });
    assert_exchange(&decision, "beside");
}

#[test]
fn an_exchange_with_the_very_picture_that_follows_an_instruction_is_one_too() {
    let mut scene = Scene::new(8);
    let mut session = asked(&mut scene, ARMS);
    scene.place[0] += 0.3 * scene.width;
    let step = feed(&mut session, &follow(ARMS[0], &mut scene));
    assert!(matches!(step, Some(Step::Instruct { .. })), "{step:?}");
    scene.place[0] -= 0.3 * scene.width;
    let decision = decision(feed(&mut session, &follow(ARMS[1], &mut scene)));
    assert_exchange(&decision, "beside and back");
}

#[test]
fn nobody_in_view_for_longer_is_an_exchange() {
    assert_exchange(&answered_after(3, |scene| scene.empty(0.6)), "in the same place");
}

#[test]
fn an_exchange_at_the_end_of_the_gesture_is_one_too() {
    let mut scene = Scene::new(4);
    let template = enrolled(&mut scene);
    let mut session = Session::verify(vec![template], ARMS.to_vec(), Limits::default(), scene.t_us);
    session.begin();
    let mut gesture = scene.play(2.4, circle);
    scene.width *= 1.3;
    gesture.extend(rest(&mut scene, 1.2));
    assert!(feed(&mut session, &gesture).is_some());
    let waits = rest(&mut scene, 0.5);
    let decision = decision(answers(&mut session, &mut scene, &waits, ARMS));
    assert_exchange(&decision, "nearer");
}

#[test]
fn who_leans_or_is_lost_from_view_for_a_moment_stays_the_same() {
    for movements in [
        [Movement::LeanLeft, Movement::RaiseRight],
        [Movement::LeanRight, Movement::LeanLeft],
        [Movement::BothUp, Movement::LeanLeft],
        [Movement::HeadBoth, Movement::ArmsCrossed],
    ] {
        let mut scene = Scene::new(5);
        let mut session = asked(&mut scene, movements);
        let mut before = rest(&mut scene, 0.4);
        before.extend(scene.empty(0.3));
        before.extend(rest(&mut scene, 0.4));
        let decision = decision(answers(&mut session, &mut scene, &before, movements));
        assert_eq!(decision.outcome, Outcome::Success, "{movements:?}: {:?}", decision.reasons);
    }
}

#[test]
fn somebody_who_joins_while_a_movement_is_asked_ends_the_attempt() {
    let mut scene = Scene::new(6);
    let mut session = asked(&mut scene, ARMS);
    scene.people = 2;
    let step = feed(&mut session, &rest(&mut scene, 1.0));
    assert_eq!(outcome(step), Outcome::SeveralPeople);
}
