//! From recordings of a gesture to a template, or a refusal that says what to do.

use std::fmt;

use crate::challenge::{MovementSet, contained};
use crate::constants::{
    COMMON_BOUND, MAX_OWN_SPREAD, MAX_RECORDINGS, MAX_SECONDS, MIN_RANGE, MIN_RECORDINGS, MIN_SECONDS,
    OUTLIER_RATIO, OUTLIER_SPREAD,
};
use crate::liveness::motion_of;
use crate::matching::position_distance;
use crate::normalise::Track;
use crate::sequence::{Sequence, joint};
use crate::strength::{self, Resemblance, Strength};
use crate::template::Template;

/// A finished enrolment.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolment {
    /// What is stored.
    pub template: Template,
    /// How hard the gesture is to pass by chance.
    pub strength: Strength,
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
    /// Many people would pass: it is what people do anyway.
    TooCommon {
        /// What it resembles, in words.
        like: &'static str,
    },
}

impl Refusal {
    /// A stable name for programs and tables.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooFew { .. } => "too_few",
            Self::TooMany { .. } => "too_many",
            Self::NoBody => "no_body",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::TooSmall => "too_small",
            Self::Outlier { .. } => "outlier",
            Self::NotRepeatable => "not_repeatable",
            Self::TooCommon { .. } => "too_common",
        }
    }
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
            Self::TooCommon { like } => write!(
                f,
                "the gesture is too much like {like}, which others would try first; choose one with more parts, \
                 changes of direction or both arms"
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

/// What can be told before all recordings are there, so that nobody repeats in vain: that the gesture is too common, and
/// from three on that one recording is unlike the others or that nothing repeats.
pub fn check_so_far(recordings: &[Sequence]) -> Result<(), Refusal> {
    let tracks: Vec<Track> = recordings.iter().map(Track::of).collect();
    if tracks.len() >= MIN_RECORDINGS {
        check_together(&tracks)?;
    }
    resemblance(&tracks).map(drop)
}

/// Checks the recordings together and makes the template.
pub fn enrol(recordings: &[Sequence]) -> Result<Enrolment, Refusal> {
    let (tracks, resemblance) = checked(recordings)?;
    // What any of the recordings would answer, a stolen recording of the gesture would answer, too.
    let contained = recordings.iter().map(contained).fold(MovementSet::default(), MovementSet::union);
    let template = Template::of_tracks(tracks).with_decoys(contained);
    let crowds = strength::crowds(&template);
    if crowds.anybody_passes() {
        return Err(Refusal::TooCommon { like: "what people do at random" });
    }
    let strength = strength::strength(&template, &crowds, &resemblance);
    Ok(Enrolment { template, strength })
}

/// All checks of [`enrol`] but the one that puts a simulated crowd before the template, which takes long. Answers with
/// the normalised recordings and the everyday gesture that they are most like.
pub fn checked(recordings: &[Sequence]) -> Result<(Vec<Track>, Resemblance), Refusal> {
    if recordings.len() < MIN_RECORDINGS {
        return Err(Refusal::TooFew { found: recordings.len() });
    }
    if recordings.len() > MAX_RECORDINGS {
        return Err(Refusal::TooMany { found: recordings.len() });
    }
    let tracks: Vec<Track> = recordings.iter().map(Track::of).collect();
    recordings.iter().try_for_each(check_recording)?;
    check_together(&tracks)?;
    let resemblance = resemblance(&tracks)?;
    Ok((tracks, resemblance))
}

/// The everyday gesture that is most like the first recording, unless it is too much like it.
fn resemblance(tracks: &[Track]) -> Result<Resemblance, Refusal> {
    let resemblance = tracks.first().map(Resemblance::of).ok_or(Refusal::NoBody)?;
    if resemblance.distance < COMMON_BOUND {
        return Err(Refusal::TooCommon { like: resemblance.like });
    }
    Ok(resemblance)
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
