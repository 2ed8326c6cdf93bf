//! Ctrl-C during an attempt: the attempt is cancelled, the terminal put back, and the process ends.

use std::process;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use super::{Helper, secret};
use crate::exit::{Exit, Failure};

/// What the waiting thread cancels; one attempt at a time.
static CURRENT: Mutex<Option<(Helper, String)>> = Mutex::new(None);

/// How long the helper may take to confirm the cancellation; it notices the vanished caller anyway.
const FAREWELL: Duration = Duration::from_secs(2);

/// Ends the cancelling when the attempt is over.
pub(crate) struct Cancelling;

impl Drop for Cancelling {
    fn drop(&mut self) {
        if let Ok(mut current) = CURRENT.lock() {
            *current = None;
        }
    }
}

/// Takes over the ending signals. Call it before any other thread starts: later ones inherit the mask, so that the
/// signals reach the waiting thread alone, which may call anything (a signal handler may not).
pub(crate) fn take_over() -> Result<(), Failure> {
    ending().thread_block().map_err(unusable)?;
    watch();
    Ok(())
}

/// Until the returned value is dropped, Ctrl-C (or a hang-up) cancels this attempt and ends the process.
pub(crate) fn cancel_on_signal(helper: &Helper, attempt: &str) -> Cancelling {
    if let Ok(mut current) = CURRENT.lock() {
        *current = Some((helper.clone(), attempt.to_owned()));
    }
    Cancelling
}

/// Waits for the ending signals on a thread of its own.
fn watch() {
    let terminal = secret::terminal_now();
    thread::spawn(move || {
        if ending().wait().is_err() {
            return;
        }
        cancel_current();
        if let Some(terminal) = &terminal {
            secret::restore(terminal);
        }
        eprintln!("\nposectl: cancelled");
        process::exit(i32::from(Exit::Cancelled as u8));
    });
}

fn cancel_current() {
    let Some((helper, attempt)) = CURRENT.lock().ok().and_then(|mut current| current.take()) else { return };
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        // The helper also notices a vanished caller, so a failed farewell changes nothing.
        let _ = helper.cancel(&attempt);
        let _ = done.send(());
    });
    // As above.
    let _ = wait.recv_timeout(FAREWELL);
}

fn ending() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGINT);
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGHUP);
    set
}

fn unusable(error: nix::errno::Errno) -> Failure {
    Failure::new(Exit::Internal, format_args!("cannot block signals: {error}"), "report this")
}
