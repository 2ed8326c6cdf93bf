//! Compares a movement with a template.
//!
//! The movement is aligned with each enrolled recording in five ways; each way's log distance is set against how much
//! the user's own recordings differ among themselves, and a weighted sum with the durations and with how near the
//! movement is to what strangers do makes one score.

use crate::adapt;
use crate::alignment::log_distances;
use crate::cohort;
use crate::constants::{
    ACCEPT, DEVELOPMENT_MEDIAN, DURATION_WEIGHT, IDLE_RANGE, IDLE_SHARE, LONGEST_DURATION_RATIO, MEDIANS,
    MIRROR_PRICE, NEAREST_SHARE, OUT_OF_VIEW, OWN_SHARE, RARITY_MEDIAN, RARITY_WEIGHT, TURN_PRICE, WEIGHTS,
    WORST_SCORE,
};
use crate::dtw;
use crate::normalise::Track;
use crate::sequence::{JOINTS, Sequence, joint};
use crate::streams::{ALL_SEEN, ByStream, Movement, STREAMS, Seen};
use crate::template::Template;
use crate::trim::active_seconds;
use crate::turn::{self, Body};

/// How well a movement fits a template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchScore {
    /// The fused score, higher is better, 0 where a movement differs as little as the user's own recordings do;
    /// comparable between users.
    pub score: f64,
    /// Whether the score reaches the shipped threshold.
    pub accepted: bool,
    /// Log of the mean position distance to the template's recordings over the user's own reference, lower is better.
    pub relative: f64,
    /// Absolute log of the ratio of durations, the mean of with and without the rest before and after.
    pub duration: f64,
}

impl MatchScore {
    /// The score of a movement that cannot be compared (empty, no body).
    #[must_use]
    pub fn worst() -> Self {
        Self { score: WORST_SCORE, accepted: false, relative: f64::INFINITY, duration: f64::INFINITY }
    }
}

/// A template made ready for comparing: its recordings as streams, and their own spread.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    recordings: Vec<Movement>,
    /// The recordings themselves, and what tells their depth.
    tracks: Vec<Track>,
    body: Box<Body>,
    /// Mean log distances between the recordings.
    own: ByStream,
    /// Geometric mean of the durations, seconds: whole, and without rest at the ends.
    seconds: (f64, f64),
    /// Where the nose is, the mean over the recordings.
    nose: [f32; 2],
    /// Joints that carry nothing of the gesture: they hardly move.
    idle: Seen,
    /// Joints that no recording shows.
    hidden: Seen,
}

impl Reference {
    /// From normalised recordings, none of them empty.
    #[must_use]
    pub fn of(recordings: &[Track]) -> Self {
        Self::of_seen(recordings, &ALL_SEEN)
    }

    fn of_seen(recordings: &[Track], seen: &Seen) -> Self {
        let movements: Vec<Movement> = recordings.iter().map(|r| Movement::of_seen(r, seen)).collect();
        Self {
            own: own_spread(recordings, &movements, seen),
            seconds: (
                geometric_mean(recordings.iter().map(Track::seconds)),
                geometric_mean(recordings.iter().map(active_seconds)),
            ),
            nose: turn::mean_nose(recordings),
            tracks: recordings.to_vec(),
            body: Box::new(Body::of(recordings)),
            idle: idle(recordings),
            hidden: std::array::from_fn(|k| recordings.iter().all(|r| r.visibility[k] < OUT_OF_VIEW)),
            recordings: movements,
        }
    }

    /// The recordings as streams.
    #[must_use]
    pub fn movements(&self) -> &[Movement] {
        &self.recordings
    }

    /// Where the nose is against the middle of the shoulders, the mean over the recordings.
    #[must_use]
    pub fn nose(&self) -> [f32; 2] {
        self.nose
    }

    /// The same with one more recording to come near to. What is expected of a repetition stays that of the enrolled ones,
    /// or a recording that lies far from them would make everybody look near.
    pub(crate) fn with(&self, later: &Track) -> Self {
        let mut both = self.clone();
        both.recordings.push(Movement::of(later));
        both.tracks.push(later.clone());
        both
    }

    /// The same for a user no less steady than the median one: whose recordings differ much among themselves gets no wider
    /// bound by it.
    fn steady(&self) -> Self {
        Self { own: std::array::from_fn(|k| self.own[k].min(MEDIANS[k])), ..self.clone() }
    }

    /// Joints to compare a probe by: those that no recording shows are left out, and of those that the probe does not
    /// show the idle ones. What carries the gesture is never left out, or hiding it would make it easier to pass.
    fn comparable(&self, probe: &Track) -> Seen {
        std::array::from_fn(|k| !self.hidden[k] && (probe.visibility[k] >= OUT_OF_VIEW || !self.idle[k]))
    }
}

/// Elbows and wrists that hardly move in any recording, while another wrist does.
fn idle(recordings: &[Track]) -> Seen {
    let range = |k: usize| recordings.iter().map(|r| f64::from(r.range(k))).fold(0.0, f64::max);
    let most = range(joint::LEFT_WRIST).max(range(joint::RIGHT_WRIST));
    std::array::from_fn(|k| k >= joint::LEFT_ELBOW && range(k) <= IDLE_RANGE.min(IDLE_SHARE * most))
}

/// Compares a movement with one template.
#[must_use]
pub fn verify(template: &Template, probe: &Sequence) -> MatchScore {
    verify_track(template, &Track::of(probe))
}

/// Compares with several templates and keeps the best score.
#[must_use]
pub fn verify_any(templates: &[Template], probe: &Sequence) -> MatchScore {
    let track = Track::of(probe);
    templates
        .iter()
        .map(|t| verify_track(t, &track))
        .max_by(|a, b| a.score.total_cmp(&b.score))
        .unwrap_or_else(MatchScore::worst)
}

/// [`verify`] on an already normalised movement: with the recordings as they are and, where the nose says that the
/// view turned, as a camera sees them that stands there.
#[must_use]
pub fn verify_track(template: &Template, probe: &Track) -> MatchScore {
    let seen = template.reference().comparable(probe);
    if seen == ALL_SEEN {
        let enrolled = from_either_view(template.reference(), probe, &seen);
        let Some(carried) = template.carried() else { return enrolled };
        return adapt::bounded(enrolled, from_either_view(carried, probe, &seen));
    }
    from_either_view(&Reference::of_seen(template.recordings(), &seen), probe, &seen)
}

/// The score against a template's own recordings, with no more spread expected of them than the median user's; worst
/// where a joint is not compared.
pub(crate) fn steady_score(template: &Template, probe: &Track) -> f64 {
    let reference = template.reference();
    if reference.comparable(probe) != ALL_SEEN {
        return WORST_SCORE;
    }
    from_either_view(&reference.steady(), probe, &ALL_SEEN).score
}

fn from_either_view(reference: &Reference, probe: &Track, seen: &Seen) -> MatchScore {
    let Some(rarity) = cohort::rarity(&Movement::of_seen(probe, seen)) else { return MatchScore::worst() };
    let straight = compare(reference, &reference.recordings, probe, rarity, seen);
    let view =
        turn::nose_of(probe).and_then(|now| reference.body.view(&reference.tracks, reference.nose, now));
    let Some(view) = view else { return straight };
    let recordings: Vec<Movement> = view.recordings.iter().map(|t| Movement::of_seen(t, seen)).collect();
    let mut turned = compare(reference, &recordings, &probe.scaled(view.size), rarity, seen);
    turned.score += shown(&reference.recordings, &recordings) - TURN_PRICE;
    turned.accepted = turned.score >= ACCEPT;
    if turned.score.is_finite() && turned.score > straight.score { turned } else { straight }
}

/// What a view that shows less of the movement takes off the score, and one that shows more adds: from there everybody's
/// positions and velocities differ by as much less.
fn shown(before: &[Movement], now: &[Movement]) -> f64 {
    let extent = |all: &[Movement]| all.iter().map(Movement::extent).sum::<f64>();
    (WEIGHTS[0] + WEIGHTS[3]) * (extent(now) / extent(before)).ln()
}

/// The score of a probe against recordings of the reference's user in one view.
fn compare(
    reference: &Reference,
    recordings: &[Movement],
    probe: &Track,
    rarity: f64,
    seen: &Seen,
) -> MatchScore {
    let movement = Movement::of_seen(probe, seen);
    let Some(distances) = distances_to_each(recordings, &movement, probe, seen) else {
        return MatchScore::worst();
    };
    let Some(mean) = mean_of(&distances) else { return MatchScore::worst() };
    let nearest = distances.iter().map(fused).fold(f64::INFINITY, f64::min);
    let reach = |k: usize| OWN_SHARE * reference.own[k] + (1.0 - OWN_SHARE) * MEDIANS[k];
    let expected = fused(&std::array::from_fn(reach));
    let relative = NEAREST_SHARE * nearest + (1.0 - NEAREST_SHARE) * fused(&mean) - expected;
    let duration = duration_ratio(reference, probe);
    let score = RARITY_WEIGHT * (rarity - RARITY_MEDIAN) - relative - DURATION_WEIGHT * duration;
    if !score.is_finite() {
        return MatchScore::worst();
    }
    MatchScore { score, accepted: score >= ACCEPT, relative: mean[0] - reach(0), duration }
}

/// Weighted sum over the streams.
fn fused(distances: &ByStream) -> f64 {
    distances.iter().zip(WEIGHTS).map(|(d, w)| w * d).sum()
}

/// Log distances to each recording; `None` without a probe.
fn distances_to_each(
    recordings: &[Movement],
    straight: &Movement,
    probe: &Track,
    seen: &Seen,
) -> Option<Vec<ByStream>> {
    let mirrored = mirrored(probe, seen);
    recordings.iter().map(|r| nearer_side(r, straight, mirrored.as_ref())).collect()
}

/// The movement by the other side of the body; none where a joint is left out, since it is another on that side.
fn mirrored(track: &Track, seen: &Seen) -> Option<Movement> {
    (*seen == ALL_SEEN).then(|| Movement::of(&track.mirrored()))
}

/// Log distances to a movement or, at a price, to the same movement by the other side of the body: people switch
/// arms without noticing.
fn nearer_side(recording: &Movement, straight: &Movement, mirrored: Option<&Movement>) -> Option<ByStream> {
    let plain = log_distances(recording, straight)?;
    let Some(mirrored) = mirrored else { return Some(plain) };
    let switched = log_distances(recording, mirrored)?;
    Some(std::array::from_fn(|k| plain[k].min(switched[k] + MIRROR_PRICE)))
}

/// Mean log distances between the recordings of one template; the development medians for fewer than two.
fn own_spread(tracks: &[Track], movements: &[Movement], seen: &Seen) -> ByStream {
    let mut pairs = Vec::new();
    for (i, track) in tracks.iter().enumerate().skip(1) {
        let mirrored = mirrored(track, seen);
        pairs.extend(movements[..i].iter().filter_map(|m| nearer_side(m, &movements[i], mirrored.as_ref())));
    }
    mean_of(&pairs).unwrap_or(MEDIANS)
}

fn mean_of(all: &[ByStream]) -> Option<ByStream> {
    let n = all.len() as f64;
    (!all.is_empty())
        .then(|| -> [f64; STREAMS] { std::array::from_fn(|k| all.iter().map(|d| d[k]).sum::<f64>() / n) })
}

/// Half of the whole durations' ratio, half of the active parts': a rest at one end counts half.
fn duration_ratio(reference: &Reference, probe: &Track) -> f64 {
    let ratio = |probe: f64, own: f64| (probe.max(0.1) / own).ln().abs().min(LONGEST_DURATION_RATIO);
    let whole = ratio(probe.seconds(), reference.seconds.0);
    let active = ratio(active_seconds(probe), reference.seconds.1);
    0.5 * (whole + active)
}

fn geometric_mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len().max(1) as f64;
    (values.map(|v| v.max(0.1).ln()).sum::<f64>() / n).exp()
}

/// DTW over positions.
#[must_use]
pub fn position_distance(a: &Track, b: &Track) -> f64 {
    f64::from(dtw::distance_by(a.frames.len(), b.frames.len(), |i, j| {
        let mut sum = 0.0;
        for (p, q) in a.frames[i].iter().zip(&b.frames[j]) {
            let (dx, dy) = (p[0] - q[0], p[1] - q[1]);
            sum += dx * dx + dy * dy;
        }
        (sum / JOINTS as f32).sqrt()
    }))
}

/// Mean distance between the recordings of one template; the development median for fewer than two.
#[must_use]
pub fn spread_of(recordings: &[Track]) -> f64 {
    let mut sum = 0.0;
    let mut pairs = 0;
    for (i, a) in recordings.iter().enumerate() {
        for b in &recordings[i + 1..] {
            sum += position_distance(a, b);
            pairs += 1;
        }
    }
    if pairs == 0 { DEVELOPMENT_MEDIAN } else { sum / f64::from(pairs) }
}

/// Mean distance to the recordings.
#[must_use]
pub fn mean_distance(recordings: &[Track], probe: &Track) -> f64 {
    recordings.iter().map(|r| position_distance(r, probe)).sum::<f64>() / recordings.len().max(1) as f64
}
