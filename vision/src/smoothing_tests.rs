//! Filters against MediaPipe's definition and at different rates.

use super::*;

const THIRTIETH: u64 = 33_333;

#[test]
fn the_first_value_passes_and_time_must_advance() {
    let mut filter = Smoother::<1>::new(BODY);
    assert_eq!(filter.apply(0, 1.0, &[5.0]), [5.0]);
    assert_eq!(filter.apply(0, 1.0, &[9.0]), [9.0], "no time passed: unchanged");
    let next = filter.apply(THIRTIETH, 1.0, &[5.0])[0];
    assert_eq!(next, 5.0, "and the filter did not learn the 9: {next}");
}

#[test]
fn values_follow_the_one_euro_formula() {
    // Worked by hand for one step of 1 at 1/30 s, scale 0.01: speed 0.3, weighted by the derivative's low-pass.
    let mut filter = Smoother::<1>::new(OneEuro { min_cutoff: 0.05, beta: 80.0, derivative_cutoff: 1.0 });
    filter.apply(1_000_000, 0.01, &[0.0]);
    let got = filter.apply(1_033_333, 0.01, &[1.0])[0];
    let alpha = |cutoff: f64| 1.0 / (1.0 + 1.0 / (2.0 * std::f64::consts::PI * cutoff) / 0.033_333);
    let speed = alpha(1.0) * 0.01 / 0.033_333;
    let want = alpha(0.05 + 80.0 * speed);
    assert!((f64::from(got) - want).abs() < 1e-5, "{got} {want}");
}

#[test]
fn rest_is_smoothed_and_speed_is_followed() {
    let run = |amplitude: f32| {
        let mut filter = Smoother::<1>::new(BODY);
        let mut last = 0.0;
        for i in 0..60_u64 {
            let raw = 100.0 + if i % 2 == 0 { amplitude } else { -amplitude };
            last = filter.apply(i * THIRTIETH, 1.0 / 300.0, &[raw])[0];
        }
        (last - 100.0).abs() / amplitude
    };
    assert!(run(0.1) < 0.3, "small jitter shrinks: {}", run(0.1));
    let mut filter = Smoother::<1>::new(BODY);
    let mut lag = 0.0;
    for i in 0..30_u16 {
        let raw = f32::from(i) * 10.0;
        lag = raw - filter.apply(u64::from(i) * THIRTIETH, 1.0 / 300.0, &[raw])[0];
    }
    assert!(lag.abs() < 2.0, "a fast hand is a fifth of a frame behind at most: {lag}");
}

#[test]
fn a_slower_camera_ends_at_the_same_visibility() {
    let after_one_second = |step: u64| {
        let mut filter = VisibilityFilter::<1>::new();
        filter.apply(0, &[0.0]);
        (1..=1_000_000 / step).map(|i| filter.apply(i * step, &[1.0])[0]).last().expect("frames")
    };
    let (slow, fast) = (after_one_second(100_000), after_one_second(20_000));
    assert!((slow - fast).abs() < 1e-3, "{slow} {fast}");
    let mut filter = VisibilityFilter::<1>::new();
    filter.apply(0, &[0.0]);
    let one = filter.apply(THIRTIETH, &[1.0])[0];
    assert!((one - 0.1).abs() < 1e-4, "MediaPipe's weight at 30 frames a second: {one}");
}

#[test]
fn reset_forgets() {
    let mut filter = Smoother::<2>::new(WORLD);
    filter.apply(0, 1.0, &[1.0, 1.0]);
    filter.reset();
    assert_eq!(filter.apply(THIRTIETH, 1.0, &[7.0, 8.0]), [7.0, 8.0]);
}
