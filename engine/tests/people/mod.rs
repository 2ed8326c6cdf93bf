//! Stick people before a simulated camera: observations for behaviour tests. Made up, nobody's recording.
#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod attempts;

use pose_engine::challenge::Movement;
use pose_engine::landmarks::{Landmark, Observation, PictureStats, Pose, part};

/// Where a wrist is, in shoulder widths from its own shoulder: outward, down.
pub(crate) type Wrist = [f32; 2];
/// Hands hanging at rest.
pub(crate) const REST: Wrist = [0.15, 1.35];

/// What the body does at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Posture {
    pub(crate) left: Wrist,
    pub(crate) right: Wrist,
    /// Lean to the person's left, radians.
    pub(crate) lean: f32,
}

impl Default for Posture {
    fn default() -> Self {
        Self { left: REST, right: REST, lean: 0.0 }
    }
}

/// Builds streams of observations; time and frame counters run on over all of them.
pub(crate) struct Scene {
    pub(crate) t_us: u64,
    pub(crate) fps: u64,
    pub(crate) jitter: f32,
    pub(crate) people: u8,
    /// Middle of the shoulders, pixels.
    pub(crate) place: [f32; 2],
    /// Shoulder width, pixels.
    pub(crate) width: f32,
    /// How large the head is, 1 for most people.
    pub(crate) head: f32,
    /// How far the nose is off to the left, shoulder widths: the body is turned.
    pub(crate) nose: f32,
    noise: u64,
    sequence: u32,
}

impl Scene {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            t_us: 1_000_000,
            fps: 30,
            jitter: 0.6,
            people: 1,
            place: [320.0, 220.0],
            width: 130.0,
            head: 1.0,
            nose: 0.0,
            noise: seed,
            sequence: 0,
        }
    }

    /// `seconds` of a movement given as a function of time in seconds.
    pub(crate) fn play(&mut self, seconds: f32, posture: impl Fn(f32) -> Posture) -> Vec<Observation> {
        let n = (seconds * self.fps as f32).round() as u64;
        (0..n).map(|i| self.observation(Some(posture(i as f32 / self.fps as f32)))).collect()
    }

    /// An empty room.
    pub(crate) fn empty(&mut self, seconds: f32) -> Vec<Observation> {
        let n = (seconds * self.fps as f32).round() as u64;
        (0..n).map(|_| self.observation(None)).collect()
    }

    /// Rest, the gesture, rest.
    pub(crate) fn gesture(&mut self, gesture: impl Fn(f32) -> Posture, seconds: f32) -> Vec<Observation> {
        let mut out = self.play(0.5, |_| Posture::default());
        out.extend(self.play(seconds, gesture));
        out.extend(self.play(1.2, |_| Posture::default()));
        out
    }

    /// Puts a landmark of an upright body elsewhere: shoulder widths from the middle of the shoulders, to the left, down.
    pub(crate) fn put(&self, observation: &mut Observation, part: usize, [x, y]: [f32; 2]) {
        if let Some(pose) = &mut observation.pose {
            pose.landmarks[part].x = (self.place[0] + self.width * x) / 640.0;
            pose.landmarks[part].y = (self.place[1] + self.width * y) / 480.0;
        }
    }

    fn observation(&mut self, posture: Option<Posture>) -> Observation {
        self.t_us += 1_000_000 / self.fps;
        self.sequence += 1;
        let digest = self.random();
        Observation {
            t_us: self.t_us,
            sequence: self.sequence,
            width: 640,
            height: 480,
            pose: posture.map(|p| self.pose(p)),
            people: if posture.is_some() { self.people } else { 0 },
            stats: PictureStats { luma_mean: 0.4, clipped: 0.0, sharpness: 0.05, digest },
        }
    }

    fn pose(&mut self, posture: Posture) -> Pose {
        let Self { width, place: [cx, cy], head, nose, .. } = *self;
        let (sin, cos) = posture.lean.sin_cos();
        // The body turns about the hips, two shoulder widths below.
        let mut place = |x: f32, y: f32| {
            let (x, y) = (x, y - 2.0);
            let (u, v) = (cos * x - sin * y, sin * x + cos * y + 2.0);
            let (dx, dy) = (self.spread(), self.spread());
            Landmark {
                x: (cx + width * u + dx) / 640.0,
                y: (cy + width * v + dy) / 480.0,
                visibility: 0.99,
                ..Landmark::default()
            }
        };
        let mut landmarks = [Landmark { visibility: 0.9, x: 0.5, y: 0.5, ..Landmark::default() }; 33];
        landmarks[part::NOSE] = place(nose, -0.7);
        let arms = [
            (1.0, posture.left, part::LEFT_SHOULDER, part::LEFT_ELBOW, part::LEFT_WRIST),
            (-1.0, posture.right, part::RIGHT_SHOULDER, part::RIGHT_ELBOW, part::RIGHT_WRIST),
        ];
        for (side, wrist, s, e, w) in arms {
            let elbow = elbow_of(wrist);
            landmarks[s] = place(side * 0.5, 0.0);
            landmarks[e] = place(side * (0.5 + elbow[0]), elbow[1]);
            landmarks[w] = place(side * (0.5 + wrist[0]), wrist[1]);
        }
        for (side, eye, ear, mouth) in [
            (1.0, part::LEFT_EYE, part::LEFT_EAR, part::MOUTH_LEFT),
            (-1.0, part::RIGHT_EYE, part::RIGHT_EAR, part::MOUTH_RIGHT),
        ] {
            for (k, across, down) in [(eye, 0.1, -0.12), (ear, 0.22, -0.06), (mouth, 0.07, 0.13)] {
                let Landmark { x, y, .. } = landmarks[part::NOSE];
                let (x, y) = (x + width * head * side * across / 640.0, y + width * head * down / 480.0);
                landmarks[k] = Landmark { x, y, visibility: 0.99, ..Landmark::default() };
            }
        }
        Pose { landmarks, world: [[0.0; 3]; 33], score: 0.99 }
    }

    fn spread(&mut self) -> f32 {
        ((self.random() >> 40) as f32 / (1 << 23) as f32 - 1.0) * self.jitter
    }

    fn random(&mut self) -> u64 {
        self.noise = self.noise.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.noise ^ (self.noise >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z ^ (z >> 27)
    }
}

/// The elbow between shoulder and wrist, bent outward; both bones 0.72 shoulder widths.
fn elbow_of(wrist: Wrist) -> [f32; 2] {
    let far = wrist[0].hypot(wrist[1]).max(0.05);
    let along = far / 2.0;
    let out = (0.72f32.powi(2) - along.powi(2)).max(0.0).sqrt();
    let (ux, uy) = (wrist[0] / far, wrist[1] / far);
    let (px, py) = if uy >= 0.0 { (uy, -ux) } else { (-uy, ux) };
    [ux * along + px * out, uy * along + py * out]
}

/// Smooth way from one point to another while `t` runs from `from` to `to`.
pub(crate) fn glide(t: f32, from: f32, to: f32, a: Wrist, b: Wrist) -> Wrist {
    let u = ((t - from) / (to - from)).clamp(0.0, 1.0);
    let s = u * u * u * (10.0 - 15.0 * u + 6.0 * u * u);
    [a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s]
}

/// A gesture of the right arm: up, a circle, across, back; 2.4 s.
pub(crate) fn circle(t: f32) -> Posture {
    let start = [0.3, -0.2];
    let right = match t {
        t if t < 0.6 => glide(t, 0.0, 0.6, REST, start),
        t if t < 1.4 => {
            let a = (t - 0.6) / 0.8 * std::f32::consts::TAU;
            [0.3 + 0.4 * a.sin(), 0.2 - 0.4 * a.cos()]
        }
        t if t < 1.9 => glide(t, 1.4, 1.9, start, [-0.8, 0.3]),
        t => glide(t, 1.9, 2.4, [-0.8, 0.3], REST),
    };
    Posture { right, ..Posture::default() }
}

/// Another gesture: both arms open and close; 2.4 s.
pub(crate) fn open(t: f32) -> Posture {
    let arm = match t {
        t if t < 0.8 => glide(t, 0.0, 0.8, REST, [0.9, -0.5]),
        t if t < 1.6 => glide(t, 0.8, 1.6, [0.9, -0.5], [-0.3, 0.3]),
        t => glide(t, 1.6, 2.4, [-0.3, 0.3], REST),
    };
    Posture { left: arm, right: arm, ..Posture::default() }
}

const UP: Wrist = [0.1, -1.4];
const OUT: Wrist = [1.4, 0.0];
const HEAD: Wrist = [-0.35, -0.85];
const OTHER_SHOULDER: Wrist = [-0.95, 0.05];
const ACROSS: Wrist = [-0.85, 0.45];

/// How a person stands who shows a movement.
pub(crate) fn posture_of(movement: Movement) -> Posture {
    let (left, right, lean) = match movement {
        Movement::RaiseLeft => (UP, REST, 0.0),
        Movement::RaiseRight => (REST, UP, 0.0),
        Movement::BothUp => (UP, UP, 0.0),
        Movement::OutLeft => (OUT, REST, 0.0),
        Movement::OutRight => (REST, OUT, 0.0),
        Movement::TPose => (OUT, OUT, 0.0),
        Movement::HeadLeft => (HEAD, REST, 0.0),
        Movement::HeadRight => (REST, HEAD, 0.0),
        Movement::HeadBoth => (HEAD, HEAD, 0.0),
        Movement::TouchLeft => (REST, OTHER_SHOULDER, 0.0),
        Movement::TouchRight => (OTHER_SHOULDER, REST, 0.0),
        Movement::ArmsCrossed => (ACROSS, ACROSS, 0.0),
        Movement::LeanLeft => (REST, REST, 0.3),
        Movement::LeanRight => (REST, REST, -0.3),
        Movement::UpLeftOutRight => (UP, OUT, 0.0),
        Movement::OutLeftUpRight => (OUT, UP, 0.0),
    };
    Posture { left, right, lean }
}

/// What a person does who follows an instruction: reads it, moves, holds, goes back.
pub(crate) fn follow(movement: Movement, scene: &mut Scene) -> Vec<Observation> {
    let Posture { left, right, lean } = posture_of(movement);
    let mut out = scene.play(0.6, |_| Posture::default());
    out.extend(scene.play(2.6, show(left, right, lean)));
    out
}

/// Moves to a held posture and back; 2.6 s.
pub(crate) fn show(left: Wrist, right: Wrist, lean: f32) -> impl Fn(f32) -> Posture {
    move |t| {
        let w = if t < 1.7 {
            glide(t, 0.0, 0.7, [0.0, 0.0], [1.0, 0.0])[0]
        } else {
            glide(t, 1.7, 2.5, [1.0, 0.0], [0.0, 0.0])[0]
        };
        let mix = |to: Wrist| [REST[0] + (to[0] - REST[0]) * w, REST[1] + (to[1] - REST[1]) * w];
        Posture { left: mix(left), right: mix(right), lean: lean * w }
    }
}
