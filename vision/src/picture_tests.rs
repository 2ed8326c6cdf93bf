//! Every pixel format to the same picture, and damaged frames to errors.

use super::*;

fn frame(format: PixelFormat, width: u32, height: u32, stride: u32, data: Vec<u8>) -> Frame {
    Frame { width, height, stride, format, data, t_us: 0, sequence: 0 }
}

fn decoded(frame: &Frame) -> Picture {
    let mut picture = Picture::default();
    picture.decode(frame).expect("a whole frame");
    picture
}

/// A 32 × 16 grey ramp in every raw format, with `pad` unused bytes at the end of each line.
fn ramps(pad: usize) -> Vec<Frame> {
    let luma = |x: usize| (x * 6 + 20) as u8; // what 8-bit grey shows
    let video = |x: usize| (16.0 + f64::from(luma(x)) * 219.0 / 255.0).round() as u8; // limited range
    let lines = |line: Vec<u8>| -> Vec<u8> {
        (0..16).flat_map(|_| line.iter().copied().chain(std::iter::repeat_n(0xee, pad))).collect()
    };
    let each = |f: &dyn Fn(usize) -> Vec<u8>| (0..32).flat_map(f).collect::<Vec<u8>>();
    let mut nv12 = lines(each(&|x| vec![video(x)]));
    nv12.extend((0..8).flat_map(|_| vec![128; 32 + pad]));
    let mut i420 = lines(each(&|x| vec![video(x)]));
    i420.extend(vec![128; 2 * 8 * (32 + pad).div_ceil(2)]);
    let raw = |format, bytes: usize, data| frame(format, 32, 16, (32 * bytes + pad) as u32, data);
    vec![
        raw(PixelFormat::Grey, 1, lines(each(&|x| vec![luma(x)]))),
        raw(PixelFormat::Rgb24, 3, lines(each(&|x| vec![luma(x); 3]))),
        raw(PixelFormat::Yuyv, 2, lines(each(&|x| vec![video(x), 128]))),
        raw(PixelFormat::Y10, 2, lines(each(&|x| (u16::from(luma(x)) << 2 | 3).to_le_bytes().to_vec()))),
        raw(PixelFormat::Y16, 2, lines(each(&|x| (u16::from(luma(x)) << 8 | 77).to_le_bytes().to_vec()))),
        raw(PixelFormat::Nv12, 1, nv12),
        raw(PixelFormat::I420, 1, i420),
    ]
}

#[test]
fn every_raw_format_shows_the_same_grey_ramp() {
    for pad in [0, 6] {
        for frame in ramps(pad) {
            let picture = decoded(&frame);
            assert_eq!((picture.width(), picture.height()), (32, 16));
            for (i, pixel) in picture.rgba().chunks_exact(4).enumerate() {
                let want = ((i % 32) * 6 + 20) as i32;
                for &channel in &pixel[..3] {
                    assert!(
                        (i32::from(channel) - want).abs() <= 1,
                        "{:?} pixel {i}: {pixel:?}",
                        frame.format
                    );
                }
            }
        }
    }
}

#[test]
fn colours_survive_the_way_through_yuv() {
    // Pure BT.601 limited-range red, green and blue.
    for (yuv, rgb) in
        [([81, 90, 240], [255, 0, 0]), ([145, 54, 34], [0, 255, 0]), ([41, 240, 110], [0, 0, 255])]
    {
        let [y, u, v] = yuv;
        let yuyv = frame(PixelFormat::Yuyv, 16, 16, 0, [y, u, y, v].repeat(128));
        let mut nv12_data = vec![y; 256];
        nv12_data.extend([u, v].repeat(64));
        let mut i420_data = vec![y; 256];
        i420_data.extend([u; 64]);
        i420_data.extend([v; 64]);
        for frame in [
            yuyv,
            frame(PixelFormat::Nv12, 16, 16, 0, nv12_data),
            frame(PixelFormat::I420, 16, 16, 0, i420_data),
        ] {
            let pixel = decoded(&frame).rgba()[..3].to_vec();
            for c in 0..3 {
                assert!((i32::from(pixel[c]) - rgb[c]).abs() <= 2, "{:?}: {pixel:?} {rgb:?}", frame.format);
            }
        }
    }
}

#[test]
fn frames_that_are_cut_short_are_errors() {
    for mut frame in ramps(0) {
        frame.data.pop();
        assert!(Picture::default().decode(&frame).is_err(), "{:?}", frame.format);
        frame.data.clear();
        assert!(Picture::default().decode(&frame).is_err(), "{:?} empty", frame.format);
    }
    for mut frame in ramps(0) {
        frame.stride = 4;
        assert!(Picture::default().decode(&frame).is_err(), "{:?} with an impossible stride", frame.format);
    }
}

#[test]
fn sizes_out_of_bounds_are_errors() {
    for (width, height) in [(0, 16), (16, 0), (15, 16), (4097, 16), (u32::MAX, u32::MAX)] {
        let frame = frame(PixelFormat::Grey, width, height, 0, vec![0; 4096]);
        assert!(Picture::default().decode(&frame).is_err(), "{width}×{height}");
    }
    assert!(
        Picture::default().decode(&frame(PixelFormat::Yuyv, 17, 16, 0, vec![0; 4096])).is_err(),
        "odd YUYV"
    );
}

/// A 32 × 32 baseline JPEG: left half dark, right half light.
const JPEG: &[u8] = include_bytes!("../tests/data/halves_32x32.jpg");

#[test]
fn a_jpeg_becomes_its_picture() {
    let picture = decoded(&frame(PixelFormat::Mjpg, 32, 32, 0, JPEG.to_vec()));
    let luma = |x: usize| i32::from(picture.rgba()[(16 * 32 + x) * 4]);
    assert!((luma(4) - 40).abs() < 6 && (luma(27) - 210).abs() < 6, "{} {}", luma(4), luma(27));
}

#[test]
fn a_jpeg_without_huffman_tables_uses_the_usual_ones() {
    let mut bare = JPEG[..2].to_vec();
    let mut at = 2;
    while JPEG[at + 1] != 0xda {
        let length = 2 + usize::from(u16::from_be_bytes([JPEG[at + 2], JPEG[at + 3]]));
        if JPEG[at + 1] != 0xc4 {
            bare.extend(&JPEG[at..at + length]);
        }
        at += length;
    }
    bare.extend(&JPEG[at..]);
    assert!(bare.len() < JPEG.len() - 100, "tables were there and are gone");
    let whole = decoded(&frame(PixelFormat::Mjpg, 32, 32, 0, JPEG.to_vec()));
    let from_bare = decoded(&frame(PixelFormat::Mjpg, 32, 32, 0, bare));
    assert_eq!(whole.rgba(), from_bare.rgba());
}

#[test]
fn damaged_jpegs_are_errors_and_padding_is_not() {
    let mut padded = JPEG.to_vec();
    padded.extend([0; 300]);
    decoded(&frame(PixelFormat::Mjpg, 32, 32, 0, padded));
    for cut in [0, 1, 2, 20, JPEG.len() / 2, JPEG.len() - 2] {
        let frame = frame(PixelFormat::Mjpg, 32, 32, 0, JPEG[..cut].to_vec());
        assert!(Picture::default().decode(&frame).is_err(), "cut at {cut}");
    }
    let wrong_size = frame(PixelFormat::Mjpg, 64, 32, 0, JPEG.to_vec());
    let error = Picture::default().decode(&wrong_size).expect_err("not the negotiated size").to_string();
    assert!(error.contains("32×32") && error.contains("64×32"), "{error}");
    assert!(Picture::default().decode(&frame(PixelFormat::Mjpg, 32, 32, 0, b"GIF89a..".to_vec())).is_err());
}

#[test]
fn no_damage_to_a_jpeg_panics() {
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut picture = Picture::default();
    let mut decoded = 0;
    for _ in 0..4000 {
        let mut data = JPEG.to_vec();
        for _ in 0..=random(4) {
            let at = random(data.len());
            match random(4) {
                0 => data[at] = random(256) as u8,
                1 => data[at] ^= 1 << random(8),
                2 => drop(data.drain(at..(at + random(8)).min(data.len()))),
                _ => data.insert(at, [0x00, 0xff, 0xd9, 0xc4][random(4)]),
            }
        }
        decoded += usize::from(picture.decode(&frame(PixelFormat::Mjpg, 32, 32, 0, data)).is_ok());
    }
    assert!((400..3900).contains(&decoded), "some damage is harmless and some is not: {decoded}");
}
