//! `posectl eval`: error rates of the shipped matcher and of the baselines on recordings of landmarks.
//!
//! Nothing is learnt from the file; draws and intervals use fixed seeds, so that a run repeats exactly.

mod adaptation;
mod challenges;
mod conditions;
mod exact;
mod liveness;
mod markdown;
mod methods;
mod one_body;
mod plots;
mod presentations;
mod progress;
mod protocol;
mod puppet;
mod rates;
mod recordings;
mod report;
mod rng;
mod shown;
mod simulate;
mod strengths;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pose_engine::constants::ACCEPT;
use pose_engine::enrol;
use rayon::prelude::*;

use methods::Scored;
use progress::Progress;
use protocol::Trials;
use recordings::Recording;
use report::Report;
use shown::Shown;

/// Exit status when a file cannot be read or a plot cannot be written.
const UNUSABLE: u8 = crate::exit::Exit::Input as u8;

/// Arguments of `posectl eval`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Recordings that make a template.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub(crate) k: u8,
    /// Put all views of a gesture into one cell, so that templates and probes differ in view.
    #[arg(long)]
    pub(crate) cross_view: bool,
    /// Report liveness too: live recordings refused, attacks accepted.
    #[arg(long)]
    pub(crate) liveness: bool,
    /// Count recordings of the challenge movements themselves apart: lines of SET GESTURE MOVEMENT…
    #[arg(long, value_name = "FILE", requires = "liveness")]
    pub(crate) shown: Option<PathBuf>,
    /// Report other conditions too, by simulation: a moved camera, other frame rates, hurry, noise, a hidden hand,
    /// other movement before the gesture.
    #[arg(long)]
    pub(crate) conditions: bool,
    /// Compare the strength that enrolment shows with what was measured, cell by cell (takes long).
    #[arg(long)]
    pub(crate) strength: bool,
    /// Report what adapting templates over time would do: attackers who try to pull a template along, and the owner.
    #[arg(long)]
    pub(crate) adaptation: bool,
    /// One JSON object a file instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// A section of Markdown a file instead of a table.
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Write error trade-off and score plots (SVG and PNG) into this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) plots: Option<PathBuf>,
    /// Another draw of the zero-effort trials than the one that reports use.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) draw: u64,
    /// Threads (0: all cores).
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
    /// Recordings: JSON lines of landmarks, gzipped or plain.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

/// Evaluates every file in order. Exit status 0 when all could be read, `Exit::Input` otherwise.
#[must_use]
pub(crate) fn run(args: &Args) -> ExitCode {
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(args.threads.min(256)).build() {
        Ok(pool) => pool,
        Err(e) => return fail(&format!("cannot start threads: {e}; try --threads 1")),
    };
    let shown = match args.shown.as_deref().map_or_else(|| Ok(Shown::default()), Shown::read) {
        Ok(shown) => shown,
        Err(why) => return fail(&why),
    };
    for file in &args.files {
        let report = match pool.install(|| evaluate(file, args, &shown)) {
            Ok(report) => report,
            Err(why) => return fail(&why),
        };
        let text = match (args.json, args.markdown) {
            (true, _) => format!("{}\n", report.to_json()),
            (_, true) => report.to_markdown() + "\n",
            _ => report.to_table() + "\n",
        };
        // A reader that went away (a closed pipe) ends the run quietly.
        if std::io::stdout().write_all(text.as_bytes()).is_err() {
            return ExitCode::SUCCESS;
        }
    }
    ExitCode::SUCCESS
}

fn fail(why: &str) -> ExitCode {
    eprintln!("posectl eval: {why}");
    ExitCode::from(UNUSABLE)
}

fn evaluate(file: &Path, args: &Args, shown: &Shown) -> Result<Report, String> {
    let name =
        file.file_name().map_or_else(|| file.display().to_string(), |n| n.to_string_lossy().into_owned());
    let progress = Progress::new(&name);
    progress.stage("reading", 0);
    let recordings = recordings::read(file).map_err(|e| e.to_string())?;
    let k = usize::from(args.k);
    let trials = protocol::trials(&recordings, k, args.cross_view, args.draw);
    progress.stage("comparing", trials.cells.len() * methods::METHODS.len());
    let (methods, at_threshold) = methods::score(&recordings, &trials, &|| progress.step());
    let presentations = args.liveness.then(|| {
        progress.stage("liveness", recordings.len());
        presentations::judge(&recordings, shown, &|| progress.step())
    });
    let conditions = args.conditions.then(|| {
        progress.stage("conditions", conditions::steps(&trials));
        conditions::measure(&recordings, &trials, &|| progress.step())
    });
    let strengths = args.strength.then(|| {
        progress.stage("strength", trials.cells.len());
        let informed = methods.first().map_or(Vec::new(), |shipped| shipped.informed.scores(false));
        strengths::compare(&recordings, &trials, &at_threshold.cells, &informed, &|| progress.step())
    });
    let adaptation = args.adaptation.then(|| {
        progress.stage("adaptation", trials.cells.len());
        adaptation::measure(&recordings, &trials, &|| progress.step())
    });
    if let Some(dir) = &args.plots {
        let delays = presentations.as_ref().map_or(&[][..], |p| &p.by_delay);
        plots::write(dir, &stem_of(&name), &methods, trials.users.len(), ACCEPT)
            .and_then(|()| plots::write_delays(dir, &stem_of(&name), delays))
            .map_err(|e| format!("{}: {e}; choose a directory that can be written", dir.display()))?;
    }
    progress.end();
    Ok(Report {
        file: name.clone(),
        plots: (args.plots.is_some() && plots::has_trials(&methods)).then(|| stem_of(&name)),
        difference: [
            difference(&methods, |m| &m.zero_effort, trials.users.len()),
            difference(&methods, |m| &m.informed, trials.users.len()),
        ],
        users: trials.users.clone(),
        gestures: trials.gestures,
        recordings: recordings.len(),
        k,
        cross_view: args.cross_view,
        cells: trials.cells.len(),
        refused_enrolments: refused_enrolments(&recordings, &trials),
        trials: trials.counts(),
        methods,
        at_threshold,
        presentations,
        conditions,
        strengths,
        adaptation,
    })
}

/// The name of a file's plots.
fn stem_of(name: &str) -> String {
    name.split('.').next().filter(|s| !s.is_empty()).unwrap_or("recordings").to_owned()
}

/// The shipped method against the seed's, the first and the last.
fn difference(
    methods: &[Scored],
    of: fn(&Scored) -> &rates::Sorted,
    users: usize,
) -> Option<(f64, [f64; 2])> {
    rates::difference(of(methods.first()?), of(methods.last()?), users)
}

/// Cells whose templates enrolment itself would have refused, by reason (too few recordings aside).
fn refused_enrolments(recordings: &[Recording], trials: &Trials) -> BTreeMap<&'static str, usize> {
    let refusals: Vec<enrol::Refusal> = trials
        .cells
        .par_iter()
        .filter_map(|cell| {
            let sequences: Vec<_> = cell.templates.iter().map(|&i| recordings[i].sequence.clone()).collect();
            enrol::checked(&sequences).err()
        })
        .filter(|why| !matches!(why, enrol::Refusal::TooFew { .. }))
        .collect();
    let mut counts = BTreeMap::new();
    for refusal in refusals {
        *counts.entry(refusal.name()).or_insert(0) += 1;
    }
    counts
}
