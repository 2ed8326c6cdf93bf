//! A hand that holds something before a camera: it moves it for a while, rests, and moves it again.

use crate::cast::PERIOD;
use crate::random::{Random, Sway};
use crate::sheet::Hold;

/// How far each part of a hold sways when a hand moves it with a will: picture widths and radians.
const REACH: [f32; 6] = [0.045, 0.035, 0.22, 0.16, 0.09, 0.05];
/// A hand that tries to hold still reaches this share of it.
const TREMBLE: f32 = 0.03;

/// One hand.
pub(super) struct Hand {
    base: Hold,
    sways: [Sway; 6],
    bend: Sway,
    trembles: [Sway; 6],
    /// Share of [`REACH`] while it moves.
    amount: f32,
    /// Most bend, radians.
    most_bend: f32,
    trembling: bool,
}

impl Hand {
    /// Holds it like `base`; `amount` 0 is a stand.
    pub(super) fn new(random: &mut Random, base: Hold, amount: f32, most_bend: f32) -> Self {
        let periods = [2.0, 2.0, 1.6, 1.8, 2.0, 2.5];
        let sways = periods.map(|period| Sway::new(random, period));
        let trembles = [0.5; 6].map(|period| Sway::new(random, period));
        let bend = Sway::new(random, 1.7);
        Self { base, sways, bend, trembles, amount, most_bend, trembling: amount > 0.0 }
    }

    /// The hold at picture `i`, with this share of the will to move.
    pub(super) fn at(&self, i: usize, will: f32) -> Hold {
        let t = i as f32 * PERIOD;
        let tremble = if self.trembling { TREMBLE } else { 0.0 };
        let moved: [f32; 6] = std::array::from_fn(|k| {
            REACH[k] * (self.amount * will * self.sways[k].at(t) + tremble * self.trembles[k].at(t))
        });
        let base = self.base;
        Hold {
            x: base.x + moved[0],
            y: base.y + moved[1],
            yaw: base.yaw + moved[2],
            pitch: base.pitch + moved[3],
            roll: base.roll + moved[4],
            size: base.size * (1.0 + moved[5]),
            bend: base.bend + self.most_bend * will * self.bend.at(t),
            ..base
        }
    }
}

/// How much a hand wants to move `i` pictures after it was asked to: from rest, up within half a second, until
/// `until`, and back to rest.
pub(super) fn will(i: usize, until: usize) -> f32 {
    let ramp = 7.0;
    let up = (i as f32 / ramp).min(1.0);
    let down = (until.saturating_sub(i) as f32 / ramp).min(1.0);
    let smooth = |x: f32| x * x * (3.0 - 2.0 * x);
    smooth(up.min(down))
}
