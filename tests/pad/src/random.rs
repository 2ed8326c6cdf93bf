//! Seeded randomness: the same attacks on every machine.

use std::f32::consts::TAU;

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In `0..n`, `n` > 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// In `from..to`.
    pub(crate) fn between(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * ((self.next() >> 40) as f32 / (1u64 << 24) as f32)
    }
}

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
