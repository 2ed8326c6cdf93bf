//! Streams fed in as if they were a camera's, and the live people that they are measured against.

use pose_camera::Frame;
use pose_engine::challenge::Movement;

use super::{Plan, Show, Species};
use crate::cast::{Cast, Take, Target};
use crate::random::Random;
use crate::rgb::Rgb;

/// The last pictures of a recording, between which its person rests.
const REST: usize = 5;

/// A stream made of recordings.
pub(super) struct Feed<'a> {
    gesture: &'a Take,
    answers: [&'a Take; 2],
    /// Whether each picture gets noise of its own.
    noise: bool,
    seed: u64,
    shown: u64,
}

impl<'a> Feed<'a> {
    pub(super) fn new(cast: &'a Cast, target: &'a Target, plan: &Plan) -> Self {
        let mut random = Random::new(plan.seed);
        let gesture = plan.take(target);
        let other = &cast.targets[plan.target ^ 1].takes[plan.take];
        let answers = if plan.species == Species::RightFirstHalf {
            // Chosen in advance, two different ones.
            let mut movements: Vec<&Take> = cast.answers(&target.who).map(|(_, take)| take).collect();
            let first = movements.swap_remove(random.below(movements.len()));
            [first, movements[random.below(movements.len())]]
        } else {
            // The same again, or the person's other gesture.
            [if random.below(2) == 0 { gesture } else { other }, other]
        };
        Self { gesture, answers, noise: plan.species != Species::Injected, seed: plan.seed, shown: 0 }
    }

    fn picture(&mut self, take: &Take, i: usize) -> Frame {
        let at = resting(i, take.frames.len());
        self.shown += 1;
        if self.noise { noisy(&take.pictures[at], self.seed ^ self.shown) } else { take.frames[at].clone() }
    }
}

impl Show for Feed<'_> {
    fn gesture(&mut self, i: usize) -> Frame {
        self.picture(self.gesture, i)
    }

    fn answer(&mut self, n: usize, _: Movement, i: usize) -> Frame {
        self.picture(self.answers[n.min(1)], i)
    }
}

/// A live person.
pub(super) struct Live<'a> {
    cast: &'a Cast,
    target: &'a Target,
    take: usize,
    grey: bool,
    shown: u64,
}

impl<'a> Live<'a> {
    pub(super) fn new(cast: &'a Cast, target: &'a Target, take: usize, grey: bool) -> Self {
        Self { cast, target, take, grey, shown: 0 }
    }

    fn picture(&mut self, take: &Take, i: usize) -> Frame {
        let at = resting(i, take.frames.len());
        self.shown += 1;
        let seed = self.shown ^ ((self.take as u64) << 32);
        if self.grey {
            return take.pictures[at].clone().noisy(seed).into_grey_frame();
        }
        if i < take.frames.len() { take.frames[at].clone() } else { noisy(&take.pictures[at], seed) }
    }
}

impl Show for Live<'_> {
    fn gesture(&mut self, i: usize) -> Frame {
        self.picture(&self.target.takes[self.take], i)
    }

    fn answer(&mut self, _: usize, asked: Movement, i: usize) -> Frame {
        let answer = self.cast.answers(&self.target.who).find(|(movement, _)| *movement == asked);
        // A movement that was not recorded is not done.
        let (take, i) = answer.map_or((&self.target.takes[self.take], usize::MAX), |(_, take)| (take, i));
        self.picture(take, i)
    }
}

pub(super) fn noisy(picture: &Rgb, seed: u64) -> Frame {
    picture.clone().noisy(seed).into_frame()
}

/// Which picture of a recording is shown at `i`: after its end the last few back and forth.
pub(super) fn resting(i: usize, length: usize) -> usize {
    match i.checked_sub(length) {
        None => i,
        Some(past) => length.saturating_sub(1 + zigzag(past)),
    }
}

/// Up from 0 to the last of so many pictures and down again, without end.
pub(super) fn zigzag(i: usize) -> usize {
    let turn = i % (2 * REST - 2);
    if turn < REST { turn } else { 2 * REST - 2 - turn }
}
