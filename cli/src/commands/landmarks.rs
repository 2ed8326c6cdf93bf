//! `posectl landmarks`: recordings to landmark sequences, one JSON line each, in the format that `eval` reads.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use pose_engine::landmarks::Pose;
use serde::Serialize;

use crate::args::Landmarks;
use crate::exit::{Exit, Failure};
use crate::recordings::{Watched, assets, watch_all};

/// One recording. `lm`, `world` and `presence` hold one entry a frame, null for a frame without a person.
#[derive(Serialize)]
struct Line<'a> {
    set: &'a str,
    user: &'a str,
    gesture: &'a str,
    rep: usize,
    view: &'a str,
    kind: &'a str,
    fps: f64,
    w: u32,
    h: u32,
    /// Time from the first frame, milliseconds.
    t_ms: Vec<f64>,
    /// `[frames][33][x, y, z, visibility]`, x and z in picture widths, y in picture heights.
    lm: Vec<Option<Vec<[f64; 4]>>>,
    /// `[frames][33][x, y, z]`, metres from between the hips.
    world: Vec<Option<Vec<[f64; 3]>>>,
    /// `[frames][33]`.
    presence: Vec<Option<Vec<f64>>>,
}

/// Runs the command.
pub(crate) fn run(args: &Landmarks) -> Result<Exit, Failure> {
    let watched = watch_all(&assets()?, &args.clips, !args.no_smoothing)?;
    // All recordings first: a bad one must not leave half a file behind.
    let watched = watched.into_iter().collect::<Result<Vec<_>, _>>()?;
    write_all(args, &watched).map_err(|e| {
        Failure::new(
            Exit::Input,
            format_args!("{}: {e}", args.output.display()),
            "name a file that you may write, with room on its disk",
        )
    })?;
    Ok(Exit::Done)
}

fn write_all(args: &Landmarks, watched: &[Watched]) -> io::Result<()> {
    let mut out: Box<dyn Write> = if args.output == Path::new("-") {
        Box::new(BufWriter::new(io::stdout().lock()))
    } else {
        Box::new(BufWriter::new(File::create(&args.output)?))
    };
    for (rep, (clip, watched)) in args.clips.iter().zip(watched).enumerate() {
        let stem = clip.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
        let gesture = args.gesture.as_deref().unwrap_or(&stem);
        serde_json::to_writer(&mut out, &line(args, gesture, rep, watched))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn line<'a>(args: &'a Landmarks, gesture: &'a str, rep: usize, watched: &Watched) -> Line<'a> {
    let start = watched.observations.first().map_or(0, |o| o.t_us);
    let poses = || watched.observations.iter().map(|o| o.pose.as_ref());
    Line {
        set: &args.set,
        user: &args.user,
        gesture,
        rep,
        view: &args.view,
        kind: &args.kind,
        fps: rounded(watched.fps, 1e3),
        w: watched.width,
        h: watched.height,
        t_ms: watched.observations.iter().map(|o| (o.t_us - start) as f64 / 1e3).collect(),
        lm: poses().map(|pose| pose.map(lm)).collect(),
        world: poses().map(|pose| pose.map(world)).collect(),
        presence: poses().map(|pose| pose.map(presence)).collect(),
    }
}

fn lm(pose: &Pose) -> Vec<[f64; 4]> {
    pose.landmarks.iter().map(|l| [l.x, l.y, l.z, l.visibility].map(short)).collect()
}

fn world(pose: &Pose) -> Vec<[f64; 3]> {
    pose.world.iter().map(|point| point.map(short)).collect()
}

fn presence(pose: &Pose) -> Vec<f64> {
    pose.landmarks.iter().map(|l| short(l.presence)).collect()
}

/// Five decimals: a hundredth of a pixel, far below what the model knows.
fn short(value: f32) -> f64 {
    rounded(f64::from(value), 1e5)
}

fn rounded(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}
