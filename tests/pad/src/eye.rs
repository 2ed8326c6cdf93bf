//! The camera's side of a trial: frames get a driver's time stamps and counters, and the daemon's tracker looks.

use pose_camera::Frame;
use pose_engine::landmarks::Observation;
use pose_vision::{Assets, Tracker, TrackerOptions};

use crate::Result;

/// Pictures a second, of all shipped recordings.
pub const FPS: u64 = 15;

/// A camera and a tracker.
pub struct Eye {
    tracker: Tracker,
    pictures: u32,
}

impl Eye {
    /// Loads the models.
    ///
    /// # Errors
    /// Models or runtime that are missing.
    pub fn open() -> Result<Self> {
        let options = TrackerOptions { threads: 1, ..TrackerOptions::default() };
        Ok(Self { tracker: Tracker::new(&Assets::beside_executable()?, &options)?, pictures: 0 })
    }

    /// Before another recording or presentation.
    pub fn forget(&mut self) {
        self.tracker.reset();
        self.pictures = 0;
    }

    /// The next picture, one period after the one before.
    ///
    /// # Errors
    /// A frame that cannot be decoded.
    pub fn see(&mut self, mut frame: Frame) -> Result<Observation> {
        frame.t_us = stamp(self.pictures);
        frame.sequence = self.pictures;
        self.pictures += 1;
        Ok(self.tracker.observe(&frame)?)
    }
}

/// Time stamp of a picture, microseconds.
pub(crate) fn stamp(picture: u32) -> u64 {
    1_000_000 + u64::from(picture) * 1_000_000 / FPS
}
