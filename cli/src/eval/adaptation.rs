//! What carrying a later recording beside the enrolled ones does: for attackers who try to pull a template along, and
//! for the owner.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pose_engine::adapt::{adapted, nearness, worth_keeping};
use pose_engine::constants::{ACCEPT, ADAPT};
use pose_engine::matching::verify_track;
use pose_engine::normalise::Track;
use pose_engine::template::Template;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::protocol::{Cell, Trials};
use super::rates::{central, draws, share};
use super::recordings::Recording;
use super::report::{between, percent};

/// Attempts of one attacker, who goes through all recordings that there are again and again.
const ATTEMPTS: usize = 50;

/// Everything that was counted.
#[derive(Clone, Debug)]
pub(crate) struct Adaptation {
    /// Median of the genuine trials' nearness and the best informed impostor's: the bound lies between where one can.
    pub(crate) genuine_median: Option<f64>,
    pub(crate) best_informed: Option<f64>,
    /// Informed impostor recordings that reach the bound.
    pub(crate) reaching: usize,
    /// Attackers (another user before a cell, with every recording of the same gesture), those who ever get in, and
    /// those whose rate rose.
    pub(crate) attackers: usize,
    pub(crate) get_in: usize,
    pub(crate) rose: usize,
    /// The attackers' false accept rate before, after fifty attempts, and after them by a rule that keeps whatever is
    /// accepted.
    pub(crate) before: Option<f64>,
    pub(crate) after: Option<f64>,
    pub(crate) after_careless: Option<f64>,
    /// After minus before, with a bootstrap over the users who are attacked.
    pub(crate) difference: Option<(f64, [f64; 2])>,
    /// Genuine recordings refused of those after a cell's first: as enrolled, and with what earlier ones left.
    pub(crate) owner: Owner,
}

/// What adaptation by the owner does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) later: usize,
    pub(crate) refused: [usize; 2],
    pub(crate) informed: usize,
    pub(crate) informed_accepted: [usize; 2],
    pub(crate) zero_effort: usize,
    pub(crate) zero_effort_accepted: [usize; 2],
}

/// One cell's counts.
#[derive(Default)]
struct Counts {
    user: usize,
    genuine: Vec<f64>,
    informed: Vec<f64>,
    attackers: usize,
    get_in: usize,
    rose: usize,
    attempts: usize,
    accepted: [usize; 3],
    owner: Owner,
}

/// Measures every cell; `done` is told after each.
pub(crate) fn measure(recordings: &[Recording], trials: &Trials, done: &(dyn Fn() + Sync)) -> Adaptation {
    let cells: Vec<Counts> = trials
        .cells
        .par_iter()
        .map(|cell| {
            let counts = count(recordings, cell);
            done();
            counts
        })
        .collect();
    let total = |of: fn(&Counts) -> usize| cells.iter().map(of).sum::<usize>();
    let attempts = total(|c| c.attempts);
    Adaptation {
        genuine_median: median(cells.iter().flat_map(|c| c.genuine.iter().copied()).collect()),
        best_informed: cells.iter().flat_map(|c| c.informed.iter().copied()).max_by(f64::total_cmp),
        reaching: cells.iter().flat_map(|c| &c.informed).filter(|near| **near >= ADAPT).count(),
        attackers: total(|c| c.attackers),
        get_in: total(|c| c.get_in),
        rose: total(|c| c.rose),
        before: share(total(|c| c.accepted[0]), attempts),
        after: share(total(|c| c.accepted[1]), attempts),
        after_careless: share(total(|c| c.accepted[2]), attempts),
        difference: difference(&cells, trials.users.len()),
        owner: cells.iter().fold(Owner::default(), |sum, c| sum.and(&c.owner)),
    }
}

fn count(recordings: &[Recording], cell: &Cell) -> Counts {
    let track = |i: &usize| &recordings[*i].track;
    let enrolled = Template::of_tracks(cell.templates.iter().map(|i| track(i).clone()));
    let mut counts = Counts { user: cell.user, ..Counts::default() };
    let mut by_attacker: BTreeMap<&str, Vec<&Track>> = BTreeMap::new();
    for i in &cell.informed {
        by_attacker.entry(&recordings[*i].user).or_default().push(track(i));
    }
    for attempts in by_attacker.values() {
        counts.attack(&enrolled, attempts);
    }
    counts.informed = cell.informed.iter().map(|i| nearness(&enrolled, track(i))).collect();
    counts.genuine = cell.genuine.iter().map(|i| nearness(&enrolled, track(i))).collect();
    let genuine: Vec<&Track> = cell.genuine.iter().map(track).collect();
    let informed: Vec<&Track> = cell.informed.iter().map(track).collect();
    let zero_effort: Vec<&Track> = cell.zero_effort.iter().map(track).collect();
    counts.owner = Owner::of(&enrolled, &genuine, &informed, &zero_effort);
    counts
}

impl Counts {
    fn attack(&mut self, enrolled: &Template, attempts: &[&Track]) {
        let passing = |template: &Template| attempts.iter().filter(|t| passes(template, t)).count();
        let before = passing(enrolled);
        let mut accepted = [before; 3];
        // Whom nothing lets in leaves nothing behind.
        if before > 0 {
            let round = attempts.iter().copied().cycle().take(ATTEMPTS);
            accepted[1] = passing(&after(enrolled, round.clone()));
            accepted[2] = passing(&after_careless(enrolled, round));
        }
        self.attackers += 1;
        self.get_in += usize::from(before > 0);
        self.rose += usize::from(accepted[1] > before);
        self.attempts += attempts.len();
        self.accepted = std::array::from_fn(|k| self.accepted[k] + accepted[k]);
    }
}

/// The template after logins, as the product adapts it.
fn after<'a>(enrolled: &Template, logins: impl Iterator<Item = &'a Track>) -> Template {
    let mut used = enrolled.clone();
    for login in logins {
        // The cheaper question first.
        if worth_keeping(enrolled, login) && passes(&used, login) {
            used = adapted(enrolled, &Template::of_tracks([login.clone()]));
        }
    }
    used
}

/// The same by a rule without bounds: the newest accepted recording stands beside the enrolled ones like another of
/// them.
fn after_careless<'a>(enrolled: &Template, logins: impl Iterator<Item = &'a Track>) -> Template {
    let mut used = enrolled.clone();
    for login in logins {
        if passes(&used, login) {
            used = Template::of_tracks(enrolled.recordings().iter().chain([login]).cloned());
        }
    }
    used
}

impl Owner {
    fn of(enrolled: &Template, genuine: &[&Track], informed: &[&Track], zero_effort: &[&Track]) -> Self {
        let mut used = enrolled.clone();
        let mut refused = [0; 2];
        for (n, login) in genuine.iter().enumerate() {
            if n > 0 {
                refused[0] += usize::from(!passes(enrolled, login));
                refused[1] += usize::from(!passes(&used, login));
            }
            used = if worth_keeping(enrolled, login) {
                adapted(enrolled, &Template::of_tracks([(*login).clone()]))
            } else {
                used
            };
        }
        let accepted = |impostors: &[&Track]| {
            [enrolled, &used].map(|template| impostors.iter().filter(|t| passes(template, t)).count())
        };
        Self {
            later: genuine.len().saturating_sub(1),
            refused,
            informed: informed.len(),
            informed_accepted: accepted(informed),
            zero_effort: zero_effort.len(),
            zero_effort_accepted: accepted(zero_effort),
        }
    }

    fn and(&self, other: &Self) -> Self {
        let both = |a: [usize; 2], b: [usize; 2]| [a[0] + b[0], a[1] + b[1]];
        Self {
            later: self.later + other.later,
            refused: both(self.refused, other.refused),
            informed: self.informed + other.informed,
            informed_accepted: both(self.informed_accepted, other.informed_accepted),
            zero_effort: self.zero_effort + other.zero_effort,
            zero_effort_accepted: both(self.zero_effort_accepted, other.zero_effort_accepted),
        }
    }
}

fn passes(template: &Template, track: &Track) -> bool {
    verify_track(template, track).accepted
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn difference(cells: &[Counts], users: usize) -> Option<(f64, [f64; 2])> {
    let weighted = |weights: &[u32]| {
        let sum = |of: fn(&Counts) -> usize| -> f64 {
            cells.iter().map(|c| f64::from(weights[c.user]) * of(c) as f64).sum()
        };
        let attempts = sum(|c| c.attempts);
        (attempts > 0.0).then(|| (sum(|c| c.accepted[1]) - sum(|c| c.accepted[0])) / attempts)
    };
    let all = weighted(&vec![1; users])?;
    Some((all, central(draws(users).filter_map(|weights| weighted(&weights)).collect())?))
}

impl Adaptation {
    /// For people.
    pub(crate) fn words(&self) -> String {
        let score = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
        let mut out = format!(
            "adaptation: kept from a nearness of {ADAPT} on (threshold {ACCEPT}; genuine median {}, best informed \
             impostor {}, {} of them reach it)\n",
            score(self.genuine_median),
            score(self.best_informed),
            self.reaching
        );
        let difference = self.difference.map_or_else(String::new, |(points, interval)| {
            format!(", difference {} [{}] points", percent(Some(points)), between(interval))
        });
        let _ = writeln!(
            out,
            "  attackers who know the gesture: {} of {} ever get in; accepted {} %, after {ATTEMPTS} attempts {} %\
             {difference}; {} attackers' rates rose; if whatever is accepted were kept: {} %",
            self.get_in,
            self.attackers,
            percent(self.before),
            percent(self.after),
            self.rose,
            percent(self.after_careless)
        );
        let o = &self.owner;
        let _ = writeln!(
            out,
            "  owner's logins after the first: refused {} of {} as enrolled, {} adapted; then accepted: informed {} -> \
             {} of {}, zero-effort {} -> {} of {}",
            o.refused[0],
            o.later,
            o.refused[1],
            o.informed_accepted[0],
            o.informed_accepted[1],
            o.informed,
            o.zero_effort_accepted[0],
            o.zero_effort_accepted[1],
            o.zero_effort
        );
        out
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        let o = &self.owner;
        json!({
            "bound": ADAPT, "genuine_median": self.genuine_median, "best_informed": self.best_informed,
            "informed_reaching": self.reaching,
            "attackers": {
                "n": self.attackers, "get_in": self.get_in, "rose": self.rose, "attempts": ATTEMPTS,
                "accepted_before": self.before, "accepted_after": self.after,
                "accepted_after_keeping_whatever_passes": self.after_careless,
                "difference": self.difference.map(|d| d.0), "ci95": self.difference.map(|d| d.1),
            },
            "owner": {
                "later_logins": o.later, "refused": o.refused,
                "informed": o.informed, "informed_accepted": o.informed_accepted,
                "zero_effort": o.zero_effort, "zero_effort_accepted": o.zero_effort_accepted,
            },
        })
    }
}
