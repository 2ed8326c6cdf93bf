//! A real PAM host: pamtester, with libpam-wrapper pointing it at a service file of ours.
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Result, place};

/// What the host asks of PAM.
pub struct Request<'a> {
    /// Account to log in.
    pub user: &'a str,
    /// What is typed at the password prompt; lines, where several are asked for.
    pub password: &'a str,
    /// Options on the module's line.
    pub options: &'a str,
    /// PAM items set beforehand, for instance `rhost=198.51.100.7`.
    pub items: &'a [&'a str],
    /// The service's lines, `MODULE` for the module's path; one that requires it if empty.
    pub stack: &'a str,
    /// pamtester's word for what is asked.
    pub action: &'a str,
}

impl<'a> Request<'a> {
    /// A plain request.
    #[must_use]
    pub fn new(user: &'a str, password: &'a str) -> Self {
        Self { user, password, options: "", items: &[], stack: "", action: "authenticate" }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Seen {
    /// Name of the PAM code without `PAM_`, or the host's words when it is none of ours.
    pub code: String,
    /// Lines that the module showed, without the prompt.
    pub shown: Vec<String>,
    /// Lines that the module logged for the administrator.
    pub logged: Vec<String>,
    /// From start to end of the host.
    pub took: Duration,
}

/// Name of the service that requests use.
pub const SERVICE: &str = "pam-pose-test";

/// libpam's words for each code (`pam_strerror`); pamtester prints nothing else.
const WORDS: [(&str, &str); 11] = [
    ("successfully authenticated", "SUCCESS"),
    ("authentication token altered successfully", "SUCCESS"),
    ("Authentication token manipulation error", "AUTHTOK_ERR"),
    ("Authentication failure", "AUTH_ERR"),
    ("Have exhausted maximum number of retries for service", "MAXTRIES"),
    ("User not known to the underlying authentication module", "USER_UNKNOWN"),
    ("Authentication service cannot retrieve authentication info", "AUTHINFO_UNAVAIL"),
    ("System error", "SYSTEM_ERR"),
    ("Conversation error", "CONV_ERR"),
    ("Permission denied", "PERM_DENIED"),
    ("Module is unknown", "MODULE_UNKNOWN"),
];

/// Puts libpam-wrapper into pamtester, which becomes the process itself.
const WRAPPED: &str = r#"LD_PRELOAD=libpam_wrapper.so${LD_PRELOAD:+:$LD_PRELOAD} exec pamtester "$@""#;

/// Longest that libpam-wrapper may take to make its folder.
const START_LIMIT: Duration = Duration::from_secs(60);

/// How libpam-wrapper marks what a module logged.
const LOG_MARK: &str = "SYSLOG(";

/// Asks PAM; `on_line` sees each shown line as it comes.
pub fn ask(room: &Path, request: &Request<'_>, on_line: impl FnMut(&str)) -> Result<Seen> {
    ask_typing(room, request, || (), on_line)
}

/// [`ask`] by somebody who does something else before typing the password.
pub fn ask_typing(
    room: &Path,
    request: &Request<'_>,
    before_typing: impl FnOnce(),
    on_line: impl FnMut(&str),
) -> Result<Seen> {
    let module = place::built("libpam_pose.so")?.canonicalize()?;
    let plain = format!("auth required MODULE {}\n", request.options);
    let stack = if request.stack.is_empty() { &plain } else { request.stack };
    write_service(room, SERVICE, &stack.replace("MODULE", &module.display().to_string()))?;
    ask_service(room, SERVICE, request, before_typing, on_line)
}

/// Writes a service file of the sandbox's PAM.
pub fn write_service(room: &Path, name: &str, stack: &str) -> Result<()> {
    let services = room.join("pam.d");
    std::fs::create_dir_all(&services)?;
    Ok(std::fs::write(services.join(name), stack)?)
}

/// Asks PAM for a service that [`write_service`] wrote; the request's options are not looked at.
pub fn ask_service(
    room: &Path,
    service: &str,
    request: &Request<'_>,
    before_typing: impl FnOnce(),
    mut on_line: impl FnMut(&str),
) -> Result<Seen> {
    let start = Instant::now();
    // pamtester's libpam prints through stdio: without stdbuf every line would come at the end.
    // libpam-wrapper goes into pamtester alone, for it takes a folder in every process it is in.
    let mut host = Command::new("stdbuf");
    host.args(["-oL", "-eL", "sh", "-c", WRAPPED, "pamtester"]);
    for item in request.items {
        host.args(["-I", item]);
    }
    host.args([service, request.user, request.action])
        .env("PAM_WRAPPER", "1")
        .env("PAM_WRAPPER_SERVICE_DIR", room.join("pam.d"))
        // libpam-wrapper then prints what modules log instead of sending it to syslog.
        .env("PAM_WRAPPER_DEBUGLEVEL", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut host = start_wrapped(host)?;
    before_typing();
    if let Some(mut keyboard) = host.stdin.take() {
        // A host that never asks closes the pipe: not an error.
        let _ = writeln!(keyboard, "{}", request.password);
    }
    let errors = host.stderr.take().map(|errors| std::thread::spawn(move || lines(errors, |_| {})));
    let mut shown = host.stdout.take().map(|output| lines(output, &mut on_line)).unwrap_or_default();
    shown.extend(errors.and_then(|thread| thread.join().ok()).unwrap_or_default());
    host.wait()?;
    let took = start.elapsed();

    let (logged, shown) = shown.into_iter().partition(|line| line.contains(LOG_MARK));
    let (code, shown) = split(shown);
    Ok(Seen { code, shown, logged, took })
}

/// Starts a host, one at a time on this machine for this user.
///
/// libpam-wrapper takes the first free of 62 folders in `/tmp` by looking and then making it: of two
/// hosts that start at once, one may find itself with the other's service files.
fn start_wrapped(mut host: Command) -> Result<Child> {
    let lock = std::env::temp_dir().join(format!("pam_pose-hosts-{}.lock", nix::unistd::getuid()));
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock)
        .map_err(|error| format!("cannot open {}: {error}", lock.display()))?;
    lock.lock()?;
    let mut host = host.spawn().map_err(|error| format!("cannot start pamtester through stdbuf: {error}"))?;
    let own = host.id().to_string();
    let start = Instant::now();
    while !has_its_folder(&own) && host.try_wait()?.is_none() {
        if start.elapsed() > START_LIMIT {
            // Nobody waits for a host that is dropped.
            host.kill()?;
            host.wait()?;
            return Err(format!("libpam-wrapper did not start within {START_LIMIT:?}").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(host)
}

/// Whether libpam-wrapper made the folder of the process with this id.
fn has_its_folder(id: &str) -> bool {
    std::fs::read_dir("/tmp").into_iter().flatten().flatten().any(|entry| {
        entry.file_name().as_encoded_bytes().starts_with(b"pam.")
            && std::fs::read_to_string(entry.path().join("pid")).is_ok_and(|pid| pid.trim() == id)
    })
}

fn lines(source: impl std::io::Read, mut on_line: impl FnMut(&str)) -> Vec<String> {
    let mut all = Vec::new();
    for line in BufReader::new(source).lines().map_while(std::result::Result::ok) {
        on_line(&line);
        all.push(line);
    }
    all
}

/// The host's verdict line, by name, and everything else that was shown.
fn split(lines: Vec<String>) -> (String, Vec<String>) {
    let mut code = "no verdict".to_owned();
    let mut shown = Vec::new();
    for line in lines {
        // The prompt has no line end of its own, so the host's words may follow it on one line.
        let Some((before, words)) = line.split_once("pamtester: ") else {
            shown.push(strip_prompt(&line));
            continue;
        };
        if !before.is_empty() {
            shown.push(strip_prompt(before));
        }
        code = WORDS
            .iter()
            .find(|row| words.starts_with(row.0))
            .map_or_else(|| words.to_owned(), |row| row.1.to_owned());
    }
    shown.retain(|line| !line.is_empty());
    (code, shown)
}

fn strip_prompt(line: &str) -> String {
    line.trim_start_matches("Password: ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_found_behind_the_prompt() {
        let (code, shown) =
            split(vec!["Password: Do your gesture".into(), "pamtester: Authentication failure".into()]);
        assert_eq!((code.as_str(), shown), ("AUTH_ERR", vec!["Do your gesture".to_owned()]));
        let (code, _) = split(vec!["Password: pamtester: successfully authenticated".into()]);
        assert_eq!(code, "SUCCESS");
    }

    #[test]
    fn unknown_words_are_kept() {
        assert_eq!(split(vec!["pamtester: Bad item".into()]).0, "Bad item");
        assert_eq!(split(vec![]).0, "no verdict");
    }
}
