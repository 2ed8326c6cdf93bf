//! A small picture of each movement: a stick figure as in a mirror, the person's left on the left.

use std::fmt::Write as _;

use super::Movement;

/// A stroke from one point to another; a picture is one wide and one high, y runs down.
pub type Stroke = [[f32; 2]; 2];

/// A braille letter is two dots wide and four high; a figure takes this many letters.
const LETTERS: [usize; 2] = [12, 6];
const HEAD: [f32; 2] = [0.5, 0.25];
const HEAD_RADIUS: f32 = 0.085;
/// The middle of the shoulders, and half their width.
const CHEST: [f32; 2] = [0.5, 0.42];
const HALF: f32 = 0.16;
const SEAT: [f32; 2] = [0.5, 0.97];
/// How far a leaning figure turns about its seat, radians.
const LEAN: f32 = 0.42;

/// Elbow and wrist, outward and down from the shoulder.
type Arm = [[f32; 2]; 2];
const DOWN: Arm = [[0.06, 0.2], [0.05, 0.4]];
const UP: Arm = [[0.07, -0.2], [0.05, -0.4]];
const OUT: Arm = [[0.17, 0.0], [0.33, 0.0]];
const ON_HEAD: Arm = [[0.2, -0.14], [-0.1, -0.26]];
const ACROSS: Arm = [[0.02, 0.2], [-0.3, 0.02]];
const FOLDED_OVER: Arm = [[0.06, 0.2], [-0.3, 0.12]];
const FOLDED_UNDER: Arm = [[0.06, 0.2], [-0.3, 0.22]];

/// The strokes that draw a movement.
#[must_use]
pub fn figure(movement: Movement) -> Vec<Stroke> {
    use Movement as M;
    let (left, right, lean) = match movement {
        M::RaiseLeft => (UP, DOWN, 0.0),
        M::RaiseRight => (DOWN, UP, 0.0),
        M::BothUp => (UP, UP, 0.0),
        M::OutLeft => (OUT, DOWN, 0.0),
        M::OutRight => (DOWN, OUT, 0.0),
        M::TPose => (OUT, OUT, 0.0),
        M::HeadLeft => (ON_HEAD, DOWN, 0.0),
        M::HeadRight => (DOWN, ON_HEAD, 0.0),
        M::HeadBoth => (ON_HEAD, ON_HEAD, 0.0),
        M::TouchLeft => (DOWN, ACROSS, 0.0),
        M::TouchRight => (ACROSS, DOWN, 0.0),
        M::ArmsCrossed => (FOLDED_OVER, FOLDED_UNDER, 0.0),
        M::LeanLeft => (DOWN, DOWN, -LEAN),
        M::LeanRight => (DOWN, DOWN, LEAN),
        M::UpLeftOutRight => (UP, OUT, 0.0),
        M::OutLeftUpRight => (OUT, UP, 0.0),
    };
    let shoulder = |side: f32| [CHEST[0] + side * HALF, CHEST[1]];
    let mut strokes = vec![[[HEAD[0], HEAD[1] + HEAD_RADIUS], SEAT], [shoulder(-1.0), shoulder(1.0)]];
    strokes.extend(head());
    for (side, [elbow, wrist]) in [(-1.0, left), (1.0, right)] {
        let at = |[out, down]: [f32; 2]| [shoulder(side)[0] + side * out, shoulder(side)[1] + down];
        strokes.extend([[shoulder(side), at(elbow)], [at(elbow), at(wrist)]]);
    }
    strokes.iter().map(|stroke| stroke.map(|point| turned(point, lean))).collect()
}

/// The picture as an SVG image of 96 × 96 units.
#[must_use]
pub fn svg(movement: Movement) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 96 96\" fill=\"none\" stroke=\"#246\" \
         stroke-width=\"4\" stroke-linecap=\"round\"><title>{}</title>\n",
        movement.instruction()
    );
    for [[ax, ay], [bx, by]] in figure(movement).iter().map(|s| s.map(|p| p.map(|v| 4.0 + 88.0 * v))) {
        let _ = writeln!(out, "<path d=\"M{ax:.1} {ay:.1}L{bx:.1} {by:.1}\"/>");
    }
    out + "</svg>\n"
}

/// The picture in braille dots, for terminals: six lines of twelve letters.
#[must_use]
pub fn braille(movement: Movement) -> Vec<String> {
    let [columns, rows] = LETTERS;
    // Dots of a letter, by column and row.
    const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    let mut letters = vec![0x2800u32; columns * rows];
    for [a, b] in figure(movement) {
        for step in 0..=48 {
            let w = step as f32 / 48.0;
            let place = |d: usize, dots: usize| {
                let v = (a[d] + (b[d] - a[d]) * w).clamp(0.0, 1.0) * (dots - 1) as f32;
                v.round() as usize
            };
            let (x, y) = (place(0, 2 * columns), place(1, 4 * rows));
            letters[y / 4 * columns + x / 2] |= DOTS[x % 2][y % 4];
        }
    }
    letters.chunks(columns).map(|row| row.iter().filter_map(|dots| char::from_u32(*dots)).collect()).collect()
}

fn head() -> impl Iterator<Item = Stroke> {
    const CORNERS: usize = 12;
    let corner = |i: usize| {
        let angle = std::f32::consts::TAU * i as f32 / CORNERS as f32;
        [HEAD[0] + HEAD_RADIUS * angle.cos(), HEAD[1] + HEAD_RADIUS * angle.sin()]
    };
    (0..CORNERS).map(move |i| [corner(i), corner(i + 1)])
}

fn turned([x, y]: [f32; 2], angle: f32) -> [f32; 2] {
    let (sin, cos) = angle.sin_cos();
    let (dx, dy) = (x - SEAT[0], y - SEAT[1]);
    [SEAT[0] + cos * dx - sin * dy, SEAT[1] + sin * dx + cos * dy]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_has_a_picture_of_its_own_that_fits() {
        let mut seen = std::collections::HashSet::new();
        for movement in Movement::ALL {
            let strokes = figure(movement);
            assert!(strokes.iter().flatten().flatten().all(|v| (0.0..=1.0).contains(v)), "{movement:?}");
            assert!(seen.insert(braille(movement)), "{movement:?} looks like another");
            assert_eq!(svg(movement).matches("<path").count(), strokes.len());
        }
    }

    #[test]
    fn the_mirrored_movement_has_the_mirrored_picture() {
        for movement in Movement::ALL.into_iter().filter(|m| *m != Movement::ArmsCrossed) {
            let key = |s: &Stroke, mirror: bool| {
                let mut ends =
                    s.map(|[x, y]| [if mirror { 1.0 - x } else { x }, y].map(|v| (v * 500.0).round() as i32));
                ends.sort_unstable();
                ends
            };
            let of = |m: Movement, mirror| {
                let mut all: Vec<_> = figure(m).iter().map(|s| key(s, mirror)).collect();
                all.sort_unstable();
                all
            };
            assert_eq!(of(movement, false), of(movement.mirrored(), true), "{movement:?}");
        }
    }
}
