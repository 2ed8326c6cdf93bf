//! A recording's script: which clip answers which instruction, and what goes wrong when.
//!
//! ```toml
//! gesture = "circle.avi"             # or a list: one per login in turn, from the start again after the last
//! enrol = ["a.avi", "b.avi", "c.avi"] # one per enrolment repetition, in order; after the last nobody moves
//! idle = "rest.avi"                  # before the first instruction
//! default_challenge = "circle.avi"   # any challenge without a clip of its own
//! seed = 7                           # of the noise on the pictures between clips
//! at_end = "rest"                    # or "end": no more pictures after a clip
//! [challenge]
//! raise_left = "raise_left.avi"
//! [fault]
//! kind = "unplug"                    # or "stall", "busy", "missing"
//! after_ms = 1500                    # from opening, or
//! cue = "gesture"                    # from this instruction on
//! [damage]
//! kind = "freeze"                    # see `DamageKind`
//! from = 20                          # first picture, counted from opening or from
//! cue = "gesture"                    # this instruction on
//! count = 10                         # how many
//! ```
//! Paths are relative to the script.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use pose_engine::challenge::Movement;
use serde::{Deserialize, Deserializer, de};

use super::damage::{self, Damage};

/// Scripts are short, bytes.
const MAX_SCRIPT: u64 = 64 << 10;

/// A script as written, with its paths made relative to the reader.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// One clip per login in turn.
    #[serde(default, deserialize_with = "one_or_many")]
    pub gesture: Vec<PathBuf>,
    /// One clip per enrolment repetition; empty: those of `gesture`.
    #[serde(default, deserialize_with = "one_or_many")]
    pub enrol: Vec<PathBuf>,
    /// Shown before the first instruction, back and forth.
    pub idle: Option<PathBuf>,
    /// Played for any challenge that has no clip of its own.
    pub default_challenge: Option<PathBuf>,
    /// Clip by movement.
    #[serde(default)]
    pub challenge: BTreeMap<String, PathBuf>,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// What is done to the stream.
    pub damage: Option<Damage>,
    /// Of the noise on the pictures between clips.
    #[serde(default)]
    pub seed: u64,
    /// What follows a clip.
    #[serde(default)]
    pub at_end: AtEnd,
}

/// What follows a clip until the next instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtEnd {
    /// The person stays as the clip ended.
    #[default]
    Rest,
    /// No more pictures.
    End,
}

/// Something that goes wrong, once and for good.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// When, milliseconds from opening or from `cue`.
    #[serde(default)]
    pub after_ms: u64,
    /// The instruction from which `after_ms` counts ("gesture", "enrol_gesture", "challenge:raise_left", or
    /// "challenge" for any).
    pub cue: Option<String>,
}

/// The ways in which cameras fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The device goes away.
    Unplug,
    /// No more pictures.
    Stall,
    /// Another program has it.
    Busy,
    /// There is none.
    Missing,
}

/// A script that cannot be used.
#[derive(Debug)]
pub struct ScriptError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}; correct the script", self.path, self.why)
    }
}

impl std::error::Error for ScriptError {}

impl Script {
    /// Reads and checks a script; the clips are not opened.
    pub fn read(path: &Path) -> Result<Self, ScriptError> {
        let error = |why: String| ScriptError { path: path.to_owned(), why };
        let mut text = String::new();
        File::open(path)
            .and_then(|f| f.take(MAX_SCRIPT + 1).read_to_string(&mut text))
            .map_err(|e| error(format!("cannot be read ({e})")))?;
        if text.len() as u64 > MAX_SCRIPT {
            return Err(error(format!("longer than {} KiB", MAX_SCRIPT >> 10)));
        }
        let mut script: Self =
            toml::from_str(&text).map_err(|e| error(e.to_string().trim_end().to_owned()))?;
        script.check().map_err(error)?;
        script.resolve(path.parent().unwrap_or(Path::new("")));
        Ok(script)
    }

    /// One clip, for the gesture and for every enrolment repetition.
    pub fn of_clip(clip: &Path) -> Self {
        Self { gesture: vec![clip.to_owned()], ..Self::default() }
    }

    fn check(&self) -> Result<(), String> {
        // A misspelt one would never be played, and the test that uses it would prove nothing.
        if let Some(name) = self.challenge.keys().find(|name| Movement::parse(name).is_none()) {
            let known = Movement::ALL.map(Movement::name).join(", ");
            return Err(format!("unknown challenge {name:?}, known are {known}"));
        }
        if let Some(damage) = self.damage.as_ref().filter(|d| d.count > damage::KEPT as u64) {
            return Err(format!("damage of {} pictures, at most {} can be", damage.count, damage::KEPT));
        }
        let nothing_fails_at_once = self.fault.as_ref().is_none_or(|f| !f.at_opening());
        if self.gesture.is_empty() && self.enrol.is_empty() && self.idle.is_none() && nothing_fails_at_once {
            return Err("it names no clip: give `gesture`, `enrol` or `idle`".to_owned());
        }
        Ok(())
    }

    fn resolve(&mut self, base: &Path) {
        let single = self.idle.iter_mut().chain(&mut self.default_challenge);
        for path in
            self.gesture.iter_mut().chain(&mut self.enrol).chain(self.challenge.values_mut()).chain(single)
        {
            *path = base.join(&*path);
        }
    }
}

impl Fault {
    /// True if the camera cannot even be opened.
    pub(crate) fn at_opening(&self) -> bool {
        matches!(self.kind, FaultKind::Busy | FaultKind::Missing) && self.cue.is_none() && self.after_ms == 0
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    struct Clips;
    impl<'de> de::Visitor<'de> for Clips {
        type Value = Vec<PathBuf>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a clip's path or a list of them")
        }

        fn visit_str<E: de::Error>(self, path: &str) -> Result<Self::Value, E> {
            Ok(vec![PathBuf::from(path)])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut paths = Vec::new();
            while let Some(path) = list.next_element()? {
                paths.push(path);
            }
            Ok(paths)
        }
    }
    deserializer.deserialize_any(Clips)
}
