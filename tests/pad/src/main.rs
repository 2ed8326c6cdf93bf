//! `make pad`: presents every attack to the pipeline and writes the report.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use pose_engine::challenge::Movement;
use pose_pad::Result;
use pose_pad::bench::{self, Size};
use pose_pad::cast::{Cast, Source};
use pose_pad::landmarks::Lines;
use pose_pad::report;
use pose_pad::rgb::Rgb;
use pose_pad::species::{Plan, Species};

const USAGE: &str = "usage: pose-pad [--out FOLDER] [--per-species N] [--seed N] [--look]\n\
    \u{20}               [--recordings FOLDER --people NAME,NAME…] [--landmarks FILE]\n\n\
    Presents N attacks of each species (30) and writes report.md, report.json and report.svg into FOLDER\n\
    (target/pad). --look writes three pictures of each species there instead. --people takes other people than the\n\
    shipped ones, --landmarks keeps what was seen, in the format of `posectl eval`.";

/// The report is written anew after so many presentations.
const REPORTED: usize = 34;

struct Options {
    out: PathBuf,
    size: Size,
    look: bool,
    source: Source,
    landmarks: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let result = if options.look { look(&options) } else { present(&options) };
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
        source: Source::default(),
        landmarks: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--out" => options.out = value()?.into(),
            "--per-species" => options.size.per_species = value()?.parse()?,
            "--seed" => options.size.seed = value()?.parse()?,
            "--look" => options.look = true,
            "--recordings" => options.source.folder = value()?.into(),
            "--people" => options.source.people = value()?.split(',').map(str::to_owned).collect(),
            "--landmarks" => options.landmarks = Some(value()?.into()),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

/// Fails if a photo was let in.
fn present(options: &Options) -> Result<ExitCode> {
    let lines = options.landmarks.as_deref().map(Lines::create).transpose()?;
    let results = bench::run(&options.source, options.size, &|| eprint!("."), &|over| {
        let ([done, all], trial) = (over.done, over.trial);
        let asked = trial.asked.join(", then ");
        eprintln!(
            "{done} of {all}: {}, {asked}: {} ({})",
            over.name,
            trial.outcome,
            trial.reasons.join(", ")
        );
        if let Some(lines) = &lines {
            lines.add(over.target, over.name, trial)?;
        }
        // A run that is cut short has its report.
        if done % REPORTED == 0 { report::write(over.results, &options.out) } else { Ok(()) }
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

/// Three pictures of each species: two seconds into the gesture, and 0.7 and 2.7 seconds after a movement was asked.
fn look(options: &Options) -> Result<ExitCode> {
    let out = &options.out;
    std::fs::create_dir_all(out)?;
    let cast = Cast::load(&options.source, &|| eprint!("."))?;
    for species in Species::ALL {
        let plan = Plan::of(species, 1, cast.targets.len(), 1)[0];
        let mut show = plan.show(&cast);
        let name = species.name().replace(", ", "_").replace(' ', "_");
        let gesture = (0..=30).map(|i| show.gesture(i)).last();
        let mut answer =
            |pictures: RangeInclusive<usize>| pictures.map(|i| show.answer(0, Movement::TPose, i)).last();
        let moments = [("gesture", gesture), ("asked", answer(0..=10)), ("answer", answer(11..=40))];
        for (moment, frame) in moments {
            let Some(frame) = frame else { continue };
            Rgb::decode(&frame)?.write(&out.join(format!("{name}_{moment}.png")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
