//! A print whose arms were cut out at shoulder and elbow and are moved by hands behind it.

use pose_camera::Frame;
use pose_engine::challenge::Movement;
use pose_engine::landmarks::{Observation, part};

use super::hand::Hand;
use super::panel::{Surface, finish};
use super::{Plan, Show, Species};
use crate::cast::{Cast, PERIOD, Take, Target};
use crate::random::{Random, Sway};
use crate::rgb::Rgb;
use crate::sheet::{self, Corner, Hold};

/// Half the width of a cut-out arm, shoulder widths.
const HALF_WIDTH: f32 = 0.24;
/// The hand reaches beyond the wrist by this, shoulder widths.
const HAND: f32 = 0.42;
/// How exactly a hand turns a piece of paper, radians.
const WOBBLE: f32 = 0.05;
/// Reading what is asked and reaching for the paper, pictures.
const REACTION: usize = 8;

/// The print.
pub(super) struct CutOut<'a> {
    cast: &'a Cast,
    target: &'a Target,
    gesture: &'a Take,
    /// The picture with the arms cut away, and the one they are cut from.
    torso: Rgb,
    source: &'a Rgb,
    arms: [Arm; 2],
    wobbles: [Sway; 4],
    hand: Hand,
    species: Species,
    seed: u64,
    shown: usize,
}

/// One arm of paper: pixels of shoulder, elbow and wrist in the source.
#[derive(Clone, Copy)]
struct Arm {
    joints: [[f32; 2]; 3],
    width: f32,
}

impl<'a> CutOut<'a> {
    pub(super) fn new(cast: &'a Cast, target: &'a Target, plan: &Plan) -> Self {
        let mut random = Random::new(plan.seed);
        // The arms are cut out of a picture in which they are stretched: the middle of that movement.
        let stretched = cast.answers(&target.who).find(|(movement, _)| *movement == Movement::TPose);
        let take = stretched.map_or(plan.take(target), |(_, take)| take);
        let middle = take.pictures.len() / 2;
        let arms = [0, 1].map(|side| Arm::of(&take.seen[middle], side));
        let source = &take.pictures[middle];
        let torso = without(source, &arms);
        let base = Hold { size: random.between(0.85, 1.05), ..Hold::default() };
        let wobbles = [0; 4].map(|_| Sway::new(&mut random, 0.9));
        let hand = Hand::new(&mut random, base, 0.1, 0.0);
        let (gesture, species, seed) = (plan.take(target), plan.species, plan.seed);
        Self { cast, target, gesture, torso, source, arms, wobbles, hand, species, seed, shown: 0 }
    }

    /// The arms as in picture `i` of a recording.
    fn picture(&mut self, like: &Observation) -> Frame {
        let at = self.shown;
        self.shown += 1;
        let mut paper = self.torso.clone();
        for (side, arm) in self.arms.iter().enumerate() {
            let goal = Arm::of(like, side);
            let turn = |bone: usize| {
                let wobble = &self.wobbles[2 * side + bone];
                goal.angle(bone) - arm.angle(bone) + WOBBLE * wobble.at(at as f32 * PERIOD)
            };
            let upper = turn(0);
            arm.draw_bone(&mut paper, self.source, 0, arm.joints[0], upper);
            let elbow = add(arm.joints[0], turned(sub(arm.joints[1], arm.joints[0]), upper));
            arm.draw_bone(&mut paper, self.source, 1, elbow, turn(1));
        }
        let mut out = self.cast.room.clone();
        Surface::Paper.draw(&mut out, &paper, &self.hand.at(at, 1.0), at);
        finish(out, self.seed ^ at as u64, false)
    }
}

impl Show for CutOut<'_> {
    fn gesture(&mut self, i: usize) -> Frame {
        let seen = &self.gesture.seen;
        self.picture(&seen[i.min(seen.len() - 1)])
    }

    fn answer(&mut self, _: usize, asked: Movement, i: usize) -> Frame {
        let known = self.cast.answers(&self.target.who).find(|(movement, _)| *movement == asked);
        let seen = match known {
            Some((_, take)) if self.species == Species::CutOutPuppet => &take.seen,
            // Without an eye on the screen: the gesture again.
            _ => &self.gesture.seen,
        };
        self.picture(&seen[i.saturating_sub(REACTION).min(seen.len() - 1)])
    }
}

impl Arm {
    /// Side 0 is the person's left. A body that is not seen has arms of no length.
    fn of(seen: &Observation, side: usize) -> Self {
        const PARTS: [[usize; 3]; 2] = [
            [part::LEFT_SHOULDER, part::LEFT_ELBOW, part::LEFT_WRIST],
            [part::RIGHT_SHOULDER, part::RIGHT_ELBOW, part::RIGHT_WRIST],
        ];
        let (w, h) = (f32::from(seen.width), f32::from(seen.height));
        let place =
            |k: usize| seen.pose.as_ref().map_or([0.0; 2], |p| [p.landmarks[k].x * w, p.landmarks[k].y * h]);
        let across = sub(place(part::LEFT_SHOULDER), place(part::RIGHT_SHOULDER));
        Self { joints: PARTS[side].map(place), width: across[0].hypot(across[1]) }
    }

    /// Direction of the upper (0) or lower (1) arm.
    fn angle(&self, bone: usize) -> f32 {
        let [x, y] = sub(self.joints[bone + 1], self.joints[bone]);
        y.atan2(x)
    }

    /// Where a bone's paper begins and ends in the source.
    fn bone(&self, bone: usize) -> [[f32; 2]; 2] {
        let (from, to) = (self.joints[bone], self.joints[bone + 1]);
        let along = sub(to, from);
        let length = along[0].hypot(along[1]).max(1.0);
        let beyond = if bone == 1 { HAND * self.width / length } else { 0.0 };
        [from, [to[0] + along[0] * beyond, to[1] + along[1] * beyond]]
    }

    /// How far a pixel belongs to a bone's paper: 1 inside, 0 outside, soft at the edge.
    fn cover(&self, bone: usize, place: [f32; 2], margin: f32) -> f32 {
        let [from, to] = self.bone(bone);
        let along = sub(to, from);
        let square = (along[0] * along[0] + along[1] * along[1]).max(1.0);
        let offset = sub(place, from);
        let t = ((offset[0] * along[0] + offset[1] * along[1]) / square).clamp(0.0, 1.0);
        let away = sub(offset, [along[0] * t, along[1] * t]);
        (HALF_WIDTH * margin * self.width - away[0].hypot(away[1])).clamp(0.0, 1.0)
    }

    /// Draws a bone's paper with its beginning at `joint`, turned.
    fn draw_bone(&self, out: &mut Rgb, source: &Rgb, bone: usize, joint: [f32; 2], turn: f32) {
        let [from, to] = self.bone(bone);
        let along = sub(to, from);
        let length = along[0].hypot(along[1]).max(1.0);
        let half = HALF_WIDTH * self.width + 1.0;
        let (ux, uy) = (along[0] / length, along[1] / length);
        let corner = |a: f32, b: f32| -> Corner {
            let texture = [from[0] + ux * a - uy * b, from[1] + uy * a + ux * b];
            (add(joint, turned(sub(texture, from), turn)), texture)
        };
        let quad = [
            corner(-half, -half),
            corner(length + half, -half),
            corner(length + half, half),
            corner(-half, half),
        ];
        for triangle in [[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]] {
            sheet::fill(out, triangle, &mut |place| {
                (source.sample(place[0], place[1]), self.cover(bone, place, 1.0))
            });
        }
    }
}

/// The picture with the arms painted over by what is above and below them; the shoulders stay.
fn without(source: &Rgb, arms: &[Arm; 2]) -> Rgb {
    let is_arm = |x: i64, y: i64| {
        let place = [x as f32, y as f32];
        arms.iter().any(|arm| {
            let away = sub(place, arm.joints[0]);
            let arm_here = arm.cover(0, place, 1.2) > 0.0 || arm.cover(1, place, 1.2) > 0.0;
            arm_here && away[0].hypot(away[1]) > 0.3 * arm.width
        })
    };
    source.clone().map(|x, y, old| {
        let (x, y) = (x as i64, y as i64);
        if !is_arm(x, y) {
            return old;
        }
        let above = (0..=y).rev().find(|&y| !is_arm(x, y));
        let below = (y..source.height as i64).find(|&y| !is_arm(x, y));
        match (above, below) {
            (Some(a), Some(b)) => {
                let share = (y - a) as f32 / (b - a) as f32;
                let (up, down) = (source.at(x, a), source.at(x, b));
                std::array::from_fn(|c| f32::from(up[c]) * (1.0 - share) + f32::from(down[c]) * share)
            }
            (Some(y), None) | (None, Some(y)) => source.at(x, y).map(f32::from),
            (None, None) => old,
        }
    })
}

fn add(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

fn sub(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

fn turned([x, y]: [f32; 2], angle: f32) -> [f32; 2] {
    let (sin, cos) = angle.sin_cos();
    [cos * x - sin * y, sin * x + cos * y]
}
