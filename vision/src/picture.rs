//! Every camera format to one: RGBA pictures, whose four bytes a pixel suit the crop.

use pose_camera::{Frame, PixelFormat};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::VisionError;

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
                self.per_line(data, stride, 2, yuyv_line)
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
            let v = &planes.v[chroma..];
            for (x, pixel) in out.chunks_exact_mut(4).enumerate() {
                let c = (x / 2) * planes.chroma_step;
                yuv_pixel(luma[x], u[c], v[c], pixel);
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
    u: &'a [u8],
    v: &'a [u8],
    chroma_stride: usize,
    /// Bytes from one chroma sample to the next: 2 where U and V are interleaved.
    chroma_step: usize,
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
            return Some(Self { luma, luma_stride, u, v: &u[1..], chroma_stride, chroma_step: 2 });
        }
        let chroma_stride = luma_stride.div_ceil(2);
        let plane = chroma_stride * chroma_height;
        let (u, rest) = chroma.split_at_checked(plane)?;
        let v = rest.get(..chroma_stride * (chroma_height - 1) + chroma_width)?;
        Some(Self { luma, luma_stride, u, v, chroma_stride, chroma_step: 1 })
    }
}

/// ITU-R BT.601, limited range: what V4L2 means by YUYV and NV12 unless a driver says otherwise, and what Y4M's
/// C420 means. Fixed point with 8 fraction bits.
#[inline]
fn yuv_pixel(y: u8, u: u8, v: u8, out: &mut [u8]) {
    let y = 298 * (i32::from(y) - 16) + 128;
    let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
    let channel = |value: i32| (value >> 8).clamp(0, 255) as u8;
    out.copy_from_slice(&[channel(y + 409 * v), channel(y - 100 * u - 208 * v), channel(y + 516 * u), 255]);
}

fn rgb_line(line: &[u8], out: &mut [u8]) {
    for (rgb, pixel) in line.chunks_exact(3).zip(out.chunks_exact_mut(4)) {
        pixel.copy_from_slice(&[rgb[0], rgb[1], rgb[2], 255]);
    }
}

fn yuyv_line(line: &[u8], out: &mut [u8]) {
    for (yuyv, pair) in line.chunks_exact(4).zip(out.chunks_exact_mut(8)) {
        let (first, second) = pair.split_at_mut(4);
        yuv_pixel(yuyv[0], yuyv[1], yuyv[3], first);
        yuv_pixel(yuyv[2], yuyv[1], yuyv[3], second);
    }
}

fn grey_line(line: &[u8], out: &mut [u8]) {
    for (&luma, pixel) in line.iter().zip(out.chunks_exact_mut(4)) {
        pixel.copy_from_slice(&[luma, luma, luma, 255]);
    }
}

fn y10_line(line: &[u8], out: &mut [u8]) {
    for (bytes, pixel) in line.chunks_exact(2).zip(out.chunks_exact_mut(4)) {
        let luma = (u16::from_le_bytes([bytes[0], bytes[1]]) >> 2).min(255) as u8;
        pixel.copy_from_slice(&[luma, luma, luma, 255]);
    }
}

fn y16_line(line: &[u8], out: &mut [u8]) {
    for (bytes, pixel) in line.chunks_exact(2).zip(out.chunks_exact_mut(4)) {
        let luma = bytes[1];
        pixel.copy_from_slice(&[luma, luma, luma, 255]);
    }
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
