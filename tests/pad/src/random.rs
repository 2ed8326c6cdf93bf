//! Seeded randomness: the same attacks on every machine.

use std::f32::consts::TAU;

pub(crate) use pose_engine::random::SplitMix64 as Random;

/// Something a hand does without end: a sum of three slow waves, -1..1 mostly.
#[derive(Clone, Debug)]
pub(crate) struct Sway {
    waves: [(f32, f32, f32); 3],
}

impl Sway {
    /// `period`: seconds of the slowest wave.
    pub(crate) fn new(random: &mut Random, period: f32) -> Self {
        let waves = [1.0, 0.55, 0.31].map(|share| {
            let period = period * share * random.between(0.85, 1.15);
            (TAU / period, random.between(0.0, TAU), share.sqrt() * 0.6)
        });
        Self { waves }
    }

    pub(crate) fn at(&self, seconds: f32) -> f32 {
        self.waves.iter().map(|(speed, phase, size)| size * (speed * seconds + phase).sin()).sum()
    }
}
