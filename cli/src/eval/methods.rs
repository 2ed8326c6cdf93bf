//! The methods that are compared, and their scores on a file's trials.

use pose_engine::baseline::{cosine_distance, mean_of, mean_pose};
use pose_engine::constants::{ACCEPT_UNCHALLENGED, DEVELOPMENT_MEDIAN};
use pose_engine::matching::{mean_distance, position_distance, spread_of, verify_track};
use pose_engine::normalise::Track;
use pose_engine::template::Template;
use rayon::prelude::*;

use super::protocol::{Cell, Trials};
use super::rates::{Decisions, Rates, Sorted, Trial, share};
use super::recordings::Recording;

/// Every method, the shipped one first.
pub(crate) const METHODS: [Method; 3] = [
    Method { name: "shipped", scorer: shipped },
    Method { name: "plain_rel", scorer: plain_rel },
    Method { name: "seed_mean_pose_cosine", scorer: seed },
];

/// A way to compare a recording with templates.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// From a cell's templates to a function that scores a probe (higher is nearer), with the product's decision
    /// where the method has one.
    ///
    /// The second argument is the median spread of the other users' templates.
    scorer: for<'a> fn(&[&'a Track], f64) -> Scorer<'a>,
}

type Scorer<'a> = Box<dyn Fn(&Track) -> (f64, bool) + 'a>;

/// A method's scored trials of one impostor kind, with the genuine ones.
pub(crate) struct Scored {
    pub(crate) name: &'static str,
    pub(crate) informed: Sorted,
    pub(crate) zero_effort: Sorted,
    pub(crate) informed_rates: Rates,
    pub(crate) zero_effort_rates: Rates,
}

/// Scores of one cell.
struct CellScores {
    user: usize,
    genuine: Vec<(f64, bool)>,
    informed: Vec<(f64, bool)>,
    zero_effort: Vec<(f64, bool)>,
}

/// Scores every trial with every method; `done` is told after each cell.
pub(crate) fn score(
    recordings: &[Recording],
    trials: &Trials,
    done: &(dyn Fn() + Sync),
) -> (Vec<Scored>, AtThreshold) {
    let mut decided = AtThreshold::default();
    let others = median_spreads_of_others(recordings, trials);
    let mut out = Vec::new();
    for (i, method) in METHODS.iter().enumerate() {
        let cells: Vec<CellScores> = trials
            .cells
            .par_iter()
            .map(|cell| {
                let scores = score_cell(method, recordings, cell, others[cell.user]);
                done();
                scores
            })
            .collect();
        let scored = rate(method.name, &cells, trials.users.len());
        let users = trials.users.len();
        if i == 0 {
            decided = at_threshold(&cells, &scored, users);
        }
        if i + 1 == METHODS.len() {
            (decided.seed, decided.seed_users) = at_others_threshold(&cells, &scored, users);
        }
        out.push(scored);
    }
    (out, decided)
}

fn score_cell(method: &Method, recordings: &[Recording], cell: &Cell, others: f64) -> CellScores {
    let templates: Vec<&Track> = cell.templates.iter().map(|&i| &recordings[i].track).collect();
    let scorer = (method.scorer)(&templates, others);
    let all = |probes: &[usize]| probes.iter().map(|&i| scorer(&recordings[i].track)).collect();
    CellScores {
        user: cell.user,
        genuine: all(&cell.genuine),
        informed: all(&cell.informed),
        zero_effort: all(&cell.zero_effort),
    }
}

/// For each user the median over the other users' cells of the mean distance between a cell's templates; the
/// product's own constant where there is no other user.
fn median_spreads_of_others(recordings: &[Recording], trials: &Trials) -> Vec<f64> {
    let spreads: Vec<(usize, f64)> = trials
        .cells
        .par_iter()
        .flat_map_iter(|c| {
            let tracks: Vec<&Track> = c.templates.iter().map(|&i| &recordings[i].track).collect();
            let pairs = tracks
                .iter()
                .enumerate()
                .flat_map(|(i, a)| tracks[i + 1..].iter().map(|b| (c.user, position_distance(a, b))));
            pairs.collect::<Vec<_>>()
        })
        .collect();
    (0..trials.users.len())
        .map(|user| {
            let mut of: Vec<f64> =
                spreads.iter().filter(|s| s.0 != user && s.1.is_finite()).map(|s| s.1).collect();
            of.sort_by(f64::total_cmp);
            of.get(of.len() / 2).copied().unwrap_or(DEVELOPMENT_MEDIAN)
        })
        .collect()
}

fn rate(name: &'static str, cells: &[CellScores], users: usize) -> Scored {
    let sorted = |impostors: fn(&CellScores) -> &Vec<(f64, bool)>| {
        let of = |cell: &CellScores, scores: &[(f64, bool)], genuine: bool| -> Vec<Trial> {
            scores.iter().map(|s| Trial { user: cell.user, score: s.0, genuine }).collect()
        };
        Sorted::new(
            cells
                .iter()
                .flat_map(|c| [of(c, &c.genuine, true), of(c, impostors(c), false)])
                .flatten()
                .collect(),
        )
    };
    let (informed, zero_effort) = (sorted(|c| &c.informed), sorted(|c| &c.zero_effort));
    Scored {
        name,
        informed_rates: informed.rates(users),
        zero_effort_rates: zero_effort.rates(users),
        informed,
        zero_effort,
    }
}

/// What the shipped decision does, over all and user by user.
#[derive(Clone, Debug, Default)]
pub(crate) struct AtThreshold {
    pub(crate) all: Decisions,
    /// By user, in the order of [`Trials::users`].
    pub(crate) users: Vec<Decisions>,
    /// The same method at a threshold that the *other* users' trials set (informed false accepts of at most
    /// [`TARGET`]), over all: what to expect of a threshold on users that it was not chosen on.
    pub(crate) others_threshold: Decisions,
    /// The stricter decision of a login without a challenge, over all.
    pub(crate) unchallenged: Decisions,
    /// Scores at which a threshold meets each of [`BOUNDS`].
    pub(crate) bounds: [Option<f64>; BOUNDS.len()],
    /// The score that lets in a tenth of the informed impostors that [`AtThreshold::all`] lets in: the rule behind
    /// [`ACCEPT_UNCHALLENGED`].
    pub(crate) tenth: Option<f64>,
    /// The seed's method, which has no threshold of its own, at such thresholds: over all and user by user.
    pub(crate) seed: Decisions,
    /// See [`AtThreshold::seed`].
    pub(crate) seed_users: Vec<Decisions>,
    /// By cell, in the order of [`Trials::cells`].
    pub(crate) cells: Vec<CellDecisions>,
}

/// How many impostors of one cell are accepted; `None` without trials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CellDecisions {
    pub(crate) user: usize,
    pub(crate) far_informed: Option<f64>,
    pub(crate) far_zero_effort: Option<f64>,
}

/// What the shipped threshold is chosen between: the first two are the lowest that let in no more, the last is the highest
/// that refuses no more.
pub(crate) const BOUNDS: [&str; 3] =
    ["an informed FAR of 1 %", "a zero-effort FAR of 0.1 %", "an FRR of 3 %"];

/// See [`AtThreshold::others_threshold`].
pub(crate) const TARGET: f64 = 0.01;

/// The worst user's share.
pub(crate) fn worst(users: &[Decisions], of: fn(&Decisions) -> Option<f64>) -> Option<f64> {
    users.iter().filter_map(of).max_by(f64::total_cmp)
}

fn at_threshold(cells: &[CellScores], scored: &Scored, users: usize) -> AtThreshold {
    let all = decisions(cells.iter(), |_, trial| trial.1);
    AtThreshold {
        bounds: [
            scored.informed.threshold_at(0.01),
            scored.zero_effort.threshold_at(0.001),
            scored.informed.threshold_refusing(0.03),
        ],
        tenth: all.far_informed.and_then(|far| scored.informed.threshold_at(far / 10.0)),
        all,
        unchallenged: decisions(cells.iter(), |_, trial| trial.0 >= ACCEPT_UNCHALLENGED),
        users: (0..users)
            .map(|user| decisions(cells.iter().filter(|c| c.user == user), |_, trial| trial.1))
            .collect(),
        cells: cells
            .iter()
            .map(|cell| {
                let of = decisions(std::iter::once(cell), |_, trial| trial.1);
                CellDecisions {
                    user: cell.user,
                    far_informed: of.far_informed,
                    far_zero_effort: of.far_zero_effort,
                }
            })
            .collect(),
        others_threshold: at_others_threshold(cells, scored, users).0,
        ..AtThreshold::default()
    }
}

/// See [`AtThreshold::others_threshold`]: over all and user by user.
fn at_others_threshold(cells: &[CellScores], scored: &Scored, users: usize) -> (Decisions, Vec<Decisions>) {
    let thresholds: Vec<Option<f64>> =
        (0..users).map(|user| scored.informed.of_users(|u| u != user).threshold_at(TARGET)).collect();
    let theirs = |cell: &CellScores, trial: &(f64, bool)| thresholds[cell.user].is_some_and(|t| trial.0 >= t);
    let some = |user: Option<usize>| {
        let of = |c: &&CellScores| thresholds[c.user].is_some() && user.is_none_or(|user| c.user == user);
        decisions(cells.iter().filter(of), theirs)
    };
    (some(None), (0..users).map(|user| some(Some(user))).collect())
}

fn decisions<'a>(
    cells: impl Iterator<Item = &'a CellScores> + Clone,
    accepts: impl Fn(&CellScores, &(f64, bool)) -> bool,
) -> Decisions {
    let accepted = |of: fn(&CellScores) -> &Vec<(f64, bool)>| {
        let trials = cells.clone().flat_map(|c| of(c).iter().map(move |trial| (c, trial)));
        share(trials.clone().filter(|(cell, trial)| accepts(cell, trial)).count(), trials.count())
    };
    Decisions {
        frr: accepted(|c| &c.genuine).map(|rate| 1.0 - rate),
        far_informed: accepted(|c| &c.informed),
        far_zero_effort: accepted(|c| &c.zero_effort),
    }
}

fn shipped<'a>(templates: &[&'a Track], _: f64) -> Scorer<'a> {
    let template = Template::of_tracks(templates.iter().map(|t| (*t).clone()));
    Box::new(move |probe| {
        let score = verify_track(&template, probe);
        (score.score, score.accepted)
    })
}

/// Log of the mean distance to the templates over a reference: half the user's own spread, half the others' median.
fn plain_rel<'a>(templates: &[&'a Track], others: f64) -> Scorer<'a> {
    let recordings: Vec<Track> = templates.iter().map(|t| (*t).clone()).filter(|t| !t.is_empty()).collect();
    let reference = 0.5 * spread_of(&recordings) + 0.5 * others;
    Box::new(move |probe| {
        if recordings.is_empty() || probe.is_empty() {
            return (f64::MIN, false);
        }
        (-(mean_distance(&recordings, probe).max(1.0e-6) / reference).ln(), false)
    })
}

fn seed<'a>(templates: &[&'a Track], _: f64) -> Scorer<'a> {
    let mean = mean_of(&templates.iter().map(|t| mean_pose(t)).collect::<Vec<_>>());
    Box::new(move |probe| (-cosine_distance(&mean, &mean_pose(probe)), false))
}
