//! Attempts of stick people.

use pose_contract::{Outcome, instruction};
use pose_engine::landmarks::Observation;
use pose_engine::session::{End, Limits, Session, Step};
use pose_engine::template::Template;

use super::{Scene, circle};

/// Feeds a stream until the session asks for something or ends.
pub(crate) fn feed(session: &mut Session, observations: &[Observation]) -> Option<Step> {
    observations.iter().find_map(|o| session.observe(o))
}

pub(crate) fn code(step: &Step) -> &str {
    match step {
        Step::Instruct { code, .. } => code,
        Step::Finished(_) => "finished",
    }
}

pub(crate) fn enrolled(scene: &mut Scene) -> Template {
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

pub(crate) fn outcome(step: Option<Step>) -> Outcome {
    match step {
        Some(Step::Finished(End::Verified(decision))) => decision.outcome,
        Some(Step::Finished(End::Failed { outcome, .. })) => outcome,
        other => panic!("{other:?}"),
    }
}
