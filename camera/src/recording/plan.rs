//! A script's clips, opened, and which of them answers an instruction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::clip::Clip;
use super::error::ClipError;
use super::script::Script;

/// Opened clips and their parts; the parts hold positions in `clips`.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) clips: Vec<Clip>,
    gesture: Vec<usize>,
    enrol: Vec<usize>,
    idle: Option<usize>,
    challenge: BTreeMap<String, usize>,
    default_challenge: Option<usize>,
    /// The login's number, which picks from several gestures.
    turn: usize,
    /// Enrolment repetitions so far.
    repetition: usize,
}

impl Plan {
    /// Opens every clip of a script, each once, so that a sandbox that comes afterwards is in nobody's way.
    pub(crate) fn open(script: &Script, turn: usize) -> Result<Self, ClipError> {
        let mut plan = Self { turn, ..Self::default() };
        plan.gesture = plan.open_all(&script.gesture)?;
        plan.enrol = plan.open_all(&script.enrol)?;
        for (movement, path) in &script.challenge {
            let clip = plan.open_one(path)?;
            plan.challenge.insert(movement.clone(), clip);
        }
        plan.default_challenge = script.default_challenge.as_deref().map(|p| plan.open_one(p)).transpose()?;
        plan.idle = script.idle.as_deref().map(|p| plan.open_one(p)).transpose()?;
        Ok(plan)
    }

    /// The clip whose rest is in view before the first instruction, and whether it is an idle clip, all of which
    /// is rest.
    pub(crate) fn first(&self) -> (usize, bool) {
        let gesture = self.turn.checked_rem(self.gesture.len()).and_then(|i| self.gesture.get(i));
        let clip = self.idle.or(gesture.copied()).or(self.enrol.first().copied()).unwrap_or(0);
        (clip, self.idle.is_some())
    }

    /// The clip that answers an instruction; `None` if nobody moves.
    pub(crate) fn answer(&mut self, code: &str) -> Option<usize> {
        match code {
            "gesture" => {
                let turn = self.turn;
                self.turn = turn.wrapping_add(1);
                self.gesture.get(turn.checked_rem(self.gesture.len())?).copied()
            }
            "enrol_gesture" => {
                let repetition = self.repetition;
                self.repetition += 1;
                match self.enrol.len() {
                    0 => self.gesture.get(repetition.checked_rem(self.gesture.len())?).copied(),
                    _ => self.enrol.get(repetition).copied(),
                }
            }
            _ => {
                let movement = code.strip_prefix("challenge:")?;
                self.challenge.get(movement).copied().or(self.default_challenge)
            }
        }
    }

    fn open_one(&mut self, path: &Path) -> Result<usize, ClipError> {
        if let Some(known) = self.clips.iter().position(|c| c.path() == path) {
            return Ok(known);
        }
        self.clips.push(Clip::open(path)?);
        Ok(self.clips.len() - 1)
    }

    fn open_all(&mut self, paths: &[PathBuf]) -> Result<Vec<usize>, ClipError> {
        paths.iter().map(|p| self.open_one(p)).collect()
    }
}
