//! How strong a gesture is: how many simulated people would pass with it, and what would make it stronger.
//!
//! Two crowds of [`crate::simulate`] are put before the matcher as it ships: strangers who do not know the gesture
//! (random movements and everyday gestures), and imitators who saw it. Whoever is far from the template by a rough
//! look is not compared in full. Everything repeats exactly: the seed is fixed.

use crate::clean::median;
use crate::constants::{ACCEPT, COMMON_NEAR, IMITATORS, LONG_PATH, MOST_STRANGERS, STEADY_SPREAD};
use crate::dtw;
use crate::matching::{spread_of, verify_track};
use crate::normalise::{Frame, Track};
use crate::sequence::joint;
use crate::simulate::{COMMON, Rng, Seat, everyday, imitation, stranger};
use crate::template::Template;
use crate::trim::active;

/// Strangers who move at random.
const RANDOM: usize = 1_456;
/// Strangers who make each everyday gesture.
const OF_EACH: usize = 32;
/// Strangers in all.
pub const STRANGERS: usize = RANDOM + OF_EACH * COMMON.len();
/// Imitators who saw the gesture.
pub const IMITATING: usize = 150;
/// Random strangers nearest by the rough look who are compared in full.
const NEAREST: usize = 60;
/// Random strangers whoever they are, for the crowd's mean score and deviation.
const SAMPLE: usize = 60;
/// Nearest of each everyday gesture who are compared in full.
const NEAREST_OF_EACH: usize = 3;
/// Which of the people who make an everyday gesture stands for it, by nearness: about one in ten comes nearer.
const TENTH: usize = 3;
/// Recordings of the template that the crowds are compared with: more change the figures little.
const COMPARED: usize = 3;
/// Instants of a movement that the rough look takes.
const INSTANTS: usize = 8;
const SEED: u64 = 20_261_126;

/// How strong a gesture is, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Strength {
    /// "weak", "fair", "good" or "strong".
    pub words: &'static str,
    /// 0 (anybody passes) to 1.
    pub score: f64,
    /// Simulated strangers of [`STRANGERS`] who would pass.
    pub strangers: usize,
    /// Simulated imitators of [`IMITATING`] who would pass.
    pub imitators: usize,
    /// What would make it stronger; empty when nothing obvious would.
    pub advice: String,
}

impl Strength {
    /// The score as a whole number of a hundred, for a bar.
    #[must_use]
    pub fn percent(&self) -> u32 {
        (100.0 * self.score).round() as u32
    }

    /// The two counts in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let count = |n: usize| if n == 0 { "none".to_owned() } else { n.to_string() };
        format!(
            "of {STRANGERS} simulated strangers {} would pass, of {IMITATING} who saw the gesture {}",
            count(self.strangers),
            count(self.imitators)
        )
    }
}

/// What the crowds came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowds {
    /// Strangers who would pass.
    pub strangers: usize,
    /// Imitators who would pass.
    pub imitators: usize,
    /// How far the threshold lies above the random strangers' mean score, in their deviations.
    pub rarity: f64,
}

impl Crowds {
    /// Whether so many strangers would pass that the gesture keeps nobody out.
    #[must_use]
    pub fn anybody_passes(&self) -> bool {
        self.strangers as f64 > MOST_STRANGERS * STRANGERS as f64
    }
}

/// The everyday gesture that a movement is most like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resemblance {
    /// Its name, of [`COMMON`].
    pub like: &'static str,
    /// How far the hands' paths are from how every tenth simulated person makes it, shoulder widths.
    pub distance: f64,
}

impl Resemblance {
    /// Of a movement.
    #[must_use]
    pub fn of(track: &Track) -> Self {
        let (hands, seat) = (Hands::of(track), Seat::of(track));
        let mut rng = Rng::new(SEED);
        let mut tenth = |index| {
            let one = |_| hands.distance(&everyday(index, &seat, &mut rng));
            let mut distances: Vec<f64> = (0..OF_EACH).map(one).collect();
            distances.sort_by(f64::total_cmp);
            distances.get(TENTH).copied().unwrap_or(f64::INFINITY)
        };
        COMMON
            .iter()
            .enumerate()
            .map(|(index, like)| Self { like, distance: tenth(index) })
            .min_by(|a, b| a.distance.total_cmp(&b.distance))
            .unwrap_or(Self::none())
    }

    /// Like nothing at all.
    #[must_use]
    pub fn none() -> Self {
        Self { like: "nothing", distance: f64::INFINITY }
    }
}

/// Puts both crowds before a template.
#[must_use]
pub fn crowds(template: &Template) -> Crowds {
    let recordings = template.recordings();
    let step = recordings.len().div_ceil(COMPARED).max(1);
    let compared: Vec<Track> = recordings.iter().step_by(step).cloned().collect();
    let Some(first) = compared.first().cloned() else {
        return Crowds { strangers: STRANGERS, imitators: IMITATING, rarity: 0.0 };
    };
    let template = Template::of_tracks(compared.iter().cloned());
    let score = |track: &Track| verify_track(&template, track).score;
    let seat = Seat::of(&first);
    let rough = Rough::of(&first);
    let mut rng = Rng::new(SEED);

    let mut strangers: Vec<Track> = (0..RANDOM).map(|_| stranger(&seat, &mut rng)).collect();
    let (mean, deviation) = mean_and_deviation(strangers.iter().take(SAMPLE).map(score));
    let near = nearest(&rough, &mut strangers, NEAREST);
    let mut passing = near.iter().filter(|t| score(t) >= ACCEPT).count();
    for index in 0..COMMON.len() {
        let mut same: Vec<Track> = (0..OF_EACH).map(|_| everyday(index, &seat, &mut rng)).collect();
        let near = nearest(&rough, &mut same, NEAREST_OF_EACH);
        passing += near.iter().filter(|t| score(t) >= ACCEPT).count();
    }
    let imitators = (0..IMITATING)
        .filter(|n| score(&imitation(&compared[n % compared.len()], &IMITATORS, &mut rng)) >= ACCEPT)
        .count();
    Crowds { strangers: passing, imitators, rarity: (ACCEPT - mean) / deviation.max(0.05) }
}

/// The strength of a gesture from what the crowds came to.
#[must_use]
pub fn strength(template: &Template, crowds: &Crowds, resemblance: &Resemblance) -> Strength {
    // Nineteen of twenty development gestures lie above 2.5 deviations from the crowd across distances, and below 10.6
    // before a webcam (`posectl eval --strength`).
    let rare = ((crowds.rarity - 3.0) / 5.0).clamp(0.0, 1.0);
    let hard = 1.0 - (crowds.imitators as f64 / IMITATING as f64 / 0.3).min(1.0);
    let unknown = if crowds.strangers == 0 { 1.0 } else { 0.3 / (crowds.strangers as f64).sqrt() };
    let common = resemblance.distance < COMMON_NEAR;
    let original = if common { 0.6 } else { 1.0 };
    let score = (original * unknown * (0.7 * rare + 0.3 * hard)).clamp(0.0, 1.0);
    let words = match score {
        s if s < 0.35 => "weak",
        s if s < 0.55 => "fair",
        s if s < 0.75 => "good",
        _ => "strong",
    };
    let advice = match score {
        s if s >= 0.75 => String::new(),
        _ if common => format!("it is rather like {}, which others try first: add to it", resemblance.like),
        _ => advice(template.recordings(), crowds).to_owned(),
    };
    Strength { words, score, strangers: crowds.strangers, imitators: crowds.imitators, advice }
}

fn advice(recordings: &[Track], crowds: &Crowds) -> &'static str {
    let spread = spread_of(recordings);
    let paths =
        |k: usize| recordings.iter().map(|t| path(t, k)).sum::<f64>() / recordings.len().max(1) as f64;
    let (left, right) = (paths(joint::LEFT_WRIST), paths(joint::RIGHT_WRIST));
    if spread > STEADY_SPREAD {
        "repeat it more evenly: the same path, the same speed"
    } else if left + right < LONG_PATH {
        "make it longer or larger, with changes of direction"
    } else if left.min(right) < 0.25 * left.max(right) {
        "let the other arm do something too"
    } else if crowds.imitators > IMITATING / 10 {
        "it is easy to copy once seen: add a turn of your own, and let nobody watch"
    } else {
        "add a part that nobody would think of"
    }
}

/// How far a wrist travels, sums of upper-bone lengths.
fn path(track: &Track, k: usize) -> f64 {
    let step = |w: &[Frame]| f64::from((w[1][k][0] - w[0][k][0]).hypot(w[1][k][1] - w[0][k][1]));
    track.frames.windows(2).map(step).sum()
}

/// The paths of both wrists in a movement's active part, shoulder widths from the middle of the shoulders: what the
/// hands do, whosever body it is.
struct Hands([Vec<[f32; 4]>; 2]);

impl Hands {
    fn of(track: &Track) -> Self {
        Self([hands(track), hands(&track.mirrored())])
    }

    fn distance(&self, track: &Track) -> f64 {
        let other = hands(track);
        f64::from(self.0.iter().map(|mine| dtw::distance(mine, &other, 2.0)).fold(f32::INFINITY, f32::min))
    }
}

fn hands(track: &Track) -> Vec<[f32; 4]> {
    let width = |f: &Frame| {
        let (l, r) = (f[joint::LEFT_SHOULDER], f[joint::RIGHT_SHOULDER]);
        (l[0] - r[0]).hypot(l[1] - r[1])
    };
    let width = median(&mut track.frames.iter().map(width).collect::<Vec<f32>>()).unwrap_or(1.0).max(0.05);
    let part = track.frames.get(active(track)).unwrap_or_default();
    let place = |f: &Frame| {
        let (l, r) = (f[joint::LEFT_WRIST], f[joint::RIGHT_WRIST]);
        [l[0], l[1], r[0], r[1]].map(|v| v / width)
    };
    part.iter().map(place).collect()
}

/// A few instants of a movement's active part, as it is and by the other arm.
struct Rough([Vec<f32>; 2]);

impl Rough {
    fn of(track: &Track) -> Self {
        Self([instants(track), instants(&track.mirrored())])
    }

    fn distance(&self, track: &Track) -> f32 {
        let other = instants(track);
        let to = |mine: &Vec<f32>| mine.iter().zip(&other).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        to(&self.0[0]).min(to(&self.0[1]))
    }
}

fn instants(track: &Track) -> Vec<f32> {
    let part = active(track);
    let last = part.len().saturating_sub(1);
    (0..INSTANTS)
        .filter_map(|i| track.frames.get(part.start + last * i / (INSTANTS - 1)))
        .flat_map(|frame| frame.as_flattened().to_vec())
        .collect()
}

/// The `n` nearest by the rough look.
fn nearest<'a>(rough: &Rough, tracks: &'a mut [Track], n: usize) -> &'a [Track] {
    tracks.sort_by_cached_key(|t| (rough.distance(t) * 1.0e6) as u64);
    &tracks[..n.min(tracks.len())]
}

fn mean_and_deviation(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::person;

    fn template(everyday: Option<usize>, seed: u64) -> Template {
        Template::of_tracks(person(everyday, 3, &mut Rng::new(seed)).iter().map(Track::of))
    }

    #[test]
    fn an_estimate_repeats_exactly() {
        let template = template(None, 1);
        assert_eq!(crowds(&template), crowds(&template));
    }

    #[test]
    fn fewer_who_pass_and_a_rarer_movement_never_make_it_weaker() {
        let template = template(None, 2);
        let own = Resemblance { like: COMMON[0], distance: 1.0 };
        let score = |strangers, imitators, rarity| {
            strength(&template, &Crowds { strangers, imitators, rarity }, &own).score
        };
        for (worse, better) in [
            (score(9, 0, 6.0), score(0, 0, 6.0)),
            (score(9, 0, 6.0), score(4, 0, 6.0)),
            (score(0, 30, 6.0), score(0, 3, 6.0)),
            (score(0, 3, 4.0), score(0, 3, 7.0)),
        ] {
            assert!(worse < better, "{worse} {better}");
        }
        let words = |crowds, like| strength(&template, &crowds, like).words;
        assert_eq!(words(Crowds { strangers: 9, imitators: 60, rarity: 3.0 }, &own), "weak");
        let best = Crowds { strangers: 0, imitators: 0, rarity: 9.0 };
        assert_eq!(words(best, &own), "strong");
        let near = strength(&template, &best, &Resemblance { like: COMMON[0], distance: 0.15 });
        assert!(near.words == "good" && near.advice.contains(COMMON[0]), "{near:?}");
    }

    #[test]
    fn a_careless_repetition_lets_more_people_pass_than_a_steady_one() {
        let steady = template(None, 3);
        // The same gesture with its recordings far apart: each the imitation of another.
        let mut rng = Rng::new(4);
        let first = steady.recordings()[0].clone();
        let loose = (0..3).map(|_| imitation(&first, &IMITATORS, &mut rng));
        let loose = Template::of_tracks(loose.collect::<Vec<_>>());
        let (steady, loose) = (crowds(&steady), crowds(&loose));
        assert!(loose.imitators > steady.imitators, "{loose:?} {steady:?}");
        assert!(loose.rarity < steady.rarity, "{loose:?} {steady:?}");
    }

    #[test]
    fn the_sentence_says_how_many() {
        let told = Strength { words: "good", score: 0.6, strangers: 0, imitators: 7, advice: String::new() };
        assert!(told.sentence().contains("strangers none") && told.sentence().ends_with("gesture 7"));
    }
}
