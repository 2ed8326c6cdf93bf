//! The shipped recordings: who and what is in them, tracked once.

use std::path::{Path, PathBuf};

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

/// Who is attacked, and where their recordings lie.
#[derive(Clone, Debug)]
pub struct Source {
    /// Clips named PERSON_GESTURE_REPETITION.avi and PERSON_MOVEMENT.avi.
    pub folder: PathBuf,
    /// Names of the people.
    pub people: Vec<String>,
}

impl Default for Source {
    /// Those of whom enough is shipped.
    fn default() -> Self {
        Self { folder: shipped(), people: ["ben", "chidi"].map(str::to_owned).to_vec() }
    }
}

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
    pub who: String,
    /// Name of the gesture.
    pub gesture: &'static str,
    /// Repetitions of the gesture.
    pub takes: Vec<Take>,
}

/// Everything that attacks are made of.
pub struct Cast {
    /// People and gestures.
    pub targets: Vec<Target>,
    /// Answers, one for each person and each of [`Movement::ALL`] that was recorded.
    answers: Vec<(String, Movement, Take)>,
    /// The empty room.
    pub room: Rgb,
}

impl Cast {
    /// Opens and tracks the recordings; `done` is told after each.
    ///
    /// # Errors
    /// Fewer than two people, recordings that are missing or damaged.
    pub fn load(source: &Source, done: &(dyn Fn() + Sync)) -> Result<Self> {
        if source.people.iter().all(|who| Some(who) == source.people.first()) {
            return Err("name two people at least: in some attacks somebody else answers".into());
        }
        let path = |name: &str| source.folder.join(name).with_extension("avi");
        let mut clips = Vec::new();
        for who in &source.people {
            for gesture in GESTURES {
                clips.extend((0..REPETITIONS).map(|i| path(&format!("{who}_{gesture}_{i}"))));
            }
        }
        let movements: Vec<(String, Movement)> =
            source.people.iter().flat_map(|who| Movement::ALL.map(|m| (who.clone(), m))).collect();
        let clip = |(who, movement): &(String, Movement)| path(&format!("{who}_{}", movement.name()));
        let movements: Vec<_> = movements.into_iter().filter(|m| clip(m).exists()).collect();
        clips.extend(movements.iter().map(clip));
        let mut takes = take_all(&clips, done)?.into_iter();
        let mut targets = Vec::new();
        for who in &source.people {
            for gesture in GESTURES {
                let takes = takes.by_ref().take(REPETITIONS).collect();
                targets.push(Target { who: who.clone(), gesture, takes });
            }
        }
        let answers = movements.into_iter().zip(takes).map(|((who, m), take)| (who, m, take)).collect();
        let room = Rgb::decode(&Clip::open(&shipped().join("nobody.avi"))?.frame(0)?)?;
        Ok(Self { targets, answers, room })
    }

    /// Somebody else than the target's person: who comes next.
    pub(crate) fn another<'a>(&'a self, target: &'a Target) -> &'a Target {
        let after = self.targets.iter().skip_while(|other| other.who != target.who);
        after.chain(&self.targets).find(|other| other.who != target.who).unwrap_or(target)
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

/// The folder of the shipped recordings.
fn shipped() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../recordings"].iter().collect()
}

/// The clips, tracked by all cores.
fn take_all(clips: &[PathBuf], done: &(dyn Fn() + Sync)) -> Result<Vec<Take>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = clips.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let track = |clips: &[PathBuf]| -> Result<Vec<Take>> {
            let mut eye = Eye::open()?;
            clips.iter().map(|clip| take(&mut eye, clip).inspect(|_| done())).collect()
        };
        let threads: Vec<_> = clips.chunks(share).map(|clips| scope.spawn(move || track(clips))).collect();
        let mut takes = Vec::new();
        for thread in threads {
            takes.extend(thread.join().map_err(|_| "a thread broke off")??);
        }
        Ok(takes)
    })
}

fn take(eye: &mut Eye, clip: &Path) -> Result<Take> {
    let frames: Vec<Frame> = Clip::open(clip)?.frames().collect::<std::result::Result<_, _>>()?;
    let pictures = frames.iter().map(Rgb::decode).collect::<std::result::Result<_, _>>()?;
    eye.forget();
    let seen = frames.iter().map(|frame| eye.see(frame.clone())).collect::<Result<_>>()?;
    Ok(Take { frames, pictures, seen })
}

/// The seconds that a picture stands for.
pub const PERIOD: f32 = 1.0 / eye::FPS as f32;
