//! Each way of meddling with a camera's stream is refused for its own reason, and what honest cameras do is not:
//! the recorded camera, the tracker and the live session, as the daemon's worker and its parent run them.

use std::path::PathBuf;
use std::time::Duration;

use pose_camera::Camera;
use pose_camera::recording::damage::{Damage, DamageKind};
use pose_camera::recording::{RecordedCamera, Script};
use pose_contract::Outcome;
use pose_engine::challenge::Movement;
use pose_engine::decide::Decision;
use pose_engine::landmarks::Observation;
use pose_engine::session::{End, Limits, Session, Step};
use pose_engine::template::Template;
use pose_vision::{Assets, Tracker, TrackerOptions};

/// Longest attempt, pictures: the gesture's limit and two challenges' are far below.
const LONGEST: usize = 600;

fn clip(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../recordings", &format!("{name}.avi")].iter().collect()
}

/// Plays an attempt to its end.
fn play(tracker: &mut Tracker, script: Script, session: impl FnOnce(u64) -> Session) -> End {
    let said = format!("{:?}", script.damage);
    let mut camera = RecordedCamera::hurried(&clip("script"), script, 0).expect("the recordings are there");
    tracker.reset();
    let mut next = |camera: &mut RecordedCamera| -> Observation {
        let frame = camera.next_frame(Duration::from_secs(1)).expect("a picture");
        tracker.observe(&frame).expect("a whole picture")
    };
    // Somebody sits there when the attempt begins.
    let start = (0..8).map(|_| next(&mut camera)).last().map_or(0, |o| o.t_us);
    let mut session = session(start);
    let mut step = Some(session.begin());
    for _ in 0..LONGEST {
        match step.take() {
            Some(Step::Finished(end)) => return end,
            Some(Step::Instruct { code, .. }) => camera.cue(&code),
            None => {}
        }
        step = session.observe(&next(&mut camera));
    }
    panic!("the attempt did not end: {said}")
}

fn enrolled(tracker: &mut Tracker) -> Template {
    let enrol = (0..3).map(|i| clip(&format!("ben_circle_touch_{i}"))).collect();
    match play(tracker, Script { enrol, ..Script::default() }, |start| {
        Session::enrol(3, Limits::default(), start)
    }) {
        End::Enrolled { enrolment } => enrolment.template,
        other => panic!("{other:?}"),
    }
}

/// A login whose gesture is that recording and whose challenge is answered.
fn login(tracker: &mut Tracker, template: &Template, gesture: &str, damage: Option<Damage>) -> Decision {
    let mut script = Script { gesture: vec![clip(gesture)], damage, ..Script::default() };
    script.challenge.insert("t_pose".into(), clip("ben_t_pose"));
    let limits = Limits { challenges_required: 1, ..Limits::default() };
    let session = |start| Session::verify(vec![template.clone()], vec![Movement::TPose], limits, start);
    match play(tracker, script, session) {
        End::Verified(decision) => decision,
        other => panic!("{gesture}: {other:?}"),
    }
}

fn tracker() -> Tracker {
    Tracker::new(&Assets::beside_executable().expect("make build fetches them"), &TrackerOptions::default())
        .expect("the models load")
}

fn damage(kind: DamageKind, cue: &str, from: u64, count: u64) -> Option<Damage> {
    Some(Damage { kind, from, count, cue: Some(cue.to_owned()) })
}

#[test]
fn each_manipulation_is_refused_for_its_own_reason() {
    let mut tracker = tracker();
    let template = enrolled(&mut tracker);
    let (circle, lean) = ("ben_circle_touch_3", "ben_lean_left");
    let cases = [
        ("missing_pictures", circle, damage(DamageKind::Drop, "gesture", 20, 20)),
        ("repeated_pictures", circle, damage(DamageKind::Repeat, "gesture", 6, 64)),
        ("looped_pictures", circle, damage(DamageKind::Loop, "gesture", 15, 10)),
        // In the middle of a lean: what is cut out must be more than a body moves between two pictures.
        ("leap", lean, damage(DamageKind::Cut, "gesture", 10, 18)),
        ("frozen_picture", circle, damage(DamageKind::Freeze, "gesture", 25, 8)),
        ("picture_rate", circle, damage(DamageKind::Fast, "gesture", 25, 20)),
        ("time_stamps", circle, damage(DamageKind::Backwards, "gesture", 25, 1)),
        ("frame_counter", circle, damage(DamageKind::Counter, "gesture", 25, 30)),
        // And while a challenge is answered.
        ("frozen_picture", circle, damage(DamageKind::Freeze, "challenge", 10, 20)),
        ("looped_pictures", circle, damage(DamageKind::Loop, "challenge", 4, 8)),
        ("frame_counter", circle, damage(DamageKind::Counter, "challenge", 10, 30)),
        ("time_stamps", circle, damage(DamageKind::Backwards, "challenge", 10, 1)),
    ];
    for (reason, gesture, damage) in cases {
        let said = format!("{damage:?}");
        let decision = login(&mut tracker, &template, gesture, damage);
        let codes: Vec<String> = decision.reasons.iter().map(|r| r.code()).collect();
        let movement = ["not_live:still", "not_live:rigid", "not_live:unarticulated"];
        let of_stream: Vec<&str> = codes
            .iter()
            .filter(|code| !movement.contains(&code.as_str()))
            .filter_map(|code| code.strip_prefix("not_live:"))
            .collect();
        assert_eq!(of_stream, [reason], "{said}: {codes:?}");
        assert_eq!(decision.outcome, Outcome::NotLive, "{said}: {codes:?}");
    }
}

#[test]
fn honest_hiccups_are_not_refused() {
    let mut tracker = tracker();
    let template = enrolled(&mut tracker);
    let cases = [
        None,
        damage(DamageKind::LoseSome, "gesture", 0, 64),
        damage(DamageKind::Double, "gesture", 0, 64),
        damage(DamageKind::Drop, "gesture", 30, 3),
        damage(DamageKind::Freeze, "gesture", 30, 3),
        damage(DamageKind::LoseSome, "challenge", 0, 64),
        damage(DamageKind::Double, "challenge", 0, 64),
    ];
    for damage in cases {
        let said = format!("{damage:?}");
        let decision = login(&mut tracker, &template, "ben_circle_touch_3", damage);
        assert!(decision.accept, "{said}: {:?}", decision.reasons);
    }
}
