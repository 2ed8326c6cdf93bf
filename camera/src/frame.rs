//! One picture as the camera or a recording delivered it.

/// Layout of a frame's bytes, named by its V4L2 four-character code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Motion JPEG: one JPEG picture.
    Mjpg,
    /// 4:2:2, bytes Y0 U Y1 V.
    Yuyv,
    /// 4:2:0, a luma plane and then an interleaved chroma plane.
    Nv12,
    /// 4:2:0, a luma plane and then a U and a V plane (Y4M `C420`).
    I420,
    /// Luma, 8 bits.
    Grey,
    /// Luma, 10 bits in little-endian 16.
    Y10,
    /// Luma, 16 bits little-endian.
    Y16,
    /// Bytes R G B.
    Rgb24,
}

/// One picture, owned: it was copied out of the driver's buffer, which went back at once.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// Bytes per line of the first plane; 0 for compressed formats.
    pub stride: u32,
    /// Layout of `data`.
    pub format: PixelFormat,
    /// The picture, cut to the bytes used.
    pub data: Vec<u8>,
    /// Capture time, microseconds on the monotonic clock (driver time stamp, or the recording's own time).
    pub t_us: u64,
    /// The driver's frame counter.
    pub sequence: u32,
}
