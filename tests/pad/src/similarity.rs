//! Where shoulders are, and the shift, turn and scale that brings one pair of them to another's place.

use pose_engine::landmarks::{Observation, part};

/// Left and right shoulder, pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shoulders(pub(crate) [[f32; 2]; 2]);

impl Shoulders {
    /// Their mean over some pictures; `None` if nobody was seen.
    pub(crate) fn of(seen: &[Observation]) -> Option<Self> {
        let mut sum = [[0.0; 2]; 2];
        let mut n = 0.0;
        for observation in seen {
            let Some(pose) = &observation.pose else { continue };
            let (w, h) = (f32::from(observation.width), f32::from(observation.height));
            for (sum, k) in sum.iter_mut().zip([part::LEFT_SHOULDER, part::RIGHT_SHOULDER]) {
                sum[0] += pose.landmarks[k].x * w;
                sum[1] += pose.landmarks[k].y * h;
            }
            n += 1.0;
        }
        (n > 0.0).then(|| Self(sum.map(|place| place.map(|v| v / n))))
    }
}

/// A place z goes to `turn` · z + `shift`, all of them complex numbers: x is real, y imaginary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Similarity {
    turn: [f32; 2],
    shift: [f32; 2],
}

impl Similarity {
    /// From one pair of shoulders to another; `None` if they lie in one place.
    pub(crate) fn between(from: &Shoulders, to: &Shoulders) -> Option<Self> {
        let [a, b] = from.0;
        let [c, d] = to.0;
        let turn = times(minus(d, c), inverse(minus(b, a))?);
        Some(Self { turn, shift: minus(c, times(turn, a)) })
    }

    /// Where a place goes.
    pub(crate) fn place(&self, place: [f32; 2]) -> [f32; 2] {
        let [x, y] = times(self.turn, place);
        [x + self.shift[0], y + self.shift[1]]
    }

    /// The way back; `None` if everything goes to one place.
    pub(crate) fn back(&self) -> Option<Self> {
        let turn = inverse(self.turn)?;
        let [x, y] = times(turn, self.shift);
        Some(Self { turn, shift: [-x, -y] })
    }

    /// How many times as long everything becomes.
    pub(crate) fn scale(&self) -> f32 {
        self.turn[0].hypot(self.turn[1])
    }

    /// By how much everything is turned, radians; from x towards y.
    pub(crate) fn angle(&self) -> f32 {
        self.turn[1].atan2(self.turn[0])
    }
}

fn minus(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

fn times([a, b]: [f32; 2], [c, d]: [f32; 2]) -> [f32; 2] {
    [a * c - b * d, a * d + b * c]
}

fn inverse([a, b]: [f32; 2]) -> Option<[f32; 2]> {
    let square = a * a + b * b;
    square.is_normal().then(|| [a / square, -b / square])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shoulders_come_to_the_others_place_and_back() {
        let from = Shoulders([[300.0, 190.0], [190.0, 195.0]]);
        let to = Shoulders([[280.0, 185.0], [180.0, 180.0]]);
        let way = Similarity::between(&from, &to).expect("two places");
        let back = way.back().expect("a way back");
        let close =
            |a: [f32; 2], b: [f32; 2]| assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1e-2, "{a:?} {b:?}");
        for (a, b) in from.0.into_iter().zip(to.0) {
            close(way.place(a), b);
            close(back.place(b), a);
        }
        assert!(Similarity::between(&Shoulders([[1.0; 2]; 2]), &to).is_none());
    }
}
