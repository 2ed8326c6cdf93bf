//! The pictures between clips: a resting person, back and forth over a few pictures, with a sensor's noise, so
//! that no two are the same bit for bit (a frozen or looped picture is an attack to liveness).

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

use super::error::ClipFault;
use crate::frame::{Frame, PixelFormat};

/// Index of picture `step` when `count` pictures are shown there and back without end: 0 1 2 1 0 1 …
pub(crate) fn there_and_back(step: u64, count: usize) -> usize {
    let Some(turns) = count.checked_sub(1).filter(|t| *t > 0) else { return 0 };
    let at = (step % (2 * turns as u64)) as usize;
    if at <= turns { at } else { 2 * turns - at }
}

/// Seeded noise of about one grey level, as a webcam's sensor has it in office light.
#[derive(Debug)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The picture with noise on it; a JPEG comes back as RGB, because noise cannot be put on coded data.
    pub(crate) fn add(&mut self, frame: Frame) -> Result<Frame, ClipFault> {
        let mut frame = if frame.format == PixelFormat::Mjpg { decode(frame)? } else { frame };
        for group in frame.data.chunks_mut(8) {
            for (byte, random) in group.iter_mut().zip(self.next().to_le_bytes()) {
                // Four coin tosses: -2 to 2, standard deviation 1.
                *byte = byte.saturating_add_signed((random & 15).count_ones() as i8 - 2);
            }
        }
        Ok(frame)
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn decode(frame: Frame) -> Result<Frame, ClipFault> {
    let bad = |why: String| ClipFault::BadFrame { frame: frame.sequence as usize, why };
    let data = JpegDecoder::new(ZCursor::new(&frame.data)).decode().map_err(|e| bad(e.to_string()))?;
    if data.len() as u64 != 3 * u64::from(frame.width) * u64::from(frame.height) {
        return Err(bad("it decodes to another size than its header says".to_owned()));
    }
    Ok(Frame { format: PixelFormat::Rgb24, stride: frame.width * 3, data, ..frame })
}
