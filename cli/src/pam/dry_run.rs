//! The cases of [`super::judge`] through the real libpam: pamtester, in a mount namespace where `/etc/pam.d` holds
//! copies in which `pam_debug.so` answers in each module's place.
//!
//! Nothing of the machine is changed, no password is needed, no failure is counted, and no other program can use the
//! copies. The last run asks the real pam_pose.so, with the helper out of reach.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::codes::Code;
use super::dispatch;
use super::judge::{FAILURES, Finding, Grade};
use super::modules::is_first_factor;
use super::stack::{self, Handler};
use super::syntax::{Kind, Line, What, parse};
use super::tree::Tree;
use crate::exit::{Exit, Failure};

/// What pamtester prints for a result (`pam_strerror`).
const WORDS: [(&str, Code); 10] = [
    ("successfully authenticated", Code::SUCCESS),
    ("Authentication failure", Code::AUTH_ERR),
    ("Have exhausted maximum number of retries", Code::MAXTRIES),
    ("User not known", Code::USER_UNKNOWN),
    ("Authentication service cannot retrieve", Code::AUTHINFO_UNAVAIL),
    ("Conversation error", Code::CONV_ERR),
    ("System error", Code::SYSTEM_ERR),
    ("Memory buffer error", Code::BUF_ERR),
    ("Module is unknown", Code::MODULE_UNKNOWN),
    ("Permission denied", Code::PERM_DENIED),
];
/// Binds folders over others (pairs of arguments up to "--"), then becomes the rest.
const INSIDE: &str =
    r#"while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 125; shift 2; done; shift; exec "$@""#;
/// Seconds after which a run has hung.
const PATIENCE: &str = "60";

/// What the runs need that this machine does not have; `None` when all is there.
pub(crate) fn missing(tree: &Tree) -> Option<String> {
    if tree.path("/") != Path::new("/") {
        return Some("another root than / has no libpam of its own to run".into());
    }
    for (program, package) in
        [("pamtester", "pamtester"), ("unshare", "util-linux"), ("timeout", "coreutils")]
    {
        if !["/usr/bin", "/bin", "/usr/sbin"].iter().any(|folder| Path::new(folder).join(program).exists()) {
            return Some(format!("{program} is not installed (package {package})"));
        }
    }
    if !nix::unistd::geteuid().is_root() {
        return Some("only root can put copies in the place of /etc/pam.d for one process".into());
    }
    let tried = inside(&[], &["true"]).output();
    let works = tried.is_ok_and(|output| output.status.success());
    (!works).then(|| "this system gives root no mount namespace (a container?)".into())
}

/// Runs every case for a service.
///
/// # Errors
/// The copies cannot be written.
pub(crate) fn run(tree: &Tree, service: &str) -> Result<Vec<Finding>, Failure> {
    let stack = stack::of(tree, service, Kind::Auth).map_err(|why| {
        Failure::new(Exit::No, why, "mend the inclusion; libpam refuses every login through this service")
    })?;
    let pose = stack.iter().find_map(|handler| handler.line().filter(|line| line.is_pose()));
    let (pose_only, nouserok) =
        pose.map_or((false, false), |line| (line.has("pose_only"), line.has("nouserok")));
    let mut cases = vec![Acted::new("right password, right pose", Code::SUCCESS, Code::SUCCESS)];
    cases.extend(FAILURES.iter().map(|(code, _)| {
        Acted::new(format!("right password, pose says {}", code.name()), Code::SUCCESS, *code)
    }));
    if pose_only {
        cases.push(Acted::new("wrong password, right pose", Code::AUTH_ERR, Code::SUCCESS));
    }
    if nouserok {
        cases.push(Acted::new("wrong password, never enrolled", Code::AUTH_ERR, Code::IGNORE));
        cases.push(Acted::new("right password, never enrolled", Code::SUCCESS, Code::IGNORE));
    }
    let stage = Stage::new()?;
    let mut findings = Vec::new();
    for case in &cases {
        findings.push(stage.act(tree, &stack, service, case)?);
    }
    findings.push(stage.without_helper(tree, service)?);
    Ok(findings)
}

/// Lets a person try the stack as it stands in `tree`, with every module real, at this terminal.
///
/// # Errors
/// The copies cannot be written, or pamtester does not start.
pub(crate) fn try_by_hand(tree: &Tree, service: &str, user: &str) -> Result<bool, Failure> {
    let stage = Stage::new()?;
    stage.copy(tree, |_| None)?;
    let status = inside(&stage.over_pam(), &["pamtester", service, user, "authenticate"])
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .status();
    status.map(|status| status.success()).map_err(|error| unusable(&error))
}

/// A case with one answer for each module.
struct Acted {
    name: String,
    first: Code,
    pose: Code,
}

impl Acted {
    fn new(name: impl Into<String>, first: Code, pose: Code) -> Self {
        Self { name: name.into(), first, pose }
    }

    fn answer(&self, line: &Line) -> Code {
        match line.module_name() {
            _ if line.is_pose() => self.pose,
            "pam_permit.so" => Code::SUCCESS,
            "pam_deny.so" | "pam_rootok.so" => Code::AUTH_ERR,
            "pam_faillock.so" if line.has("authfail") => Code::AUTH_ERR,
            "pam_faillock.so" if line.has("authsucc") => Code::SUCCESS,
            _ if is_first_factor(line) => self.first,
            _ => Code::IGNORE,
        }
    }
}

/// A folder with the copies, thrown away afterwards.
struct Stage {
    folder: PathBuf,
}

impl Stage {
    fn new() -> Result<Self, Failure> {
        let folder = PathBuf::from(format!("/run/posectl-dry-run.{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let made = fs::create_dir(&folder).and_then(|()| fs::create_dir(folder.join("pam.d")));
        made.and_then(|()| fs::create_dir(folder.join("empty"))).map_err(|error| unusable(&error))?;
        Ok(Self { folder })
    }

    fn over_pam(&self) -> Vec<String> {
        vec![self.folder.join("pam.d").display().to_string(), "/etc/pam.d".into()]
    }

    /// Writes every service; `instead` names what answers in a module's place.
    fn copy(&self, tree: &Tree, instead: impl Fn(&Line) -> Option<Code>) -> Result<(), Failure> {
        for service in tree.services() {
            let Ok(text) = tree.read(&service) else { continue };
            let acted = with_actors(&text, &instead);
            fs::write(self.folder.join("pam.d").join(&service), acted).map_err(|error| unusable(&error))?;
        }
        Ok(())
    }

    fn act(&self, tree: &Tree, stack: &[Handler], service: &str, case: &Acted) -> Result<Finding, Failure> {
        self.copy(tree, |line| Some(case.answer(line)))?;
        let said = |handler: &Handler| handler.line().map(|line| case.answer(line)).into_iter().collect();
        let expected = dispatch::results(stack, &said).into_keys().next().unwrap_or(Code::PERM_DENIED);
        let seen = self.ask(&self.over_pam(), service)?;
        Ok(compare(&case.name, expected, seen))
    }

    /// The real module, its options and its file, where no helper answers.
    fn without_helper(&self, tree: &Tree, service: &str) -> Result<Finding, Failure> {
        let case = Acted::new("the real pam_pose.so, no helper", Code::SUCCESS, Code::AUTHINFO_UNAVAIL);
        self.copy(tree, |line| (!line.is_pose()).then(|| case.answer(line)))?;
        let mut over = self.over_pam();
        if Path::new("/run/dbus").is_dir() {
            over.extend([self.folder.join("empty").display().to_string(), "/run/dbus".into()]);
        }
        let seen = self.ask(&over, service)?;
        Ok(match seen {
            Seen::Code(Code::MODULE_UNKNOWN) => Finding {
                case: case.name,
                grade: Grade::Bad,
                seen: "libpam cannot load pam_pose.so: every login through this service would fail".into(),
                fix: "run `make install` as root, or reinstall the package".into(),
            },
            Seen::Code(Code::SYSTEM_ERR) => Finding {
                case: case.name,
                grade: Grade::Bad,
                seen: "pam_pose.so refuses its own line".into(),
                fix: "look for its reason in the authpriv log (journalctl -t pamtester)".into(),
            },
            seen => compare(&case.name, Code::AUTHINFO_UNAVAIL, seen),
        })
    }

    fn ask(&self, over: &[String], service: &str) -> Result<Seen, Failure> {
        let output = inside(over, &["timeout", PATIENCE, "pamtester", service, "root", "authenticate"])
            .output()
            .map_err(|error| unusable(&error))?;
        Ok(Seen::of(&output))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The text with `pam_debug.so` in each auth module's place; its control stays.
fn with_actors(text: &str, instead: &impl Fn(&Line) -> Option<Code>) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for entry in parse(text).into_iter().rev() {
        let What::Module(line) = &entry.what else { continue };
        let Some(code) = instead(line).filter(|_| line.kind == Kind::Auth) else { continue };
        let control = &line.control;
        let control = if control.contains('=') { format!("[{control}]") } else { control.clone() };
        lines.splice(entry.lines, [format!("auth {control} pam_debug.so auth={}", code.name())]);
    }
    lines.join("\n")
}

/// What a run ended with.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Code(Code),
    /// pamtester's words where they are none of ours.
    Words(String),
}

impl Seen {
    fn of(output: &Output) -> Self {
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().filter_map(|line| line.split_once("pamtester: ")).next_back();
        let words = line.map_or_else(|| format!("{}: {said}", output.status), |(_, words)| words.to_owned());
        match WORDS.iter().find(|row| words.starts_with(row.0)) {
            Some((_, code)) => Self::Code(*code),
            None => Self::Words(words),
        }
    }
}

fn compare(case: &str, expected: Code, seen: Seen) -> Finding {
    let (grade, seen) = match seen {
        Seen::Code(code) if code == expected => (Grade::Good, format!("libpam says {}", code.name())),
        Seen::Code(code) => (Grade::Bad, format!("libpam says {}, not {}", code.name(), expected.name())),
        Seen::Words(words) => (Grade::Bad, format!("no result: {words}")),
    };
    let fix =
        if grade == Grade::Good { "" } else { "keep the stack as it was, and report this with both files" };
    Finding { case: case.to_owned(), grade, seen, fix: fix.to_owned() }
}

/// A command in a mount namespace of its own, with the pairs bound first. It sees no environment but a path.
fn inside(over: &[String], command: &[&str]) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "--", "sh", "-c", INSIDE, "sh"]);
    unshare.args(over).arg("--").args(command);
    unshare.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
    unshare
}

fn unusable(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Input,
        format_args!("the dry run cannot be staged: {error}"),
        "run this as root with /run writable, or add --no-dry-run to go by the analysis alone",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_auth_module_is_played_and_nothing_else() {
        let text = "auth [success=1 \\\n default=ignore] pam_unix.so nullok\n@include x\naccount required pam_unix.so\n\
                    auth required pam_pose.so pose_only\n";
        let case = Acted::new("", Code::AUTH_ERR, Code::MAXTRIES);
        let acted = with_actors(text, &|line| Some(case.answer(line)));
        assert_eq!(
            acted,
            "auth [success=1   default=ignore] pam_debug.so auth=auth_err\n@include x\naccount required pam_unix.so\n\
             auth required pam_debug.so auth=maxtries\n"
        );
    }
}
