//! The crop against answers that are known exactly.

use super::*;
use pose_camera::{Frame, PixelFormat};

fn picture(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Picture {
    let data =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    let frame =
        Frame { width, height, stride: width * 3, format: PixelFormat::Rgb24, data, t_us: 0, sequence: 0 };
    let mut picture = Picture::default();
    picture.decode(&frame).expect("a whole frame");
    picture
}

const BYTES: Range = Range { scale: 1.0, offset: 0.0 };

fn noise(x: u32, y: u32) -> [u8; 3] {
    let mixed = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761);
    [(mixed >> 24) as u8, (mixed >> 16) as u8, (mixed >> 8) as u8]
}

fn cut(picture: &Picture, region: Region, border: Border, size: usize) -> Vec<f32> {
    let mut planes = vec![f32::NAN; 3 * size * size];
    crop(picture, &region, border, BYTES, size, &mut planes);
    planes
}

#[test]
fn a_square_of_its_own_size_is_copied_unchanged() {
    let picture = picture(64, 64, noise);
    let planes = cut(&picture, Region::around_picture(64, 64), Border::Replicate, 64);
    for y in 0..64 {
        for x in 0..64 {
            let want = noise(x as u32, y as u32).map(f32::from);
            let got = [0, 1, 2].map(|c| planes[c * 64 * 64 + y * 64 + x]);
            assert_eq!(got, want, "pixel {x},{y}");
        }
    }
}

#[test]
fn a_quarter_turn_moves_pixels_exactly() {
    let picture = picture(64, 64, noise);
    let region = Region { rotation: std::f32::consts::FRAC_PI_2, ..Region::around_picture(64, 64) };
    let planes = cut(&picture, region, Border::Replicate, 64);
    // Clockwise: going right in the crop goes down in the picture, going down goes left. The crop's first
    // column lies on the picture's edge at 64, hence the border pixel.
    for y in 0..64_usize {
        for x in 0..64_usize {
            let source = ((64 - y).min(63) as u32, x as u32);
            assert_eq!(planes[y * 64 + x], f32::from(noise(source.0, source.1)[0]), "pixel {x},{y}");
        }
    }
}

#[test]
fn values_between_pixels_are_rounded_as_opencv_rounds_them() {
    let picture = picture(32, 32, |x, _| [if x % 2 == 0 { 10 } else { 21 }, 0, 0]);
    let region = Region { center: [16.5, 16.0], side: 32.0, rotation: 0.0 };
    let planes = cut(&picture, region, Border::Replicate, 32);
    assert_eq!(planes[5], 16.0, "15.5 rounds up");
    let region = Region { center: [16.25, 16.0], side: 32.0, rotation: 0.0 };
    let planes = cut(&picture, region, Border::Replicate, 32);
    assert_eq!(planes[4], 13.0, "12.75 from a quarter of the way");
}

#[test]
fn outside_the_picture_the_border_rules() {
    let picture = picture(32, 16, |_, _| [200, 100, 50]);
    let region = Region::around_picture(32, 16);
    let black = cut(&picture, region, Border::Black, 32);
    let replicated = cut(&picture, region, Border::Replicate, 32);
    for row in 0..32 {
        let inside = (8..24).contains(&row);
        assert_eq!(black[row * 32 + 10], if inside { 200.0 } else { 0.0 }, "row {row}");
        assert_eq!(replicated[row * 32 + 10], 200.0, "row {row}");
    }
    let far = Region { center: [-9e4, 9e4], side: 50.0, rotation: 0.3 };
    assert!(cut(&picture, far, Border::Replicate, 32).iter().all(|v| [200.0, 100.0, 50.0].contains(v)));
    assert!(cut(&picture, far, Border::Black, 32).iter().all(|&v| v == 0.0));
}

#[test]
fn the_fast_path_equals_the_definition() {
    let picture = picture(97, 61, noise);
    for (i, (cx, cy, side, rotation)) in
        [(40.3, 30.1, 55.0, 0.4), (48.0, 30.0, 200.0, -2.9), (0.0, 61.0, 33.3, 1.0), (96.5, 0.2, 7.0, 3.1)]
            .into_iter()
            .enumerate()
    {
        let region = Region { center: [cx, cy], side, rotation };
        for border in [Border::Replicate, Border::Black] {
            let planes = cut(&picture, region, border, 48);
            let slow = by_definition(&picture, &region, border, 48);
            let worst = planes.iter().zip(&slow).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst == 0.0, "case {i} {border:?}: {worst}");
        }
    }
}

#[test]
fn vector_and_plain_code_agree() {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ (state >> 29)
    };
    for _ in 0..2000 {
        let four = std::array::from_fn(|_| Corners {
            top: random(),
            bottom: random(),
            x: (random() >> 40) as u32 % 32,
            y: (random() >> 40) as u32 % 32,
        });
        for range in [Range::UNIT, Range::SIGNED] {
            assert_eq!(blend::four(four, range), plain::four(four, range), "{four:?}");
        }
    }
}

/// The same crop from the formula, a pixel at a time in double precision.
fn by_definition(picture: &Picture, region: &Region, border: Border, size: usize) -> Vec<f32> {
    let (w, h) = (picture.width() as i64, picture.height() as i64);
    let tap = |x: i64, y: i64, c: usize| {
        let (nx, ny) = (x.clamp(0, w - 1), y.clamp(0, h - 1));
        let outside = (nx, ny) != (x, y) && border == Border::Black;
        if outside { 0 } else { i64::from(picture.rgba()[((ny * w + nx) * 4) as usize + c]) }
    };
    let (sin, cos) = f64::from(region.rotation).sin_cos();
    let side = f64::from(region.side);
    let mut planes = vec![0.0; 3 * size * size];
    for row in 0..size {
        for column in 0..size {
            let u = (column as f64 / size as f64 - 0.5) * side;
            let v = (row as f64 / size as f64 - 0.5) * side;
            let x = ((f64::from(region.center[0]) + cos * u - sin * v) * 32.0).round() as i64;
            let y = ((f64::from(region.center[1]) + sin * u + cos * v) * 32.0).round() as i64;
            let (left, top, fx, fy) = (x >> 5, y >> 5, x & 31, y & 31);
            for c in 0..3 {
                let sum = tap(left, top, c) * (32 - fx) * (32 - fy)
                    + tap(left + 1, top, c) * fx * (32 - fy)
                    + tap(left, top + 1, c) * (32 - fx) * fy
                    + tap(left + 1, top + 1, c) * fx * fy;
                planes[c * size * size + row * size + column] = ((sum + 512) >> 10) as f32;
            }
        }
    }
    planes
}
