//! YUV lines to RGBA, eight pixels at a time.
//!
//! ITU-R BT.601, limited range: what V4L2 means by YUYV and NV12 unless a driver says otherwise, and what Y4M's C420
//! means. Fixed point with 8 fraction bits.

/// Factors of Y, and of V and U in red, green and blue.
const Y: i16 = 298;
const RED_V: i16 = 409;
const GREEN_U: i16 = -100;
const GREEN_V: i16 = -208;
const BLUE_U: i16 = 516;

/// A line of YUYV: Y U Y V for two pixels.
pub(crate) fn packed_line(line: &[u8], out: &mut [u8]) {
    let pixels = line.chunks(16).zip(out.chunks_mut(32));
    for (yuyv, out) in pixels {
        let (mut y, mut uv) = ([0; 8], [0; 8]);
        for (i, pair) in yuyv.as_chunks::<2>().0.iter().enumerate() {
            [y[i], uv[i]] = *pair;
        }
        store(kernel::eight(y, uv), out);
    }
}

/// A line of NV12: a line of Y, and U V for every two pixels.
pub(crate) fn semi_planar_line(luma: &[u8], chroma: &[u8], out: &mut [u8]) {
    for ((luma, chroma), out) in luma.chunks(8).zip(chroma.chunks(8)).zip(out.chunks_mut(32)) {
        store(kernel::eight(padded(luma), padded(chroma)), out);
    }
}

/// A line of I420: a line of Y, and U and V for every two pixels.
pub(crate) fn planar_line(luma: &[u8], u: &[u8], v: &[u8], out: &mut [u8]) {
    for (((luma, u), v), out) in luma.chunks(8).zip(u.chunks(4)).zip(v.chunks(4)).zip(out.chunks_mut(32)) {
        let mut chroma = [0; 8];
        for ((pair, &u), &v) in chroma.as_chunks_mut().0.iter_mut().zip(u).zip(v) {
            *pair = [u, v];
        }
        store(kernel::eight(padded(luma), chroma), out);
    }
}

#[inline]
fn padded(bytes: &[u8]) -> [u8; 8] {
    if let Ok(whole) = bytes.try_into() {
        return whole;
    }
    let mut padded = [0; 8];
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    padded
}

#[inline]
fn store(pixels: [u8; 32], out: &mut [u8]) {
    match <&mut [u8; 32]>::try_from(&mut *out) {
        Ok(whole) => *whole = pixels,
        Err(_) => out.iter_mut().zip(pixels).for_each(|(to, from)| *to = from),
    }
}

/// Converts with the vector instructions that every x86-64 processor has.
#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::*;

    use super::{BLUE_U, GREEN_U, GREEN_V, RED_V, Y};

    /// RGBA of eight pixels from their Y and four pairs of U and V.
    #[inline]
    #[allow(unsafe_code, reason = "vector instructions")]
    pub(super) fn eight(y: [u8; 8], uv: [u8; 8]) -> [u8; 32] {
        // SAFETY: SSE2 is part of every x86-64 processor; the result is 32 bytes of plain numbers.
        unsafe { std::mem::transmute(convert(i64::from_le_bytes(y), i64::from_le_bytes(uv))) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn convert(y: i64, uv: i64) -> [__m128i; 2] {
        let zero = _mm_setzero_si128();
        let y = _mm_sub_epi16(_mm_unpacklo_epi8(_mm_cvtsi64_si128(y), zero), _mm_set1_epi16(16));
        let uv = _mm_sub_epi16(_mm_unpacklo_epi8(_mm_cvtsi64_si128(uv), zero), _mm_set1_epi16(128));
        // U, or V, of each pair for both of its pixels.
        let u = _mm_shufflehi_epi16::<0b10_10_00_00>(_mm_shufflelo_epi16::<0b10_10_00_00>(uv));
        let v = _mm_shufflehi_epi16::<0b11_11_01_01>(_mm_shufflelo_epi16::<0b11_11_01_01>(uv));
        let red = channel(y, v, RED_V, zero, 0);
        let green = channel(y, u, GREEN_U, v, GREEN_V);
        let blue = channel(y, u, BLUE_U, zero, 0);
        let red_green = _mm_unpacklo_epi8(_mm_packus_epi16(red, red), _mm_packus_epi16(green, green));
        let blue_alpha = _mm_unpacklo_epi8(_mm_packus_epi16(blue, blue), _mm_set1_epi8(-1));
        [_mm_unpacklo_epi16(red_green, blue_alpha), _mm_unpackhi_epi16(red_green, blue_alpha)]
    }

    /// (298 y + a × `factor_a` + b × `factor_b` + 128) >> 8 of eight pixels.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn channel(y: __m128i, a: __m128i, factor_a: i16, b: __m128i, factor_b: i16) -> __m128i {
        let one = _mm_set1_epi16(1);
        let factors_ya = pair(Y, factor_a);
        let factors_b1 = pair(factor_b, 128);
        let low = _mm_add_epi32(
            _mm_madd_epi16(_mm_unpacklo_epi16(y, a), factors_ya),
            _mm_madd_epi16(_mm_unpacklo_epi16(b, one), factors_b1),
        );
        let high = _mm_add_epi32(
            _mm_madd_epi16(_mm_unpackhi_epi16(y, a), factors_ya),
            _mm_madd_epi16(_mm_unpackhi_epi16(b, one), factors_b1),
        );
        _mm_packs_epi32(_mm_srai_epi32::<8>(low), _mm_srai_epi32::<8>(high))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn pair(low: i16, high: i16) -> __m128i {
        _mm_set1_epi32(i32::from(low as u16) | i32::from(high) << 16)
    }
}

/// Converts in plain Rust.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "the tests compare the vector code with it"))]
mod plain {
    use super::{BLUE_U, GREEN_U, GREEN_V, RED_V, Y};

    pub(super) fn eight(y: [u8; 8], uv: [u8; 8]) -> [u8; 32] {
        let mut out = [0; 32];
        for (i, pixel) in out.as_chunks_mut().0.iter_mut().enumerate() {
            *pixel = one(y[i], uv[i / 2 * 2], uv[i / 2 * 2 + 1]);
        }
        out
    }

    fn one(y: u8, u: u8, v: u8) -> [u8; 4] {
        let y = i32::from(Y) * (i32::from(y) - 16) + 128;
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let channel =
            |in_u: i16, in_v: i16| ((y + u * i32::from(in_u) + v * i32::from(in_v)) >> 8).clamp(0, 255) as u8;
        [channel(0, RED_V), channel(GREEN_U, GREEN_V), channel(BLUE_U, 0), 255]
    }
}
#[cfg(not(target_arch = "x86_64"))]
use plain as kernel;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_and_plain_code_agree_on_every_luma_and_many_colours() {
        for y in 0..=255_u8 {
            for (u, v) in (0..=255_u8).step_by(15).flat_map(|u| (0..=255_u8).step_by(17).map(move |v| (u, v)))
            {
                let (ys, uvs) = ([y; 8], [u, v, v, u, 0, v, u, 255]);
                assert_eq!(kernel::eight(ys, uvs), plain::eight(ys, uvs), "{y} {u} {v}");
            }
        }
    }

    #[test]
    fn lines_of_any_length_are_filled_to_the_end() {
        for width in [2, 6, 8, 10, 16, 18] {
            let luma: Vec<u8> = (0..width).map(|x| 16 + 10 * x as u8).collect();
            let grey: Vec<u8> =
                luma.iter().flat_map(|&y| plain::eight([y; 8], [128; 8])[..4].to_vec()).collect();
            let mut out = [vec![7; width * 4], vec![7; width * 4], vec![7; width * 4]];
            packed_line(&luma.iter().flat_map(|&y| [y, 128]).collect::<Vec<_>>(), &mut out[0]);
            semi_planar_line(&luma, &vec![128; width], &mut out[1]);
            planar_line(&luma, &vec![128; width / 2], &vec![128; width / 2], &mut out[2]);
            for (kind, out) in out.iter().enumerate() {
                assert_eq!(*out, grey, "width {width}, kind {kind}");
            }
        }
    }
}
