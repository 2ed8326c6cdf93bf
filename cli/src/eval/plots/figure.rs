//! A figure of lines and words, written as SVG and as PNG.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::font;
use crate::png_file;

/// Size of every figure, in its own units.
pub(super) const WIDTH: f64 = 640.0;
/// See [`WIDTH`].
pub(super) const HEIGHT: f64 = 480.0;
/// Pixels of the PNG for one unit.
const SCALE: f64 = 2.0;
/// Pixels of the PNG for one pixel of a letter.
const LETTER: usize = 2;

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// Where words lie relative to their point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

enum Mark {
    /// Points, colour, width, whether dashed, what it is.
    Line(Vec<[f64; 2]>, Colour, f64, bool, String),
    Words([f64; 2], Anchor, Colour, String),
}

/// What is drawn, in order.
#[derive(Default)]
pub(super) struct Figure(Vec<Mark>);

impl Figure {
    pub(super) fn line(
        &mut self,
        points: Vec<[f64; 2]>,
        colour: Colour,
        width: f64,
        dashed: bool,
        what: &str,
    ) {
        self.0.push(Mark::Line(points, colour, width, dashed, what.to_owned()));
    }

    pub(super) fn words(&mut self, at: [f64; 2], anchor: Anchor, colour: Colour, words: &str) {
        self.0.push(Mark::Words(at, anchor, colour, words.to_owned()));
    }

    /// Writes `NAME.svg` and `NAME.png` into `dir`.
    pub(super) fn write(&self, dir: &Path, name: &str) -> io::Result<()> {
        std::fs::write(dir.join(format!("{name}.svg")), self.svg())?;
        self.png().write(&dir.join(format!("{name}.png")))
    }

    fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        for mark in &self.0 {
            let _ = match mark {
                Mark::Line(points, [r, g, b], width, dashed, what) => {
                    let points: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
                    let dash = if *dashed { " stroke-dasharray=\"5 4\"" } else { "" };
                    writeln!(
                        out,
                        "<polyline fill=\"none\" stroke=\"rgb({r},{g},{b})\" stroke-width=\"{width}\"{dash} \
                         points=\"{}\"><title>{}</title></polyline>",
                        points.join(" "),
                        escaped(what)
                    )
                }
                Mark::Words([x, y], anchor, [r, g, b], words) => {
                    let anchor = match anchor {
                        Anchor::Start => "start",
                        Anchor::Middle => "middle",
                        Anchor::End => "end",
                    };
                    writeln!(
                        out,
                        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"rgb({r},{g},{b})\">{}</text>",
                        escaped(words)
                    )
                }
            };
        }
        out + "</svg>\n"
    }

    fn png(&self) -> Canvas {
        let mut canvas = Canvas::white();
        for mark in &self.0 {
            match mark {
                Mark::Line(points, colour, width, dashed, _) => {
                    canvas.polyline(points, *colour, *width * SCALE, *dashed);
                }
                Mark::Words(at, anchor, colour, words) => canvas.words(*at, *anchor, *colour, words),
            }
        }
        canvas
    }
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `[height × width × 3]` bytes.
struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    fn white() -> Self {
        let (width, height) = ((WIDTH * SCALE) as usize, (HEIGHT * SCALE) as usize);
        Self { width, height, rgb: vec![255; width * height * 3] }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        png_file::write(path, self.width, self.height, &self.rgb)
    }

    fn polyline(&mut self, points: &[[f64; 2]], colour: Colour, width: f64, dashed: bool) {
        let mut travelled = 0.0;
        for pair in points.windows(2) {
            let [a, b] = [pair[0].map(|v| v * SCALE), pair[1].map(|v| v * SCALE)];
            let length = (b[0] - a[0]).hypot(b[1] - a[1]);
            let gap = |along: f64| dashed && (travelled + along).rem_euclid(9.0 * SCALE) > 5.0 * SCALE;
            self.segment(a, b, colour, width, &gap);
            travelled += length;
        }
    }

    /// Covers pixels by how far they are from the segment; `gap` tells where along it nothing is drawn.
    fn segment(&mut self, a: [f64; 2], b: [f64; 2], colour: Colour, width: f64, gap: &dyn Fn(f64) -> bool) {
        let reach = width / 2.0 + 1.0;
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = dx.hypot(dy).max(1e-9);
        let bound = |v: f64, most: usize| v.clamp(0.0, most as f64 - 1.0) as usize;
        for y in bound(a[1].min(b[1]) - reach, self.height)..=bound(a[1].max(b[1]) + reach, self.height) {
            for x in bound(a[0].min(b[0]) - reach, self.width)..=bound(a[0].max(b[0]) + reach, self.width) {
                let (px, py) = (x as f64 + 0.5 - a[0], y as f64 + 0.5 - a[1]);
                let along = ((px * dx + py * dy) / length).clamp(0.0, length);
                let far = (px - dx / length * along).hypot(py - dy / length * along);
                let cover = (width / 2.0 + 0.5 - far).clamp(0.0, 1.0);
                if cover > 0.0 && !gap(along) {
                    self.blend(x, y, colour, cover);
                }
            }
        }
    }

    fn words(&mut self, at: [f64; 2], anchor: Anchor, colour: Colour, words: &str) {
        let advance = (font::WIDTH + 1) * LETTER;
        let width = words.chars().count() * advance;
        let left = at[0] * SCALE
            - match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => width as f64 / 2.0,
                Anchor::End => width as f64,
            };
        // The seventh row stands on the line.
        let top = at[1] * SCALE - (7 * LETTER) as f64;
        for (i, letter) in words.chars().enumerate() {
            for (row, bits) in font::glyph(letter).into_iter().enumerate() {
                for column in (0..font::WIDTH).filter(|c| bits >> (font::WIDTH - 1 - c) & 1 == 1) {
                    let x = left as i64 + (i * advance + column * LETTER) as i64;
                    self.block(x, top as i64 + (row * LETTER) as i64, colour);
                }
            }
        }
    }

    fn block(&mut self, x: i64, y: i64, colour: Colour) {
        let inside = |v: i64, most: usize| usize::try_from(v).ok().filter(|v| *v < most);
        for dy in 0..LETTER as i64 {
            for dx in 0..LETTER as i64 {
                if let (Some(x), Some(y)) = (inside(x + dx, self.width), inside(y + dy, self.height)) {
                    self.blend(x, y, colour, 1.0);
                }
            }
        }
    }

    fn blend(&mut self, x: usize, y: usize, colour: Colour, cover: f64) {
        let at = (y * self.width + x) * 3;
        for (under, over) in self.rgb[at..at + 3].iter_mut().zip(colour) {
            *under = (f64::from(*under) * (1.0 - cover) + f64::from(over) * cover).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_words_are_in_both_forms() {
        let mut figure = Figure::default();
        figure.line(vec![[10.0, 20.0], [100.0, 20.0]], [200, 0, 0], 2.0, false, "a & b");
        figure.words([10.0, 40.0], Anchor::Start, [0, 0, 0], "far");
        let svg = figure.svg();
        assert!(svg.contains("a &amp; b") && svg.contains(">far<"), "{svg}");
        let canvas = figure.png();
        let pixel = |x: usize, y: usize| &canvas.rgb[(y * canvas.width + x) * 3..][..3];
        assert_eq!(pixel(100, 40), [200, 0, 0]);
        assert_eq!(pixel(100, 60), [255, 255, 255]);
        let dark = canvas.rgb.chunks_exact(3).filter(|p| *p == [0, 0, 0]).count();
        assert!(dark > 30 * LETTER * LETTER / 4, "{dark} pixels of letters");
    }
}
