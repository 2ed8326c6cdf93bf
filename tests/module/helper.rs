//! A fake helper whose every attempt follows a script written in the user's name, so that one process serves all
//! cases. Built on zbus, so that the module's own client meets an independent one.
//!
//! Script: steps joined by `,`; each `Next` takes one. `ask=CODE`, `tell=CODE`, `progress`, `verdict=CODE`,
//! `kind=KIND`, `error=NAME`, `slow=MS` (before the next step), `hang`, `exit`, `flood` (instructions without
//! end); at its end the script repeats `progress`. `refuse=NAME` fails `Begin` itself. `gone=NAME` and `late` after
//! an `ask` say how the user's first attempt ends before its password comes (an error to `Answer`, a "deadline"
//! verdict after it); a second attempt goes on behind them. `goners` fails every `Answer`. The names in `LOGINS` stand
//! for a plain login.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::future::pending;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{ChildStdout, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use pose_contract::{BUS_NAME, OBJECT_PATH, SYSTEM_BUS_SOCKET};
use zbus::message::Header;
use zbus::names::ErrorName;
use zbus::{DBusError, Message, OwnedVariant};

use crate::place::Running;

const LOGINS: [&str; 4] = ["root", "open", "locked", "expired"];

type Details = HashMap<String, OwnedVariant>;
type Event = (String, String, String, Details);

/// An error of any name.
struct Named(String);

impl DBusError for Named {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name()).build(&("scripted",))
    }

    fn name(&self) -> ErrorName<'_> {
        ErrorName::try_from(self.0.as_str()).expect("error name")
    }

    fn description(&self) -> Option<&str> {
        Some("scripted")
    }
}

#[derive(Default)]
struct FakeHelper {
    attempts: Mutex<HashMap<String, VecDeque<String>>>,
}

impl FakeHelper {
    fn start(&self, user: &str) -> Result<String, Named> {
        let script = if LOGINS.contains(&user) { "ask=password,verdict=success" } else { user };
        if let Some(name) = script.strip_prefix("refuse=") {
            return Err(Named(name.to_owned()));
        }
        let mut attempts = self.attempts.lock().expect("attempts");
        let name = format!("attempt{}", attempts.len() + 1);
        let first = attempts.is_empty();
        let lapses = |step: &&str| first || !(step.starts_with("gone=") || *step == "late");
        attempts.insert(name.clone(), script.split(',').filter(lapses).map(str::to_owned).collect());
        Ok(name)
    }

    fn step(&self, attempt: &str) -> Option<String> {
        let mut attempts = self.attempts.lock().expect("attempts");
        let script = attempts.get_mut(attempt)?;
        if script.front().is_some_and(|step| step == "flood") {
            script.front().cloned()
        } else {
            script.pop_front()
        }
    }
}

#[zbus::interface(name = "org.pam_pose.Helper1")]
impl FakeHelper {
    async fn begin(
        &self,
        user: &str,
        service: &str,
        origin: HashMap<String, OwnedVariant>,
    ) -> Result<String, Named> {
        let mut origin: Vec<String> = origin.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
        origin.sort();
        say(&format!("begin {service} {}", origin.join(" ")));
        self.start(user)
    }

    async fn set_password(
        &self,
        user: &str,
        _options: HashMap<String, OwnedVariant>,
    ) -> Result<String, Named> {
        say("set_password");
        self.start(user)
    }

    async fn answer(&self, attempt: &str, secret: zbus::OwnedFd) -> Result<(), Named> {
        let next =
            self.attempts.lock().expect("attempts").get(attempt).and_then(|script| script.front().cloned());
        match next.as_deref().map(|step| step.split_once('=').unwrap_or((step, ""))) {
            Some(("gone", name)) => return Err(Named(name.to_owned())),
            Some(("goners", _)) => return Err(Named("org.pam_pose.Error.NoSuchAttempt".to_owned())),
            _ => {}
        }
        let fd: OwnedFd = secret.into();
        let seals = nix::fcntl::fcntl(&fd, nix::fcntl::FcntlArg::F_GET_SEALS).expect("seals");
        let mut file = File::from(fd);
        let mut text = String::new();
        file.rewind().expect("rewind");
        file.read_to_string(&mut text).expect("secret");
        say(&format!("answer {text} seals={seals:#x} length={}", file.metadata().expect("metadata").len()));
        Ok(())
    }

    async fn next(&self, attempt: &str) -> Result<Event, Named> {
        let Some(step) = self.step(attempt) else { return Ok(event("progress", "", "")) };
        let (word, value) = step.split_once('=').unwrap_or((&step, ""));
        match word {
            "ask" => Ok(event("ask", value, "Password:")),
            // The script is a user's name, which holds no colon.
            "tell" => {
                let code = value.replace('+', ":");
                Ok(event("instruction", &code, &format!("Please do {code}")))
            }
            "flood" => Ok(event("instruction", "gesture", "again")),
            "late" => Ok(event("verdict", "deadline", "")),
            "verdict" => Ok(event("verdict", value, &format!("Because {value}"))),
            "kind" => Ok(event(value, "", "")),
            "error" => Err(Named(value.to_owned())),
            "hang" => pending().await,
            "exit" => std::process::exit(0),
            "slow" => {
                std::thread::sleep(Duration::from_millis(value.parse().expect("ms")));
                Ok(event("progress", "", ""))
            }
            _ => Ok(event("progress", "", "")),
        }
    }

    async fn cancel(&self, _attempt: &str) {
        say("cancel");
    }
}

fn event(kind: &str, code: &str, text: &str) -> Event {
    (kind.into(), code.into(), text.into(), Details::new())
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// The helper process: serves until killed or until the bus goes away.
pub(crate) fn main() -> ExitCode {
    zbus::block_on(async {
        let address = format!("unix:path={SYSTEM_BUS_SOCKET}");
        let served = zbus::connection::Builder::address(address.as_str())
            .serve_at(OBJECT_PATH, FakeHelper::default())
            .name(BUS_NAME)
            .build()
            .await;
        let connection = served.expect("private bus");
        say("ready");
        connection.closed().await;
        ExitCode::SUCCESS
    })
}

/// A running fake helper and what it says.
pub(crate) struct Helper {
    said: BufReader<ChildStdout>,
    process: Running,
}

impl Helper {
    pub(crate) fn start() -> Self {
        Self::start_as(0)
    }

    pub(crate) fn start_as(uid: u32) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("own path"));
        command.arg("helper").stdout(Stdio::piped());
        if uid != 0 {
            command.uid(uid);
        }
        let mut child = command.spawn().expect("helper");
        let said = BufReader::new(child.stdout.take().expect("pipe"));
        let mut helper = Self { said, process: Running(child) };
        assert_eq!(helper.line(), "ready");
        helper
    }

    /// The next thing it says.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("line");
        line.trim_end().to_owned()
    }

    /// Everything it said until now.
    pub(crate) fn stop(mut self) -> Vec<String> {
        let _ = self.process.0.kill();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).expect("rest");
        rest.lines().map(str::to_owned).collect()
    }
}
