//! Whether the body that answers is the one that made the gesture. A video of the user can make a gesture, and
//! somebody else who takes its screen away can answer: each half is live enough for its own cues.
//!
//! Two things tell. A body that is exchanged is suddenly elsewhere, however long nobody is seen meanwhile. And where
//! the exchange itself was not seen, the body at rest before a movement has another place, size or face than that of
//! the gesture. Neither is a biometric to rely on: two people of one build who sit in one place differ in the face
//! alone.

use std::ops::Range;

use super::NotLive;
use crate::clean::median;
use crate::landmarks::{Landmark, Observation, part};

/// The trunk's places so long before and after a moment are compared, microseconds.
const BESIDE_US: u64 = 200_000;
/// Farther than this from one to the other, shoulder widths, and the body is another: people who raise, stretch or cross
/// their arms stay below 0.17.
const MAX_HOP: f32 = 0.25;
/// The same where the trunk is free: gestures before a webcam stay below 0.19, people told to lean below 0.67.
const MAX_FREE_HOP: f32 = 0.75;
/// Nobody is in the pictures for so long at most, microseconds: no recording of one person before a webcam loses them, and
/// a screen that is switched off and laid aside takes longer.
const MAX_UNSEEN_US: u64 = 400_000;
/// A body at rest sits within this of where the gesture was made, shoulder widths: 0.18 at most before a webcam.
const MAX_SHIFT: f32 = 0.25;
/// Its shoulders are as wide, logarithm: 0.18 at most before a webcam.
const MAX_GROWTH: f32 = 0.2;
/// How its face differs from the gesture's, in the spread below.
const MAX_FACE: f32 = 3.5;
/// Spread of one person's [`Figure::face`] between recordings before a webcam, logarithms of shoulder widths.
const FACE_SPREAD: [f32; FACE] = [0.04, 0.055, 0.05, 0.04, 0.03];
/// Error of a length in the face, pixels.
const PIXELS: f32 = 1.5;
/// The body at rest is looked at for so long before it sets out for a movement, microseconds.
const BEFORE_US: u64 = 400_000;
/// No attempt has more pictures: 120 s, the longest, at 136 a second.
const MAX_FIGURES: usize = 16_384;
/// Lengths in a face.
const FACE: usize = 5;

/// One picture's body.
#[derive(Clone, Copy, Debug)]
struct Figure {
    t_us: u64,
    /// Whether nothing but the arms was asked to move.
    trunk_rests: bool,
    /// How long nobody was seen before, microseconds; time without pictures does not count.
    unseen_us: u64,
    /// Middle of nose and shoulders, pixels.
    centre: [f32; 2],
    /// Middle of the shoulders, pixels.
    middle: [f32; 2],
    /// Shoulder width, pixels.
    width: f32,
    /// Between the ears, between the eyes, from eyes to mouth; nose and eyes above the shoulders. Pixels.
    face: [f32; FACE],
}

/// What tells the body of a gesture from one that answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Apart {
    /// Farthest that the trunk is from where it was just before while only the arms are asked to move, shoulder widths.
    pub hop: f32,
    /// The same while the trunk may move: in the gesture, and for a lean.
    pub free_hop: f32,
    /// Longest time with nobody in the pictures, microseconds.
    pub unseen_us: u64,
    /// How far from the gesture's place the body rests before it answers, shoulder widths.
    pub shift: f32,
    /// How its shoulder width differs, absolute logarithm.
    pub growth: f32,
    /// How its face differs, in the spread of one person between recordings.
    pub face: f32,
}

/// All bodies of an attempt.
#[derive(Clone, Debug, Default)]
pub struct Bodies {
    figures: Vec<Figure>,
    /// Whether nobody was in the latest picture.
    nobody: bool,
    trunk_rests: bool,
    gesture: Option<Range<u64>>,
    after_gesture: Range<u64>,
    /// Before the first movement that answered.
    before_answer: Option<Range<u64>>,
}

impl Bodies {
    /// Takes one picture in, in the order of delivery.
    pub fn add(&mut self, observation: &Observation) {
        if self.figures.len() < MAX_FIGURES {
            let Some(figure) = Figure::of(observation) else {
                self.nobody = true;
                return;
            };
            let last_us =
                self.figures.last().filter(|_| std::mem::take(&mut self.nobody)).map(|last| last.t_us);
            let unseen_us = last_us.map_or(0, |last_us| observation.t_us.saturating_sub(last_us));
            self.figures.push(Figure { trunk_rests: self.trunk_rests, unseen_us, ..figure });
        }
    }

    /// An instruction was shown, for the arms alone or for more.
    pub fn instructed(&mut self, trunk_rests: bool) {
        self.trunk_rests = trunk_rests;
    }

    /// The gesture, by its time span and when the rest after it was over, microseconds.
    pub fn gesture(&mut self, span_us: Range<u64>, rested_us: u64) {
        self.after_gesture = span_us.end..rested_us;
        self.gesture = Some(span_us);
    }

    /// The body set out for a movement. Before the first it rested since the gesture; before later ones it may hold
    /// the one before.
    pub fn set_out(&mut self, asked_us: u64, set_out_us: u64) {
        let before = asked_us.max(set_out_us.saturating_sub(BEFORE_US))..set_out_us;
        self.before_answer.get_or_insert(before);
    }

    /// How far the bodies are from being one; `None` without a gesture.
    #[must_use]
    pub fn apart(&self) -> Option<Apart> {
        let span = self.gesture.as_ref()?;
        let gesture = Build::of_figures(self.within(span))?;
        let since = self.within(&(span.start..u64::MAX));
        let mut apart = Apart {
            hop: farthest_hop(since, true) / gesture.width,
            free_hop: farthest_hop(since, false) / gesture.width,
            unseen_us: since.iter().map(|figure| figure.unseen_us).max().unwrap_or_default(),
            ..Apart::default()
        };
        for rest in std::iter::once(&self.after_gesture).chain(&self.before_answer) {
            if let Some(build) = Build::of_figures(self.within(rest)) {
                let rest = build.apart(&gesture);
                apart.shift = apart.shift.max(rest.shift);
                apart.growth = apart.growth.max(rest.growth);
                apart.face = apart.face.max(rest.face);
            }
        }
        Some(apart)
    }

    /// The cues that deny.
    #[must_use]
    pub fn denials(&self) -> Vec<NotLive> {
        let exchanged = self.apart().is_some_and(|apart| !apart.is_one());
        if exchanged { vec![NotLive::Exchanged] } else { Vec::new() }
    }

    fn within(&self, span_us: &Range<u64>) -> &[Figure] {
        let from = self.figures.partition_point(|figure| figure.t_us < span_us.start);
        let to = self.figures.partition_point(|figure| figure.t_us < span_us.end);
        self.figures.get(from..to).unwrap_or_default()
    }
}

impl Apart {
    /// Whether one body may have done it all.
    #[must_use]
    pub fn is_one(&self) -> bool {
        // In this order a NaN denies.
        self.hop <= MAX_HOP
            && self.free_hop <= MAX_FREE_HOP
            && self.unseen_us <= MAX_UNSEEN_US
            && self.shift <= MAX_SHIFT
            && self.growth <= MAX_GROWTH
            && self.face <= MAX_FACE
    }
}

impl Figure {
    fn of(observation: &Observation) -> Option<Self> {
        let (w, h) = (f32::from(observation.width), f32::from(observation.height));
        let landmarks = &observation.pose.as_ref()?.landmarks;
        let at = |k: usize| {
            let Landmark { x, y, .. } = landmarks[k];
            [x * w, y * h]
        };
        let [nose, left, right] = [part::NOSE, part::LEFT_SHOULDER, part::RIGHT_SHOULDER].map(at);
        let [left_eye, right_eye, left_ear, right_ear, left_mouth, right_mouth] = [
            part::LEFT_EYE,
            part::RIGHT_EYE,
            part::LEFT_EAR,
            part::RIGHT_EAR,
            part::MOUTH_LEFT,
            part::MOUTH_RIGHT,
        ]
        .map(at);
        let width = distance(left, right);
        let middle = between(left, right);
        let eyes = between(left_eye, right_eye);
        // From the shoulder line, at a right angle to it.
        let above = |[x, y]: [f32; 2]| {
            ((x - middle[0]) * (left[1] - right[1]) - (y - middle[1]) * (left[0] - right[0])) / width
        };
        let face = [
            distance(left_ear, right_ear),
            distance(left_eye, right_eye),
            distance(eyes, between(left_mouth, right_mouth)),
            above(nose),
            above(eyes),
        ];
        let centre = [0, 1].map(|k| (nose[k] + left[k] + right[k]) / 3.0);
        let usable = width.is_normal() && centre.iter().chain(&middle).chain(&face).all(|v| v.is_finite());
        usable.then_some(Self {
            t_us: observation.t_us,
            trunk_rests: false,
            unseen_us: 0,
            centre,
            middle,
            width,
            face,
        })
    }
}

/// What stays the same of a body, medians over pictures, pixels.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    middle: [f32; 2],
    width: f32,
    face: [f32; FACE],
}

impl Build {
    /// Of a part of a stream; `None` without a body.
    #[must_use]
    pub fn of(observations: &[Observation]) -> Option<Self> {
        Self::of_figures(&observations.iter().filter_map(Figure::of).collect::<Vec<_>>())
    }

    /// How a body at rest differs from that of the gesture.
    #[must_use]
    pub fn apart(&self, gesture: &Self) -> Apart {
        Apart {
            shift: distance(self.middle, gesture.middle) / gesture.width,
            growth: (self.width / gesture.width).ln().abs(),
            face: self.face_apart(gesture),
            ..Apart::default()
        }
    }

    /// The same build where that other body is, as large as that in the picture.
    #[must_use]
    pub fn in_place_of(&self, other: &Self) -> Self {
        let scale = other.width / self.width;
        Self { middle: other.middle, width: other.width, face: self.face.map(|length| length * scale) }
    }

    fn of_figures(figures: &[Figure]) -> Option<Self> {
        let typical =
            |value: &dyn Fn(&Figure) -> f32| median(&mut figures.iter().map(value).collect::<Vec<_>>());
        Some(Self {
            middle: [typical(&|f| f.middle[0])?, typical(&|f| f.middle[1])?],
            width: typical(&|f| f.width)?,
            face: {
                let mut face = [0.0; FACE];
                for (k, length) in face.iter_mut().enumerate() {
                    *length = typical(&|f| f.face[k])?;
                }
                face
            },
        })
    }

    /// How the faces differ, a root mean square in one person's spread; lengths of a pixel or less tell nothing.
    fn face_apart(&self, gesture: &Self) -> f32 {
        let lengths = self.face.iter().zip(&gesture.face).zip(&FACE_SPREAD);
        let squares: Vec<f32> = lengths
            .filter(|((a, b), _)| **a > PIXELS && **b > PIXELS)
            .map(|((a, b), spread)| {
                let apart = (a / self.width).ln() - (b / gesture.width).ln();
                apart.powi(2) / (spread.powi(2) + (PIXELS / a.min(*b)).powi(2))
            })
            .collect();
        (squares.iter().sum::<f32>() / squares.len().max(1) as f32).sqrt()
    }
}

/// Farthest that the trunk is from where it was just before, pixels; instructions between the two do not matter.
fn farthest_hop(figures: &[Figure], trunk_rests: bool) -> f32 {
    let hops = (1..figures.len()).filter(|&i| figures[i].trunk_rests == trunk_rests).filter_map(|i| {
        let (before, after) = figures.split_at(i);
        let last_us = before.last()?.t_us;
        let before = before.iter().rev().take_while(|f| f.t_us.abs_diff(last_us) <= BESIDE_US);
        let after = after.iter().take_while(|f| f.t_us.abs_diff(figures[i].t_us) <= BESIDE_US);
        Some(distance(place(before)?, place(after)?))
    });
    hops.fold(0.0, f32::max)
}

/// The typical place of the trunk, pixels.
fn place<'a>(figures: impl Iterator<Item = &'a Figure>) -> Option<[f32; 2]> {
    let (mut x, mut y): (Vec<f32>, Vec<f32>) = figures.map(|f| (f.centre[0], f.centre[1])).unzip();
    Some([median(&mut x)?, median(&mut y)?])
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

fn between(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0]
}
