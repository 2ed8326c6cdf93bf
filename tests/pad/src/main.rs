//! `make pad`: presents every attack to the pipeline and writes the report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pose_pad::Result;
use pose_pad::bench::{self, Size};
use pose_pad::cast::Cast;
use pose_pad::eye::Eye;
use pose_pad::report;
use pose_pad::rgb::Rgb;
use pose_pad::species::{Plan, Species};

const USAGE: &str = "usage: pose-pad [--out FOLDER] [--per-species N] [--seed N] [--look]\n\n\
    Presents N attacks of each species (30) and writes report.md, report.json and report.svg into FOLDER\n\
    (target/pad). --look writes one picture of each species there instead.";

struct Options {
    out: PathBuf,
    size: Size,
    look: bool,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let result = if options.look { look(&options.out) } else { present(&options) };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options> {
    let mut options = Options {
        out: PathBuf::from("target/pad"),
        size: Size { per_species: 30, live_takes: usize::MAX, seed: 1 },
        look: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--out" => options.out = value()?.into(),
            "--per-species" => options.size.per_species = value()?.parse()?,
            "--seed" => options.size.seed = value()?.parse()?,
            "--look" => options.look = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

/// Fails if a photo was let in.
fn present(options: &Options) -> Result<ExitCode> {
    let results = bench::run(options.size, &|done, all, line| match all {
        0 => eprint!("."),
        _ => eprintln!("{done} of {all}: {line}"),
    })?;
    report::write(&results, &options.out)?;
    println!("{}", report::page(&results));
    println!("Written to {}/report.md, report.json and report.svg", options.out.display());
    let photos = results.attacks.iter().filter(|(species, t)| species.is_photo() && t.accepted > 0);
    let let_in: Vec<&str> = photos.map(|(species, _)| species.name()).collect();
    if let_in.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("let in, and must not be: {}", let_in.join(", "));
    Ok(ExitCode::FAILURE)
}

/// One picture of each species, two seconds into the gesture.
fn look(out: &Path) -> Result<ExitCode> {
    std::fs::create_dir_all(out)?;
    let cast = Cast::load(&mut Eye::open()?, &|| eprint!("."))?;
    for species in Species::ALL {
        let plan = Plan::of(species, 1, cast.targets.len(), 1)[0];
        let mut show = plan.show(&cast);
        let frames: Vec<_> = (0..30).map(|i| show.gesture(i)).collect();
        let name = format!("{}.png", species.name().replace(", ", "_").replace(' ', "_"));
        if let Some(frame) = frames.last() {
            Rgb::decode(frame)?.write(&out.join(name))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
