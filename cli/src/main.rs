//! posectl: enrol, test and look after pam_pose.
//!
//! # Layout
//! - [`args`]: the command line; [`exit`]: how a run ends; [`output`]: who is spoken to
//! - [`commands`]: one file a command; [`doctor`]: the installation's check-up; [`eval`]: accuracy on landmarks
//! - [`pam`]: stacks of /etc/pam.d, judged and changed
//! - [`bus`]: the helper over D-Bus; [`recordings`]: clips to observations; [`picture`]: a snapshot with its
//!   skeleton; [`camera_choice`]: which camera a login would use

mod args;
mod bus;
mod camera_choice;
mod commands;
mod doctor;
mod eval;
mod exit;
mod output;
mod pam;
mod picture;
mod png_file;
mod recordings;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use bus::interrupt;
use commands::{
    bench, change, devices, emergency_off, enrol, landmarks, list, movements, papers, rehearse, studio, test,
};
use exit::Failure;
use output::Output;

fn main() -> ExitCode {
    silence_the_runtime();
    let cli = Cli::parse();
    match run(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            eprintln!("posectl: {failure}");
            failure.exit.into()
        }
    }
}

/// ONNX Runtime 1.31 otherwise keeps a database and a device id in the home folder and reports to its maker.
/// Switching it off through its interface comes too late, after its environment is made.
#[allow(unsafe_code)]
fn silence_the_runtime() {
    // SAFETY: called first thing in main, so no other thread exists that could read the environment meanwhile.
    unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let output = Output::new(cli.json);
    if cli.command.speaks_to_helper() {
        interrupt::take_over()?;
    }
    let exit = match cli.command {
        Command::Enroll(args) => enrol::run(args, output),
        Command::List { user, all } => list::run(user, all, output),
        Command::Remove { user, yes } => change::remove(user, yes, output),
        Command::Passwd { user } => change::passwd(user, output),
        Command::Unlock { user } => change::unlock(&user, output),
        Command::Test { user } => test::run(user, output),
        Command::Devices(args) => devices::run(&args, output),
        Command::Doctor => doctor::run(output),
        Command::Pam(args) => commands::pam::run(&args, output),
        Command::EmergencyOff { undo, root } => emergency_off::run(undo, &root, output),
        Command::Movements { pictures } => movements::run(pictures.as_deref(), output),
        Command::Eval(args) => return Ok(eval::run(&eval::Args { json: args.json || cli.json, ..args })),
        Command::Rehearse(args) => rehearse::run(&args, output),
        Command::Landmarks(args) => landmarks::run(&args),
        Command::Studio => studio::run(output),
        Command::Bench { clip } => bench::run(clip, output),
        Command::Completions { shell } => Ok(papers::completions(shell)),
        Command::Man { dir } => papers::man(&dir),
    };
    exit.map(ExitCode::from)
}
