//! Compares a movement with a template.

use crate::constants::{ACCEPT, DEVELOPMENT_MEDIAN, DURATION_WEIGHT, WORST_SCORE};
use crate::dtw;
use crate::normalise::Track;
use crate::sequence::{JOINTS, Sequence};
use crate::template::Template;

/// How well a movement fits a template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatchScore {
    /// The fused score, higher is better; comparable between users.
    pub score: f64,
    /// Whether the score reaches the shipped threshold.
    pub accepted: bool,
    /// Log of the mean distance to the template's recordings over the user's own reference, lower is better.
    pub relative: f64,
    /// Absolute log of the ratio of durations (probe to the recordings' median).
    pub duration: f64,
}

impl MatchScore {
    /// The score of a movement that cannot be compared (empty, no body).
    #[must_use]
    pub fn worst() -> Self {
        Self { score: WORST_SCORE, accepted: false, relative: f64::INFINITY, duration: f64::INFINITY }
    }
}

/// Compares a movement with one template.
#[must_use]
pub fn verify(template: &Template, probe: &Sequence) -> MatchScore {
    verify_track(template, &Track::of(probe))
}

/// Compares with several templates (a gesture and its mirrored variant, say) and keeps the best score.
#[must_use]
pub fn verify_any(templates: &[Template], probe: &Sequence) -> MatchScore {
    let track = Track::of(probe);
    templates
        .iter()
        .map(|t| verify_track(t, &track))
        .max_by(|a, b| a.score.total_cmp(&b.score))
        .unwrap_or_else(MatchScore::worst)
}

/// [`verify`] on an already normalised movement.
#[must_use]
pub fn verify_track(template: &Template, probe: &Track) -> MatchScore {
    if probe.is_empty() || template.recordings().is_empty() {
        return MatchScore::worst();
    }
    let relative = relative_distance(template.recordings(), template.spread(), probe);
    let duration = duration_ratio(template.recordings(), probe);
    let score = -(relative + DURATION_WEIGHT * duration);
    if !score.is_finite() {
        return MatchScore::worst();
    }
    MatchScore { score, accepted: score >= ACCEPT, relative, duration }
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

/// Log of the mean distance to the recordings over the user's own reference: half the spread of the user's
/// recordings, half the development median.
#[must_use]
pub fn relative_distance(recordings: &[Track], spread: f64, probe: &Track) -> f64 {
    let mean =
        recordings.iter().map(|r| position_distance(r, probe)).sum::<f64>() / recordings.len().max(1) as f64;
    (mean.max(1.0e-6) / (0.5 * spread + 0.5 * DEVELOPMENT_MEDIAN)).ln()
}

/// Mean distance to the recordings.
#[must_use]
pub fn mean_distance(recordings: &[Track], probe: &Track) -> f64 {
    recordings.iter().map(|r| position_distance(r, probe)).sum::<f64>() / recordings.len().max(1) as f64
}

fn duration_ratio(recordings: &[Track], probe: &Track) -> f64 {
    let mut seconds: Vec<f32> = recordings.iter().map(|r| r.seconds() as f32).collect();
    let own = crate::clean::median(&mut seconds).map_or(1.0, f64::from);
    (probe.seconds() / own.max(1.0e-3)).ln().abs()
}
