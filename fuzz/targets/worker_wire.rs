//! What a worker that pictures have taken over can send to the daemon.
#![no_main]

use pose_helperd::worker::wire::{Command, Event};

pose_fuzz::target!(|data| {
    if let Ok(event) = Event::decode(data) {
        let text = match &event {
            Event::Opened(text) | Event::Failed(_, text) => text.as_str(),
            Event::Report(report) => {
                assert!(report.stats.luma_mean.is_finite());
                if let Some(pose) = &report.pose {
                    assert!(pose.landmarks.iter().all(|l| l.x.is_finite() && (0.0..=1.0).contains(&l.visibility)));
                    assert!(pose.world.iter().flatten().all(|value| value.abs() <= 10.0));
                }
                ""
            }
            Event::Ready => "",
        };
        assert!(!text.contains(char::is_control));
        assert_eq!(Event::decode(&event.encode()), Ok(event), "what was read can be written");
    }
    if let Ok(command) = Command::decode(data) {
        assert_eq!(Command::decode(&command.encode()), Ok(command));
    }
});
