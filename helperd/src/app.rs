//! What both binaries do once their parts are put together: log, serve, tell systemd, end cleanly.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::process::ExitCode;

use nix::sys::signal::{SigSet, Signal};
use tracing_subscriber::filter::LevelFilter;

use crate::config::LogLevel;
use crate::daemon::{Bus, Daemon, Parts};

/// Messages to standard error, which is the journal under systemd; without time stamps, the journal has its own.
pub fn log_to_journal(level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let filter = tracing_subscriber::EnvFilter::default().add_directive(level.into());
    // The bus library's own notes are about its inside, and a client can provoke them at will.
    let quiet = ["zbus=error", "zruntime=error"].into_iter().filter_map(|text| text.parse().ok());
    let filter = quiet.fold(filter, tracing_subscriber::EnvFilter::add_directive);
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .without_time()
        .try_init();
}

/// Serves until SIGTERM or SIGINT, or until the bus goes away.
#[must_use]
pub fn serve(parts: Parts, bus: &Bus) -> ExitCode {
    match try_serve(parts, bus) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn try_serve(parts: Parts, bus: &Bus) -> Result<(), Box<dyn std::error::Error>> {
    // Before the first thread is started, so that all of them leave these signals to the one that waits.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.add(Signal::SIGINT);
    signals.thread_block()?;
    let (told, end) = async_channel::bounded::<()>(1);
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let _ = signals.wait();
        let _ = told.try_send(());
    })?;
    let daemon = Daemon::new(parts)?;
    let end = async {
        let _ = end.recv().await;
        tracing::info!("ending");
    };
    zbus::block_on(daemon.serve(bus, || notify("READY=1"), end)).map_err(|error| {
        format!("cannot serve on the system bus: {error}; check that dbus runs and its policy for pam_pose is installed")
    })?;
    Ok(())
}

/// Tells systemd, if it started us (sd_notify(3)).
fn notify(state: &str) {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return };
    let bytes = path.as_encoded_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(Path::new(&path)),
    };
    let sent = address.and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::warn!(%error, "systemd was not told {state}");
    }
}
