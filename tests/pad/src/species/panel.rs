//! Prints and screens before a camera: a sheet with a picture, in a room, held by a hand or a stand.

use std::f32::consts::TAU;

use pose_camera::Frame;
use pose_engine::challenge::Movement;

use super::hand::{Hand, will};
use super::{Plan, Show, Species};
use crate::cast::{Cast, Target};
use crate::random::Random;
use crate::rgb::{Colour, Rgb};
use crate::sheet::{self, Hold};
use crate::similarity::Similarity;

/// A hand moves a print for so many pictures (3.3 s), as long as a gesture lasts.
const MOVED: usize = 50;

/// A sheet with a picture.
pub(super) struct Panel<'a> {
    cast: &'a Cast,
    gesture: Vec<&'a Rgb>,
    answer: Vec<&'a Rgb>,
    hand: Hand,
    surface: Surface,
    species: Species,
    seed: u64,
    shown: usize,
}

/// What the sheet is made of.
pub(super) enum Surface {
    /// Lower contrast, a white edge.
    Paper,
    /// Beat patterns between the display's grid and the sensor's, gamma, a blue tint, brightness that beats with the
    /// exposure, a dark edge: stylised, with strengths chosen by eye.
    Display { beat: [f32; 2], depth: f32, flicker: f32, edge: f32 },
    /// A display seen in infrared: dark glass.
    DarkGlass,
}

impl<'a> Panel<'a> {
    /// One picture of the recording on paper: the middle one, or another.
    pub(super) fn print(cast: &'a Cast, target: &'a Target, plan: &Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let pictures = &plan.take(target).pictures;
        let picture = &pictures[random.below(pictures.len())];
        let (amount, bend) = match plan.species {
            Species::PrintStill => (0.0, 0.0),
            Species::PrintMoved => (random.between(0.7, 1.4), 0.0),
            _ => (random.between(0.5, 1.2), random.between(0.15, 0.55)),
        };
        let base =
            Hold { size: random.between(0.8, 1.05), bend_axis: random.between(-0.8, 0.8), ..Hold::default() };
        let hand = Hand::new(&mut random, base, amount, bend);
        let (gesture, answer) = (vec![picture], vec![picture]);
        Self {
            cast,
            gesture,
            answer,
            hand,
            surface: Surface::Paper,
            species: plan.species,
            seed: plan.seed,
            shown: 0,
        }
    }

    /// The recording on a phone or a monitor; when a movement is asked it is played again, or another is.
    pub(super) fn screen(cast: &'a Cast, target: &'a Target, plan: &Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let gesture = plan.take(target).pictures.iter().collect();
        let other = &cast.targets[plan.target ^ 1];
        let again = if random.below(2) == 0 { target } else { other };
        let answer = again.takes[plan.take].pictures.iter().collect();
        let (base, amount) = held(&mut random, plan.species == Species::Monitor);
        let hand = Hand::new(&mut random, base, amount, 0.0);
        let surface = match plan.species {
            Species::Infrared => Surface::DarkGlass,
            _ => Surface::display(&mut random),
        };
        Self { cast, gesture, answer, hand, surface, species: plan.species, seed: plan.seed, shown: 0 }
    }

    fn picture(&mut self, content: &Rgb, will: f32) -> Frame {
        let at = self.shown;
        self.shown += 1;
        let mut out = self.cast.room.clone();
        self.surface.draw(&mut out, content, &self.hand.at(at, will), at);
        finish(out, self.seed ^ at as u64, self.species == Species::Infrared)
    }
}

impl Show for Panel<'_> {
    fn gesture(&mut self, i: usize) -> Frame {
        let content = self.gesture[i.min(self.gesture.len() - 1)];
        let will = if self.gesture.len() == 1 { will(i, MOVED) } else { 1.0 };
        self.picture(content, will)
    }

    fn answer(&mut self, _: usize, _: Movement, i: usize) -> Frame {
        let content = self.answer[i.min(self.answer.len() - 1)];
        self.picture(content, 1.0)
    }
}

/// How a phone is held or a monitor stands, and how much the hand moves.
pub(super) fn held(random: &mut Random, monitor: bool) -> (Hold, f32) {
    let (size, amount) = if monitor {
        (random.between(0.95, 1.3), 0.0)
    } else {
        (random.between(0.55, 0.8), random.between(0.05, 0.2))
    };
    let base = Hold {
        size,
        x: random.between(-0.03, 0.03),
        yaw: random.between(-0.12, 0.12),
        pitch: random.between(-0.1, 0.1),
        roll: random.between(-0.04, 0.04),
        ..Hold::default()
    };
    (base, amount)
}

/// What the lens and the sensor add.
pub(super) fn finish(out: Rgb, seed: u64, infrared: bool) -> Frame {
    let out = out.softened().noisy(seed);
    if infrared { out.into_grey_frame() } else { out.into_frame() }
}

impl Surface {
    /// A display with a grid, a brightness and a flicker of its own.
    pub(super) fn display(random: &mut Random) -> Self {
        Self::Display {
            beat: [random.between(0.15, 0.9), random.between(-0.4, 0.4)],
            depth: random.between(0.01, 0.06),
            flicker: random.between(0.0, 0.03),
            edge: 0.035,
        }
    }

    /// Held flat so that each place of the content is seen where `way` brings it, in a picture of the content's size.
    pub(super) fn hold(&self, content: &Rgb, way: &Similarity) -> Hold {
        let (edge, _) = self.edge();
        let (w, h) = (content.width as f32, content.height as f32);
        let [x, y] = way.place([w / 2.0 - 0.5, h / 2.0 - 0.5]);
        let framed = h + 2.0 * (edge * w).round();
        Hold {
            x: x / w - 0.5,
            y: (y - h / 2.0) / w,
            roll: way.angle(),
            size: way.scale() * framed / h,
            ..Hold::default()
        }
    }

    /// The edge around the content: its share of the content's width, and its colour.
    fn edge(&self) -> (f32, [u8; 3]) {
        match self {
            Self::Paper => (0.02, [226, 230, 232]),
            Self::Display { edge, .. } => (*edge, [15, 15, 16]),
            Self::DarkGlass => (0.0, [0; 3]),
        }
    }

    /// Draws the content as this surface shows it, at picture `at`.
    pub(super) fn draw(&self, out: &mut Rgb, content: &Rgb, hold: &Hold, at: usize) {
        let (edge, colour) = self.edge();
        let framed = framed(content, edge, colour);
        let (width, height) = (framed.width as f32, framed.height as f32);
        let glare_at = 0.7 + hold.yaw * 1.5;
        let shade = |[x, y]: [f32; 2], value: Colour| {
            let glare = (-((x / width - glare_at + 0.4 * (y / height - 0.5)) / 0.08).powi(2)).exp();
            match self {
                Self::Paper => value.map(|v| v * 0.84 + 22.0 + 8.0 * glare),
                Self::DarkGlass => [20.0 + 16.0 * glare; 3],
                Self::Display { beat, depth, flicker, .. } => {
                    let brightness = 1.0 + flicker * (at as f32 * 2.3).sin();
                    std::array::from_fn(|c| {
                        let phase = beat[0] * x + beat[1] * y + c as f32 * TAU / 3.0;
                        let light = 255.0 * (value[c] / 255.0).powf(1.12) * [0.95, 1.0, 1.06][c];
                        light * brightness * (1.0 + depth * phase.sin()) + 16.0 * glare
                    })
                }
            }
        };
        sheet::draw(out, &framed, hold, &shade);
    }
}

/// With an edge around it, a share of its width.
fn framed(content: &Rgb, share: f32, colour: [u8; 3]) -> Rgb {
    let edge = (share * content.width as f32).round() as usize;
    let out = Rgb::plain(content.width + 2 * edge, content.height + 2 * edge, colour);
    out.map(|x, y, old| {
        let (x, y) = (x.wrapping_sub(edge), y.wrapping_sub(edge));
        if x < content.width && y < content.height {
            content.at(x as i64, y as i64).map(f32::from)
        } else {
            old
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::Shoulders;

    #[test]
    fn a_display_is_held_so_that_its_content_is_seen_in_the_given_place() {
        let content = Rgb::plain(480, 360, [0; 3]);
        let surface = Surface::display(&mut Random::new(1));
        let from = Shoulders([[301.0, 193.0], [188.0, 190.0]]);
        let to = Shoulders([[279.5, 180.0], [190.0, 186.5]]);
        let way = Similarity::between(&from, &to).expect("two places");
        let hold = surface.hold(&content, &way);
        let framed = framed(&content, surface.edge().0, surface.edge().1);
        let (width, height) = (framed.width as f32, framed.height as f32);
        let edge = (width - 480.0) / 2.0;
        for (from, to) in from.0.into_iter().zip(to.0) {
            let (u, v) = ((from[0] + edge + 0.5) / width - 0.5, (from[1] + edge + 0.5) / height - 0.5);
            let seen = hold.place(u, v, width / height, (480.0, 360.0));
            let off = (seen[0] - to[0]).hypot(seen[1] - to[1]);
            assert!(off < 0.6, "{seen:?} instead of {to:?}");
        }
    }
}
