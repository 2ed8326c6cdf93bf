//! One-euro and low-pass filters that take the jitter out of landmarks, with MediaPipe's constants
//! (`pose_landmark_filtering.pbtxt` of 0.10.21) on the frames' own time stamps.

use std::f32::consts::PI;

/// Time that a filter assumes before its second value, seconds (MediaPipe's default frequency of 30 Hz).
const FIRST_STEP: f32 = 1.0 / 30.0;

/// How strongly one kind of landmark is smoothed (Casiez, Roussel and Vogel 2012).
#[derive(Clone, Copy, Debug)]
pub struct OneEuro {
    /// Cut-off at rest, Hz.
    pub min_cutoff: f32,
    /// How much speed raises the cut-off.
    pub beta: f32,
    /// Cut-off of the speed itself, Hz.
    pub derivative_cutoff: f32,
}

/// Landmarks in the picture.
pub const BODY: OneEuro = OneEuro { min_cutoff: 0.05, beta: 80.0, derivative_cutoff: 1.0 };
/// The two auxiliary landmarks; stronger, so that the region holds still.
pub const AUXILIARY: OneEuro = OneEuro { min_cutoff: 0.01, beta: 10.0, derivative_cutoff: 1.0 };
/// World landmarks, metres.
pub const WORLD: OneEuro = OneEuro { min_cutoff: 0.1, beta: 40.0, derivative_cutoff: 1.0 };

/// Weight of a new visibility at 30 frames a second.
const VISIBILITY_ALPHA: f32 = 0.1;

/// A one-euro filter over `N` numbers that move together in time.
#[derive(Clone, Debug)]
pub struct Smoother<const N: usize> {
    setting: OneEuro,
    last: Option<State<N>>,
}

#[derive(Clone, Debug)]
struct State<const N: usize> {
    t_us: u64,
    raw: [f32; N],
    smooth: [f32; N],
    speed: [f32; N],
}

impl<const N: usize> Smoother<N> {
    /// A filter that has seen nothing yet.
    pub fn new(setting: OneEuro) -> Self {
        Self { setting, last: None }
    }

    /// Forgets everything: the next values pass unchanged.
    pub fn reset(&mut self) {
        self.last = None;
    }

    /// Filters `raw`, taken at `t_us`. `scale` turns a difference of values into object sizes, so that the same
    /// movement is smoothed the same whether the person is near or far. Time that does not advance leaves the
    /// values and the filter as they are.
    pub fn apply(&mut self, t_us: u64, scale: f32, raw: &[f32; N]) -> [f32; N] {
        let Some(last) = &mut self.last else {
            self.last = Some(State { t_us, raw: *raw, smooth: *raw, speed: [0.0; N] });
            return *raw;
        };
        if t_us <= last.t_us {
            return *raw;
        }
        let step = (t_us - last.t_us) as f32 * 1e-6;
        let speed_weight = weight(self.setting.derivative_cutoff, step);
        for (i, &raw) in raw.iter().enumerate() {
            let speed = (raw - last.raw[i]) * scale / step;
            last.speed[i] += speed_weight * (speed - last.speed[i]);
            let cutoff = self.setting.min_cutoff + self.setting.beta * last.speed[i].abs();
            last.smooth[i] += weight(cutoff, step) * (raw - last.smooth[i]);
        }
        last.t_us = t_us;
        last.raw = *raw;
        last.smooth
    }
}

/// Weight of a new value in a first-order low-pass after `step` seconds.
fn weight(cutoff: f32, step: f32) -> f32 {
    let tau = 1.0 / (2.0 * PI * cutoff);
    1.0 / (1.0 + tau / step)
}

/// Low-pass over visibilities. MediaPipe gives each new frame a weight of 0.1 whatever the rate; here the weight
/// follows the time stamps and is the same at 30 frames a second, so that a slower camera does not mean slower
/// visibilities.
#[derive(Clone, Debug, Default)]
pub struct VisibilityFilter<const N: usize> {
    last: Option<(u64, [f32; N])>,
}

impl<const N: usize> VisibilityFilter<N> {
    /// A filter that has seen nothing yet.
    pub fn new() -> Self {
        Self { last: None }
    }

    /// Filters visibilities taken at `t_us`.
    pub fn apply(&mut self, t_us: u64, raw: &[f32; N]) -> [f32; N] {
        let Some((last_t, smooth)) = &mut self.last else {
            self.last = Some((t_us, *raw));
            return *raw;
        };
        let frames = t_us.saturating_sub(*last_t) as f32 * 1e-6 / FIRST_STEP;
        let weight = 1.0 - (1.0 - VISIBILITY_ALPHA).powf(frames);
        for (smooth, raw) in smooth.iter_mut().zip(raw) {
            *smooth += weight * (raw - *smooth);
        }
        *last_t = (*last_t).max(t_us);
        *smooth
    }
}

#[cfg(test)]
#[path = "smoothing_tests.rs"]
mod tests;
