//! Reads pictures from a V4L2 camera and says what came: for trying out a camera, and for the tests that run
//! inside a guest with a simulated one.
//!
//! `grab --list` prints the cameras; otherwise `grab [--device NAME] [--external] [--format Mjpg] [--size 640x480]
//! [--count N] [--wait-ms MS] [--slow-ms MS] [--control ID=VALUE] [--out DIR]`. Each picture goes to `DIR/NNNN` and is
//! told as `frame SEQUENCE STAMP_US BYTES ELAPSED_MS AGE_US`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use pose_camera::v4l2::{Request, Settled, Settling, V4l2Camera, choose, devices, mean_luma};
use pose_camera::{Camera, CameraError, PixelFormat};

struct Options {
    list: bool,
    request: Request,
    count: usize,
    wait: Duration,
    slow: Duration,
    out: Option<PathBuf>,
}

fn main() -> Result<(), String> {
    let options = parse(std::env::args().skip(1))?;
    if options.list {
        list(&options.request);
        return Ok(());
    }
    let started = Instant::now();
    if let Err(e) = grab(&options, started) {
        // The variant's name for programs, the text for people.
        let name = format!("{e:?}");
        let name: String = name.chars().take_while(|c| c.is_alphanumeric()).collect();
        println!("error {name} {} {e}", started.elapsed().as_millis());
    }
    Ok(())
}

fn grab(options: &Options, started: Instant) -> Result<(), CameraError> {
    let mut camera = V4l2Camera::open(&options.request)?;
    let info = camera.describe();
    println!("opened {} {:?} {}x{} {:.2}", info.source, info.format, info.width, info.height, info.fps);
    let (mut settling, mut settled) = (Settling::default(), Settled::NotYet);
    let mut number = 0;
    while number < options.count {
        std::thread::sleep(options.slow);
        let frame = match camera.next_frame(options.wait) {
            Err(CameraError::TimedOut) => {
                println!("timeout {}", started.elapsed().as_millis());
                continue;
            }
            other => other?,
        };
        let bytes = frame.data.len();
        let (elapsed, age) = (started.elapsed().as_millis(), now_us().saturating_sub(frame.t_us));
        println!("frame {} {} {bytes} {elapsed} {age}", frame.sequence, frame.t_us);
        if let (Settled::NotYet, Some(luma)) = (settled, mean_luma(&frame)) {
            settled = settling.judge(frame.t_us, luma);
            println!("exposure {settled:?} {luma:.1}");
        }
        if let Some(dir) = &options.out {
            std::fs::write(dir.join(format!("{number:04}")), &frame.data)
                .map_err(|source| CameraError::Io { doing: "writing a picture", source })?;
        }
        number += 1;
    }
    let counts = camera.counts();
    println!("counts {} {}", counts.superseded, counts.damaged);
    Ok(())
}

/// Microseconds of the clock that drivers stamp with.
fn now_us() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |now| now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1_000)
}

fn list(request: &Request) {
    let devices = devices();
    for d in &devices {
        println!("camera {} {:?} driver={} bus={:?}", d.node.display(), d.name, d.driver, d.bus);
        println!(
            "  virtual={} infrared={} placement={:?} usb={:?}",
            d.virtual_device, d.infrared, d.placement, d.usb
        );
        for link in d.by_id.iter().chain(&d.by_path) {
            println!("  link {}", link.display());
        }
        for m in &d.modes {
            println!("  mode {:?} {}x{} {:?}", m.format, m.width, m.height, m.intervals);
        }
        for other in d.other_formats.iter().chain(&d.problem) {
            println!("  cannot be used: {other}");
        }
    }
    match choose(&devices, request) {
        Ok(c) => println!("choice {} {:?} {}x{}: {}", c.node.display(), c.format, c.size.0, c.size.1, c.why),
        Err(e) => println!("choice none: {e}"),
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut o = Options {
        list: false,
        request: Request::default(),
        count: 30,
        wait: Duration::from_secs(1),
        slow: Duration::ZERO,
        out: None,
    };
    while let Some(option) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{option} needs a value"));
        match option.as_str() {
            "--list" => o.list = true,
            "--external" => o.request.external = true,
            "--infrared" => o.request.prefer_infrared = true,
            "--device" => {
                o.request.device = Some(value()?);
                o.request.virtual_devices = true;
            }
            "--format" => o.request.format = Some(format(&value()?)?),
            "--size" => o.request.size = Some(pair(&value()?, 'x')?),
            "--control" => o.request.controls.push(pair(&value()?, '=')?),
            "--count" => o.count = number(&value()?)?,
            "--wait-ms" => o.wait = Duration::from_millis(number(&value()?)?),
            "--slow-ms" => o.slow = Duration::from_millis(number(&value()?)?),
            "--out" => o.out = Some(value()?.into()),
            _ => return Err(format!("unknown option {option}")),
        }
    }
    Ok(o)
}

fn format(name: &str) -> Result<PixelFormat, String> {
    use PixelFormat::{Grey, Mjpg, Nv12, Rgb24, Y10, Y16, Yuyv};
    let known = [Grey, Mjpg, Nv12, Rgb24, Y10, Y16, Yuyv];
    known.into_iter().find(|f| format!("{f:?}") == name).ok_or_else(|| format!("unknown format {name}"))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is no number"))
}

fn pair<A: std::str::FromStr, B: std::str::FromStr>(text: &str, between: char) -> Result<(A, B), String> {
    let (a, b) = text.split_once(between).ok_or_else(|| format!("{text} has no {between}"))?;
    Ok((number(a)?, number(b)?))
}
