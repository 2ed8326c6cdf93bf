//! Cuts a rotated square out of a picture, bit for bit as OpenCV's `warpPerspective` does it in MediaPipe:
//! bilinear with coordinates rounded to 1/32 pixel, corners 0..size without a half-pixel shift, 8-bit results.

use crate::picture::Picture;
use crate::region::Region;

/// What lies outside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// The nearest pixel of the picture's edge (landmark model).
    Replicate,
    /// Black (detector).
    Black,
}

/// How the bytes 0..255 become the model's numbers: `value × scale + offset`.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Factor.
    pub scale: f32,
    /// Summand.
    pub offset: f32,
}

impl Range {
    /// 0..1, the landmark model's.
    pub const UNIT: Self = Self { scale: 1.0 / 255.0, offset: 0.0 };
    /// −1..1, the detector's.
    pub const SIGNED: Self = Self { scale: 2.0 / 255.0, offset: -1.0 };
}

/// Fraction bits of a coordinate: OpenCV's INTER_BITS.
const BITS: u32 = 5;
const ONE: i32 = 1 << BITS;
/// Further bits while stepping along a line, so that 256 steps stay well below half of 1/32 pixel.
const STEP_BITS: u32 = 24;

/// Fills `planes`, `[3 × size × size]` numbers (all red, then green, then blue), with `region` of `picture`.
///
/// # Panics
/// Not for regions made by [`Region`]'s constructors and `planes` of the stated length.
pub fn crop(
    picture: &Picture,
    region: &Region,
    border: Border,
    range: Range,
    size: usize,
    planes: &mut [f32],
) {
    let (red, rest) = planes.split_at_mut(size * size);
    let (green, blue) = rest.split_at_mut(size * size);
    let lines = red.chunks_exact_mut(size).zip(green.chunks_exact_mut(size)).zip(blue.chunks_exact_mut(size));
    let steps = Steps::new(region, size);
    let source = Source { rgba: picture.rgba(), width: picture.width(), height: picture.height(), border };
    for (row, ((red, green), blue)) in lines.enumerate() {
        let mut at = steps.line_start(row);
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let [x, y] = at.map(|c| ((c + (1 << (STEP_BITS - 1))) >> STEP_BITS) as i32);
            let [r, g, b] = source.sample(x, y);
            *red = r as f32 * range.scale + range.offset;
            *green = g as f32 * range.scale + range.offset;
            *blue = b as f32 * range.scale + range.offset;
            at = [at[0] + steps.along[0], at[1] + steps.along[1]];
        }
    }
}

/// Walk over the picture in fixed point, `BITS + STEP_BITS` fraction bits.
struct Steps {
    origin: [f64; 2],
    down: [f64; 2],
    along: [i64; 2],
}

impl Steps {
    fn new(region: &Region, size: usize) -> Self {
        let (sin, cos) = f64::from(region.rotation).sin_cos();
        let side = f64::from(region.side);
        let scale = side / size as f64 * f64::from(ONE);
        let half = side / 2.0;
        let center = region.center.map(f64::from);
        Self {
            origin: [
                (center[0] - cos * half + sin * half) * f64::from(ONE),
                (center[1] - sin * half - cos * half) * f64::from(ONE),
            ],
            down: [-sin * scale, cos * scale],
            along: [cos * scale, sin * scale].map(fixed),
        }
    }

    fn line_start(&self, row: usize) -> [i64; 2] {
        let row = row as f64;
        [fixed(self.origin[0] + self.down[0] * row), fixed(self.origin[1] + self.down[1] * row)]
    }
}

fn fixed(value: f64) -> i64 {
    (value * f64::from(1 << STEP_BITS)).round() as i64
}

struct Source<'a> {
    rgba: &'a [u8],
    width: usize,
    height: usize,
    border: Border,
}

impl Source<'_> {
    /// Red, green and blue at (x, y) in 1/32 pixels.
    #[inline]
    fn sample(&self, x: i32, y: i32) -> [u32; 3] {
        let (left, top) = (x >> BITS, y >> BITS);
        let (fx, fy) = ((x & (ONE - 1)) as u32, (y & (ONE - 1)) as u32);
        let inside = (left as usize) < self.width - 1 && (top as usize) < self.height - 1;
        let corners = if inside {
            let at = (top as usize * self.width + left as usize) * 4;
            let below = at + self.width * 4;
            [self.pixel(at), self.pixel(at + 4), self.pixel(below), self.pixel(below + 4)]
        } else {
            [(left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)]
                .map(|(x, y)| self.outside_pixel(x, y))
        };
        blend(corners, fx, fy)
    }

    #[inline]
    fn pixel(&self, at: usize) -> [u8; 4] {
        let p = &self.rgba[at..at + 4];
        [p[0], p[1], p[2], p[3]]
    }

    #[cold]
    fn outside_pixel(&self, x: i32, y: i32) -> [u8; 4] {
        let nearest_x = x.clamp(0, self.width as i32 - 1);
        let nearest_y = y.clamp(0, self.height as i32 - 1);
        if self.border == Border::Black && (nearest_x, nearest_y) != (x, y) {
            return [0; 4];
        }
        self.pixel((nearest_y as usize * self.width + nearest_x as usize) * 4)
    }
}

/// Weights are products of two fractions of 32, so their sum is exactly 1024; OpenCV rounds the same sum.
#[inline]
fn blend([tl, tr, bl, br]: [[u8; 4]; 4], fx: u32, fy: u32) -> [u32; 3] {
    let one = ONE as u32;
    let weights = [(one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy];
    std::array::from_fn(|c| {
        let sum = u32::from(tl[c]) * weights[0]
            + u32::from(tr[c]) * weights[1]
            + u32::from(bl[c]) * weights[2]
            + u32::from(br[c]) * weights[3];
        (sum + 512) >> (2 * BITS)
    })
}

#[cfg(test)]
#[path = "warp_tests.rs"]
mod tests;
