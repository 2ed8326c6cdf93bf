//! The words of a pam.d line.
#![no_main]

use pam_pose::options::Options;

pose_fuzz::target!(|data| {
    let text = String::from_utf8_lossy(data);
    let words: Vec<&str> = text.split(' ').collect();
    match Options::parse(&words) {
        Ok(options) => assert!((5..=120).contains(&options.timeout.as_secs())),
        Err(refusal) => {
            let told = refusal.to_string();
            assert!(told.len() < 2_000 && !told.contains(char::is_control), "{told:?}");
        }
    }
});
