//! What was seen of each presentation, one JSON line each, in the format that `posectl eval` reads: for choosing bounds
//! of cues on other people than those of the report.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;

use pose_engine::landmarks::{Observation, Pose};
use serde_json::{Value, json};

use crate::Result;
use crate::cast::Target;
use crate::eye::FPS;
use crate::trial::Trial;

/// The file; trials come from several threads.
pub struct Lines(Mutex<BufWriter<File>>);

impl Lines {
    /// Begins the file anew.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(path: &Path) -> Result<Self> {
        let file =
            File::create(path).map_err(|e| format!("{}: {e}; name a file to write", path.display()))?;
        Ok(Self(Mutex::new(BufWriter::new(file))))
    }

    /// Adds a trial: all parts one after another, and how many pictures each has.
    ///
    /// # Errors
    /// What the file system says.
    pub fn add(&self, target: &Target, kind: &str, trial: &Trial) -> Result<()> {
        let whole: Vec<&Observation> = trial.seen.iter().flatten().collect();
        let Some(first) = whole.first() else { return Ok(()) };
        let line = json!({
            "set": "pad", "user": target.who, "gesture": target.gesture, "rep": 0, "kind": kind, "fps": FPS,
            "w": first.width, "h": first.height, "accepted": trial.accepted, "asked": trial.asked,
            "parts": trial.seen.iter().map(Vec::len).collect::<Vec<_>>(),
            "lm": whole.iter().map(|o| o.pose.as_ref().map(landmarks)).collect::<Vec<_>>(),
        });
        let mut out = self.0.lock().map_err(|_| "a thread broke off")?;
        writeln!(out, "{line}")?;
        // A run that is cut short leaves whole lines.
        Ok(out.flush()?)
    }
}

fn landmarks(pose: &Pose) -> Vec<Value> {
    pose.landmarks.iter().map(|l| json!([l.x, l.y, l.z, l.visibility])).collect()
}
