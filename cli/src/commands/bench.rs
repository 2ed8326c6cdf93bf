//! `posectl bench`: how long each step of a login takes on this machine, on one recording.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pose_camera::Frame;
use pose_camera::recording::Clip;
use pose_engine::challenge::{self, Movement, ResponseWindow};
use pose_engine::decide::{Evidence, decide};
use pose_engine::landmarks::Observation;
use pose_engine::sequence::Sequence;
use pose_engine::template::Template;
use pose_engine::{enrol, gesture, live, liveness, matching};
use pose_vision::picture::Picture;
use pose_vision::{Assets, Tracker, TrackerOptions, VisionError};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::recordings::assets;

/// Shipped with the sources.
const DEFAULT: &str = "tests/recordings/ben_circle_touch_3.avi";
/// The pure steps take microseconds: often enough that the clock's own cost vanishes.
const ROUNDS: usize = 200;

/// The times of one step.
struct Step {
    name: &'static str,
    times: Vec<Duration>,
}

/// Runs the command.
pub(crate) fn run(clip: Option<PathBuf>, output: Output) -> Result<Exit, Failure> {
    let assets = assets()?;
    let clip = clip.unwrap_or_else(|| assets.models.parent().unwrap_or(Path::new(".")).join(DEFAULT));
    let frames = Clip::open(&clip)
        .and_then(|clip| clip.frames().collect::<Result<Vec<Frame>, _>>())
        .map_err(|e| Failure::told(Exit::Input, e))?;
    let (mut steps, observations) =
        picture_steps(&assets, &frames).map_err(|e| Failure::told(Exit::Assets, e))?;
    steps.extend(decision_steps(&observations));
    output.say(&format!("{} pictures of {}, one thread", frames.len(), clip.display()))?;
    for step in &mut steps {
        report(step, output)?;
    }
    Ok(Exit::Done)
}

fn picture_steps(assets: &Assets, frames: &[Frame]) -> Result<(Vec<Step>, Vec<Observation>), VisionError> {
    let begun = Instant::now();
    let mut tracker = Tracker::new(assets, &TrackerOptions::default())?;
    let load = Step { name: "load models and runtime", times: vec![begun.elapsed()] };
    let mut picture = Picture::default();
    let mut decode = Step { name: "decode a picture", times: Vec::new() };
    let mut first = Step { name: "first picture (find the person)", times: Vec::new() };
    let mut follow = Step { name: "each further picture", times: Vec::new() };
    let mut observations = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        let begun = Instant::now();
        picture.decode(frame)?;
        decode.times.push(begun.elapsed());
        let begun = Instant::now();
        observations.push(tracker.observe(frame)?);
        if i == 0 { &mut first } else { &mut follow }.times.push(begun.elapsed());
    }
    Ok((vec![load, decode, first, follow], observations))
}

/// What is left to do after the last needed picture, each step by itself.
fn decision_steps(observations: &[Observation]) -> Vec<Step> {
    let gesture = gesture::cut(observations);
    let sequence = Sequence::from_observations(gesture);
    // As many recordings as an enrolment asks for; the same one is good enough to be timed.
    let recordings = vec![sequence.clone(); 5];
    let template = enrol::enrol(&recordings).ok().map(|enrolment| enrolment.template);
    let window = ResponseWindow::default();
    let judge = || challenge::judge(Movement::BothUp, observations, None, 0, &window);
    let mut steps = vec![
        timed("cut the gesture out", || gesture::cut(observations).len()),
        timed("liveness", || liveness::assess(gesture)),
        timed("one challenge", judge),
    ];
    if let Some(template) = template {
        let bytes = template.encode();
        let verdict = || {
            decide(&Evidence {
                matching: matching::verify(&template, &Sequence::from_observations(gesture)),
                liveness: liveness::assess(gesture),
                challenges: vec![judge()],
                challenges_required: 1,
                unchallenged: false,
            })
        };
        steps.push(timed("read the template", || Template::decode(&bytes).is_ok()));
        steps.push(timed("match", || matching::verify(&template, &sequence)));
        steps.push(timed("match, as a live take", || live::verify(&template, &sequence)));
        steps.push(timed("verdict, all of it", verdict));
    }
    steps
}

fn timed<T>(name: &'static str, work: impl Fn() -> T) -> Step {
    let once = || {
        let begun = Instant::now();
        std::hint::black_box(work());
        begun.elapsed()
    };
    Step { name, times: (0..ROUNDS).map(|_| once()).collect() }
}

fn report(step: &mut Step, output: Output) -> Result<(), Failure> {
    step.times.sort_unstable();
    let at = |share: f64| {
        // Between 0 and the last index by the share, so the conversion keeps the number.
        let index = ((step.times.len().saturating_sub(1)) as f64 * share).round() as usize;
        step.times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let (median, slow) = (at(0.5), at(0.95));
    output.object(&json!({
        "step": step.name, "n": step.times.len(), "median_ms": median, "p95_ms": slow,
    }))?;
    output.say(&format!("{:<34} median {median:>9.3} ms   95 % under {slow:>9.3} ms", step.name))
}
