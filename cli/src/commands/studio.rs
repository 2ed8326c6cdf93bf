//! `posectl studio`: the page of the studio crate, with this machine's camera and the helper behind it.

use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nix::unistd::Uid;
use pose_camera::camera::CameraError;
use pose_camera::v4l2::{Request, V4l2Camera};
use pose_contract::kind;
use pose_studio::access::{Access, LISTEN};
use pose_studio::practice::Practice;
use pose_studio::server::serve;
use pose_studio::stage::{Stage, Strength, Wish};
use pose_vision::{Tracker, TrackerOptions};

use super::enrol;
use crate::args::Enroll;
use crate::bus::{Details, number, text};
use crate::camera_choice::{CONFIG, configured};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::recordings::assets;

/// How soon a click is noticed while the camera is off.
const IDLE: Duration = Duration::from_millis(150);

/// Serves until Ctrl-C.
pub(crate) fn run(output: Output) -> Result<Exit, Failure> {
    let wishes = configured(Path::new(CONFIG))?;
    let tracker =
        Tracker::new(&assets()?, &TrackerOptions::default()).map_err(|e| Failure::told(Exit::Assets, e))?;
    let stage = Stage::default();
    let url = open_page(&stage)?;
    output.object(&serde_json::json!({ "url": url }))?;
    output.say(&format!("Open this address in a browser on this machine (it works once):\n  {url}"))?;
    output.say("Ctrl-C ends it. The camera is on only while the page asks for it.")?;
    let mut practice = Practice::new(tracker, stage.clone());
    loop {
        match stage.wish() {
            Wish::Rest => {
                thread::sleep(IDLE);
            }
            Wish::Enrol => enrol_from_page(&stage, output),
            wish => {
                if let Err(e) = watch(&mut practice, &wishes) {
                    stage.show(|view| view.message = e.to_string());
                    stage.done(wish, Wish::Rest);
                } else if stage.wish() == Wish::Rest {
                    stage.show(|view| view.message = "The camera is off.".to_owned());
                }
            }
        }
    }
}

fn open_page(stage: &Stage) -> Result<String, Failure> {
    let failed = |e: &dyn std::fmt::Display| {
        Failure::new(Exit::Internal, format_args!("cannot serve the page: {e}"), "try again")
    };
    let listener = TcpListener::bind(LISTEN).map_err(|e| failed(&e))?;
    let address = listener.local_addr().map_err(|e| failed(&e))?;
    let access = Access::new(address, Uid::current().as_raw()).map_err(|e| failed(&e))?;
    let url = access.url().unwrap_or_default();
    let stage = stage.clone();
    thread::spawn(move || {
        if let Err(e) = serve(&listener, access, &stage) {
            eprintln!("posectl: the page broke off: {e}; start `posectl studio` again");
        }
    });
    Ok(url)
}

fn watch(practice: &mut Practice, wishes: &Request) -> Result<(), CameraError> {
    practice.watch(&mut V4l2Camera::open(wishes)?)
}

/// The page only lets it begin: consent and passwords are asked here, at the terminal, by the same code as
/// `posectl enroll`, and the helper asks for the authorisation that it always asks for.
fn enrol_from_page(stage: &Stage, output: Output) {
    let say = |text: &str| stage.show(|view| text.clone_into(&mut view.message));
    say("Go on at the terminal: consent and passwords are asked there.");
    let args = Enroll {
        user: None,
        gesture: None,
        replace: false,
        repetitions: None,
        cannot: Vec::new(),
        reset_adaptation: false,
        yes: false,
    };
    stage.show(|view| view.strength = None);
    let ended = enrol::run_heard(args, output, &mut |event| {
        if !event.text.is_empty() {
            say(&event.text);
        }
        if event.kind == kind::VERDICT {
            stage.show(|view| view.strength = strength(&event.details));
        }
    });
    match ended {
        Ok(Exit::Done) => say("Enrolled. The recovery code is on the terminal: write it down."),
        Ok(_) => say("Nothing was enrolled."),
        Err(failure) => {
            eprintln!("posectl: {failure}");
            say(&failure.to_string());
        }
    }
    stage.done(Wish::Enrol, Wish::Rest);
}

/// The strength that comes with the verdict on an enrolment.
fn strength(details: &Details) -> Option<Strength> {
    let percent = number(details, "strength_percent")?;
    let told = |key: &str| text(details, key).to_owned();
    Some(Strength {
        percent: u32::try_from(percent).unwrap_or(100).min(100),
        words: told("strength"),
        estimate: told("estimate"),
        advice: told("advice"),
    })
}
