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
/// `size` is a multiple of 4.
///
/// # Panics
/// Not for regions made by [`Region`]'s constructors and `planes` and `size` as stated.
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
    let steps = Steps::new(region, size);
    let source = Source { rgba: picture.rgba(), width: picture.width(), height: picture.height(), border };
    let lines = red.chunks_exact_mut(size).zip(green.chunks_exact_mut(size)).zip(blue.chunks_exact_mut(size));
    for (row, ((red, green), blue)) in lines.enumerate() {
        let [mut x, mut y] = steps.line_start(row);
        for ((red, green), blue) in quads(red).zip(quads(green)).zip(quads(blue)) {
            let four = std::array::from_fn(|_| {
                let corners = source.corners((x >> STEP_BITS) as i32, (y >> STEP_BITS) as i32);
                x = x.wrapping_add(steps.along[0]);
                y = y.wrapping_add(steps.along[1]);
                corners
            });
            [*red, *green, *blue] = blend::four(four, range);
        }
    }
}

fn quads(plane: &mut [f32]) -> impl Iterator<Item = &mut [f32; 4]> {
    plane.as_chunks_mut().0.iter_mut()
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

    /// Half a unit is added, so that cutting the further bits off rounds to the nearest.
    fn line_start(&self, row: usize) -> [i64; 2] {
        const HALF: i64 = 1 << (STEP_BITS - 1);
        let row = row as f64;
        [0, 1].map(|axis| fixed(self.origin[axis] + self.down[axis] * row) + HALF)
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
    /// What the crop's pixel at (x, y), in 1/32 pixels, is blended from.
    #[inline]
    fn corners(&self, x: i32, y: i32) -> Corners {
        let (left, top) = (x >> BITS, y >> BITS);
        let (top, bottom) = match self.inside(left, top) {
            Some(lines) => lines,
            None => (self.outside_pair(left, top), self.outside_pair(left, top.saturating_add(1))),
        };
        Corners { top, bottom, x: (x & (ONE - 1)) as u32, y: (y & (ONE - 1)) as u32 }
    }

    /// The pixels at (left, top) and to its right, and those below, if all lie in the picture.
    #[inline]
    fn inside(&self, left: i32, top: i32) -> Option<(u64, u64)> {
        let (left, top) = (left as usize, top as usize);
        if left >= self.width.wrapping_sub(1) || top >= self.height.wrapping_sub(1) {
            return None;
        }
        let at = top.wrapping_mul(self.width).wrapping_add(left).wrapping_mul(4);
        let above = self.rgba.get(at..)?;
        let below = above.get(self.width.wrapping_mul(4)..)?;
        Some((u64::from_le_bytes(*above.first_chunk()?), u64::from_le_bytes(*below.first_chunk()?)))
    }

    #[cold]
    fn outside_pair(&self, x: i32, y: i32) -> u64 {
        u64::from(self.outside_pixel(x, y)) | u64::from(self.outside_pixel(x.saturating_add(1), y)) << 32
    }

    fn outside_pixel(&self, x: i32, y: i32) -> u32 {
        let nearest_x = x.clamp(0, self.width as i32 - 1);
        let nearest_y = y.clamp(0, self.height as i32 - 1);
        if self.border == Border::Black && (nearest_x, nearest_y) != (x, y) {
            return 0;
        }
        let at = (nearest_y as usize * self.width + nearest_x as usize) * 4;
        let p = &self.rgba[at..at + 4];
        u32::from_le_bytes([p[0], p[1], p[2], p[3]])
    }
}

/// Four neighbouring pixels and where between them the crop looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Corners {
    /// Upper left and upper right pixel, R G B A each, as little-endian bytes.
    top: u64,
    /// Lower left and lower right pixel.
    bottom: u64,
    /// From left to right, 0..32.
    x: u32,
    /// From top to bottom, 0..32.
    y: u32,
}

impl Corners {
    /// Weights of the left and the right pixel in each line. Their sum is 1024, and OpenCV rounds the same sum.
    #[inline]
    fn weights(&self) -> [[u32; 2]; 2] {
        let one = ONE as u32;
        let (left, above) = (one.wrapping_sub(self.x), one.wrapping_sub(self.y));
        [[left * above, self.x * above], [left * self.y, self.x * self.y]]
    }
}

/// Blends with the vector instructions that every x86-64 processor has.
#[cfg(target_arch = "x86_64")]
mod blend {
    use std::arch::x86_64::*;

    use super::{BITS, Corners, Range};

    /// Red, green and blue of four pixels.
    #[inline]
    #[allow(unsafe_code, reason = "vector instructions")]
    pub(super) fn four(corners: [Corners; 4], range: Range) -> [[f32; 4]; 3] {
        // SAFETY: SSE2 is part of every x86-64 processor. The results are 16 bytes of plain numbers each.
        unsafe { channels(corners, range).map(|vector| std::mem::transmute::<__m128, [f32; 4]>(vector)) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn channels(corners: [Corners; 4], range: Range) -> [__m128; 3] {
        let [a, b, c, d] = corners.map(|corners| _mm_cvtepi32_ps(one(&corners)));
        let (ab_rg, ab_ba) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        let (cd_rg, cd_ba) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        let (scale, offset) = (_mm_set1_ps(range.scale), _mm_set1_ps(range.offset));
        [_mm_movelh_ps(ab_rg, cd_rg), _mm_movehl_ps(cd_rg, ab_rg), _mm_movelh_ps(ab_ba, cd_ba)]
            .map(|channel| _mm_add_ps(_mm_mul_ps(channel, scale), offset))
    }

    /// R G B A of one pixel, 0..255.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn one(corners: &Corners) -> __m128i {
        let [top, bottom] = corners.weights();
        let sum = _mm_add_epi32(line(corners.top, top), line(corners.bottom, bottom));
        _mm_srli_epi32::<{ 2 * BITS as i32 }>(_mm_add_epi32(sum, _mm_set1_epi32(512)))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn line(pair: u64, [left, right]: [u32; 2]) -> __m128i {
        let pixels = _mm_cvtsi64_si128(pair as i64);
        let together = _mm_unpacklo_epi8(pixels, _mm_srli_si128::<4>(pixels));
        let wide = _mm_unpacklo_epi8(together, _mm_setzero_si128());
        _mm_madd_epi16(wide, _mm_set1_epi32((left | right << 16) as i32))
    }
}

/// Blends in plain Rust.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "the tests compare the vector code with it"))]
mod plain {
    use super::{BITS, Corners, Range};

    pub(super) fn four(corners: [Corners; 4], range: Range) -> [[f32; 4]; 3] {
        std::array::from_fn(|c| {
            corners.map(|corners| channel(&corners, c) as f32 * range.scale + range.offset)
        })
    }

    fn channel(corners: &Corners, c: usize) -> u32 {
        let [top, bottom] = corners.weights();
        let (upper, lower) = (corners.top.to_le_bytes(), corners.bottom.to_le_bytes());
        let part = |pair: [u8; 8], weight: [u32; 2]| {
            u32::from(pair[c]) * weight[0] + u32::from(pair[4 + c]) * weight[1]
        };
        (part(upper, top) + part(lower, bottom) + 512) >> (2 * BITS)
    }
}
#[cfg(not(target_arch = "x86_64"))]
use plain as blend;

#[cfg(test)]
#[path = "warp_tests.rs"]
mod tests;
