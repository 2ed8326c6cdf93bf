//! The audit line: one authpriv message to syslog for every verdict and every change.
//!
//! Sent without waiting: a full or absent syslog socket must never hold up or fail a login; the line then goes to
//! the journal through `tracing` instead. Every field is escaped, so no name can forge a second line or field.

use std::fmt::{self, Write as _};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use pose_contract::Outcome;
use syslog::{Facility, LogFormat, Logger, LoggerBackend, Severity};

/// The system's syslog socket.
pub const SOCKET: &str = "/dev/log";
/// Longest value of one field, bytes; the rest is cut.
const MAX_FIELD: usize = 256;

/// Where an attempt came from, for the line only.
#[derive(Clone, Debug, Default)]
pub struct Source<'a> {
    /// Caller's uid from the bus.
    pub caller_uid: u32,
    /// PAM service, or the bus method for changes.
    pub service: &'a str,
    /// Terminal as told by the caller.
    pub tty: &'a str,
    /// Remote host as told by the caller.
    pub rhost: &'a str,
}

/// Writes audit lines.
pub struct Audit {
    socket: PathBuf,
    logger: Mutex<Option<Logger<LoggerBackend, Line>>>,
}

impl Audit {
    /// Lines go to the syslog socket at `socket` (normally [`SOCKET`]), which may appear later or never.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), logger: Mutex::new(None) }
    }

    /// One line for a verdict. `user` is `None` for a name that is no account: people type passwords at name
    /// prompts, so such a name is not written down. `reason` is the exact cause, for root's eyes.
    pub fn verdict(&self, user: Option<&str>, from: &Source<'_>, outcome: Outcome, reason: &str) {
        let user = user.unwrap_or("(unknown)");
        let line = Fields::new("verdict")
            .add("outcome", outcome.as_str())
            .add("user", user)
            .add("caller_uid", &from.caller_uid.to_string())
            .add("service", from.service)
            .add("tty", from.tty)
            .add("rhost", from.rhost)
            .add("reason", reason)
            .0;
        self.send(if outcome == Outcome::Success { Severity::LOG_INFO } else { Severity::LOG_NOTICE }, line);
    }

    /// One line for a change (enrolled, removed, password, unlock, recovery code used, store created …).
    pub fn change(&self, user: &str, actor_uid: u32, what: &str) {
        let line = Fields::new("change")
            .add("what", what)
            .add("user", user)
            .add("caller_uid", &actor_uid.to_string())
            .0;
        self.send(Severity::LOG_NOTICE, line);
    }

    fn send(&self, severity: Severity, line: String) {
        let mut logger = match self.logger.lock() {
            Ok(logger) => logger,
            Err(poisoned) => poisoned.into_inner(),
        };
        // Twice: syslog restarts leave a connected socket dead, a fresh one then reaches the new daemon.
        for _ in 0..2 {
            if logger.is_none() {
                *logger = connect(&self.socket);
            }
            let Some(open) = logger.as_mut() else { break };
            if open.formatter.format(&mut open.backend, severity, line.as_str()).is_ok() {
                return;
            }
            *logger = None;
        }
        drop(logger);
        tracing::info!(target: "audit", "{line}");
    }
}

fn connect(path: &Path) -> Option<Logger<LoggerBackend, Line>> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    socket.set_nonblocking(true).ok()?;
    Some(Logger::new(LoggerBackend::Unix(socket), Line))
}

/// `<priority>name[pid]: message`, without the optional time stamp: the crate's formatters write UTC there, which
/// syslog daemons read as local time.
#[derive(Clone, Copy)]
struct Line;

impl<T: fmt::Display> LogFormat<T> for Line {
    fn format<W: Write>(&self, to: &mut W, severity: Severity, message: T) -> Result<(), syslog::Error> {
        let priority = Facility::LOG_AUTHPRIV as u8 | severity as u8;
        write!(to, "<{priority}>pose-helperd[{}]: {message}", std::process::id())
            .map_err(syslog::Error::Write)
    }
}

/// `kind key="value" …` with values that cannot leave their quotes.
struct Fields(String);

impl Fields {
    fn new(kind: &str) -> Self {
        Self(format!("pam_pose {kind}"))
    }

    fn add(mut self, key: &str, value: &str) -> Self {
        if value.is_empty() {
            return self;
        }
        let _ = write!(self.0, " {key}=\"");
        let mut length = 0;
        for c in value.chars() {
            length += c.len_utf8();
            if length > MAX_FIELD {
                self.0.push('…');
                break;
            }
            push_escaped(&mut self.0, c);
        }
        self.0.push('"');
        self
    }
}

fn push_escaped(to: &mut String, c: char) {
    // Bidirectional controls and line separators would let a name rearrange the line on a terminal.
    let hidden =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    match c {
        '"' | '\\' => {
            to.push('\\');
            to.push(c);
        }
        c if c.is_control() || hidden => {
            let _ = write!(to, "\\u{{{:x}}}", c as u32);
        }
        c => to.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(socket: &UnixDatagram) -> String {
        let mut buffer = [0_u8; 4096];
        let count = socket.recv(&mut buffer).expect("a line arrives");
        String::from_utf8(buffer[..count].to_vec()).expect("text")
    }

    #[test]
    fn a_verdict_arrives_as_one_authpriv_line() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("log");
        let socket = UnixDatagram::bind(&path).expect("bind");
        let audit = Audit::new(&path);
        let from = Source { caller_uid: 1000, service: "sudo", tty: "pts/1", rhost: "" };
        audit.verdict(Some("ada"), &from, Outcome::WrongPose, "score below limit");
        let line = receive(&socket);
        assert!(line.starts_with("<85>pose-helperd["), "authpriv.notice: {line}");
        assert!(
            line.ends_with(
                "]: pam_pose verdict outcome=\"wrong_pose\" user=\"ada\" caller_uid=\"1000\" service=\"sudo\" \
                 tty=\"pts/1\" reason=\"score below limit\""
            ),
            "{line}"
        );
        audit.verdict(None, &from, Outcome::NotEnrolled, "");
        assert!(receive(&socket).contains("user=\"(unknown)\""));
    }

    #[test]
    fn no_field_can_forge_another_line_or_field() {
        let forged = "x\" outcome=\"success\"\nJan 1 pose-helperd: \u{202e}\u{1b}[2J\\";
        let line = Fields::new("verdict").add("tty", forged).0;
        assert_eq!(
            line,
            "pam_pose verdict tty=\"x\\\" outcome=\\\"success\\\"\\u{a}Jan 1 pose-helperd: \\u{202e}\\u{1b}[2J\\\\\""
        );
        let long = Fields::new("verdict").add("rhost", &"é".repeat(5000)).0;
        assert!(long.len() < 2 * MAX_FIELD, "{}", long.len());
    }

    #[test]
    fn an_absent_or_full_syslog_never_blocks() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("log");
        let audit = Audit::new(&path);
        audit.change("ada", 0, "unlock");
        let _socket_that_nobody_reads = UnixDatagram::bind(&path).expect("bind");
        for _ in 0..5_000 {
            audit.change("ada", 0, "unlock");
        }
    }

    #[test]
    fn a_restarted_syslog_gets_the_next_line() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("log");
        let first = UnixDatagram::bind(&path).expect("bind");
        let audit = Audit::new(&path);
        audit.change("ada", 0, "one");
        assert!(receive(&first).contains("one"));
        drop(first);
        std::fs::remove_file(&path).expect("remove");
        let second = UnixDatagram::bind(&path).expect("bind");
        audit.change("ada", 0, "two");
        assert!(receive(&second).contains("two"));
    }
}
