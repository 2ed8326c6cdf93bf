//! A recording makes the gesture, and somebody else does what is asked: a screen that is taken away, or a capture
//! device that is switched.

use pose_camera::Frame;
use pose_engine::challenge::Movement;

use super::feed::{noisy, resting, zigzag};
use super::hand::Hand;
use super::panel::{self, Surface, finish};
use super::{Plan, Show, Species};
use crate::cast::{Cast, PERIOD, Take, Target};
use crate::random::Random;
use crate::rgb::Rgb;
use crate::sheet::Hold;
use crate::similarity::{Shoulders, Similarity};

/// The recording's last pictures, and the stranger's first ones: where the shoulders are when one takes the other's place.
const AT_REST: usize = 5;
/// How long a screen stays after the instruction, seconds: somebody reads it.
const STAYS: [f32; 2] = [0.1, 0.6];
/// Half of the screens are switched off before they leave, for so long, seconds: nobody is seen then, so that no body
/// leaps.
const DARK: [f32; 2] = [0.3, 0.5];
/// How long it takes to be gone, seconds.
const LEAVES: [f32; 2] = [0.2, 0.7];

/// Somebody else, who sits before the camera, waits, and does what is asked.
struct Stranger<'a> {
    waits: &'a Take,
    movements: Vec<(Movement, &'a Take)>,
    /// Where the shoulders rest whichever recording is shown; as recorded if `None`.
    seat: Option<Shoulders>,
}

impl<'a> Stranger<'a> {
    fn new(cast: &'a Cast, target: &'a Target, plan: &Plan) -> Self {
        let other = cast.another(target);
        Self { waits: plan.take(other), movements: cast.answers(&other.who).collect(), seat: None }
    }

    /// While there is nothing to do; the recording of what comes then begins in `left` pictures.
    fn waiting(&self, then: Option<Movement>, left: usize) -> Rgb {
        let take = then.and_then(|movement| self.take(movement)).unwrap_or(self.waits);
        self.seated(take, zigzag(left).min(take.pictures.len() - 1))
    }

    /// Picture `i` of a movement. One that was not recorded is not done.
    fn doing(&self, movement: Movement, i: usize) -> Rgb {
        match self.take(movement) {
            Some(take) => self.seated(take, resting(i, take.pictures.len())),
            None => self.waiting(None, i),
        }
    }

    fn take(&self, movement: Movement) -> Option<&'a Take> {
        self.movements.iter().find(|(known, _)| *known == movement).map(|(_, take)| *take)
    }

    fn seated(&self, take: &Take, i: usize) -> Rgb {
        let picture = &take.pictures[i];
        let fit = self.seat.zip(first(take)).and_then(|(seat, from)| Similarity::between(&from, &seat));
        fit.map_or_else(|| picture.clone(), |fit| picture.moved(&fit, &take.pictures[0]))
    }
}

fn first(take: &Take) -> Option<Shoulders> {
    Shoulders::of(&take.seen[..take.seen.len().min(AT_REST)])
}

fn last(take: &Take) -> Option<Shoulders> {
    Shoulders::of(&take.seen[take.seen.len().saturating_sub(AT_REST)..])
}

/// A screen that somebody takes away when a movement is asked.
pub(super) struct Screen<'a> {
    gesture: &'a Take,
    stranger: Stranger<'a>,
    surface: Surface,
    hand: Hand,
    /// Pictures from the instruction until the screen is dark, until it begins to leave, and until it is gone.
    dark: usize,
    leaves: usize,
    gone: usize,
    /// Which way it leaves.
    way: [f32; 2],
    seed: u64,
    shown: usize,
}

impl<'a> Screen<'a> {
    pub(super) fn new(cast: &'a Cast, target: &'a Target, plan: &Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let (gesture, mut stranger) = (plan.take(target), Stranger::new(cast, target, plan));
        let monitor = random.below(2) == 0;
        let (mut base, mut amount) = panel::held(&mut random, monitor);
        let surface = Surface::display(&mut random);
        if plan.species == Species::ScreenExchangedInPlace {
            // Practised: in a hand that hardly moves, where the displayed shoulders are seen where the stranger's are.
            stranger.seat = first(stranger.waits);
            let fit = last(gesture).zip(stranger.seat).and_then(|(from, to)| Similarity::between(&from, &to));
            base = fit.map_or(base, |fit| surface.hold(&gesture.pictures[0], &fit));
            amount = random.between(0.0, 0.05);
        }
        let hand = Hand::new(&mut random, base, amount, 0.0);
        let mut pictures = |[from, to]: [f32; 2]| (random.between(from, to) / PERIOD).round() as usize;
        let (dark, off, leaving) = (pictures(STAYS), pictures(DARK), pictures(LEAVES));
        let leaves = dark + if random.below(2) == 0 { off } else { 0 };
        let way = [[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]][random.below(3)];
        let (gone, seed) = (leaves + leaving, plan.seed);
        Self { gesture, stranger, surface, hand, dark, leaves, gone, way, seed, shown: 0 }
    }

    /// The screen before what is behind it, `i` pictures after the instruction.
    fn before(&mut self, mut behind: Rgb, i: usize) -> Frame {
        let content = &self.gesture.pictures[resting(self.shown, self.gesture.pictures.len())];
        let away = i.saturating_sub(self.leaves) as f32 / (self.gone - self.leaves).max(1) as f32;
        let hold = on_its_way_out(&self.hand.at(self.shown, 1.0), self.way, away);
        let off = self.leaves > self.dark && i >= self.dark;
        let surface = if off { &Surface::DarkGlass } else { &self.surface };
        surface.draw(&mut behind, content, &hold, self.shown);
        self.picture(behind)
    }

    fn picture(&mut self, scene: Rgb) -> Frame {
        let at = self.shown;
        self.shown += 1;
        finish(scene, self.seed ^ at as u64, false)
    }
}

/// A hold on its way out of the view.
fn on_its_way_out(hold: &Hold, [x, y]: [f32; 2], away: f32) -> Hold {
    // From the middle of the picture to where a sheet of its shape is out of it, with room for edge and tilt.
    let far = 0.5 + 0.6 * hold.size + hold.x.hypot(hold.y);
    // It sets out from rest.
    let gone = far * away * away;
    Hold { x: hold.x + x * gone, y: hold.y + y * gone, ..*hold }
}

impl Show for Screen<'_> {
    fn gesture(&mut self, _: usize) -> Frame {
        let behind = self.stranger.waiting(None, self.shown);
        self.before(behind, 0)
    }

    fn answer(&mut self, n: usize, asked: Movement, i: usize) -> Frame {
        if n > 0 || i >= self.gone {
            let doing = self.stranger.doing(asked, if n > 0 { i } else { i - self.gone });
            return self.picture(doing);
        }
        let behind = self.stranger.waiting(Some(asked), self.gone - i);
        self.before(behind, i)
    }
}

/// A feed of a recording that is switched to a camera when a movement is asked; each picture has noise of its own.
pub(super) struct Feed<'a> {
    gesture: &'a Take,
    stranger: Stranger<'a>,
    seed: u64,
    shown: u64,
}

impl<'a> Feed<'a> {
    pub(super) fn new(cast: &'a Cast, target: &'a Target, plan: &Plan) -> Self {
        let (gesture, mut stranger) = (plan.take(target), Stranger::new(cast, target, plan));
        if plan.species == Species::FeedExchangedInPlace {
            stranger.seat = last(gesture);
        }
        Self { gesture, stranger, seed: plan.seed, shown: 0 }
    }

    fn picture(&mut self, picture: &Rgb) -> Frame {
        self.shown += 1;
        noisy(picture, self.seed ^ self.shown)
    }
}

impl Show for Feed<'_> {
    fn gesture(&mut self, i: usize) -> Frame {
        let pictures = &self.gesture.pictures;
        self.picture(&pictures[resting(i, pictures.len())])
    }

    fn answer(&mut self, _: usize, asked: Movement, i: usize) -> Frame {
        let doing = self.stranger.doing(asked, i);
        self.picture(&doing)
    }
}
