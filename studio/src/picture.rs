//! A frame as the browser takes it: a camera's JPEG as it is, everything else as PNG.

use pose_camera::{Frame, PixelFormat};
use pose_vision::picture::Picture;

use crate::stage::Shown;

/// `None` for a frame that cannot be decoded; the next one may be fine.
pub(crate) fn shown(frame: &Frame) -> Option<Shown> {
    if frame.format == PixelFormat::Mjpg {
        return Some(Shown { kind: "image/jpeg", bytes: frame.data.clone() });
    }
    let mut picture = Picture::default();
    picture.decode(frame).ok()?;
    let rgb: Vec<u8> = picture.rgba().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width() as u32, picture.height() as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&rgb).ok()?;
    writer.finish().ok()?;
    Some(Shown { kind: "image/png", bytes })
}
