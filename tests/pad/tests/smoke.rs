//! One presentation of each species and one live person: the bench itself works. Its figures come from `make pad`.

use pose_pad::bench::{self, Size};
use pose_pad::cast::Source;
use pose_pad::report;

#[test]
fn photos_are_refused_and_the_live_person_is_not() {
    let size = Size { per_species: 1, live_takes: 1, seed: 1 };
    let results = bench::run(&Source::default(), size, &|| (), &|_| Ok(()))
        .expect("the recordings and models are there");
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
}
