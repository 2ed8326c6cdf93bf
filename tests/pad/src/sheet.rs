//! Flat and bent things before a camera: a textured mesh in space, drawn in perspective.

use crate::rgb::{Colour, Rgb};

/// Focal length, picture widths: a webcam's field of view of 64°.
const FOCAL: f32 = 0.8;

/// Where a hand holds something: places in picture widths from the middle, angles in radians.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hold {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) yaw: f32,
    pub(crate) pitch: f32,
    pub(crate) roll: f32,
    /// Height over the picture's height, seen straight.
    pub(crate) size: f32,
    /// Bend about a vertical axis: half the angle of the arc; 0 is flat.
    pub(crate) bend: f32,
    /// The bend's axis is turned by this.
    pub(crate) bend_axis: f32,
}

impl Hold {
    /// Where a point of the sheet lands, pixels; `u`, `v` run over the sheet, -0.5..0.5 and `aspect` times that wide.
    pub(crate) fn place(&self, u: f32, v: f32, aspect: f32, (width, height): (f32, f32)) -> [f32; 2] {
        let (x, y, z) = self.bent(u * aspect, v, aspect);
        let (x, y) = rotate(x, y, self.roll);
        let (y, z) = rotate(y, z, self.pitch);
        let (x, z) = rotate(x, z, self.yaw);
        let scale = self.size * height;
        let (focal, depth) = (FOCAL * width, FOCAL * width + z * scale);
        [
            width * (0.5 + self.x) + x * scale * focal / depth,
            height * 0.5 + width * self.y + y * scale * focal / depth,
        ]
    }

    fn bent(&self, x: f32, y: f32, aspect: f32) -> (f32, f32, f32) {
        if self.bend.abs() < 1e-3 {
            return (x, y, 0.0);
        }
        let (along, across) = rotate(x, y, self.bend_axis);
        let radius = aspect / 2.0 / self.bend;
        let (sin, cos) = (along / radius).sin_cos();
        let (x, y) = rotate(radius * sin, across, -self.bend_axis);
        (x, y, radius * (1.0 - cos))
    }
}

fn rotate(a: f32, b: f32, angle: f32) -> (f32, f32) {
    let (sin, cos) = angle.sin_cos();
    (cos * a - sin * b, sin * a + cos * b)
}

/// A corner: where it is in the picture, and which place of the texture it shows.
pub(crate) type Corner = ([f32; 2], [f32; 2]);

/// Draws the whole texture, held so. `shade` sees the texture's place and the colour, and may be a display or paper.
pub(crate) fn draw(out: &mut Rgb, texture: &Rgb, hold: &Hold, shade: &dyn Fn([f32; 2], Colour) -> Colour) {
    const STEPS: usize = 20;
    let (w, h) = (texture.width as f32, texture.height as f32);
    let size = (out.width as f32, out.height as f32);
    let corner = |i: usize, j: usize| -> Corner {
        let (u, v) = (i as f32 / STEPS as f32, j as f32 / STEPS as f32);
        (hold.place(u - 0.5, v - 0.5, w / h, size), [u * w - 0.5, v * h - 0.5])
    };
    for (i, j) in (0..STEPS).flat_map(|i| (0..STEPS).map(move |j| (i, j))) {
        let quad = [corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)];
        for triangle in [[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]] {
            fill(out, triangle, &mut |place| (shade(place, texture.sample(place[0], place[1])), 1.0));
        }
    }
}

/// Fills a triangle; `colour` is given the texture's place and answers with a colour and how far it covers.
pub(crate) fn fill(out: &mut Rgb, corners: [Corner; 3], colour: &mut dyn FnMut([f32; 2]) -> (Colour, f32)) {
    let [(a, ta), (b, tb), (c, tc)] = corners;
    let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    if !area.is_normal() {
        return;
    }
    let range = |values: [f32; 3], end: usize| {
        let low = values.iter().copied().fold(f32::INFINITY, f32::min).ceil().max(0.0) as usize;
        let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max).floor();
        low..if high < 0.0 { 0 } else { (high as usize + 1).min(end) }
    };
    for y in range([a[1], b[1], c[1]], out.height) {
        for x in range([a[0], b[0], c[0]], out.width) {
            let (px, py) = (x as f32, y as f32);
            let wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) / area;
            let wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area;
            let wa = 1.0 - wb - wc;
            if wa >= 0.0 && wb >= 0.0 && wc >= 0.0 {
                let place = std::array::from_fn(|k| wa * ta[k] + wb * tb[k] + wc * tc[k]);
                let (value, cover) = colour(place);
                out.blend(x, y, value, cover);
            }
        }
    }
}
