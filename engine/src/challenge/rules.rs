//! The rules that say which movement a frame shows.
//!
//! Lengths are in shoulder widths; x runs to the person's left, y down; the origin is the middle of the shoulders.

use super::{ChallengeReason, Movement, ResponseWindow};
use crate::clean::{RATE, clean, median};
use crate::sequence::{JOINTS, Joint, Sequence, joint};

/// A movement must be held this many frames at 15 Hz (0.4 s): what a passing hand shows is shorter.
const HOLD_FRAMES: usize = 6;
/// Another movement held this many frames ends the challenge: a recording that shows everything shows nothing.
const OTHER_HOLD_FRAMES: usize = 7;
/// Frames from which the resting posture is taken.
const REST_FRAMES: usize = 5;

/// One frame of a body, relative to its own resting posture.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// Joints about the middle of the shoulders, shoulder widths.
    pub joints: [[f32; 2]; JOINTS],
    /// Sideways shift of the middle of the shoulders since the beginning, to the person's left, shoulder widths.
    pub shift: f32,
    /// The same for the nose.
    pub head_shift: f32,
    /// Tilt of the shoulder line since the beginning, radians; positive when the left shoulder sinks.
    pub tilt: f32,
}

/// When the movement was complete, or why it was not.
pub(super) fn judge_frames(
    movement: Movement,
    sequence: &Sequence,
    asked_at_us: u64,
    limits: &ResponseWindow,
) -> Result<u64, ChallengeReason> {
    let Some(&start) = sequence.times_us().first() else { return Err(ChallengeReason::NotSeen) };
    let time = |i: usize| start.saturating_add((i as f64 * 1.0e6 / RATE) as u64);
    let opens = asked_at_us.saturating_add(limits.read_us);
    let mut held = 0;
    let mut begun_in_window = false;
    let mut early = false;
    let mut other: Option<(Movement, usize)> = None;
    for (i, body) in bodies(sequence).iter().enumerate() {
        if time(i) > asked_at_us.saturating_add(limits.limit_us) {
            break;
        }
        let seen = shown_in(body);
        if seen == Some(movement) {
            if held == 0 {
                begun_in_window = time(i) >= opens && i > 0;
            }
            held += 1;
            early |= !begun_in_window;
            if begun_in_window && held >= HOLD_FRAMES {
                return Ok(time(i));
            }
            other = None;
            continue;
        }
        held = 0;
        other = match (seen, other) {
            (Some(m), Some((o, n))) if m == o => Some((m, n + 1)),
            (Some(m), _) => Some((m, 1)),
            (None, _) => None,
        };
        if let Some((m, n)) = other
            && n >= OTHER_HOLD_FRAMES
        {
            return Err(ChallengeReason::AnotherMovement(m));
        }
    }
    Err(if early { ChallengeReason::TooEarly } else { ChallengeReason::NotSeen })
}

/// The one movement that a frame shows, if any.
#[must_use]
pub fn shown_in(body: &Body) -> Option<Movement> {
    let j = &body.joints;
    let (lw, rw) = (j[joint::LEFT_WRIST], j[joint::RIGHT_WRIST]);
    let nose = j[joint::NOSE];
    let left_up = lw[1] < nose[1] - 0.35;
    let right_up = rw[1] < nose[1] - 0.35;
    let left_down = lw[1] > 0.25;
    let right_down = rw[1] > 0.25;
    let left_head = on_head(lw, nose, j[joint::LEFT_ELBOW], 1.0);
    let right_head = on_head(rw, nose, j[joint::RIGHT_ELBOW], -1.0);
    if (left_head && right_down) || (right_head && left_down) {
        return Some(Movement::HandToHead);
    }
    match (left_up, right_up) {
        (true, true) => return Some(Movement::BothUp),
        (true, false) if right_down => return Some(Movement::RaiseLeft),
        (false, true) if left_down => return Some(Movement::RaiseRight),
        (false, false) => {}
        _ => return None,
    }
    if stretched(lw, j[joint::LEFT_ELBOW], 1.0) && stretched(rw, j[joint::RIGHT_ELBOW], -1.0) {
        return Some(Movement::TPose);
    }
    if crossed(j) {
        return Some(Movement::ArmsCrossed);
    }
    if left_down && right_down {
        return leaning(body);
    }
    None
}

/// A hand at the head with the elbow out to its own side (`side` 1 left, −1 right): beside or on top.
fn on_head(wrist: [f32; 2], nose: [f32; 2], elbow: [f32; 2], side: f32) -> bool {
    let (dx, dy) = (wrist[0] - nose[0], wrist[1] - (nose[1] - 0.15));
    let elbow_out = side * (elbow[0] - wrist[0]) > 0.15 || elbow[1] > wrist[1] + 0.1;
    dx.hypot(dy) < 0.62 && elbow_out && elbow[1] > wrist[1] - 0.2
}

/// An arm stretched to its own side (`side` 1 left, −1 right) at shoulder height.
fn stretched(wrist: [f32; 2], elbow: [f32; 2], side: f32) -> bool {
    side * wrist[0] > 1.25 && wrist[1].abs() < 0.5 && side * elbow[0] > 0.7 && elbow[1].abs() < 0.5
}

/// Each wrist on the other side of the body's middle, in front of the chest.
fn crossed(j: &[[f32; 2]; JOINTS]) -> bool {
    let (lw, rw) = (j[joint::LEFT_WRIST], j[joint::RIGHT_WRIST]);
    let chest = |w: [f32; 2]| w[1] > 0.0 && w[1] < 1.5;
    lw[0] < 0.05 && rw[0] > -0.05 && rw[0] - lw[0] > 0.25 && chest(lw) && chest(rw)
}

fn leaning(body: &Body) -> Option<Movement> {
    let by = |sign: f32| sign * body.tilt > 0.12 && sign * body.head_shift > 0.25 && sign * body.shift > 0.1;
    match () {
        () if by(1.0) => Some(Movement::LeanLeft),
        () if by(-1.0) => Some(Movement::LeanRight),
        () => None,
    }
}

/// The frames of a sequence as bodies, on the 15 Hz grid.
pub(crate) fn bodies(sequence: &Sequence) -> Vec<Body> {
    let frames = clean(sequence);
    let rest = &frames[..frames.len().min(REST_FRAMES)];
    let of = |frames: &[[Joint; JOINTS]], f: &dyn Fn(&[Joint; JOINTS]) -> f32| {
        let mut values: Vec<f32> = frames.iter().map(f).collect();
        median(&mut values).unwrap_or(0.0)
    };
    let across = |f: &[Joint; JOINTS]| {
        let (l, r) = (f[joint::LEFT_SHOULDER], f[joint::RIGHT_SHOULDER]);
        (l.x - r.x, l.y - r.y)
    };
    let width = of(&frames, &|f| across(f).0.hypot(across(f).1));
    if !(width.is_normal() && width > 0.0) {
        return Vec::new();
    }
    let middle = |f: &[Joint; JOINTS]| (f[joint::LEFT_SHOULDER].x + f[joint::RIGHT_SHOULDER].x) / 2.0;
    let tilt = |f: &[Joint; JOINTS]| across(f).1.atan2(across(f).0);
    let (rest_x, rest_nose, rest_tilt) =
        (of(rest, &middle), of(rest, &|f| f[joint::NOSE].x), of(rest, &tilt));
    let (cos, sin) = (rest_tilt.cos(), -rest_tilt.sin());
    frames
        .iter()
        .map(|f| {
            let cx = middle(f);
            let cy = (f[joint::LEFT_SHOULDER].y + f[joint::RIGHT_SHOULDER].y) / 2.0;
            Body {
                joints: f.map(|p| {
                    let (x, y) = ((p.x - cx) / width, (p.y - cy) / width);
                    [cos * x - sin * y, sin * x + cos * y]
                }),
                shift: (cx - rest_x) / width,
                head_shift: (f[joint::NOSE].x - rest_nose) / width,
                tilt: tilt(f) - rest_tilt,
            }
        })
        .collect()
}
