//! The configuration file's text.
#![no_main]

use pose_helperd::config;

pose_fuzz::target!(|data| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match config::parse(text) {
        Ok(config) => {
            assert!((1..=16).contains(&config.vision.threads));
            assert!((1..=100).contains(&config.lockout.lock_after));
            assert!((8_192..=262_144).contains(&config.password.memory_kib));
            for over in config.service.values() {
                assert!((3..=60).contains(&config.attempt.with(over).gesture_seconds));
            }
        }
        Err(mistake) => assert!(!mistake.to_string().is_empty()),
    }
});
