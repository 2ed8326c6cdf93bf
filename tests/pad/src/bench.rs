//! All presentations, spread over the machine's cores, in an order that does not change what they show.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Result;
use crate::cast::{Cast, REPETITIONS};
use crate::eye::Eye;
use crate::species::{Plan, Species, live};
use crate::tally::Tally;
use crate::trial::{self, Trial};

/// What is presented.
#[derive(Clone, Copy, Debug)]
enum Item {
    Attack(Plan),
    Live { target: usize, take: usize, grey: bool },
}

impl Item {
    fn name(&self) -> &'static str {
        match self {
            Self::Attack(plan) => plan.species.name(),
            Self::Live { grey: false, .. } => "live",
            Self::Live { grey: true, .. } => "live, grey",
        }
    }
}

/// All counts.
#[derive(Debug, Default)]
pub struct Results {
    /// By species.
    pub attacks: Vec<(Species, Tally)>,
    /// Live people before a colour camera.
    pub live: Tally,
    /// The same before a camera that delivers grey pictures.
    pub live_grey: Tally,
}

/// How much is presented.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Presentations of each species.
    pub per_species: usize,
    /// Recordings of each live person and gesture, at most all.
    pub live_takes: usize,
    /// Of everything random.
    pub seed: u64,
}

/// Runs everything; `progress` is told how many of how many are done, and how the last one ended.
///
/// # Errors
/// Recordings or models that are missing, an enrolment that is refused.
pub fn run(size: Size, progress: &(dyn Fn(usize, usize, &str) + Sync)) -> Result<Results> {
    let cast = Cast::load(&mut Eye::open()?, &|| progress(0, 0, ""))?;
    let items = items(&cast, size);
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let trials: Mutex<Vec<Option<Trial>>> = Mutex::new(vec![None; items.len()]);
    let work = || -> Result<()> {
        let mut eye = Eye::open()?;
        while let Some((at, item)) = take(&next, &items) {
            let trial = present(&mut eye, &cast, item, size.seed ^ at as u64)?;
            let asked = trial.asked.join(", then ");
            let line = format!("{}, {asked}: {} ({})", item.name(), trial.outcome, trial.reasons.join(", "));
            if let Ok(mut trials) = trials.lock() {
                trials[at] = Some(trial);
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len(), &line);
        }
        Ok(())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..cores.min(items.len())).map(|_| scope.spawn(work)).collect();
        let mut outcome = work();
        for thread in threads {
            outcome = outcome.and(thread.join().unwrap_or_else(|_| Err("a thread broke off".into())));
        }
        outcome
    })?;
    let trials = trials.into_inner().map_err(|_| "a thread broke off")?;
    Ok(count(&items, &trials))
}

fn take<'a>(next: &AtomicUsize, items: &'a [Item]) -> Option<(usize, &'a Item)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, items.get(at)?))
}

/// In turn one of each species and one live person, so that a run cut short says something about each.
fn items(cast: &Cast, size: Size) -> Vec<Item> {
    let targets = cast.targets.len();
    let mut columns: Vec<Vec<Item>> = Species::ALL
        .into_iter()
        .map(|species| {
            Plan::of(species, size.per_species, targets, size.seed).into_iter().map(Item::Attack).collect()
        })
        .collect();
    columns.extend([false, true].map(|grey| {
        let takes = size.live_takes.min(REPETITIONS);
        (0..targets * takes).map(|i| Item::Live { target: i % targets, take: i / targets, grey }).collect()
    }));
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|i| columns.iter().filter_map(move |column| column.get(i).copied())).collect()
}

fn present(eye: &mut Eye, cast: &Cast, item: &Item, seed: u64) -> Result<Trial> {
    match *item {
        Item::Attack(plan) => {
            let template = cast.targets[plan.target].template_without(plan.take)?;
            let as_asked = plan.species.answers_as_asked();
            trial::run(eye, &mut *plan.show(cast), &template, plan.seed, as_asked)
        }
        Item::Live { target, take, grey } => {
            let target = &cast.targets[target];
            let template = target.template_without(take)?;
            trial::run(eye, &mut *live(cast, target, take, grey), &template, seed, true)
        }
    }
}

fn count(items: &[Item], trials: &[Option<Trial>]) -> Results {
    let mut results = Results {
        attacks: Species::ALL.into_iter().map(|species| (species, Tally::default())).collect(),
        ..Results::default()
    };
    for (item, trial) in items.iter().zip(trials) {
        let Some(trial) = trial else { continue };
        match item {
            Item::Attack(plan) => {
                let of_species = results.attacks.iter_mut().filter(|(species, _)| *species == plan.species);
                of_species.for_each(|(_, tally)| tally.add(trial));
            }
            Item::Live { grey: false, .. } => results.live.add(trial),
            Item::Live { grey: true, .. } => results.live_grey.add(trial),
        }
    }
    results
}
