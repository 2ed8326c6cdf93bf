//! Cells and trials: who is compared with whom.

use std::collections::BTreeMap;

use super::recordings::Recording;
use super::rng::Rng;

/// Zero-effort impostors drawn for each cell.
const ZERO_EFFORT: usize = 60;

/// One enrolment and the recordings that are tried against it, as indices into the file's recordings.
#[derive(Debug)]
pub(crate) struct Cell {
    /// Index into [`Trials::users`].
    pub(crate) user: usize,
    pub(crate) templates: Vec<usize>,
    pub(crate) genuine: Vec<usize>,
    pub(crate) informed: Vec<usize>,
    pub(crate) zero_effort: Vec<usize>,
}

/// All cells of a file.
#[derive(Debug, Default)]
pub(crate) struct Trials {
    pub(crate) users: Vec<String>,
    pub(crate) gestures: usize,
    pub(crate) cells: Vec<Cell>,
}

impl Trials {
    /// Genuine, informed and zero-effort trials.
    pub(crate) fn counts(&self) -> [usize; 3] {
        self.cells.iter().fold([0; 3], |n, c| {
            [n[0] + c.genuine.len(), n[1] + c.informed.len(), n[2] + c.zero_effort.len()]
        })
    }
}

/// Seed of the zero-effort draw that every report uses.
const SEED: u64 = 20_261_122;

/// Builds the cells of at least `k` + 1 live recordings. `draw` 0 is the draw of zero-effort trials that reports use.
pub(crate) fn trials(recordings: &[Recording], k: usize, cross_view: bool, draw: u64) -> Trials {
    let live: Vec<usize> = (0..recordings.len()).filter(|&i| recordings[i].kind.is_live()).collect();
    let mut users: Vec<String> = live.iter().map(|&i| recordings[i].user.clone()).collect();
    users.sort();
    users.dedup();
    let mut gestures: Vec<&str> = live.iter().map(|&i| recordings[i].gesture.as_str()).collect();
    gestures.sort_unstable();
    gestures.dedup();
    let mut members: BTreeMap<(&str, &str, &str), Vec<usize>> = BTreeMap::new();
    for &i in &live {
        let r = &recordings[i];
        let view = if cross_view { "" } else { r.view.as_str() };
        members.entry((&r.user, &r.gesture, view)).or_default().push(i);
    }
    let mut rng = Rng::new(SEED.wrapping_add(draw));
    let cells = members
        .into_iter()
        .filter(|(_, all)| all.len() > k)
        .map(|((user, gesture, _), mut all)| {
            all.sort_by(|&a, &b| {
                let (a, b) = (&recordings[a], &recordings[b]);
                a.rep.total_cmp(&b.rep).then_with(|| a.view.cmp(&b.view))
            });
            let genuine = all.split_off(k);
            let others = live.iter().copied().filter(|&i| recordings[i].user != user);
            let (informed, strangers): (Vec<usize>, Vec<usize>) =
                others.partition(|&i| recordings[i].gesture == gesture);
            let user = users.binary_search_by(|u| u.as_str().cmp(user)).unwrap_or(0);
            Cell { user, templates: all, genuine, informed, zero_effort: rng.sample(strangers, ZERO_EFFORT) }
        })
        .collect();
    Trials { gestures: gestures.len(), users, cells }
}
