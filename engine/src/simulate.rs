//! Simulated people: a crowd of strangers who move their arms at random or make everyday gestures, and imitators of
//! a given movement. Made of chosen numbers and a seeded generator; nobody's recording is in it.
//!
//! Bodies are three-dimensional: hands travel along minimum-jerk paths (Flash and Hogan 1985) between places that the
//! arms reach, elbows follow from the bone lengths, and the camera sees x and y.

use crate::clean::{RATE, median};
use crate::normalise::{Frame, Track};
use crate::random::SplitMix64;
use crate::sequence::{JOINTS, Joint, Sequence, joint};

/// Draws of simulated people, so that an estimate repeats exactly.
#[derive(Clone, Debug)]
pub struct Rng(SplitMix64);

impl Rng {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed))
    }

    fn within(&mut self, low: f32, high: f32) -> f32 {
        self.0.between(low, high)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0.below(n)
    }

    /// Near normal (sum of four), mean 0, deviation 1.
    fn normal(&mut self) -> f32 {
        ((0..4).map(|_| self.within(0.0, 1.0)).sum::<f32>() - 2.0) * 3.0f32.sqrt()
    }
}

/// x to the person's left, y down, z towards the camera; shoulder widths.
type Point = [f32; 3];

/// One body's sizes and place of rest.
struct Body {
    upper: f32,
    fore: f32,
    nose: Point,
    /// Half the shoulder line as the camera sees it.
    half: f32,
    /// Left and right hand at rest, relative to the own shoulder, x outward.
    rest: [Point; 2],
    /// Which way elbows point: outward, down, forward.
    elbow: Point,
    jitter: f32,
}

/// How the camera sees the person whose gesture is judged: simulated strangers sit where that person sits.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// The nose from between the shoulders, shoulder widths.
    nose: [f32; 2],
}

impl Default for Seat {
    fn default() -> Self {
        Self { nose: [0.0, -0.72] }
    }
}

impl Seat {
    /// From a movement of that person.
    #[must_use]
    pub fn of(track: &Track) -> Self {
        let over =
            |of: &dyn Fn(&Frame) -> f32| median(&mut track.frames.iter().map(of).collect::<Vec<f32>>());
        let width = over(&|f| {
            let (l, r) = (f[joint::LEFT_SHOULDER], f[joint::RIGHT_SHOULDER]);
            (l[0] - r[0]).hypot(l[1] - r[1])
        });
        let nose = [over(&|f| f[joint::NOSE][0]), over(&|f| f[joint::NOSE][1])];
        match (width, nose) {
            (Some(width), [Some(x), Some(y)]) if width > 0.05 => {
                Self { nose: [x / width, y / width].map(|v| v.clamp(-2.0, 2.0)) }
            }
            _ => Self::default(),
        }
    }
}

impl Body {
    fn draw(seat: &Seat, rng: &mut Rng) -> Self {
        let resting = match rng.below(3) {
            // Hanging, in the lap, on the desk.
            0 => [0.1, 1.5, 0.1],
            1 => [-0.2, 1.05, 0.7],
            _ => [-0.1, 0.75, 0.95],
        };
        let mut rest = || -> Point { std::array::from_fn(|d| resting[d] + 0.1 * rng.normal()) };
        let rest = [rest(), rest()];
        Self {
            upper: 0.85 + 0.07 * rng.normal(),
            fore: 0.72 + 0.06 * rng.normal(),
            nose: [seat.nose[0] + 0.05 * rng.normal(), seat.nose[1] + 0.07 * rng.normal(), 0.3],
            half: 0.5,
            rest,
            elbow: [0.5 + 0.25 * rng.normal(), 0.8, -0.2 + 0.2 * rng.normal()],
            jitter: 0.004,
        }
    }

    /// Elbow and wrist of an arm whose hand goes to `to`, relative to the own shoulder, x outward.
    fn arm(&self, to: Point) -> (Point, Point) {
        let d = length(to).max(1.0e-3);
        let reach = d.clamp((self.upper - self.fore).abs() + 0.15, self.upper + self.fore - 0.01);
        let along = scaled(to, 1.0 / d);
        let wrist = scaled(along, reach);
        let a = (self.upper.powi(2) - self.fore.powi(2) + reach.powi(2)) / (2.0 * reach);
        let h = (self.upper.powi(2) - a * a).max(0.0).sqrt();
        let across = dot(self.elbow, along);
        let bend: Point = std::array::from_fn(|i| self.elbow[i] - across * along[i]);
        let bend = scaled(bend, 1.0 / length(bend).max(1.0e-3));
        (std::array::from_fn(|i| a * along[i] + h * bend[i]), wrist)
    }
}

/// What one hand does in a part of a movement, relative to the own shoulder, x outward.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Goes back to rest or stays there.
    Rest,
    /// Goes to a place.
    To(Point),
    /// Swings from where it is: half widths across, down, forward, and how often.
    Swing(Point, f32),
}

/// A part of a movement: seconds, left hand, right hand.
type Part = (f32, Act, Act);

/// Everyday gestures, which an attacker without a clue tries first.
pub const COMMON: [&str; 17] = [
    "a wave",
    "a raised hand",
    "both hands raised",
    "a hand at the chin",
    "scratching the head",
    "crossed arms",
    "pointing at the screen",
    "a thumb up",
    "clapping",
    "a salute",
    "drinking",
    "a stretch to both sides",
    "a hand on the heart",
    "folded hands",
    "beckoning",
    "adjusting glasses",
    "sitting still",
];

const FACE: Point = [-0.45, -0.45, 0.45];
const HEAD: Point = [-0.25, -0.85, 0.2];
const CHEST: Point = [-0.4, 0.3, 0.45];
const ACROSS: Point = [-0.85, 0.55, 0.5];
const FORWARD: Point = [-0.1, 0.0, 1.4];

/// The gesture of [`COMMON`] with that index, by the right hand where one hand does it.
fn common(index: usize) -> Vec<Part> {
    use Act::{Rest, Swing, To};
    let one = |to: Point| vec![(0.7, Rest, To(to)), (0.6, Rest, To(to)), (0.7, Rest, Rest)];
    let swinging = |to: Point, by: Point, times: f32| {
        vec![(0.6, Rest, To(to)), (0.4 * times, Rest, Swing(by, times)), (0.7, Rest, Rest)]
    };
    let both = |to: Point| vec![(0.8, To(to), To(to)), (0.6, To(to), To(to)), (0.8, Rest, Rest)];
    match index {
        0 => swinging([0.35, -0.55, 0.4], [0.28, 0.0, 0.0], 3.0),
        1 => one([0.15, -1.2, 0.2]),
        2 => both([0.2, -1.3, 0.2]),
        3 => one([-0.4, -0.3, 0.45]),
        4 => swinging(HEAD, [0.08, 0.08, 0.0], 4.0),
        5 => vec![(0.8, To(ACROSS), To(ACROSS)), (0.8, To(ACROSS), To(ACROSS)), (0.8, Rest, Rest)],
        6 => one(FORWARD),
        7 => one([0.1, 0.25, 0.9]),
        8 => vec![
            (0.6, To([-0.25, 0.4, 0.8]), To([-0.25, 0.4, 0.8])),
            (1.4, Swing([0.2, 0.0, 0.0], 4.0), Swing([0.2, 0.0, 0.0], 4.0)),
            (0.7, Rest, Rest),
        ],
        9 => one([-0.1, -0.75, 0.35]),
        10 => vec![(0.8, Rest, To(FACE)), (1.0, Rest, To([-0.45, -0.5, 0.5])), (0.8, Rest, Rest)],
        11 => both([1.4, 0.0, 0.1]),
        12 => one(CHEST),
        13 => both([-0.45, 0.4, 0.7]),
        14 => swinging([0.0, 0.0, 0.9], [0.0, 0.15, 0.2], 3.0),
        15 => one([-0.4, -0.7, 0.45]),
        _ => vec![(1.2, Act::Swing([0.05, 0.04, 0.0], 1.0), Act::Swing([0.06, 0.05, 0.0], 1.0))],
    }
}

/// A random arm movement: one or both hands visit a few places, sometimes swinging there.
fn random_parts(rng: &mut Rng) -> Vec<Part> {
    let places = 1 + rng.below(4);
    let hands = rng.below(5);
    let mut parts = Vec::new();
    for _ in 0..places {
        let seconds = rng.within(0.4, 1.0);
        let (a, b) = (random_act(rng), random_act(rng));
        parts.push(match hands {
            0 | 1 => (seconds, Act::Rest, a),
            2 => (seconds, a, Act::Rest),
            3 => (seconds, a, a),
            _ => (seconds, a, b),
        });
    }
    parts.push((rng.within(0.5, 1.0), Act::Rest, Act::Rest));
    parts
}

fn random_act(rng: &mut Rng) -> Act {
    if rng.below(4) == 0 {
        return Act::Swing(std::array::from_fn(|_| rng.within(0.0, 0.3)), rng.within(1.0, 3.0).round());
    }
    Act::To([rng.within(-1.0, 1.2), rng.within(-1.2, 0.9), rng.within(0.0, 1.2)])
}

/// A stranger who does something at random.
#[must_use]
pub fn stranger(seat: &Seat, rng: &mut Rng) -> Track {
    let body = Body::draw(seat, rng);
    let parts = random_parts(rng);
    play(&body, &parts, rng)
}

/// A stranger who makes the gesture of [`COMMON`] with that index, in a style of their own.
#[must_use]
pub fn everyday(index: usize, seat: &Seat, rng: &mut Rng) -> Track {
    let body = Body::draw(seat, rng);
    let parts = styled(common(index), rng);
    play(&body, &parts, rng)
}

/// Recordings of one simulated person who makes an everyday gesture again and again; with `None` a movement of their
/// own, of several parts.
#[must_use]
pub fn person(everyday: Option<usize>, recordings: usize, rng: &mut Rng) -> Vec<Sequence> {
    let body = Body::draw(&Seat::default(), rng);
    let parts = match everyday {
        Some(index) => styled(common(index), rng),
        None => [random_parts(rng), random_parts(rng)].concat(),
    };
    (0..recordings).map(|_| film(&body, &repeated(&parts, rng), rng)).collect()
}

/// Another person's way of the same gesture: the other arm, other places, other times.
fn styled(parts: Vec<Part>, rng: &mut Rng) -> Vec<Part> {
    let other_arm = rng.below(2) == 0;
    let tempo = (0.2 * rng.normal()).exp();
    let mut shift = || -> Point { std::array::from_fn(|_| 0.12 * rng.normal()) };
    let (left, right) = (shift(), shift());
    let moved = |act: Act, by: Point| match act {
        Act::To(p) => Act::To(std::array::from_fn(|d| p[d] + by[d])),
        Act::Swing(s, n) => Act::Swing(std::array::from_fn(|d| s[d] * (1.0 + by[d])), n),
        Act::Rest => Act::Rest,
    };
    parts
        .into_iter()
        .map(|(seconds, l, r)| {
            let (l, r) = if other_arm { (r, l) } else { (l, r) };
            (seconds * tempo, moved(l, left), moved(r, right))
        })
        .collect()
}

/// The same person's repetition: nearly the same places and times.
fn repeated(parts: &[Part], rng: &mut Rng) -> Vec<Part> {
    let mut near = |act: Act| match act {
        Act::To(p) => Act::To(p.map(|v| v + 0.03 * rng.normal())),
        other => other,
    };
    let parts: Vec<Part> = parts.iter().map(|&(s, l, r)| (s, near(l), near(r))).collect();
    parts.into_iter().map(|(s, l, r)| (s * (0.05 * rng.normal()).exp(), l, r)).collect()
}

fn play(body: &Body, parts: &[Part], rng: &mut Rng) -> Track {
    Track::of(&film(body, parts, rng))
}

fn film(body: &Body, parts: &[Part], rng: &mut Rng) -> Sequence {
    let mut frames = Vec::new();
    let mut from = body.rest;
    hold(body, &mut frames, from, rng);
    for &(seconds, left, right) in parts {
        let count = (seconds * RATE as f32).round().max(1.0);
        let ends = [end_of(left, from[0], body.rest[0]), end_of(right, from[1], body.rest[1])];
        for i in 1..=count as usize {
            let share = i as f32 / count;
            let hands = [at(left, from[0], ends[0], share), at(right, from[1], ends[1], share)];
            frames.push(frame(body, hands, rng));
        }
        from = ends;
    }
    hold(body, &mut frames, from, rng);
    let step = 1.0e6 / RATE;
    Sequence::from_frames(frames.into_iter().enumerate().map(|(i, f)| ((i as f64 * step) as u64, f)))
}

fn hold(body: &Body, frames: &mut Vec<[Joint; JOINTS]>, hands: [Point; 2], rng: &mut Rng) {
    for _ in 0..2 + rng.below(6) {
        frames.push(frame(body, hands, rng));
    }
}

fn end_of(act: Act, from: Point, rest: Point) -> Point {
    match act {
        Act::Rest => rest,
        Act::To(p) => p,
        Act::Swing(..) => from,
    }
}

fn at(act: Act, from: Point, to: Point, share: f32) -> Point {
    let eased = share.powi(3) * (10.0 - 15.0 * share + 6.0 * share * share);
    match act {
        Act::Swing(by, times) => {
            let swing = (std::f32::consts::TAU * times * share).sin();
            std::array::from_fn(|d| from[d] + by[d] * swing)
        }
        _ => std::array::from_fn(|d| from[d] + (to[d] - from[d]) * eased),
    }
}

fn frame(body: &Body, hands: [Point; 2], rng: &mut Rng) -> [Joint; JOINTS] {
    let mut points = [[0.0f32; 2]; JOINTS];
    points[joint::NOSE] = [body.nose[0], body.nose[1]];
    let arms = [
        (1.0, joint::LEFT_SHOULDER, joint::LEFT_ELBOW, joint::LEFT_WRIST),
        (-1.0, joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW, joint::RIGHT_WRIST),
    ];
    for ((side, shoulder, elbow, wrist), hand) in arms.into_iter().zip(hands) {
        let (e, w) = body.arm(hand);
        points[shoulder] = [side * body.half, 0.0];
        points[elbow] = [side * (body.half + e[0]), e[1]];
        points[wrist] = [side * (body.half + w[0]), w[1]];
    }
    points.map(|[x, y]| Joint {
        x: 100.0 * (x + body.jitter * rng.normal()),
        y: 100.0 * (y + body.jitter * rng.normal()),
        visibility: 1.0,
    })
}

/// How an imitator differs from the one imitated.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Deviation of log bone lengths.
    pub bones: f32,
    /// Deviation of each bone's direction, radians, for the whole movement.
    pub posture: f32,
    /// Deviation of each bone's direction, radians, changing within the movement.
    pub path: f32,
    /// Deviation of the log tempo.
    pub tempo: f32,
    /// Deviation of the log of all these between imitators: some are good at it.
    pub skill: f32,
}

/// Somebody who has seen the movement and does it: other proportions, posture, path and tempo.
#[must_use]
pub fn imitation(of: &Track, style: &Style, rng: &mut Rng) -> Track {
    if of.is_empty() {
        return Track::default();
    }
    let by = (style.skill * rng.normal()).exp();
    let style = &Style {
        bones: style.bones * by,
        posture: style.posture * by,
        path: style.path * by,
        tempo: style.tempo * by,
        skill: 0.0,
    };
    let frames = retimed(&of.frames, (style.tempo * rng.normal()).exp(), rng);
    // Parent before child.
    const CHAIN: [(usize, usize); 4] = [
        (joint::LEFT_SHOULDER, joint::LEFT_ELBOW),
        (joint::LEFT_ELBOW, joint::LEFT_WRIST),
        (joint::RIGHT_SHOULDER, joint::RIGHT_ELBOW),
        (joint::RIGHT_ELBOW, joint::RIGHT_WRIST),
    ];
    let shoulders = (style.bones * rng.normal()).exp();
    let arms = [(style.bones * rng.normal()).exp(), (style.bones * rng.normal()).exp()];
    let turns: [Turn; 4] = std::array::from_fn(|_| Turn::draw(style, rng));
    let nose_scale = (style.bones * rng.normal()).exp();
    let nose_turn =
        Turn::draw(&Style { posture: style.posture / 2.0, path: style.path / 4.0, ..*style }, rng);
    let n = frames.len() as f32;
    let moved: Vec<Frame> = frames
        .iter()
        .enumerate()
        .map(|(i, f)| {
            let share = i as f32 / n;
            let mut out = *f;
            out[joint::NOSE] = nose_turn.apply(f[joint::NOSE], nose_scale, share);
            for k in [joint::LEFT_SHOULDER, joint::RIGHT_SHOULDER] {
                out[k] = f[k].map(|v| v * shoulders);
            }
            for (b, (from, to)) in CHAIN.into_iter().enumerate() {
                let bone = [f[to][0] - f[from][0], f[to][1] - f[from][1]];
                let turned = turns[b].apply(bone, arms[b % 2], share);
                out[to] = [out[from][0] + turned[0], out[from][1] + turned[1]];
            }
            out
        })
        .collect();
    let step = 1.0e6 / RATE;
    let joints =
        moved.into_iter().map(|f| f.map(|[x, y]| Joint { x: 1000.0 * x, y: 1000.0 * y, visibility: 1.0 }));
    Track::of(&Sequence::from_frames(joints.enumerate().map(|(i, f)| ((i as f64 * step) as u64, f))))
}

/// How one bone is turned over a movement.
struct Turn {
    always: f32,
    waves: [[f32; 2]; 2],
}

impl Turn {
    fn draw(style: &Style, rng: &mut Rng) -> Self {
        let waves =
            std::array::from_fn(|_| [style.path * rng.normal(), rng.within(0.0, std::f32::consts::TAU)]);
        Self { always: style.posture * rng.normal(), waves }
    }

    fn apply(&self, bone: [f32; 2], scale: f32, share: f32) -> [f32; 2] {
        let wave = |k: usize| {
            let [size, phase] = self.waves[k];
            size * (std::f32::consts::PI * (k + 1) as f32 * share + phase).sin()
        };
        let (s, c) = (self.always + wave(0) + wave(1)).sin_cos();
        [scale * (c * bone[0] - s * bone[1]), scale * (s * bone[0] + c * bone[1])]
    }
}

/// The movement in another tempo, a little uneven.
fn retimed(frames: &[Frame], tempo: f32, rng: &mut Rng) -> Vec<Frame> {
    let n = frames.len();
    let count = ((n as f32 * tempo).round() as usize).max(2);
    let (uneven, phase) = (0.03 * rng.normal(), rng.within(0.0, std::f32::consts::TAU));
    (0..count)
        .map(|i| {
            let share = i as f32 / (count - 1) as f32;
            let bent = share + uneven * ((std::f32::consts::TAU * share + phase).sin() - phase.sin());
            let at = (bent.clamp(0.0, 1.0) * (n - 1) as f32).min((n - 1) as f32);
            let (a, w) = (at as usize, at.fract());
            let b = (a + 1).min(n - 1);
            std::array::from_fn(|k| {
                std::array::from_fn(|d| frames[a][k][d] + (frames[b][k][d] - frames[a][k][d]) * w)
            })
        })
        .collect()
}

fn length(v: Point) -> f32 {
    dot(v, v).sqrt()
}

fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn scaled(v: Point, by: f32) -> Point {
    v.map(|c| c * by)
}
