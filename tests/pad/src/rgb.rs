//! Pictures as the bench draws on them: R G B, 8 bits, with sampling between pixels.

use pose_camera::{Frame, PixelFormat};
use pose_vision::VisionError;
use pose_vision::picture::Picture;

use crate::similarity::Similarity;

/// A colour, 0..255 a channel.
pub(crate) type Colour = [f32; 3];

/// `[height × width]` pixels.
#[derive(Clone, Debug)]
pub struct Rgb {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Rgb {
    /// One colour all over.
    pub(crate) fn plain(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self { width, height, pixels: vec![colour; width * height] }
    }

    /// A frame, decoded as the daemon's worker does.
    ///
    /// # Errors
    /// Damaged frames.
    pub fn decode(frame: &Frame) -> Result<Self, VisionError> {
        let mut picture = Picture::default();
        picture.decode(frame)?;
        let pixels = picture.rgba().chunks_exact(4).map(|p| [p[0], p[1], p[2]]).collect();
        Ok(Self { width: picture.width(), height: picture.height(), pixels })
    }

    /// A camera's frame, without time.
    pub(crate) fn into_frame(self) -> Frame {
        self.framed(PixelFormat::Rgb24, 3, |pixels| pixels.into_flattened())
    }

    /// An infrared camera's frame: the mean of the channels.
    pub(crate) fn into_grey_frame(self) -> Frame {
        let mean = |[r, g, b]: [u8; 3]| ((u16::from(r) + u16::from(g) + u16::from(b)) / 3) as u8;
        self.framed(PixelFormat::Grey, 1, |pixels| pixels.into_iter().map(mean).collect())
    }

    fn framed(self, format: PixelFormat, bytes: u32, data: impl FnOnce(Vec<[u8; 3]>) -> Vec<u8>) -> Frame {
        let (width, height) = (self.width as u32, self.height as u32);
        Frame { width, height, stride: bytes * width, format, data: data(self.pixels), t_us: 0, sequence: 0 }
    }

    /// The pixel there; the nearest one outside of the picture.
    pub(crate) fn at(&self, x: i64, y: i64) -> [u8; 3] {
        let x = x.clamp(0, self.width as i64 - 1) as usize;
        let y = y.clamp(0, self.height as i64 - 1) as usize;
        self.pixels[y * self.width + x]
    }

    /// The colour between pixels; pixel centres lie at whole numbers.
    pub(crate) fn sample(&self, x: f32, y: f32) -> Colour {
        let (x0, y0) = (x.floor(), y.floor());
        let (u, v) = (x - x0, y - y0);
        let (x0, y0) = (x0 as i64, y0 as i64);
        let corners = [self.at(x0, y0), self.at(x0 + 1, y0), self.at(x0, y0 + 1), self.at(x0 + 1, y0 + 1)];
        let weights = [(1.0 - u) * (1.0 - v), u * (1.0 - v), (1.0 - u) * v, u * v];
        std::array::from_fn(|c| corners.iter().zip(weights).map(|(p, w)| f32::from(p[c]) * w).sum())
    }

    /// Lays a colour over a pixel; `cover` 0 leaves it, 1 replaces it.
    pub(crate) fn blend(&mut self, x: usize, y: usize, colour: Colour, cover: f32) {
        let pixel = &mut self.pixels[y * self.width + x];
        for (value, new) in pixel.iter_mut().zip(colour) {
            let old = f32::from(*value);
            *value = (old + (new - old) * cover).round().clamp(0.0, 255.0) as u8;
        }
    }

    /// Every pixel through `change`.
    pub(crate) fn map(mut self, mut change: impl FnMut(usize, usize, Colour) -> Colour) -> Self {
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = (i % self.width, i / self.width);
            *pixel = change(x, y, pixel.map(f32::from)).map(|v| v.round().clamp(0.0, 255.0) as u8);
        }
        self
    }

    /// Moved, turned and scaled. What was beyond the sides is the nearest pixel of `beyond`, a picture of the same size
    /// in which nobody reaches so far; what was above or below is the nearest pixel.
    pub(crate) fn moved(&self, way: &Similarity, beyond: &Self) -> Self {
        let Some(back) = way.back() else { return self.clone() };
        self.clone().map(|x, y, _| {
            let [x, y] = back.place([x as f32, y as f32]);
            let inside = (0.0..=self.width as f32 - 1.0).contains(&x);
            if inside { self.sample(x, y) } else { beyond.sample(x, y) }
        })
    }

    /// Half the weight to each pixel, the rest to its four neighbours: a webcam's lens.
    pub(crate) fn softened(&self) -> Self {
        let mut out = self.clone();
        for y in 0..self.height {
            for x in 0..self.width {
                let (i, j) = (x as i64, y as i64);
                let near = [self.at(i - 1, j), self.at(i + 1, j), self.at(i, j - 1), self.at(i, j + 1)];
                let centre = self.at(i, j);
                out.pixels[y * self.width + x] = std::array::from_fn(|c| {
                    let around: u16 = near.iter().map(|p| u16::from(p[c])).sum();
                    ((4 * u16::from(centre[c]) + around) / 8) as u8
                });
            }
        }
        out
    }

    /// Sensor noise of standard deviation 1: four coin tosses a value.
    pub(crate) fn noisy(mut self, seed: u64) -> Self {
        let mut random = crate::random::Random::new(seed);
        for group in self.pixels.as_flattened_mut().chunks_mut(16) {
            let mut bits = random.bits();
            for value in group {
                *value = value.saturating_add_signed((bits & 15).count_ones() as i8 - 2);
                bits >>= 4;
            }
        }
        self
    }

    /// Writes a PNG file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &std::path::Path) -> std::io::Result<()> {
        let file = std::io::BufWriter::new(std::fs::File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(self.pixels.as_flattened())?;
        Ok(())
    }
}
