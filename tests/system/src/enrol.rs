//! Enrolment through `posectl`, as a person does it.
use std::io::Write;
use std::process::{Command, Stdio};

use crate::bus::Bus;
use crate::film::Film;
use crate::helper::{Helper, Setup};
use crate::runner::Scene;
use crate::{Result, place};

/// Name of the step that enrols everybody before the cases run.
pub const CASE: &str = "enrol everybody";
/// Who is enrolled: account, password, clips.
pub const PEOPLE: [(&str, &str, [&str; 3]); 2] = [
    ("ben", "correct horse", ["ben_circle_touch_0", "ben_circle_touch_1", "ben_circle_touch_2"]),
    ("chidi", "battery staple", ["chidi_open_head_0", "chidi_open_head_1", "chidi_open_head_2"]),
];

/// Enrols [`PEOPLE`] into the scene's state directory.
pub fn everybody(scene: &Scene) -> Result<()> {
    let _bus = Bus::start(&scene.room)?;
    for (user, password, clips) in PEOPLE {
        let setup = Setup::new(&scene.room, &scene.state, &Film::enrolment(&clips))?;
        let helper = Helper::start(&setup)?;
        enrol(user, password, clips.len())
            .map_err(|error| format!("{error}\nthe daemon said:\n{}", helper.messages()))?;
    }
    Ok(())
}

/// One enrolment.
pub fn enrol(user: &str, password: &str, repetitions: usize) -> Result<String> {
    let mut posectl = Command::new(place::built("posectl")?)
        .args(["enroll", user, "--repetitions", &repetitions.to_string(), "--yes"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut keyboard) = posectl.stdin.take() {
        let _ = writeln!(keyboard, "{password}\n{password}");
    }
    let output = posectl.wait_with_output()?;
    let words = crate::runner::said(&output);
    if output.status.success() {
        Ok(words)
    } else {
        Err(format!("posectl enroll {user}: {}\n{words}", output.status).into())
    }
}
