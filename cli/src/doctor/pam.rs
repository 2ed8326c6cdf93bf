//! The PAM stacks: which services ask for a pose, whether a line opens a door or locks everybody out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Finding;

const MODULE: &str = "pam_pose.so";
/// Modules that check a password (or another secret), so that a pose after them is a second factor.
const PASSWORD_MODULES: [&str; 8] = [
    "pam_unix.so",
    "pam_sss.so",
    "pam_ldap.so",
    "pam_krb5.so",
    "pam_winbind.so",
    "pam_systemd_home.so",
    "pam_himmelblau.so",
    "pam_authd.so",
];
/// What the module understands; anything else makes it fail closed.
const OPTIONS: [&str; 8] = [
    "try_first_pass",
    "use_first_pass",
    "pose_only",
    "nouserok",
    "cue=auto",
    "cue=info",
    "cue=prompt",
    "debug",
];
/// By these people come in when the others fail.
const WAYS_IN: [&str; 2] = ["login", "sshd"];

/// One line of a stack, with the file it stands in.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    file: String,
    kind: String,
    control: String,
    module: String,
    args: Vec<String>,
}

/// Looks at every file of `dir`.
pub(super) fn check(dir: &Path) -> Vec<Finding> {
    let services = services(dir);
    let mut findings = Vec::new();
    let mut seen = Vec::new();
    for service in &services {
        let stack = stack(dir, service, &mut BTreeSet::new());
        for (place, line) in stack.iter().enumerate().filter(|(_, line)| line.is_pose()) {
            // A line of an included file is judged where it stands after the most: once.
            let before: Vec<&Line> = stack.iter().take(place).filter(|l| l.kind == line.kind).collect();
            if line.file == *service && !seen.contains(line) {
                seen.push(line.clone());
                findings.push(judged(line, &before));
            }
        }
    }
    if findings.is_empty() {
        return vec![Finding::ok(
            "pam",
            format!("no file in {} names {MODULE}: no login asks for a pose", dir.display()),
        )];
    }
    findings.extend(module_file());
    findings.extend(ways_in(dir, &services));
    findings
}

fn services(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        // Copies that editors and package tools leave behind are no services.
        .filter(|name| !name.ends_with('~') && !name.contains(".dpkg-") && !name.ends_with(".bak"))
        .collect();
    names.sort();
    names
}

/// A service's lines with includes in their places.
fn stack(dir: &Path, service: &str, above: &mut BTreeSet<String>) -> Vec<Line> {
    if !above.insert(service.to_owned()) {
        return Vec::new();
    }
    let text = fs::read_to_string(dir.join(service)).unwrap_or_default();
    let mut lines = Vec::new();
    for (kind, line) in parse(service, &text) {
        match kind {
            Parsed::Include(of, file) => {
                let inner = stack(dir, &file, above);
                lines.extend(inner.into_iter().filter(|l| of.as_deref().is_none_or(|of| of == l.kind)));
            }
            Parsed::Module => lines.push(line),
        }
    }
    above.remove(service);
    lines
}

enum Parsed {
    /// `@include FILE`, or `TYPE include FILE` for one type only.
    Include(Option<String>, String),
    Module,
}

fn parse(file: &str, text: &str) -> Vec<(Parsed, Line)> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).filter_map(|line| parse_line(file, line)).collect()
}

fn parse_line(file: &str, text: &str) -> Option<(Parsed, Line)> {
    let mut line = Line {
        file: file.to_owned(),
        kind: String::new(),
        control: String::new(),
        module: String::new(),
        args: Vec::new(),
    };
    if let Some(rest) = text.strip_prefix("@include") {
        return Some((Parsed::Include(None, rest.trim().to_owned()), line));
    }
    let (kind, rest) = text.split_once(char::is_whitespace)?;
    line.kind = kind.trim_start_matches('-').to_ascii_lowercase();
    let rest = rest.trim_start();
    let (control, rest) = match rest.strip_prefix('[') {
        Some(inside) => inside.split_once(']')?,
        None => rest.split_once(char::is_whitespace)?,
    };
    line.control = control.trim().to_ascii_lowercase();
    let mut words = rest.split_whitespace().map(str::to_owned);
    line.module = words.next()?;
    line.args = words.collect();
    let parsed = match line.control.as_str() {
        "include" | "substack" => Parsed::Include(Some(line.kind.clone()), line.module.clone()),
        _ => Parsed::Module,
    };
    Some((parsed, line))
}

impl Line {
    fn is_pose(&self) -> bool {
        self.module_name() == MODULE
    }

    fn module_name(&self) -> &str {
        self.module.rsplit('/').next().unwrap_or_default()
    }

    fn has(&self, option: &str) -> bool {
        self.args.iter().any(|arg| arg == option)
    }

    /// Whether success of this line alone ends the stack well.
    fn suffices(&self) -> bool {
        self.control == "sufficient" || self.control.contains("success=done")
    }

    /// Whether its failure does not fail the stack.
    fn may_fail(&self) -> bool {
        self.control == "optional"
            || self.control == "sufficient"
            || (self.control.contains('=') && self.control.contains("default=ignore"))
    }

    fn shown(&self) -> String {
        format!("/etc/pam.d/{}: {} {} {} {}", self.file, self.kind, self.control, MODULE, self.args.join(" "))
            .trim_end()
            .to_owned()
    }
}

/// Judges one line that names the module, by what stands before it in its stack.
fn judged(line: &Line, before: &[&Line]) -> Finding {
    let shown = line.shown();
    if let Some(unknown) = line.args.iter().find(|arg| !is_known(arg)) {
        return Finding::problem(
            "pam",
            format!("{shown}: the option {unknown} does not exist, so every login through this line fails"),
            format!("use only {} and timeout=SECONDS (5 to 120)", OPTIONS.join(", ")),
        );
    }
    if line.kind != "auth" {
        return Finding::ok("pam", shown);
    }
    let password_before = before.iter().any(|l| PASSWORD_MODULES.contains(&l.module_name()));
    if line.has("pose_only") && !password_before {
        return Finding::problem(
            "pam",
            format!("{shown}: pose_only, but no earlier line checks a password: the pose alone would decide"),
            "put the line after pam_unix.so (or @include common-auth), or take pose_only away",
        );
    }
    if line.suffices() && !line.has("pose_only") {
        return Finding::problem(
            "pam",
            format!("{shown}: as \"sufficient\" with its own password it replaces every check after it"),
            "write `required` and `pose_only`, after pam_unix.so",
        );
    }
    if line.may_fail() {
        return Finding::warning(
            "pam",
            format!("{shown}: the login goes on when the pose fails, so it protects nothing"),
            "write `required` in place of the control",
        );
    }
    if line.has("nouserok") {
        return Finding::warning(
            "pam",
            format!("{shown}: with nouserok, users without an enrolment need no pose"),
            "take nouserok away once everybody is enrolled",
        );
    }
    Finding::ok("pam", shown)
}

/// As the module reads it: digits alone, 5 to 120.
fn in_range(seconds: &str) -> bool {
    seconds.bytes().all(|byte| byte.is_ascii_digit())
        && seconds.parse::<u32>().is_ok_and(|seconds| (5..=120).contains(&seconds))
}

fn is_known(arg: &str) -> bool {
    OPTIONS.contains(&arg) || arg.strip_prefix("timeout=").is_some_and(in_range)
}

/// The file that the lines name must be there, or every such service fails.
fn module_file() -> Option<Finding> {
    let folders = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
    let multiarch = |folder: &str| {
        let inner = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        inner.filter(|path| path.to_string_lossy().contains("-linux-gnu")).collect::<Vec<PathBuf>>()
    };
    let mut places = folders.iter().flat_map(|f| multiarch(f).into_iter().chain([PathBuf::from(f)]));
    let found = places.any(|place| place.join("security").join(MODULE).is_file());
    (!found).then(|| {
        Finding::problem(
            "pam",
            format!("{MODULE} is named in pam.d, but not installed: these services refuse everybody"),
            "run `make install` as root, reinstall the package, or take the lines out",
        )
    })
}

/// Whether root still gets in when the camera or the helper fails.
fn ways_in(dir: &Path, services: &[String]) -> Option<Finding> {
    let ways: Vec<&str> = WAYS_IN.into_iter().filter(|way| services.iter().any(|s| s == way)).collect();
    let free = ways.iter().find(|way| {
        let stack = stack(dir, way, &mut BTreeSet::new());
        !stack.iter().any(|l| l.kind == "auth" && l.is_pose() && !l.may_fail() && !l.has("nouserok"))
    });
    match free {
        Some(way) => Some(Finding::ok("pam", format!("root can come in by {way} without a pose"))),
        None if ways.is_empty() => None,
        None => Some(Finding::warning(
            "pam",
            format!("every way in ({}) asks root for a pose, too", ways.join(", ")),
            "leave one without it, or test the rescue console (kernel option systemd.unit=rescue.target) now",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn doctor(files: &[(&str, &str)]) -> Vec<Finding> {
        let folder = tempfile::tempdir().expect("folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("write");
        }
        check(folder.path())
    }

    const COMMON: (&str, &str) = ("common-auth", "auth [success=1 default=ignore] pam_unix.so nullok\n");

    #[test]
    fn each_kind_of_line_gets_its_judgement() {
        let cases = [
            ("auth required pam_pose.so pose_only", Level::Ok, "pose_only"),
            ("auth [success=ok default=die] /lib/security/pam_pose.so pose_only # a remark", Level::Ok, ""),
            ("auth required pam_pose.so pose-only", Level::Problem, "does not exist"),
            ("auth required pam_pose.so timeout=soon", Level::Problem, "does not exist"),
            ("auth required pam_pose.so timeout=600", Level::Problem, "does not exist"),
            ("auth required pam_pose.so cue=loud", Level::Problem, "does not exist"),
            ("auth sufficient pam_pose.so", Level::Problem, "replaces every check"),
            ("auth [success=done default=ignore] \\\n pam_pose.so", Level::Problem, "replaces every check"),
            ("auth optional pam_pose.so pose_only", Level::Warning, "protects nothing"),
            ("auth required pam_pose.so pose_only nouserok", Level::Warning, "nouserok"),
            ("-account required pam_pose.so", Level::Ok, "account"),
        ];
        for (line, level, words) in cases {
            let findings = doctor(&[COMMON, ("sudo", &format!("@include common-auth\n{line}\n"))]);
            assert_eq!(findings[0].level, level, "{line}: {findings:?}");
            assert!(findings[0].what.contains(words), "{line}: {findings:?}");
            assert_eq!(findings[0].fix.is_empty(), level == Level::Ok, "{line}");
        }
    }

    #[test]
    fn pose_only_without_a_password_before_it_is_a_problem() {
        let findings =
            doctor(&[COMMON, ("sudo", "auth required pam_pose.so pose_only\n@include common-auth\n")]);
        assert_eq!(findings[0].level, Level::Problem);
        assert!(findings[0].what.contains("pose alone"), "{findings:?}");
    }

    #[test]
    fn an_included_password_check_counts_for_its_own_type_only() {
        let account = ("other", "account required pam_unix.so\n");
        let findings =
            doctor(&[account, ("sudo", "auth include other\nauth required pam_pose.so pose_only\n")]);
        assert_eq!(findings[0].level, Level::Problem, "{findings:?}");
    }

    #[test]
    fn stacks_without_the_module_and_comments_are_fine() {
        let findings = doctor(&[COMMON, ("login", "# auth required pam_pose.so\n@include common-auth\n")]);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].level, Level::Ok);
    }

    #[test]
    fn a_pose_in_common_auth_leaves_root_no_other_way_in() {
        let common = ("common-auth", "auth required pam_unix.so\nauth required pam_pose.so pose_only\n");
        let locked = doctor(&[common, ("login", "@include common-auth\n")]);
        assert!(
            locked.iter().any(|f| f.level == Level::Warning && f.what.contains("every way in")),
            "{locked:?}"
        );
        let open =
            doctor(&[common, ("login", "@include common-auth\n"), ("sshd", "auth required pam_unix.so\n")]);
        assert!(open.iter().any(|f| f.level == Level::Ok && f.what.contains("sshd")), "{open:?}");
    }

    #[test]
    fn files_that_include_each_other_end() {
        let findings = doctor(&[("a", "@include b\nauth required pam_pose.so\n"), ("b", "@include a\n")]);
        assert_eq!(findings.iter().filter(|f| f.what.contains("/etc/pam.d/a")).count(), 1, "{findings:?}");
    }
}
