//! `posectl movements`: what a login may ask for after the gesture, with pictures.

use std::fs;
use std::path::Path;

use pose_engine::challenge::{Movement, braille, svg};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Lists the movements; with a folder, writes a picture of each there as NAME.svg.
pub(crate) fn run(pictures: Option<&Path>, output: Output) -> Result<Exit, Failure> {
    for movement in Movement::ALL {
        output.object(&json!({"name": movement.name(), "text": movement.instruction()}))?;
        output.say(&format!("{}: {}", movement.name(), movement.instruction()))?;
        for line in braille(movement) {
            output.say(&format!("    {line}"))?;
        }
        if let Some(folder) = pictures {
            let path = folder.join(movement.name()).with_extension("svg");
            fs::write(&path, svg(movement)).map_err(|e| {
                Failure::new(
                    Exit::Input,
                    format_args!("{}: {e}", path.display()),
                    "name a folder that exists and that you may write to",
                )
            })?;
        }
    }
    Ok(Exit::Done)
}

/// Lines that show the movement that an instruction asks for; none for other instructions.
pub(crate) fn picture_of(code: &str) -> Vec<String> {
    Movement::of_instruction(code).map_or(Vec::new(), braille)
}
