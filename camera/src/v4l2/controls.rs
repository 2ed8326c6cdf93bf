//! The controls that may be set while a camera is in use: standard ones, by their names. Pure.

use std::collections::BTreeMap;

/// Name, as `v4l2-ctl --list-ctrls` prints it, and number, as linux/v4l2-controls.h has it. What changes the picture and
/// nothing else: no pan, tilt or zoom motors, no privacy shutters. A camera refuses what its automatic does, so each
/// automatic stands before the value that it would choose.
const CONTROLS: [(&str, u32); 17] = [
    ("brightness", 0x0098_0900),
    ("contrast", 0x0098_0901),
    ("saturation", 0x0098_0902),
    ("hue", 0x0098_0903),
    ("white_balance_automatic", 0x0098_090c),
    ("gamma", 0x0098_0910),
    ("gain", 0x0098_0913),
    ("power_line_frequency", 0x0098_0918),
    ("white_balance_temperature", 0x0098_091a),
    ("sharpness", 0x0098_091b),
    ("backlight_compensation", 0x0098_091c),
    ("auto_exposure", 0x009a_0901),
    ("exposure_time_absolute", 0x009a_0902),
    ("exposure_dynamic_framerate", 0x009a_0903),
    ("focus_automatic_continuous", 0x009a_090c),
    ("focus_absolute", 0x009a_090a),
    ("wide_dynamic_range", 0x009a_0915),
];

/// Numbers and values of controls given by name, in the order in which to set them. Other names are left out.
pub fn controls(wanted: &BTreeMap<String, i32>) -> Vec<(u32, i32)> {
    CONTROLS.iter().filter_map(|(name, id)| wanted.get(*name).map(|value| (*id, *value))).collect()
}

/// The names that may be used.
pub fn control_names() -> impl Iterator<Item = &'static str> {
    CONTROLS.iter().map(|(name, _)| *name)
}

/// User and camera controls as linux/v4l2-controls.h numbers them, without drivers' own.
pub(super) fn is_standard(id: u32) -> bool {
    matches!(id >> 16, 0x98 | 0x9a) && (0x900..0x1000).contains(&(id & 0xffff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_standard_controls_may_be_set() {
        // Brightness, auto-exposure priority; class headers, drivers' own, private and codec controls.
        for (id, may) in [
            (0x0098_0900, true),
            (0x009a_0903, true),
            (0x0098_0001, false),
            (0x0098_1900, false),
            (0x0800_0000, false),
            (0x0099_0900, false),
            (0, false),
        ] {
            assert_eq!(is_standard(id), may, "{id:#x}");
        }
    }

    #[test]
    fn every_name_stands_for_one_standard_control() {
        let mut ids: Vec<u32> = CONTROLS.iter().map(|(_, id)| *id).collect();
        assert!(ids.iter().all(|id| is_standard(*id)));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), control_names().count()), (CONTROLS.len(), CONTROLS.len()));
    }

    #[test]
    fn an_automatic_is_switched_before_the_value_that_it_would_choose() {
        let wanted = [("focus_absolute", 40), ("focus_automatic_continuous", 0), ("led1_mode", 3)];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(controls(&wanted), [(0x009a_090c, 0), (0x009a_090a, 40)]);
    }
}
