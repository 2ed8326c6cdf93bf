//! Writing a picture as a PNG file.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

/// Writes `[height × width × 3]` bytes R G B.
///
/// # Errors
/// The file cannot be written, or the picture is not of that size.
pub(crate) fn write(path: &Path, width: usize, height: usize, rgb: &[u8]) -> io::Result<()> {
    let size = |pixels: usize| u32::try_from(pixels).map_err(io::Error::other);
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), size(width)?, size(height)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    Ok(writer.finish()?)
}
