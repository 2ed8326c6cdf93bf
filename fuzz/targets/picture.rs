//! One frame of a camera, in every format: format, size and stride first, then the bytes.
#![no_main]

use pose_camera::{Frame, PixelFormat};
use pose_fuzz::Input;
use pose_vision::picture::Picture;

const FORMATS: [PixelFormat; 8] = [
    PixelFormat::Mjpg,
    PixelFormat::Yuyv,
    PixelFormat::Nv12,
    PixelFormat::I420,
    PixelFormat::Grey,
    PixelFormat::Y10,
    PixelFormat::Y16,
    PixelFormat::Rgb24,
];

pose_fuzz::target!(|data| {
    let mut input = Input(data);
    let format = FORMATS[usize::from(input.byte()) % FORMATS.len()];
    let (width, height, stride) = (input.u16(), input.u16(), input.u16());
    // A large picture costs time and teaches nothing; sizes beyond the limit are refused at once.
    if (512..=4096).contains(&width) || (512..=4096).contains(&height) {
        return;
    }
    let frame = Frame {
        width: width.into(),
        height: height.into(),
        stride: stride.into(),
        format,
        data: input.0.to_vec(),
        t_us: 0,
        sequence: 0,
    };
    let mut picture = Picture::default();
    if picture.decode(&frame).is_ok() {
        assert_eq!(picture.rgba().len(), picture.width() * picture.height() * 4);
    }
});
