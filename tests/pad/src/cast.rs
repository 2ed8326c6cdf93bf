//! The shipped recordings: who and what is in them, tracked once.

use std::path::PathBuf;

use pose_camera::Frame;
use pose_camera::recording::Clip;
use pose_engine::challenge::Movement;
use pose_engine::enrol::enrol;
use pose_engine::gesture::cut;
use pose_engine::landmarks::Observation;
use pose_engine::sequence::Sequence;
use pose_engine::template::Template;

use crate::Result;
use crate::eye::{self, Eye};
use crate::rgb::Rgb;

/// Who is attacked: those of whom enough is shipped.
pub const PEOPLE: [&str; 2] = ["ben", "chidi"];
/// Their gestures.
pub const GESTURES: [&str; 2] = ["circle_touch", "open_head"];
/// Recordings of each.
pub const REPETITIONS: usize = 6;
/// Recordings that a template is made of.
const ENROLLED: usize = 3;

/// A recording's pictures and what the tracker saw.
pub struct Take {
    /// The camera's frames as they were delivered.
    pub frames: Vec<Frame>,
    /// Decoded.
    pub pictures: Vec<Rgb>,
    /// One a frame.
    pub seen: Vec<Observation>,
}

/// One person's recordings of one gesture.
pub struct Target {
    /// Name of the person.
    pub who: &'static str,
    /// Name of the gesture.
    pub gesture: &'static str,
    /// Repetitions of the gesture.
    pub takes: Vec<Take>,
}

/// Everything that attacks are made of.
pub struct Cast {
    /// People and gestures.
    pub targets: Vec<Target>,
    /// Answers, one for each of [`PEOPLE`] and [`Movement::ALL`] that was recorded.
    answers: Vec<(&'static str, Movement, Take)>,
    /// The empty room.
    pub room: Rgb,
}

impl Cast {
    /// Opens and tracks the recordings; `done` is told after each.
    ///
    /// # Errors
    /// Recordings that are missing or damaged.
    pub fn load(eye: &mut Eye, done: &dyn Fn()) -> Result<Self> {
        let mut targets = Vec::new();
        let mut answers = Vec::new();
        for who in PEOPLE {
            for gesture in GESTURES {
                let takes = (0..REPETITIONS).map(|i| take(eye, &format!("{who}_{gesture}_{i}"), done));
                targets.push(Target { who, gesture, takes: takes.collect::<Result<_>>()? });
            }
            for movement in Movement::ALL {
                let name = format!("{who}_{}", movement.name());
                if path(&name).exists() {
                    answers.push((who, movement, take(eye, &name, done)?));
                }
            }
        }
        let room = Rgb::decode(&Clip::open(&path("nobody"))?.frame(0)?)?;
        Ok(Self { targets, answers, room })
    }

    /// The person's recorded movements.
    pub fn answers(&self, who: &str) -> impl Iterator<Item = (Movement, &Take)> {
        self.answers
            .iter()
            .filter(move |(name, _, _)| *name == who)
            .map(|(_, movement, take)| (*movement, take))
    }
}

impl Target {
    /// The template from three recordings without that one, and which it is made of.
    ///
    /// # Errors
    /// An enrolment that the engine refuses.
    pub fn template_without(&self, probe: usize) -> Result<Template> {
        let others = (1..=ENROLLED).map(|i| &self.takes[(probe + i) % self.takes.len()]);
        let sequences: Vec<Sequence> = others.map(|t| Sequence::from_observations(cut(&t.seen))).collect();
        Ok(enrol(&sequences).map_err(|refusal| format!("{} {}: {refusal}", self.who, self.gesture))?.template)
    }
}

/// The recording's file.
pub fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../recordings", &format!("{name}.avi")].iter().collect()
}

fn take(eye: &mut Eye, name: &str, done: &dyn Fn()) -> Result<Take> {
    let frames: Vec<Frame> = Clip::open(&path(name))?.frames().collect::<std::result::Result<_, _>>()?;
    let pictures = frames.iter().map(Rgb::decode).collect::<std::result::Result<_, _>>()?;
    eye.forget();
    let seen = frames.iter().map(|frame| eye.see(frame.clone())).collect::<Result<_>>()?;
    done();
    Ok(Take { frames, pictures, seen })
}

/// The seconds that a picture stands for.
pub const PERIOD: f32 = 1.0 / eye::FPS as f32;
