//! Whether a buffer's bytes are one whole picture of the negotiated kind. Pure.

use crate::frame::PixelFormat;
use crate::jpeg::{self, JpegFault};

/// Pictures without an end marker, one after another from the start, after which the camera counts as one that
/// never writes it.
const NEVER_CLOSED: u32 = 8;

/// What the pictures must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) format: PixelFormat,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes per line; 0 for compressed pictures.
    pub(super) stride: u32,
    /// Unclosed JPEGs so far; `None` once a closed one came.
    unclosed: Option<u32>,
}

/// Why a picture is thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// Fewer bytes than a picture has.
    TooShort { bytes: usize, needed: usize },
    /// A JPEG that is none, or is cut short.
    Jpeg(&'static str),
    /// A JPEG of another size.
    WrongSize { width: u32, height: u32 },
}

impl Expected {
    /// `driver_stride` is what the driver says, which may be 0.
    pub(super) fn new(format: PixelFormat, width: u32, height: u32, driver_stride: u32) -> Self {
        let least = match format {
            PixelFormat::Mjpg => 0,
            PixelFormat::Nv12 | PixelFormat::I420 | PixelFormat::Grey => width,
            PixelFormat::Yuyv | PixelFormat::Y10 | PixelFormat::Y16 => width * 2,
            PixelFormat::Rgb24 => width * 3,
        };
        let stride = if least == 0 { 0 } else { driver_stride.max(least) };
        Self { format, width, height, stride, unclosed: Some(0) }
    }

    /// The picture's bytes, made whole where a camera may leave something out.
    pub(super) fn take(&mut self, mut data: Vec<u8>) -> Result<Vec<u8>, Defect> {
        if self.format == PixelFormat::Mjpg {
            return self.take_jpeg(data);
        }
        let needed = self.bytes();
        if data.len() < needed {
            return Err(Defect::TooShort { bytes: data.len(), needed });
        }
        data.truncate(needed);
        Ok(data)
    }

    /// Bytes of an uncompressed picture.
    fn bytes(&self) -> usize {
        let (stride, height) = (self.stride as usize, self.height as usize);
        match self.format {
            PixelFormat::Nv12 => stride * (height + height.div_ceil(2)),
            PixelFormat::I420 => stride * height + 2 * stride.div_ceil(2) * height.div_ceil(2),
            _ => stride * height,
        }
    }

    fn take_jpeg(&mut self, data: Vec<u8>) -> Result<Vec<u8>, Defect> {
        let never_closes = self.unclosed.is_some_and(|n| n >= NEVER_CLOSED);
        let taken = if never_closes { jpeg::close(data) } else { jpeg::complete(data) };
        match taken {
            Err(fault) => {
                if let (JpegFault::CutShort, Some(n)) = (fault, &mut self.unclosed) {
                    *n += 1;
                }
                Err(Defect::Jpeg(fault.text()))
            }
            Ok((info, _)) if (info.width, info.height) != (self.width, self.height) => {
                Err(Defect::WrongSize { width: info.width, height: info.height })
            }
            Ok((_, data)) => {
                if !never_closes {
                    self.unclosed = None;
                }
                Ok(data)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIP: &[u8] = include_bytes!("../../tests/data/pattern.avi");

    fn jpeg() -> Vec<u8> {
        let start = CLIP.windows(3).position(|w| w == [0xff, 0xd8, 0xff]).unwrap();
        let end = CLIP[start..].windows(2).position(|w| w == [0xff, 0xd9]).unwrap();
        CLIP[start..start + end + 2].to_vec()
    }

    #[test]
    fn padding_goes_and_missing_bytes_refuse() {
        let mut yuyv = Expected::new(PixelFormat::Yuyv, 4, 2, 0);
        assert_eq!(yuyv.take(vec![7; 20]).unwrap().len(), 16);
        assert_eq!(yuyv.take(vec![7; 15]), Err(Defect::TooShort { bytes: 15, needed: 16 }));
        assert_eq!(Expected::new(PixelFormat::Nv12, 4, 3, 8).take(vec![0; 99]).unwrap().len(), 8 * 5);
        assert_eq!(Expected::new(PixelFormat::I420, 5, 3, 5).take(vec![0; 99]).unwrap().len(), 15 + 2 * 6);
    }

    #[test]
    fn a_jpeg_is_cut_at_its_end_and_refused_without_it() {
        let mut expected = Expected::new(PixelFormat::Mjpg, 64, 48, 0);
        let whole = jpeg();
        let padded = [whole.clone(), vec![0; 100]].concat();
        assert_eq!(expected.take(padded).unwrap(), whole);
        for cut in [0, 1, 2, 30, whole.len() / 2, whole.len() - 1] {
            for _ in 0..20 {
                assert!(matches!(expected.take(whole[..cut].to_vec()), Err(Defect::Jpeg(_))), "{cut}");
            }
        }
        let mut other = Expected::new(PixelFormat::Mjpg, 640, 480, 0);
        assert_eq!(other.take(whole), Err(Defect::WrongSize { width: 64, height: 48 }));
    }

    #[test]
    fn a_camera_that_never_closes_its_jpegs_is_used_all_the_same() {
        let mut expected = Expected::new(PixelFormat::Mjpg, 64, 48, 0);
        let whole = jpeg();
        let open = &whole[..whole.len() - 2];
        let taken = (0..20).filter(|_| expected.take(open.to_vec()).is_ok_and(|d| d == whole)).count();
        assert_eq!(taken, 12);
    }

    #[test]
    fn a_camera_that_always_sends_half_a_picture_is_never_believed() {
        let whole = jpeg();
        for cut in [whole.len() * 3 / 4, whole.len() / 2, whole.len() / 4] {
            let mut expected = Expected::new(PixelFormat::Mjpg, 64, 48, 0);
            assert!((0..30).all(|_| expected.take(whole[..cut].to_vec()).is_err()), "{cut}");
        }
    }
}
