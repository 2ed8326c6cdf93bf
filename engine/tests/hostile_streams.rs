//! Whatever a confused worker reports, nothing panics, nothing is accepted by accident, and every session ends.

mod people;

use people::{Scene, circle};
use pose_contract::Outcome;
use pose_engine::challenge::{Movement, ResponseWindow, judge};
use pose_engine::gesture::cut;
use pose_engine::landmarks::{Landmark, Observation, PictureStats, Pose};
use pose_engine::liveness::assess;
use pose_engine::matching::verify;
use pose_engine::sequence::Sequence;
use pose_engine::session::{End, Limits, Session, Step};
use pose_engine::template::Template;
use proptest::prelude::*;

fn pose() -> impl Strategy<Value = Pose> {
    let number = prop_oneof![4 => -1.0f32..2.0, 1 => any::<f32>()];
    (prop::collection::vec((number.clone(), number.clone(), number), 33), any::<f32>()).prop_map(
        |(rows, score)| {
            let mut landmarks = [Landmark::default(); 33];
            for (slot, (x, y, visibility)) in landmarks.iter_mut().zip(rows) {
                *slot = Landmark { x, y, z: x, visibility, presence: visibility };
            }
            Pose { landmarks, world: [[score; 3]; 33], score }
        },
    )
}

fn observation() -> impl Strategy<Value = Observation> {
    let time = prop_oneof![6 => 0u64..12_000_000, 1 => any::<u64>()];
    (
        time,
        any::<u32>(),
        any::<u16>(),
        any::<u16>(),
        prop::option::weighted(0.8, pose()),
        0u8..3,
        any::<u64>(),
    )
        .prop_map(|(t_us, sequence, width, height, pose, people, digest)| Observation {
            t_us,
            sequence,
            width,
            height,
            pose,
            people,
            stats: PictureStats { luma_mean: 0.3, clipped: f32::NAN, sharpness: 0.0, digest },
        })
}

fn stream() -> impl Strategy<Value = Vec<Observation>> {
    (prop::collection::vec(observation(), 0..60), any::<bool>()).prop_map(|(mut stream, sorted)| {
        if sorted {
            stream.sort_by_key(|o| o.t_us);
        }
        stream
    })
}

fn template() -> Template {
    let mut scene = Scene::new(3);
    let tracks = (0..3).map(|_| {
        let recording = scene.gesture(circle, 2.4);
        pose_engine::normalise::Track::of(&Sequence::from_observations(cut(&recording)))
    });
    Template::of_tracks(tracks)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn judges_never_panic_and_never_accept_noise(stream in stream(), asked_at in any::<u64>()) {
        let part = cut(&stream);
        prop_assert!(!verify(&template(), &Sequence::from_observations(part)).accepted);
        let liveness = assess(&stream);
        prop_assert_eq!(liveness.live, liveness.reasons.is_empty());
        for movement in Movement::ALL {
            let result = judge(movement, &stream, None, asked_at, &ResponseWindow::default());
            prop_assert_eq!(result.shown, result.completed_at_us.is_some());
        }
    }

    #[test]
    fn every_session_ends_and_noise_is_no_success(stream in stream(), enrols in any::<bool>(), start in 0u64..1_000_000) {
        let mut session = if enrols {
            Session::enrol(3, Limits::default(), start)
        } else {
            Session::verify(vec![template()], Movement::ALL[..2].to_vec(), Limits::default(), start)
        };
        let mut steps = vec![session.begin()];
        steps.extend(stream.iter().filter_map(|o| session.observe(o)));
        // A session asks at most for a gesture and two movements, or for a bounded number of recordings.
        steps.extend((0..40u64).filter_map(|i| session.tick(u64::MAX / 40 * (i + 1))));
        steps.extend(session.tick(u64::MAX));
        let ends: Vec<&End> = steps.iter().filter_map(|s| match s {
            Step::Finished(end) => Some(end),
            Step::Instruct { .. } => None,
        }).collect();
        prop_assert_eq!(ends.len(), 1, "{:?}", steps);
        prop_assert!(matches!(steps.last(), Some(Step::Finished(_))));
        match ends[0] {
            End::Verified(decision) => prop_assert!(decision.outcome != Outcome::Success),
            End::Failed { outcome, .. } => prop_assert!(*outcome != Outcome::Success),
            End::Enrolled { .. } => prop_assert!(false, "noise was enrolled"),
        }
    }
}
