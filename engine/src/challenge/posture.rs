//! One frame of a body relative to its resting posture, and the one movement that it shows, if any.
//!
//! Lengths are in shoulder widths; x runs to the person's left, y down; the origin is the middle of the shoulders.

use super::Movement;
use crate::clean::{clean, median};
use crate::sequence::{JOINTS, Joint, Sequence, joint};

/// Frames at the beginning of a recording from which its resting posture is taken.
const REST_FRAMES: usize = 5;

/// Tangent of 30 degrees.
const UPRIGHT: f32 = 0.577;

/// One frame of a body, relative to its own resting posture.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// Joints about the middle of the shoulders.
    pub joints: [[f32; 2]; JOINTS],
    /// Sideways shift of the middle of the shoulders since rest, to the person's left.
    pub shift: f32,
    /// The same for the nose.
    pub head_shift: f32,
    /// Tilt of the shoulder line since rest, radians; positive when the left shoulder sinks.
    pub tilt: f32,
}

/// Where a body is when it rests, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    width: f32,
    middle_x: f32,
    nose_x: f32,
    tilt: f32,
}

impl Rest {
    /// The posture in the middle of a recording that begins and ends at rest; `None` without a body.
    #[must_use]
    pub fn of(sequence: &Sequence) -> Option<Self> {
        let frames = clean(sequence);
        Self::of_frames(&frames, &frames)
    }

    /// `sized` gives the shoulder width, `rest` the rest.
    fn of_frames(sized: &[[Joint; JOINTS]], rest: &[[Joint; JOINTS]]) -> Option<Self> {
        let of = |frames: &[[Joint; JOINTS]], f: &dyn Fn(&[Joint; JOINTS]) -> f32| {
            let mut values: Vec<f32> = frames.iter().map(f).collect();
            median(&mut values)
        };
        let width = of(sized, &|f| across(f).0.hypot(across(f).1))?;
        let rest = Self {
            width,
            middle_x: of(rest, &middle_x)?,
            nose_x: of(rest, &|f| f[joint::NOSE].x)?,
            tilt: of(rest, &tilt)?,
        };
        (width.is_normal() && width > 0.0).then_some(rest)
    }
}

/// The frames of a sequence as bodies, on the 15 Hz grid. Without `rest` the first frames are taken for it.
pub(crate) fn bodies(sequence: &Sequence, rest: Option<&Rest>) -> Vec<Body> {
    let frames = clean(sequence);
    let first = &frames[..frames.len().min(REST_FRAMES)];
    let Some(rest) = rest.copied().or_else(|| Rest::of_frames(&frames, first)) else { return Vec::new() };
    frames.iter().map(|f| body(f, &rest)).collect()
}

fn body(f: &[Joint; JOINTS], rest: &Rest) -> Body {
    let (cos, sin) = (rest.tilt.cos(), -rest.tilt.sin());
    let cx = middle_x(f);
    let cy = (f[joint::LEFT_SHOULDER].y + f[joint::RIGHT_SHOULDER].y) / 2.0;
    Body {
        joints: f.map(|p| {
            let (x, y) = ((p.x - cx) / rest.width, (p.y - cy) / rest.width);
            [cos * x - sin * y, sin * x + cos * y]
        }),
        shift: (cx - rest.middle_x) / rest.width,
        head_shift: (f[joint::NOSE].x - rest.nose_x) / rest.width,
        tilt: tilt(f) - rest.tilt,
    }
}

fn across(f: &[Joint; JOINTS]) -> (f32, f32) {
    let (l, r) = (f[joint::LEFT_SHOULDER], f[joint::RIGHT_SHOULDER]);
    (l.x - r.x, l.y - r.y)
}

fn middle_x(f: &[Joint; JOINTS]) -> f32 {
    (f[joint::LEFT_SHOULDER].x + f[joint::RIGHT_SHOULDER].x) / 2.0
}

fn tilt(f: &[Joint; JOINTS]) -> f32 {
    across(f).1.atan2(across(f).0)
}

/// What one arm does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arm {
    /// Below the shoulder, not stretched out.
    Down,
    /// The hand above the head.
    Up,
    /// The hand no higher than beside the head, the forearm upright over an elbow that hangs.
    HalfUp,
    /// Stretched out to its own side.
    Out,
    /// The hand on the head.
    Head,
    /// The hand at the other shoulder.
    Across,
    /// Anything else, or more than one of these.
    Unclear,
}

/// The one movement that a frame shows, if any. Where two could be meant, none is.
#[must_use]
pub fn shown_in(body: &Body) -> Option<Movement> {
    use Arm::{Across, Down, HalfUp, Head, Out, Up};
    let left =
        arm(body, 1.0, [joint::LEFT_SHOULDER, joint::LEFT_ELBOW, joint::LEFT_WRIST, joint::RIGHT_SHOULDER]);
    let right = arm(
        body,
        -1.0,
        [joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW, joint::RIGHT_WRIST, joint::LEFT_SHOULDER],
    );
    if crossed(&body.joints) {
        return Some(Movement::ArmsCrossed);
    }
    Some(match (left, right) {
        (Up | HalfUp, Down) => Movement::RaiseLeft,
        (Down, Up | HalfUp) => Movement::RaiseRight,
        (Up, Up) => Movement::BothUp,
        (Out, Down) => Movement::OutLeft,
        (Down, Out) => Movement::OutRight,
        (Out, Out) => Movement::TPose,
        (Head, Down) => Movement::HeadLeft,
        (Down, Head) => Movement::HeadRight,
        (Head, Head) => Movement::HeadBoth,
        (Down, Across) => Movement::TouchLeft,
        (Across, Down) => Movement::TouchRight,
        (Up, Out) => Movement::UpLeftOutRight,
        (Out, Up) => Movement::OutLeftUpRight,
        _ if [left, right].iter().all(|arm| matches!(arm, Down | Arm::Unclear)) => return leaning(body),
        _ => return None,
    })
}

/// `side` 1 left, −1 right; joints shoulder, elbow, wrist, other shoulder.
fn arm(body: &Body, side: f32, [shoulder, elbow, wrist, other]: [usize; 4]) -> Arm {
    let j = &body.joints;
    let (s, e, w, o, nose) = (j[shoulder], j[elbow], j[wrist], j[other], j[joint::NOSE]);
    let (outward, up) = (side * (w[0] - s[0]), s[1] - w[1]);
    let reach = far(s, w);
    let straight = reach / (far(s, e) + far(e, w)).max(1.0e-3);
    let states = [
        (Arm::Down, w[1] > 0.4 && outward < f32::max(0.5, -0.9 * up) && far(w, o) > 0.55),
        (Arm::Up, w[1] < nose[1] && up > 0.9 * outward.abs() && straight > 0.8),
        (Arm::HalfUp, half_up(w, e, outward) && far(w, nose) > 0.9),
        (Arm::Out, outward > 1.0 && (-0.45..0.75).contains(&(up / outward)) && straight > 0.7),
        (Arm::Head, on_head(w, nose, side * (e[0] - w[0]), straight)),
        (Arm::Across, at_other_shoulder(w, e, o, side) && w[1] >= nose[1] + 0.2),
    ];
    let mut met = states.iter().filter(|(_, met)| *met);
    match (met.next(), met.next()) {
        (Some((state, _)), None) => *state,
        _ => Arm::Unclear,
    }
}

/// A wrist at the height of the shoulders or above, a little outside its own, the forearm within 30 degrees of upright: so do
/// some people raise a hand. Who signs or scratches the chin so has the hand nearer to the face.
fn half_up(wrist: [f32; 2], elbow: [f32; 2], outward: f32) -> bool {
    let (along, rise) = (wrist[0] - elbow[0], elbow[1] - wrist[1]);
    wrist[1] <= 0.0
        && elbow[1] > 0.0
        && rise > 0.6
        && along.abs() < UPRIGHT * rise
        && (0.1..0.6).contains(&outward)
}

/// A wrist at the other shoulder and past the body's middle. The elbow comes along: where it stays out, the hand lies on
/// the chest.
fn at_other_shoulder(wrist: [f32; 2], elbow: [f32; 2], other: [f32; 2], side: f32) -> bool {
    far(wrist, other) < 0.45 && side * wrist[0] < -0.05 && side * elbow[0] < 0.42
}

/// A wrist at the head. A hand that lies on it from the side, with the elbow far out, has its wrist farther away.
fn on_head(wrist: [f32; 2], nose: [f32; 2], elbow_out: f32, straight: f32) -> bool {
    let from_the_side = elbow_out > 0.3 && straight < 0.5;
    let away = far(wrist, [nose[0], nose[1] - 0.15]);
    away < if from_the_side { 0.8 } else { 0.7 }
        && wrist[1] < nose[1] + 0.2
        && elbow_out > -0.1
        && straight < 0.8
}

fn far(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Each wrist on the other side of the body's middle, in front of the chest.
fn crossed(j: &[[f32; 2]; JOINTS]) -> bool {
    let (lw, rw) = (j[joint::LEFT_WRIST], j[joint::RIGHT_WRIST]);
    let chest = |w: [f32; 2]| w[1] > -0.2 && w[1] < 1.2;
    lw[0] < 0.05 && rw[0] > -0.05 && rw[0] - lw[0] > 0.2 && chest(lw) && chest(rw)
}

fn leaning(body: &Body) -> Option<Movement> {
    let below = |k: usize| body.joints[k][1] > 0.3;
    // A slight tilt counts when the shoulders go along: some people bend, others move over.
    let by = |sign: f32| {
        let (tilt, shift) = (sign * body.tilt, sign * body.shift);
        sign * body.head_shift > 0.25 && (tilt > 0.25 || (tilt > 0.12 && shift > 0.15))
    };
    match () {
        () if !(below(joint::LEFT_WRIST) && below(joint::RIGHT_WRIST)) => None,
        () if by(1.0) => Some(Movement::LeanLeft),
        () if by(-1.0) => Some(Movement::LeanRight),
        () => None,
    }
}
