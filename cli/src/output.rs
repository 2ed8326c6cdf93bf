//! Writing to stdout, where programs read, and to stderr, where people are spoken to.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::exit::{Exit, Failure};

/// How this run speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// JSON on stdout instead of text for people.
    pub(crate) json: bool,
    /// stderr is a terminal, so a line may be redrawn.
    pub(crate) redraw: bool,
}

impl Output {
    /// Decides how to speak from the flag and the terminal.
    pub(crate) fn new(json: bool) -> Self {
        Output { json, redraw: io::stderr().is_terminal() && !json }
    }

    /// One line for people on stdout; nothing when a program reads.
    pub(crate) fn say(self, line: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { line_to_stdout(line) }
    }

    /// One JSON value on a line of its own; nothing when a person reads.
    pub(crate) fn object(self, value: &impl Serialize) -> Result<(), Failure> {
        if self.json { json_line(value) } else { Ok(()) }
    }

    /// A remark for people on stderr; silent when a program reads.
    pub(crate) fn remark(self, line: &str) {
        if !self.json {
            eprintln!("{line}");
        }
    }

    /// Draws over the current line of the terminal (nothing without one).
    pub(crate) fn redraw(self, line: &str) {
        if self.redraw {
            let mut err = io::stderr().lock();
            // A terminal that cannot be written to loses a progress line, nothing else.
            let _ = write!(err, "\r\x1b[2K{line}");
            let _ = err.flush();
        }
    }

    /// Clears the line that [`Output::redraw`] drew.
    pub(crate) fn clear(self) {
        self.redraw("");
    }
}

/// One JSON value on a line of stdout.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|e| Failure::new(Exit::Internal, e, "report this with the command that led here"))?;
    line_to_stdout(&text)
}

fn line_to_stdout(line: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|e| {
        // A reader that has seen enough (`| head -1`) is no error worth words, yet the run must end.
        Failure::new(
            Exit::Input,
            format_args!("stdout: {e}"),
            "check where the output goes (full disk, closed pipe)",
        )
    })
}
