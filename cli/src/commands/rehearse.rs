//! `posectl rehearse`: enrolment and verdicts on recordings, without store, bus or PAM.

use std::path::{Path, PathBuf};

use pose_contract::Outcome;
use pose_engine::challenge::{self, ChallengeResult, Movement, ResponseWindow};
use pose_engine::decide::{Decision, Evidence, Reason, Scores, decide};
use pose_engine::enrol::{Enrolment, Refusal, check_recording, enrol};
use pose_engine::gesture;
use pose_engine::landmarks::Observation;
use pose_engine::liveness;
use pose_engine::matching;
use pose_engine::sequence::Sequence;
use pose_engine::session;
use pose_engine::template::Template;
use serde_json::{Value, json};

use crate::args::Rehearse;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::recordings::{Watched, assets, watch_all};

/// Runs the command. A recording that cannot be read does not keep the others from being judged; the exit code
/// tells that not every probe was.
pub(crate) fn run(args: &Rehearse, output: Output) -> Result<Exit, Failure> {
    let movement = args.challenge.as_deref().map(movement).transpose()?;
    let assets = assets()?;
    let clips: Vec<PathBuf> = args.enrol.iter().chain(&args.answer).chain(&args.probe).cloned().collect();
    let mut watched = watch_all(&assets, &clips, true)?.into_iter();
    let recordings = watched.by_ref().take(args.enrol.len()).collect::<Result<Vec<_>, _>>()?;
    let enrolment = enrolled(&args.enrol, &recordings)?;
    output.remark(&format!(
        "enrolled from {} recordings, strength {} ({:.2}): {} {}",
        recordings.len(),
        enrolment.strength.words,
        enrolment.strength.score,
        enrolment.strength.sentence(),
        enrolment.strength.advice
    ));
    let challenge = match (movement, &args.answer) {
        (Some(movement), Some(_)) => {
            let answer = watched.next().unwrap_or_else(|| Err(Failure::told(Exit::Internal, "no answer")))?;
            Some(answered(movement, answer.observations))
        }
        _ => None,
    };
    let mut unread = None;
    for (path, probe) in args.probe.iter().zip(watched) {
        match probe {
            Ok(probe) => report(path, &judge(&enrolment.template, &probe, challenge), challenge, output)?,
            Err(failure) => {
                eprintln!("posectl: {failure}");
                unread = Some(failure.exit);
            }
        }
    }
    Ok(unread.unwrap_or(Exit::Done))
}

fn movement(name: &str) -> Result<Movement, Failure> {
    Movement::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Movement::ALL.iter().map(|m| m.name()).collect();
        Failure::new(
            Exit::Usage,
            format_args!("--challenge {name}: no such movement"),
            format_args!("use one of {}", known.join(", ")),
        )
    })
}

fn enrolled(paths: &[PathBuf], recordings: &[Watched]) -> Result<Enrolment, Failure> {
    let sequences: Vec<Sequence> = recordings.iter().map(gesture_of).collect();
    for (path, sequence) in paths.iter().zip(&sequences) {
        check_recording(sequence).map_err(|refusal| refused(Some(path), &refusal))?;
    }
    enrol(&sequences).map_err(|refusal| {
        let path = match refusal {
            Refusal::Outlier { recording } => recording.checked_sub(1).and_then(|i| paths.get(i)),
            _ => None,
        };
        refused(path.map(PathBuf::as_path), &refusal)
    })
}

fn refused(path: Option<&Path>, refusal: &Refusal) -> Failure {
    let failure = Failure::told(Exit::EnrolmentRefused, format_args!("enrolment refused: {refusal}"));
    match path {
        Some(path) => failure.about(path.display()),
        None => failure,
    }
}

fn gesture_of(watched: &Watched) -> Sequence {
    Sequence::from_observations(gesture::cut(&watched.observations))
}

/// Judges the answer to a challenge. Its first frame is taken to be the first that could come after reading.
fn answered(movement: Movement, mut answer: Vec<Observation>) -> ChallengeResult {
    let window = ResponseWindow::default();
    let start = answer.first().map_or(0, |o| o.t_us);
    for observation in &mut answer {
        observation.t_us = observation.t_us - start + window.read_us;
    }
    let mut result = challenge::judge(movement, &answer, None, 0, &window);
    // As in a live session: a frozen or disordered stream cannot show anything.
    result.shown &= liveness::stream_denials(&answer).is_empty();
    result
}

/// A probe's verdict: refused before judging, or decided.
enum Judged {
    Unseen(Outcome),
    Decided(Box<Decision>),
}

fn judge(template: &Template, probe: &Watched, challenge: Option<ChallengeResult>) -> Judged {
    if let Some(outcome) = session::unjudgeable(&probe.observations) {
        return Judged::Unseen(outcome);
    }
    let gesture = gesture::cut(&probe.observations);
    Judged::Decided(Box::new(decide(&Evidence {
        matching: matching::verify(template, &Sequence::from_observations(gesture)),
        liveness: liveness::assess(gesture),
        challenges: challenge.into_iter().collect(),
        challenges_required: usize::from(challenge.is_some()),
        unchallenged: false,
    })))
}

fn report(
    path: &Path,
    judged: &Judged,
    challenge: Option<ChallengeResult>,
    output: Output,
) -> Result<(), Failure> {
    let (accept, outcome, codes, scores) = match judged {
        Judged::Unseen(outcome) => (false, *outcome, vec![outcome.as_str().to_owned()], json!({})),
        Judged::Decided(d) => {
            let codes = d.reasons.iter().map(|reason| reason.code()).collect();
            (d.accept, d.outcome, codes, scores(&d.scores))
        }
    };
    let verdict = if accept { "accept" } else { "reject" };
    output.object(&json!({
        "probe": path.to_string_lossy(),
        "verdict": verdict,
        "reasons": codes,
        "scores": scores,
        "outcome": outcome.as_str(),
        "challenge": challenge.map_or("skipped", |c| if c.shown { "shown" } else { c.why.as_str() }),
    }))?;
    output.say(&format!("{verdict}  {}  {}", figures(judged), path.display()))?;
    for word in words(judged) {
        output.say(&format!("        {word}"))?;
    }
    Ok(())
}

fn figures(judged: &Judged) -> String {
    match judged {
        Judged::Unseen(_) => "score     -          ".to_owned(),
        Judged::Decided(d) => format!("score {:>7.3} ({:.3})", d.scores.matching, d.scores.threshold),
    }
}

fn words(judged: &Judged) -> Vec<String> {
    match judged {
        Judged::Unseen(Outcome::SeveralPeople) => vec!["several people are in the picture".to_owned()],
        Judged::Unseen(Outcome::TooDark) => vec!["it is too dark to follow a body".to_owned()],
        Judged::Unseen(_) => vec!["nobody is in view".to_owned()],
        Judged::Decided(d) => d.reasons.iter().map(Reason::to_string).collect(),
    }
}

fn scores(scores: &Scores) -> Value {
    json!({
        "matching": scores.matching,
        "threshold": scores.threshold,
        "relative": scores.relative,
        "duration": scores.duration,
        "affine_residual": scores.affine_residual,
        "articulation": scores.articulation,
        "movement": scores.movement,
        "movement_deviation": scores.movement_deviation,
    })
}
