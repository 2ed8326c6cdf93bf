//! Whether a camera's exposure has settled, measured on the pictures. Pure.
//!
//! After start a webcam's pictures are black, stale or too bright for anything between 0.1 and 1.5 s; a fixed
//! number of pictures is too many for most cameras and too few for some.

use std::collections::VecDeque;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::frame::{Frame, PixelFormat};

/// The brightness must have been steady for this long, microseconds: several steps of an exposure loop, which
/// moves every one to three pictures.
const STEADY_US: u64 = 200_000;
/// And over this many pictures, for cameras that deliver few.
const STEADY_PICTURES: usize = 4;
/// Steady means within this share of the mean, but sensor noise and a moving person always get
/// [`STEADY_LEVELS`].
const STEADY_SHARE: f64 = 0.04;
/// Grey levels of 255.
const STEADY_LEVELS: f64 = 2.0;
/// A picture darker than this, grey levels of 255, may be the black that cameras start with: it settles only at
/// the limit.
const DARK: f64 = 16.0;
/// Nothing is waited for longer than this, microseconds.
const LIMIT_US: u64 = 1_500_000;

/// Whether to go on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Wait for another picture.
    NotYet,
    /// The brightness is steady.
    Yes,
    /// It is not, or it is dark, but waiting longer helps nobody.
    GaveUp,
}

/// Follows the brightness from the first picture on.
#[derive(Clone, Debug, Default)]
pub struct Settling {
    first_us: Option<u64>,
    /// Time and mean luma of the pictures in the window, and one before it.
    recent: VecDeque<(u64, f64)>,
}

impl Settling {
    /// Takes the next picture's time (microseconds) and mean luma (0 to 255).
    pub fn judge(&mut self, t_us: u64, luma: f64) -> Settled {
        let first = *self.first_us.get_or_insert(t_us);
        self.recent.push_back((t_us, luma));
        while self.recent.get(1).is_some_and(|(t, _)| *t + STEADY_US <= t_us) {
            self.recent.pop_front();
        }
        if self.is_steady(t_us) {
            Settled::Yes
        } else if t_us.saturating_sub(first) >= LIMIT_US {
            Settled::GaveUp
        } else {
            Settled::NotYet
        }
    }

    fn is_steady(&self, now_us: u64) -> bool {
        let spans = self.recent.front().is_some_and(|(t, _)| t + STEADY_US <= now_us);
        let lumas = || self.recent.iter().map(|(_, l)| *l);
        let (low, high) = lumas().fold((f64::MAX, f64::MIN), |(a, b), l| (a.min(l), b.max(l)));
        let mean = lumas().sum::<f64>() / self.recent.len() as f64;
        let tolerance = (mean * STEADY_SHARE).max(STEADY_LEVELS);
        spans && self.recent.len() >= STEADY_PICTURES && mean >= DARK && high - low <= tolerance
    }
}

/// Mean luma of a picture, 0 to 255; `None` for one that cannot be read. Every fourth sample is taken.
pub fn mean_luma(frame: &Frame) -> Option<f64> {
    let width = frame.width as usize;
    let rows = |bytes_per_row: usize| {
        let stride = (frame.stride as usize).max(bytes_per_row).max(1);
        frame.data.chunks(stride).take(frame.height as usize).filter_map(move |r| r.get(..bytes_per_row))
    };
    let step = 4;
    match frame.format {
        PixelFormat::Mjpg => {
            let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
            let luma = JpegDecoder::new_with_options(ZCursor::new(&frame.data), options).decode().ok()?;
            mean(luma.iter().step_by(step).map(|b| f64::from(*b)))
        }
        PixelFormat::Yuyv => {
            mean(rows(width * 2).flat_map(|r| r.iter().step_by(2 * step)).map(|b| f64::from(*b)))
        }
        PixelFormat::Nv12 | PixelFormat::I420 | PixelFormat::Grey => {
            mean(rows(width).flat_map(|r| r.iter().step_by(step)).map(|b| f64::from(*b)))
        }
        PixelFormat::Y10 => mean(words(rows(width * 2), step).map(|w| f64::from(w & 0x3ff) / 4.0)),
        PixelFormat::Y16 => mean(words(rows(width * 2), step).map(|w| f64::from(w) / 256.0)),
        // Rec. 601, as webcams use.
        PixelFormat::Rgb24 => {
            mean(rows(width * 3).flat_map(|r| r.chunks_exact(3).step_by(step)).map(|p| match p {
                [r, g, b] => 0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b),
                _ => 0.0,
            }))
        }
    }
}

fn words<'a>(rows: impl Iterator<Item = &'a [u8]> + 'a, step: usize) -> impl Iterator<Item = u16> + 'a {
    rows.flat_map(move |r| r.chunks_exact(2).step_by(step))
        .filter_map(|w| w.first_chunk().map(|b| u16::from_le_bytes(*b)))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(s, n), v| (s + v, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds until a course of brightness, 30 per second, counts as settled, and how.
    fn course(luma: impl Fn(u64) -> f64) -> (u64, Settled) {
        let mut settling = Settling::default();
        (0..)
            .map(|i| i * 33_333)
            .map(|t| (t / 1000, settling.judge(t, luma(t / 1000))))
            .find(|(_, s)| *s != Settled::NotYet)
            .unwrap()
    }

    #[test]
    fn steady_light_is_taken_at_once_and_no_course_is_waited_for_without_end() {
        let (ms, settled) = course(|_| 110.0);
        assert!(settled == Settled::Yes && ms < 250, "{ms}");
        let (ms, settled) = course(|t| if t % 2 == 0 { 90.0 } else { 150.0 });
        assert!(settled == Settled::GaveUp && ms < 1600, "{ms}");
    }

    #[test]
    fn a_ramp_is_followed_to_its_end() {
        let (ms, settled) = course(|t| 20.0 + 100.0 * (t as f64 / 600.0).min(1.0));
        assert!(settled == Settled::Yes && (700..1000).contains(&ms), "{ms}");
    }

    #[test]
    fn the_black_before_the_first_real_picture_is_not_taken_for_steady() {
        let (ms, settled) = course(|t| if t < 500 { 1.0 } else { 120.0 });
        assert!(settled == Settled::Yes && (680..900).contains(&ms), "{ms}");
        assert_eq!(course(|_| 1.0).1, Settled::GaveUp);
    }

    #[test]
    fn a_grey_picture_has_the_same_luma_in_every_format() {
        use PixelFormat::{Grey, I420, Nv12, Rgb24, Y10, Y16, Yuyv};
        let (w, h) = (8usize, 4usize);
        let pairs = |word: u16| word.to_le_bytes().repeat(w * h);
        let table = [
            (Grey, w, vec![100; w * h]),
            (Yuyv, w * 2, [100, 128].repeat(w * h)),
            (Nv12, w, [vec![100; w * h], vec![128; w * h / 2]].concat()),
            (I420, w, [vec![100; w * h], vec![128; w * h / 2]].concat()),
            (Rgb24, w * 3, vec![100; w * h * 3]),
            (Y10, w * 2, pairs(400)),
            (Y16, w * 2, pairs(25600)),
        ];
        for (format, stride, data) in table {
            let frame =
                Frame { width: 8, height: 4, stride: stride as u32, format, data, t_us: 0, sequence: 0 };
            let luma = mean_luma(&frame).unwrap();
            assert!((luma - 100.0).abs() < 1e-6, "{format:?} {luma}");
        }
    }
}
