//! How far a body's movement is from that of a flat plate: the misfit of each frame to an affine map.

use crate::clean::{median, quantile};
use crate::normalise::BONES;
use crate::sequence::{JOINTS, Joint};

/// Sum of the five median upper-bone lengths; `None` without a body.
pub(crate) fn body_size(frames: &[[Joint; JOINTS]]) -> Option<f32> {
    let mut size = 0.0;
    for (a, b) in BONES {
        let mut lengths: Vec<f32> = frames.iter().map(|f| (f[a].x - f[b].x).hypot(f[a].y - f[b].y)).collect();
        size += median(&mut lengths)?;
    }
    (size.is_normal() && size > 0.0).then_some(size)
}

/// 90th percentile over frames of the root-mean-square misfit of the joints to the best affine map from the median
/// frame, over `size`.
pub(crate) fn residual(frames: &[[Joint; JOINTS]], size: f32) -> f64 {
    let middle: [(f64, f64); JOINTS] = std::array::from_fn(|k| {
        let mut xs: Vec<f32> = frames.iter().map(|f| f[k].x).collect();
        let mut ys: Vec<f32> = frames.iter().map(|f| f[k].y).collect();
        (f64::from(median(&mut xs).unwrap_or(0.0)), f64::from(median(&mut ys).unwrap_or(0.0)))
    });
    let mut misfits: Vec<f32> =
        frames.iter().map(|f| (misfit(&middle, f) / f64::from(size)) as f32).collect();
    quantile(&mut misfits, 0.9).map_or(0.0, f64::from)
}

/// Root mean square over the joints of the distance to their image under the best affine map.
fn misfit(from: &[(f64, f64); JOINTS], to: &[Joint; JOINTS]) -> f64 {
    let n = JOINTS as f64;
    let centre = |points: &dyn Fn(usize) -> f64| (0..JOINTS).map(points).sum::<f64>() / n;
    let (fx, fy) = (centre(&|k| from[k].0), centre(&|k| from[k].1));
    let (tx, ty) = (centre(&|k| f64::from(to[k].x)), centre(&|k| f64::from(to[k].y)));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    let (mut ax, mut ay, mut bx, mut by) = (0.0, 0.0, 0.0, 0.0);
    let mut total = 0.0;
    for (f, t) in from.iter().zip(to) {
        let (x, y, u, v) = (f.0 - fx, f.1 - fy, f64::from(t.x) - tx, f64::from(t.y) - ty);
        xx += x * x;
        xy += x * y;
        yy += y * y;
        ax += x * u;
        ay += y * u;
        bx += x * v;
        by += y * v;
        total += u * u + v * v;
    }
    let determinant = xx * yy - xy * xy;
    if determinant <= 1.0e-9 * (xx + yy).powi(2) {
        // All joints on one line: no map to fit, so nothing can prove that the body is not a plate.
        return 0.0;
    }
    // Explained part of the scatter, by least squares for each output coordinate.
    let explained = |p: f64, q: f64| (p * (yy * p - xy * q) + q * (xx * q - xy * p)) / determinant;
    ((total - explained(ax, ay) - explained(bx, by)).max(0.0) / n).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: [(f64, f64); JOINTS] =
        [(0.0, -60.0), (50.0, 0.0), (-50.0, 0.0), (60.0, 60.0), (-60.0, 60.0), (70.0, 120.0), (-66.0, 110.0)];

    proptest! {
        #[test]
        fn a_plate_moved_in_any_affine_way_has_no_misfit(
            a in 0.5f64..2.0, b in -0.5f64..0.5, c in -0.5f64..0.5, d in 0.5f64..2.0, e in -99f64..99.0, f in -99f64..99.0
        ) {
            let moved = BODY.map(|(x, y)| Joint {
                x: (a * x + b * y + e) as f32, y: (c * x + d * y + f) as f32, visibility: 1.0,
            });
            prop_assert!(misfit(&BODY, &moved) < 0.01);
        }
    }

    #[test]
    fn a_bent_arm_is_a_misfit() {
        let mut moved = BODY.map(|(x, y)| Joint { x: x as f32, y: y as f32, visibility: 1.0 });
        moved[5] = Joint { x: 60.0, y: -20.0, visibility: 1.0 };
        assert!(misfit(&BODY, &moved) > 15.0);
    }
}
