//! All presentations, spread over the machine's cores, in an order that does not change what they show.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Result;
use crate::cast::{Cast, REPETITIONS, Source, Target};
use crate::eye::Eye;
use crate::species::{Plan, Species, live};
use crate::tally::Tally;
use crate::trial::{self, Trial};

const BROKEN: &str = "a thread broke off";

/// What is presented.
#[derive(Clone, Copy, Debug)]
enum Item {
    Attack(Plan),
    Live { target: usize, take: usize, grey: bool },
}

impl Item {
    fn target(&self) -> usize {
        match self {
            Self::Attack(plan) => plan.target,
            Self::Live { target, .. } => *target,
        }
    }

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

impl Results {
    fn empty() -> Self {
        let attacks = Species::ALL.into_iter().map(|species| (species, Tally::default())).collect();
        Self { attacks, ..Self::default() }
    }

    fn add(&mut self, item: &Item, trial: &Trial) {
        match item {
            Item::Attack(plan) => {
                let of_species = self.attacks.iter_mut().filter(|(species, _)| *species == plan.species);
                of_species.for_each(|(_, tally)| tally.add(trial));
            }
            Item::Live { grey: false, .. } => self.live.add(trial),
            Item::Live { grey: true, .. } => self.live_grey.add(trial),
        }
    }
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

/// A presentation that is over.
pub struct Over<'a> {
    /// How many are over, of how many.
    pub done: [usize; 2],
    /// Who was attacked, or was there.
    pub target: &'a Target,
    /// The species, or "live".
    pub name: &'static str,
    /// How it ended, and what was seen of it.
    pub trial: &'a Trial,
    /// All counts so far.
    pub results: &'a Results,
}

/// Runs everything; `tracked` is told of each recording, `over` of each presentation.
///
/// # Errors
/// Recordings or models that are missing, an enrolment that is refused, and what `over` answers.
pub fn run(
    source: &Source,
    size: Size,
    tracked: &(dyn Fn() + Sync),
    over: &(dyn Fn(&Over<'_>) -> Result<()> + Sync),
) -> Result<Results> {
    let cast = Cast::load(source, tracked)?;
    let items = items(&cast, size);
    let next = AtomicUsize::new(0);
    let counted = Mutex::new((0, Results::empty()));
    let work = || -> Result<()> {
        let mut eye = Eye::open()?;
        while let Some((at, item)) = take(&next, &items) {
            let trial = present(&mut eye, &cast, item, size.seed ^ at as u64)?;
            let mut counted = counted.lock().map_err(|_| BROKEN)?;
            let (done, results) = &mut *counted;
            *done += 1;
            results.add(item, &trial);
            let (name, target) = (item.name(), &cast.targets[item.target()]);
            over(&Over { done: [*done, items.len()], target, name, trial: &trial, results })?;
        }
        Ok(())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..cores.min(items.len())).map(|_| scope.spawn(work)).collect();
        let mut outcome = work();
        for thread in threads {
            outcome = outcome.and(thread.join().unwrap_or_else(|_| Err(BROKEN.into())));
        }
        outcome
    })?;
    Ok(counted.into_inner().map_err(|_| BROKEN)?.1)
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
