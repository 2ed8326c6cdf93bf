//! Where in a stream a gesture begins and ends: movement seen, then rest.

use std::ops::Range;

use crate::landmarks::{Observation, Pose, part};

/// Rest for this long ends a gesture, microseconds.
pub const REST_US: u64 = 700_000;
/// Kept before the first and after the last movement, microseconds.
const MARGIN_US: u64 = 250_000;
/// Speed is taken over this time, microseconds.
const LAG_US: u64 = 200_000;
/// Of a longer time without a picture only this much counts as rest, microseconds: two pictures a second still end
/// a gesture.
const LONGEST_STEP_US: u64 = 400_000;
/// A hand faster than this moves, shoulder widths a second; landmark jitter of a resting body stays below.
const MOVING: f32 = 0.8;
/// A hand slower than this rests, shoulder widths a second.
const RESTING: f32 = 0.5;
/// A movement lasts at least this long in all, microseconds.
const MIN_MOVING_US: u64 = 300_000;

/// Follows one stream and tells when its gesture is over.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    recent: Vec<(u64, Points)>,
    first_moving: Option<u64>,
    last_moving: Option<u64>,
    moving: bool,
    latest_us: Option<u64>,
    /// How long the body was seen at rest since it moved last.
    rested_us: u64,
}

/// Wrists and nose, pixels, with the shoulder width.
#[derive(Clone, Copy, Debug)]
struct Points {
    places: [[f32; 2]; 3],
    width: f32,
}

impl Watch {
    /// Takes one more picture in. `true` once the gesture is over.
    pub fn observe(&mut self, observation: &Observation) -> bool {
        let t = observation.t_us;
        // Time that runs backwards is liveness's to refuse; here it only must not count.
        if self.latest_us.is_some_and(|latest| t <= latest) {
            return false;
        }
        // While no picture comes nobody is seen to rest: lost pictures must not end a gesture in its middle.
        self.rested_us += t.saturating_sub(self.latest_us.unwrap_or(t)).min(LONGEST_STEP_US);
        self.latest_us = Some(t);
        let points = observation.pose.as_ref().and_then(|pose| Points::of(pose, observation));
        if let Some(points) = points {
            self.recent.push((t, points));
            let keep = self.recent.partition_point(|(at, _)| at.saturating_add(LAG_US) < t).saturating_sub(1);
            self.recent.drain(..keep);
            if let Some((from, old)) = self.recent.first().filter(|(from, _)| *from < t) {
                self.note(t, points.speed_since(old, t - from));
            }
        }
        self.is_over()
    }

    fn note(&mut self, t: u64, speed: f32) {
        self.moving = speed > if self.moving { RESTING } else { MOVING };
        if self.moving {
            self.first_moving.get_or_insert(t);
            self.last_moving = Some(t);
            self.rested_us = 0;
        }
    }

    fn is_over(&self) -> bool {
        self.moved_us() >= MIN_MOVING_US && self.rested_us >= REST_US
    }

    /// Time from the first to the last movement, microseconds.
    #[must_use]
    pub fn moved_us(&self) -> u64 {
        self.first_moving.zip(self.last_moving).map_or(0, |(first, last)| last.saturating_sub(first))
    }

    /// Whether any movement was seen.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.first_moving.is_some()
    }

    /// The gesture's time span with a margin, microseconds; everything if nothing moved.
    #[must_use]
    pub fn span_us(&self) -> Range<u64> {
        match (self.first_moving, self.last_moving) {
            (Some(first), Some(last)) => {
                first.saturating_sub(LAG_US + MARGIN_US)..last.saturating_add(MARGIN_US)
            }
            _ => 0..u64::MAX,
        }
    }
}

/// The part of a recording from its first to its last movement, with the margin that the live session keeps too.
#[must_use]
pub fn cut(observations: &[Observation]) -> &[Observation] {
    let mut watch = Watch::default();
    for observation in observations {
        watch.observe(observation);
    }
    within(observations, &watch.span_us())
}

/// The observations of a time span.
#[must_use]
pub fn within<'a>(observations: &'a [Observation], span_us: &Range<u64>) -> &'a [Observation] {
    let from = observations.partition_point(|o| o.t_us < span_us.start);
    let to = observations.partition_point(|o| o.t_us < span_us.end);
    &observations[from..to.max(from)]
}

impl Points {
    fn of(pose: &Pose, observation: &Observation) -> Option<Self> {
        let (w, h) = (f32::from(observation.width), f32::from(observation.height));
        let at = |k: usize| [pose.landmarks[k].x * w, pose.landmarks[k].y * h];
        let (l, r) = (at(part::LEFT_SHOULDER), at(part::RIGHT_SHOULDER));
        let width = (l[0] - r[0]).hypot(l[1] - r[1]);
        let places = [at(part::NOSE), at(part::LEFT_WRIST), at(part::RIGHT_WRIST)];
        let usable = width.is_normal() && places.iter().flatten().all(|v| v.is_finite());
        usable.then_some(Self { places, width })
    }

    /// Speed of the fastest point, shoulder widths a second.
    fn speed_since(&self, old: &Self, elapsed_us: u64) -> f32 {
        let far = self
            .places
            .iter()
            .zip(&old.places)
            .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]))
            .fold(0.0, f32::max);
        far / self.width.max(old.width) / (elapsed_us as f32 / 1.0e6)
    }
}
