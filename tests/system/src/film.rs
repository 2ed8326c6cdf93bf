//! Which recording plays when: the script that `pose-helperd-recorded` reads.
use std::fmt::Write;
use std::path::{Path, PathBuf};

use pose_engine::challenge::Movement;

use crate::{Result, place};

/// What the camera will see.
#[derive(Default)]
pub struct Film(String);

impl Film {
    /// A login: this clip plays for the gesture.
    #[must_use]
    pub fn login(gesture: &str) -> Self {
        Self(format!("gesture = {}\n", quoted(gesture)))
    }

    /// An enrolment: one clip a repetition.
    #[must_use]
    pub fn enrolment(clips: &[&str]) -> Self {
        let list: Vec<String> = clips.iter().map(|clip| quoted(clip)).collect();
        Self(format!("enrol = [{}]\n", list.join(", ")))
    }

    /// Whatever challenge is asked, this clip plays: what somebody with one recording can do.
    #[must_use]
    pub fn any_challenge(mut self, clip: &str) -> Self {
        let _ = writeln!(self.0, "default_challenge = {}", quoted(clip));
        self
    }

    /// The person answers each challenge with the movement that was asked.
    #[must_use]
    pub fn answered_by(mut self, person: &str) -> Self {
        self.0 += "[challenge]\n";
        for movement in Movement::ALL.map(Movement::name) {
            let _ = writeln!(self.0, "{movement} = {}", quoted(&format!("{person}_{movement}")));
        }
        self
    }

    /// The camera fails: "unplug", "stall", "busy" or "missing", so many milliseconds after it was opened.
    #[must_use]
    pub fn fault(mut self, kind: &str, after_ms: u32) -> Self {
        self.0.insert_str(0, &format!("fault = {{ after_ms = {after_ms}, kind = \"{kind}\" }}\n"));
        self
    }

    /// Writes the script into a folder and returns its path.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join("film.toml");
        std::fs::write(&path, &self.0)?;
        Ok(path)
    }
}

fn quoted(clip: &str) -> String {
    format!("{:?}", place::clip(clip))
}
