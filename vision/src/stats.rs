//! Statistics of a picture, from which darkness, glare, blur and repeated frames are told.

use pose_engine::landmarks::PictureStats;

use crate::picture::Picture;

/// Every this many lines are looked at: enough for means, a quarter of the time.
const LINE_STEP: usize = 4;
/// Luma of 8 bits above which a pixel counts as clipped: 0.98 × 255.
const CLIPPED_ABOVE: u32 = 249;

/// Statistics of `picture`, which was decoded from `raw`.
pub(crate) fn of(picture: &Picture, raw: &[u8]) -> PictureStats {
    let (mut sum, mut clipped, mut steps, mut lines) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut lumas = vec![0_u8; picture.width()];
    for line in picture.rgba().chunks_exact(picture.width() * 4).step_by(LINE_STEP) {
        for (luma, pixel) in lumas.iter_mut().zip(line.chunks_exact(4)) {
            *luma = luma_of(pixel);
        }
        sum += lumas.iter().map(|&l| u64::from(l)).sum::<u64>();
        clipped += lumas.iter().filter(|&&l| u32::from(l) > CLIPPED_ABOVE).count() as u64;
        steps += lumas.windows(2).map(|pair| u64::from(pair[0].abs_diff(pair[1]))).sum::<u64>();
        lines += 1;
    }
    let pixels = (lines * picture.width() as u64).max(1) as f64;
    let pairs = (lines * (picture.width() as u64).saturating_sub(1)).max(1) as f64;
    PictureStats {
        luma_mean: (sum as f64 / pixels / 255.0) as f32,
        clipped: (clipped as f64 / pixels) as f32,
        sharpness: (steps as f64 / pairs / 255.0) as f32,
        digest: digest(raw),
    }
}

/// BT.601 luma, fixed point with 8 fraction bits.
fn luma_of(pixel: &[u8]) -> u8 {
    let weighted = 77 * u32::from(pixel[0]) + 150 * u32::from(pixel[1]) + 29 * u32::from(pixel[2]);
    ((weighted + 128) >> 8) as u8
}

/// A fast digest that tells repeated pictures; it is no defence against somebody who makes two pictures with one
/// digest, and needs none: a repeat is what counts against the sender.
fn digest(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    // Four independent chains: the processor works on all of them at once.
    let mut chains: [u64; 4] = std::array::from_fn(|i| ODD.rotate_left(16 * i as u32));
    let (blocks, rest) = bytes.as_chunks::<32>();
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (chain, word) in chains.iter_mut().zip(words) {
            *chain = mix(*chain, u64::from_le_bytes(*word));
        }
    }
    let tail = rest.iter().fold(bytes.len() as u64, |state, &byte| mix(state, u64::from(byte)));
    chains.iter().fold(tail, |state, &chain| mix(state, chain))
}

fn mix(state: u64, word: u64) -> u64 {
    let wide = u128::from(state ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (wide as u64) ^ ((wide >> 64) as u64) ^ state.rotate_left(23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pose_camera::{Frame, PixelFormat};

    fn grey(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> (Picture, Vec<u8>) {
        let data: Vec<u8> =
            (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| luma(x, y)).collect();
        let frame = Frame {
            width,
            height,
            stride: width,
            format: PixelFormat::Grey,
            data: data.clone(),
            t_us: 0,
            sequence: 0,
        };
        let mut picture = Picture::default();
        picture.decode(&frame).expect("a whole frame");
        (picture, data)
    }

    #[test]
    fn brightness_glare_and_sharpness_follow_the_picture() {
        let (flat, raw) = grey(64, 32, |_, _| 51);
        let stats = of(&flat, &raw);
        assert!((stats.luma_mean - 0.2).abs() < 1e-3, "{stats:?}");
        assert!(stats.clipped == 0.0 && stats.sharpness == 0.0, "{stats:?}");

        let (half, raw) = grey(64, 32, |x, _| if x < 32 { 0 } else { 255 });
        let stats = of(&half, &raw);
        assert!((stats.clipped - 0.5).abs() < 1e-6, "{stats:?}");
        assert!(
            (stats.sharpness - 1.0 / 63.0).abs() < 1e-6,
            "one step of full height in 63 pairs: {stats:?}"
        );
    }

    #[test]
    fn the_digest_tells_any_single_changed_byte() {
        let bytes: Vec<u8> = (0..203_u32).map(|i| (i * 7 % 251) as u8).collect();
        let whole = digest(&bytes);
        assert_eq!(whole, digest(&bytes.clone()));
        for i in 0..bytes.len() {
            let mut other = bytes.clone();
            other[i] ^= 1;
            assert_ne!(whole, digest(&other), "byte {i}");
        }
        assert_ne!(digest(&[0; 8]), digest(&[0; 16]), "length counts");
    }
}
