//! Progress on standard error, only where a person watches.

use std::io::{IsTerminal, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Width of the bar, letters.
const BAR: usize = 30;

/// A line that is rewritten while work goes on; silent unless standard error is a terminal.
pub(crate) struct Progress<'a> {
    name: &'a str,
    shown: bool,
    stage: std::sync::Mutex<&'static str>,
    total: AtomicUsize,
    done: AtomicUsize,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(name: &'a str) -> Self {
        Self {
            name,
            shown: std::io::stderr().is_terminal(),
            stage: std::sync::Mutex::new(""),
            total: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        }
    }

    /// A new kind of work of `total` steps (0: unknown) begins.
    pub(crate) fn stage(&self, name: &'static str, total: usize) {
        if let Ok(mut stage) = self.stage.lock() {
            *stage = name;
        }
        self.total.store(total, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.draw(0);
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.draw(done);
    }

    /// Wipes the line.
    pub(crate) fn end(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn draw(&self, done: usize) {
        let total = self.total.load(Ordering::Relaxed);
        if !self.shown || (total > 100 && !done.is_multiple_of(total / 100)) {
            return;
        }
        let stage = self.stage.lock().map_or("", |s| *s);
        let _ = match total {
            0 => write!(std::io::stderr(), "\r\x1b[K{}: {stage}", self.name),
            _ => {
                let filled = (BAR * done / total).min(BAR);
                let bar = "#".repeat(filled) + &"-".repeat(BAR - filled);
                write!(std::io::stderr(), "\r\x1b[K{}: {stage} [{bar}] {} %", self.name, 100 * done / total)
            }
        };
    }
}
