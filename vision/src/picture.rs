//! Every camera format to one: RGBA pictures, whose four bytes a pixel suit the crop.

use pose_camera::{Frame, PixelFormat};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::{VisionError, yuv};

/// Largest width and height accepted, pixels; no webcam mode is larger, and hostile headers stop here.
pub const LARGEST_SIDE: u32 = 4096;
/// Smallest width and height accepted, pixels; below this no landmark means anything.
pub const SMALLEST_SIDE: u32 = 16;

/// A decoded picture, `[height × width × 4]` bytes R G B A without gaps between lines. Alpha has no meaning.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

impl Picture {
    /// Width, pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height, pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels, `[height × width × 4]`.
    pub fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// Replaces the content by `frame`, decoded. The memory is used again.
    ///
    /// # Errors
    /// Damaged or truncated frames, and sizes out of bounds. The content is then unspecified.
    pub fn decode(&mut self, frame: &Frame) -> Result<(), VisionError> {
        for side in [frame.width, frame.height] {
            if !(SMALLEST_SIDE..=LARGEST_SIDE).contains(&side) {
                return Err(refuse(format!("size {}×{}", frame.width, frame.height)));
            }
        }
        self.width = frame.width as usize;
        self.height = frame.height as usize;
        self.rgba.resize(self.width * self.height * 4, 0);
        let stride = frame.stride as usize;
        let data = frame.data.as_slice();
        match frame.format {
            PixelFormat::Mjpg => self.decode_jpeg(data),
            PixelFormat::Rgb24 => self.per_line(data, stride, 3, rgb_line),
            PixelFormat::Yuyv => {
                if !self.width.is_multiple_of(2) {
                    return Err(refuse("YUYV needs an even width"));
                }
                self.per_line(data, stride, 2, yuv::packed_line)
            }
            PixelFormat::Grey => self.per_line(data, stride, 1, grey_line),
            PixelFormat::Y10 => self.per_line(data, stride, 2, y10_line),
            PixelFormat::Y16 => self.per_line(data, stride, 2, y16_line),
            PixelFormat::Nv12 | PixelFormat::I420 => {
                let planes = Planes::of(frame).ok_or_else(|| refuse("the frame is cut short"))?;
                self.decode_planes(&planes);
                Ok(())
            }
        }
    }

    fn per_line(
        &mut self,
        data: &[u8],
        stride: usize,
        bytes_per_pixel: usize,
        convert: fn(&[u8], &mut [u8]),
    ) -> Result<(), VisionError> {
        let used = self.width * bytes_per_pixel;
        let stride = if stride == 0 { used } else { stride };
        if stride < used || data.len() < stride * (self.height - 1) + used {
            return Err(refuse("the frame is cut short"));
        }
        for (line, out) in data.chunks(stride).zip(self.rgba.chunks_exact_mut(self.width * 4)) {
            convert(&line[..used], out);
        }
        Ok(())
    }

    fn decode_jpeg(&mut self, data: &[u8]) -> Result<(), VisionError> {
        if !data.starts_with(&[0xff, 0xd8]) {
            return Err(refuse("it is not a JPEG"));
        }
        if ends_early(data) {
            return Err(refuse("the JPEG is cut short"));
        }
        if has_huffman_tables(data) {
            self.decode_complete_jpeg(data)
        } else {
            // Motion JPEG may leave out the tables that every encoder uses. The decoder knows them, but adds
            // them only to files with this mark.
            const AVI1: [u8; 18] = *b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";
            let marked = [&data[..2], &AVI1[..], &data[2..]].concat();
            self.decode_complete_jpeg(&marked)
        }
    }

    fn decode_complete_jpeg(&mut self, data: &[u8]) -> Result<(), VisionError> {
        let options = DecoderOptions::default()
            .set_max_width(LARGEST_SIDE as usize)
            .set_max_height(LARGEST_SIDE as usize)
            .jpeg_set_out_colorspace(ColorSpace::RGBA);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(|e| refuse(format!("JPEG: {e}")))?;
        let info = decoder.info().ok_or_else(|| refuse("the JPEG has no size"))?;
        if (usize::from(info.width), usize::from(info.height)) != (self.width, self.height) {
            return Err(refuse(format!(
                "the JPEG is {}×{}, the camera promised {}×{}",
                info.width, info.height, self.width, self.height
            )));
        }
        if decoder.output_buffer_size() != Some(self.rgba.len()) {
            return Err(refuse("the JPEG has an unusual number of colours"));
        }
        decoder.decode_into(&mut self.rgba).map_err(|e| refuse(format!("JPEG: {e}")))
    }

    fn decode_planes(&mut self, planes: &Planes<'_>) {
        let width = self.width;
        for (row, out) in self.rgba.chunks_exact_mut(width * 4).enumerate() {
            let luma = &planes.luma[row * planes.luma_stride..][..width];
            let chroma = (row / 2) * planes.chroma_stride;
            let u = &planes.u[chroma..];
            match planes.v {
                Some(v) => yuv::planar_line(luma, u, &v[chroma..], out),
                None => yuv::semi_planar_line(luma, u, out),
            }
        }
    }
}

fn refuse(reason: impl Into<String>) -> VisionError {
    VisionError::Picture(reason.into())
}

/// Whether the end mark is missing. Cameras pad frames, so it is looked for in the last bytes that are not zero.
fn ends_early(data: &[u8]) -> bool {
    let end = data.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let tail = &data[end.saturating_sub(64)..end];
    !tail.windows(2).any(|pair| pair == [0xff, 0xd9])
}

/// Whether a table segment (DHT) comes before the picture data (SOS).
fn has_huffman_tables(data: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = data.get(at..at + 4) {
        match marker {
            0xc4 => return true,
            0xda => return false,
            0xff => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    true // Unusual structure: leave the verdict to the decoder.
}

/// The planes of a 4:2:0 frame.
struct Planes<'a> {
    luma: &'a [u8],
    luma_stride: usize,
    /// U, or U and V in turn.
    u: &'a [u8],
    /// V, if it has a plane of its own.
    v: Option<&'a [u8]>,
    chroma_stride: usize,
}

impl<'a> Planes<'a> {
    fn of(frame: &'a Frame) -> Option<Self> {
        let (width, height) = (frame.width as usize, frame.height as usize);
        let luma_stride = if frame.stride == 0 { width } else { frame.stride as usize };
        let chroma_width = width.div_ceil(2);
        let chroma_height = height.div_ceil(2);
        if luma_stride < width {
            return None;
        }
        let (luma, chroma) = frame.data.split_at_checked(luma_stride * height)?;
        if frame.format == PixelFormat::Nv12 {
            let chroma_stride = luma_stride.max(2 * chroma_width);
            let needed = chroma_stride * (chroma_height - 1) + 2 * chroma_width;
            let u = chroma.get(..needed)?;
            return Some(Self { luma, luma_stride, u, v: None, chroma_stride });
        }
        let chroma_stride = luma_stride.div_ceil(2);
        let plane = chroma_stride * chroma_height;
        let (u, rest) = chroma.split_at_checked(plane)?;
        let v = rest.get(..chroma_stride * (chroma_height - 1) + chroma_width)?;
        Some(Self { luma, luma_stride, u, v: Some(v), chroma_stride })
    }
}

fn rgb_line(line: &[u8], out: &mut [u8]) {
    for (&[r, g, b], pixel) in line.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        *pixel = [r, g, b, 255];
    }
}

fn grey_line(line: &[u8], out: &mut [u8]) {
    for (&luma, pixel) in line.iter().zip(out.as_chunks_mut().0) {
        *pixel = [luma, luma, luma, 255];
    }
}

fn y10_line(line: &[u8], out: &mut [u8]) {
    for (&bytes, pixel) in line.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        let luma = (u16::from_le_bytes(bytes) >> 2).min(255) as u8;
        *pixel = [luma, luma, luma, 255];
    }
}

fn y16_line(line: &[u8], out: &mut [u8]) {
    for (&[_, luma], pixel) in line.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        *pixel = [luma, luma, luma, 255];
    }
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
