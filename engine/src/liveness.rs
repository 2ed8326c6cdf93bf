//! Passive liveness: cues that only ever deny.
//!
//! A still does not move; a photo moved by hand moves as one plate, an affine motion of a fixed skeleton; a frozen
//! or looped stream repeats its pictures; a manipulated one breaks its time stamps. A replay on a screen passes
//! all of these: the challenge is what stops it.

use std::fmt;

use crate::affine;
use crate::clean::{clean, quantile};
use crate::constants::{
    MIN_AFFINE_RESIDUAL, MIN_ARTICULATION, MIN_MISFIT_TIMES_ARTICULATION, MIN_MOVEMENT,
    MIN_MOVEMENT_DEVIATION,
};
use crate::landmarks::Observation;
use crate::sequence::{JOINTS, Joint, Sequence, joint};

mod body;
mod stream;

pub use body::{Apart, Bodies, Build};
pub use stream::{Ledger, stream_denials};

/// What the cues say about a presentation.
#[derive(Clone, Debug, PartialEq)]
pub struct Liveness {
    /// Whether no cue denies.
    pub live: bool,
    /// The cues of the movement.
    pub motion: Motion,
    /// Every cue that denies.
    pub reasons: Vec<NotLive>,
}

/// Movement cues, from landmarks alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Motion {
    /// 90th percentile over frames of the joints' misfit to the best affine map from the median frame, in sums of
    /// upper-bone lengths.
    pub affine_residual: f64,
    /// Largest range (5th to 95th percentile) of an elbow or shoulder angle, radians.
    pub articulation: f64,
    /// Mean speed of the wrists relative to the shoulders, sums of upper-bone lengths a second.
    pub movement: f64,
    /// Standard deviation of that speed over time.
    pub movement_deviation: f64,
}

/// A cue that denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotLive {
    /// Hardly any movement, or an even one.
    Still,
    /// The body moves as one plate.
    Rigid,
    /// The arms do not bend or swing.
    Unarticulated,
    /// The same picture again and again.
    Frozen,
    /// Pictures that were already delivered come again, one here and one there.
    Repeated,
    /// A run of pictures that were already delivered comes again.
    Looped,
    /// Time stamps do not rise.
    TimeStamps,
    /// The frame counter stands still, falls, or runs ahead of time.
    Counter,
    /// No camera delivers so many or so few pictures a second.
    Rate,
    /// Pictures are missing for longer than a camera falters.
    Gap,
    /// The body is somewhere else from one picture to the next.
    Leap,
    /// The body that answers is not the one that made the gesture.
    Exchanged,
}

impl NotLive {
    /// A stable name for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::Rigid => "rigid",
            Self::Unarticulated => "unarticulated",
            Self::Frozen => "frozen_picture",
            Self::Repeated => "repeated_pictures",
            Self::Looped => "looped_pictures",
            Self::TimeStamps => "time_stamps",
            Self::Counter => "frame_counter",
            Self::Rate => "picture_rate",
            Self::Gap => "missing_pictures",
            Self::Leap => "leap",
            Self::Exchanged => "exchanged",
        }
    }
}

/// What to do, one text for all cues of a kind: which of them denied is nobody's to climb by.
impl fmt::Display for NotLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Still | Self::Rigid | Self::Unarticulated => {
                "no live movement was seen; move your arms freely, as you enrolled, with the camera standing still"
            }
            Self::Frozen
            | Self::Repeated
            | Self::Looped
            | Self::TimeStamps
            | Self::Counter
            | Self::Rate
            | Self::Gap
            | Self::Leap => {
                "the camera's pictures did not come one after another; stay in view, close other programs, or re-plug \
                 the camera"
            }
            Self::Exchanged => {
                "you were not seen in one place all the time; do gesture and movements without leaving it, and keep your \
                 face in view"
            }
        })
    }
}

impl Liveness {
    /// Denies for these reasons too.
    pub fn deny(&mut self, reasons: Vec<NotLive>) {
        for reason in reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        self.live = self.reasons.is_empty();
    }
}

/// Judges what the worker reported during a gesture.
#[must_use]
pub fn assess(observations: &[Observation]) -> Liveness {
    let mut reasons = stream_denials(observations);
    let motion = motion_of(&Sequence::from_observations(observations));
    reasons.extend(motion.denials());
    Liveness { live: reasons.is_empty(), motion, reasons }
}

impl Motion {
    /// The movement cues that deny.
    #[must_use]
    pub fn denials(&self) -> Vec<NotLive> {
        // Negated comparisons, so that a NaN denies.
        let at_least = |value: f64, bound: f64| value >= bound;
        let mut out = Vec::new();
        if !(at_least(self.movement, MIN_MOVEMENT)
            && at_least(self.movement_deviation, MIN_MOVEMENT_DEVIATION))
        {
            out.push(NotLive::Still);
        }
        if !(at_least(self.affine_residual, MIN_AFFINE_RESIDUAL)
            && at_least(self.affine_residual * self.articulation, MIN_MISFIT_TIMES_ARTICULATION))
        {
            out.push(NotLive::Rigid);
        }
        if !at_least(self.articulation, MIN_ARTICULATION) {
            out.push(NotLive::Unarticulated);
        }
        out
    }

    /// Whether this is the motion of one plate: it neither bends nor swings.
    #[must_use]
    pub fn is_plate(&self) -> bool {
        self.affine_residual < MIN_AFFINE_RESIDUAL && self.articulation < MIN_ARTICULATION
    }
}

/// The movement cues of a sequence; zeros for one without a body.
#[must_use]
pub fn motion_of(sequence: &Sequence) -> Motion {
    let frames = clean(sequence);
    let Some(size) = affine::body_size(&frames) else { return Motion::default() };
    let speeds = wrist_speeds(&frames, size);
    let n = speeds.len().max(1) as f64;
    let movement = speeds.iter().sum::<f64>() / n;
    let variance = speeds.iter().map(|s| (s - movement).powi(2)).sum::<f64>() / n;
    Motion {
        affine_residual: affine::residual(&frames, size),
        articulation: articulation(&frames),
        movement,
        movement_deviation: variance.sqrt(),
    }
}

fn wrist_speeds(frames: &[[Joint; JOINTS]], size: f32) -> Vec<f64> {
    let arm = |f: &[Joint; JOINTS], wrist: usize| {
        let (l, r) = (f[joint::LEFT_SHOULDER], f[joint::RIGHT_SHOULDER]);
        (f[wrist].x - (l.x + r.x) / 2.0, f[wrist].y - (l.y + r.y) / 2.0)
    };
    frames
        .windows(2)
        .map(|w| {
            [joint::LEFT_WRIST, joint::RIGHT_WRIST]
                .iter()
                .map(|&k| {
                    let (a, b) = (arm(&w[0], k), arm(&w[1], k));
                    f64::from((b.0 - a.0).hypot(b.1 - a.1) / size) * crate::clean::RATE
                })
                .sum()
        })
        .collect()
}

/// Largest range of the two elbow angles and the two angles between upper arm and shoulder line.
fn articulation(frames: &[[Joint; JOINTS]]) -> f64 {
    use joint::{LEFT_ELBOW, LEFT_SHOULDER, LEFT_WRIST, RIGHT_ELBOW, RIGHT_SHOULDER, RIGHT_WRIST};
    const ANGLES: [(usize, usize, usize); 4] = [
        (LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST),
        (RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST),
        (RIGHT_SHOULDER, LEFT_SHOULDER, LEFT_ELBOW),
        (LEFT_SHOULDER, RIGHT_SHOULDER, RIGHT_ELBOW),
    ];
    ANGLES
        .iter()
        .filter_map(|&(a, corner, b)| {
            let mut angles: Vec<f32> = frames.iter().map(|f| angle(f[a], f[corner], f[b])).collect();
            let low = quantile(&mut angles, 0.05)?;
            Some(f64::from(quantile(&mut angles, 0.95)? - low))
        })
        .fold(0.0, f64::max)
}

/// Angle at `corner`, 0..π.
fn angle(a: Joint, corner: Joint, b: Joint) -> f32 {
    let (ux, uy, vx, vy) = (a.x - corner.x, a.y - corner.y, b.x - corner.x, b.y - corner.y);
    (ux * vy - uy * vx).abs().atan2(ux * vx + uy * vy)
}
