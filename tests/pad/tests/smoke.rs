//! One presentation of each species and one live person: the bench itself works. Its figures come from `make pad`.

use std::sync::Mutex;

use pose_engine::landmarks::{Observation, part};
use pose_pad::bench::{self, Size};
use pose_pad::cast::Source;
use pose_pad::report;
use pose_pad::trial::Trial;

#[test]
fn photos_are_refused_and_the_live_person_is_not() {
    let size = Size { per_species: 1, live_takes: 1, seed: 1 };
    let leaps = Mutex::new(Vec::new());
    let over = |over: &bench::Over<'_>| {
        if over.name.ends_with("in the same place") {
            leaps.lock().expect("no thread broke off").push((over.name, leap(over.trial)));
        }
        Ok(())
    };
    let results =
        bench::run(&Source::default(), size, &|| (), &over).expect("the recordings and models are there");
    for (species, tally) in &results.attacks {
        assert_eq!(tally.n, 1, "{}", species.name());
        assert!(!species.is_photo() || tally.accepted == 0, "{}: {:?}", species.name(), tally.outcomes);
    }
    assert_eq!(results.live.accepted, results.live.n, "{:?}", results.live);
    let folder = std::env::temp_dir().join(format!("pose-pad-{}", std::process::id()));
    report::write(&results, &folder).expect("a report");
    let page = std::fs::read_to_string(folder.join("report.md")).expect("the page");
    assert!(results.attacks.iter().all(|(species, _)| page.contains(species.name())));
    std::fs::remove_dir_all(folder).expect("its own folder");
    let leaps = leaps.into_inner().expect("no thread broke off");
    assert_eq!(leaps.len(), 2, "{leaps:?}");
    // A tenth of a shoulder width: the tracker errs, and hands tremble.
    assert!(leaps.iter().all(|(_, leap)| leap.is_some_and(|leap| leap < 0.1)), "{leaps:?}");
}

/// How far the shoulders that made the gesture lie, at its end, from those that wait for the second movement, in shoulder
/// widths.
fn leap(trial: &Trial) -> Option<f32> {
    let shoulders = |seen: &Observation| {
        let (w, h) = (f32::from(seen.width), f32::from(seen.height));
        let landmarks = &seen.pose.as_ref()?.landmarks;
        Some([part::LEFT_SHOULDER, part::RIGHT_SHOULDER].map(|k| [landmarks[k].x * w, landmarks[k].y * h]))
    };
    let before = shoulders(trial.seen.first()?.last()?)?;
    // The first pictures still bear the tracker's smoothing over the cut.
    let after = shoulders(trial.seen.get(2)?.get(3)?)?;
    let far = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let worst = f32::max(far(before[0], after[0]), far(before[1], after[1]));
    Some(worst / far(before[0], before[1]))
}
