//! Tracks raw RGB frames and prints landmarks, regions and times as JSON lines: our side of the comparison with
//! MediaPipe in `tests/agreement/`, which needs both sides to see equal pixels.
//!
//! usage: track_rgb FRAMES.rgb WIDTH HEIGHT [--lite|--heavy] [--models FOLDER] [--threads N] [--stamped MICROSECONDS] [--unsmoothed]
//!        [--regions FILE]
//!
//! `--regions` holds one line a frame, "x y side rotation" in pixels and radians or empty: where the other tracker
//! expected the person after that frame. Each frame then starts from there.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::time::Instant;

use pose_camera::{Frame, PixelFormat};
use pose_engine::landmarks::Observation;
use pose_vision::region::Region;
use pose_vision::{Assets, FrameTime, Tracker, TrackerOptions, Variant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut positional = Vec::new();
    let mut options =
        TrackerOptions { time: FrameTime::Every(33_333), count_people_every: None, ..Default::default() };
    let mut assets = Assets::beside_executable()?;
    let mut regions = None;
    let mut step = 33_333;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--lite" => options.variant = Variant::Lite,
            "--heavy" => options.variant = Variant::Heavy,
            "--models" => assets.models = value()?.into(),
            "--unsmoothed" => options.smoothing = false,
            "--threads" => options.threads = value()?.parse()?,
            "--stamped" => (step, options.time) = (value()?.parse()?, FrameTime::Stamped),
            "--regions" => regions = Some(read_regions(&value()?)?),
            _ => positional.push(argument),
        }
    }
    let [path, width, height] = positional.as_slice() else { return Err("see the head of this file".into()) };
    let (width, height) = (width.parse()?, height.parse()?);
    let mut tracker = Tracker::new(&assets, &options)?;
    let mut input = File::open(path)?;
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut data = vec![0; width as usize * height as usize * 3];
    for index in 0.. {
        if input.read_exact(&mut data).is_err() {
            break;
        }
        if let (Some(regions), 1..) = (&regions, index) {
            tracker.expect(regions.get(index as usize - 1).copied().flatten());
        }
        let frame = Frame {
            width,
            height,
            stride: 3 * width,
            format: PixelFormat::Rgb24,
            data: data.clone(),
            t_us: u64::from(index) * step,
            sequence: index,
        };
        let started = Instant::now();
        let observation = tracker.observe(&frame)?;
        let ms = started.elapsed().as_secs_f64() * 1e3;
        print(&mut output, &observation, tracker.expected_region(), ms)?;
    }
    Ok(output.flush()?)
}

fn read_regions(path: &str) -> Result<Vec<Option<Region>>, Box<dyn Error>> {
    std::fs::read_to_string(path)?.lines().map(read_region).collect()
}

fn read_region(line: &str) -> Result<Option<Region>, Box<dyn Error>> {
    let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<f32>, _>>()?;
    match numbers[..] {
        [] => Ok(None),
        [x, y, side, rotation] => Ok(Some(Region { center: [x, y], side, rotation })),
        _ => Err(format!("not a region: {line}").into()),
    }
}

fn print(
    output: &mut impl Write,
    observation: &Observation,
    region: Option<Region>,
    ms: f64,
) -> std::io::Result<()> {
    let list = |values: Vec<String>| values.join(",");
    let (lm, world) = match &observation.pose {
        None => ("null".into(), "null".into()),
        Some(pose) => (
            format!(
                "[{}]",
                list(
                    pose.landmarks
                        .iter()
                        .map(|l| format!("[{},{},{},{}]", l.x, l.y, l.z, l.visibility))
                        .collect()
                )
            ),
            format!("[{}]", list(pose.world.iter().map(|[x, y, z]| format!("[{x},{y},{z}]")).collect())),
        ),
    };
    let region = region
        .map_or("null".into(), |r| format!("[{},{},{},{}]", r.center[0], r.center[1], r.side, r.rotation));
    writeln!(output, r#"{{"ms":{ms:.3},"region":{region},"lm":{lm},"world":{world}}}"#)
}
