//! From recordings of a gesture to a template, or a refusal that says what to do.

use std::fmt;

use crate::challenge::{MovementSet, contained};
use crate::constants::{
    DEVELOPMENT_MEDIAN, MAX_OWN_SPREAD, MAX_RECORDINGS, MAX_SECONDS, MIN_RANGE, MIN_RECORDINGS, MIN_SECONDS,
    OUTLIER_RATIO, OUTLIER_SPREAD,
};
use crate::liveness::motion_of;
use crate::matching::position_distance;
use crate::normalise::Track;
use crate::sequence::{Sequence, joint};
use crate::template::Template;

/// A finished enrolment.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolment {
    /// What is stored.
    pub template: Template,
    /// How hard the gesture is to pass by chance.
    pub strength: Strength,
}

/// How strong a gesture is, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Strength {
    /// "weak", "fair", "good" or "strong".
    pub words: &'static str,
    /// 0 (anybody passes) to 1.
    pub score: f64,
    /// What would make it stronger; empty when nothing obvious would.
    pub advice: String,
}

/// Why an enrolment or one of its recordings was refused. The text says what to do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// Fewer recordings than needed.
    TooFew {
        /// How many there are.
        found: usize,
    },
    /// More recordings than a template holds.
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// No body was followed.
    NoBody,
    /// The gesture is over too soon.
    TooShort {
        /// Its length, seconds.
        seconds: f64,
    },
    /// The gesture takes too long.
    TooLong {
        /// Its length, seconds.
        seconds: f64,
    },
    /// The hands hardly move.
    TooSmall,
    /// One recording shows another movement than the rest.
    Outlier {
        /// Which one, counted from 1.
        recording: usize,
    },
    /// The recordings differ too much from one another.
    NotRepeatable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { found } => {
                write!(f, "{found} recordings are not enough; record the gesture at least {MIN_RECORDINGS} times")
            }
            Self::TooMany { found } => {
                write!(f, "{found} recordings are too many; use at most {MAX_RECORDINGS}")
            }
            Self::NoBody => f.write_str(
                "no body could be followed; sit so that head, shoulders and both arms are in view, with light on you",
            ),
            Self::TooShort { seconds } => {
                write!(f, "the gesture took {seconds:.1} s; make it longer, {MIN_SECONDS:.0} to 5 s is good")
            }
            Self::TooLong { seconds } => {
                write!(f, "the gesture took {seconds:.1} s; keep it under {MAX_SECONDS:.0} s")
            }
            Self::TooSmall => f.write_str("the arms hardly moved; make a larger movement that bends one or both arms"),
            Self::Outlier { recording } => {
                write!(f, "recording {recording} differs from the others; record that one again in the same way")
            }
            Self::NotRepeatable => f.write_str(
                "the recordings differ too much from one another; choose a gesture that you can repeat, and repeat it \
                 the same way each time",
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// Whether one recording can be used at all.
pub fn check_recording(recording: &Sequence) -> Result<(), Refusal> {
    check_track(&Track::of(recording))?;
    // A gesture that liveness would refuse at every login is of no use.
    if motion_of(recording).denials().is_empty() { Ok(()) } else { Err(Refusal::TooSmall) }
}

/// Checks the recordings together and makes the template.
pub fn enrol(recordings: &[Sequence]) -> Result<Enrolment, Refusal> {
    if recordings.len() < MIN_RECORDINGS {
        return Err(Refusal::TooFew { found: recordings.len() });
    }
    if recordings.len() > MAX_RECORDINGS {
        return Err(Refusal::TooMany { found: recordings.len() });
    }
    let tracks: Vec<Track> = recordings.iter().map(Track::of).collect();
    recordings.iter().try_for_each(check_recording)?;
    check_together(&tracks)?;
    let strength = strength_of(&tracks);
    // What any of the recordings would answer, a stolen recording of the gesture would answer, too.
    let contained = recordings.iter().map(contained).fold(MovementSet::default(), MovementSet::union);
    Ok(Enrolment { template: Template::of_tracks(tracks).with_decoys(contained), strength })
}

fn check_track(track: &Track) -> Result<(), Refusal> {
    if track.is_empty() {
        return Err(Refusal::NoBody);
    }
    let seconds = track.seconds();
    if seconds < MIN_SECONDS {
        return Err(Refusal::TooShort { seconds });
    }
    if seconds > MAX_SECONDS {
        return Err(Refusal::TooLong { seconds });
    }
    if wrist_range(track) < MIN_RANGE { Err(Refusal::TooSmall) } else { Ok(()) }
}

/// Every recording must be near the others: one that is not is named, several mean that nothing repeats.
fn check_together(tracks: &[Track]) -> Result<(), Refusal> {
    let n = tracks.len();
    let mut distance = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in i + 1..n {
            let d = position_distance(&tracks[i], &tracks[j]);
            distance[i][j] = d;
            distance[j][i] = d;
        }
    }
    let to_others = |i: usize| distance[i].iter().sum::<f64>() / (n - 1) as f64;
    let Some(worst) = (0..n).max_by(|&a, &b| to_others(a).total_cmp(&to_others(b))) else { return Ok(()) };
    let far = to_others(worst);
    if far <= OUTLIER_SPREAD {
        return Ok(());
    }
    let rest: Vec<usize> = (0..n).filter(|&i| i != worst).collect();
    let pairs = (rest.len() * (rest.len() - 1)) as f64;
    let among_rest = rest
        .iter()
        .flat_map(|&i| rest.iter().map(move |&j| (i, j)))
        .map(|(i, j)| distance[i][j])
        .sum::<f64>()
        / pairs;
    if among_rest <= MAX_OWN_SPREAD && far > OUTLIER_RATIO * among_rest {
        Err(Refusal::Outlier { recording: worst + 1 })
    } else if far > MAX_OWN_SPREAD {
        Err(Refusal::NotRepeatable)
    } else {
        Ok(())
    }
}

/// Sum over the wrists of the diagonal of the area they move in.
fn wrist_range(track: &Track) -> f64 {
    [joint::LEFT_WRIST, joint::RIGHT_WRIST]
        .iter()
        .map(|&k| {
            let side = |d: usize| {
                let values = track.frames.iter().map(|f| f[k][d]);
                values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
            };
            f64::from(side(0).hypot(side(1)))
        })
        .sum()
}

/// First estimate: a long path of the hands, repeated closely, is hard to hit by chance.
fn strength_of(tracks: &[Track]) -> Strength {
    let n = tracks.len() as f64;
    let path = tracks.iter().map(wrist_path).sum::<f64>() / n;
    let spread = crate::matching::spread_of(tracks).max(DEVELOPMENT_MEDIAN / 2.0);
    // A path of two body sizes repeated within twice the development median is "good".
    let score = (1.0 - (-path / 2.0 * (2.0 * DEVELOPMENT_MEDIAN / spread).sqrt()).exp()).clamp(0.0, 1.0);
    let words = match score {
        s if s < 0.35 => "weak",
        s if s < 0.55 => "fair",
        s if s < 0.75 => "good",
        _ => "strong",
    };
    let advice = if score >= 0.75 {
        ""
    } else if spread > 2.0 * DEVELOPMENT_MEDIAN {
        "repeat it more evenly: the same path, the same speed"
    } else {
        "make it longer or larger, with changes of direction or both arms"
    };
    Strength { words, score, advice: advice.to_owned() }
}

/// Mean over recordings' wrists of the way they travel.
fn wrist_path(track: &Track) -> f64 {
    track
        .frames
        .windows(2)
        .map(|w| {
            [joint::LEFT_WRIST, joint::RIGHT_WRIST]
                .iter()
                .map(|&k| f64::from((w[1][k][0] - w[0][k][0]).hypot(w[1][k][1] - w[0][k][1])))
                .sum::<f64>()
        })
        .sum()
}
