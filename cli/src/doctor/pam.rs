//! The PAM stacks: which services ask for a pose, whether a line opens a door or locks everybody out.

use std::fs;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::pam::judge::{self, Grade, judge};
use crate::pam::stack::{self, Handler};
use crate::pam::syntax::{Kind, Line};
use crate::pam::tree::Tree;
use crate::pam::{MODULE, options, ways};

/// Looks at every service of the system below `root`.
pub(super) fn check(root: &Path) -> Vec<Finding> {
    let tree = Tree::at(root);
    let mut findings = Vec::new();
    for service in tree.services() {
        findings.extend(auth(&tree, &service));
        findings.extend(others(&tree, &service));
    }
    if findings.is_empty() {
        return vec![Finding::ok("pam", format!("no service names {MODULE}: no login asks for a pose"))];
    }
    findings.extend(module_file());
    findings.push(ways_for_root(&tree));
    findings
}

/// What the service's auth stack does, if it asks for a pose.
fn auth(tree: &Tree, service: &str) -> Option<Finding> {
    let stack = stack::own(tree, service, Kind::Auth).ok()?;
    let pose = stack.iter().find(|handler| handler.line().is_some_and(Line::is_pose))?;
    let shown = format!("{service} asks for a pose ({} {})", pose.place(), pose.text);
    let judged = judge(tree, service, &[]);
    let seen = |grade| judged.iter().find(|finding| finding.grade == grade);
    Some(match judge::worst(&judged) {
        Grade::Bad => {
            let bad = seen(Grade::Bad)?;
            Finding::problem("pam", format!("{shown}: {}: {}", bad.case, bad.seen), bad.fix.as_str())
        }
        Grade::Note => {
            let note = seen(Grade::Note)?;
            let fix = if pose.line().is_some_and(|line| line.has("nouserok")) {
                "take nouserok away once everybody is enrolled"
            } else {
                "make sure that you mean it"
            };
            Finding::warning("pam", format!("{shown}: {}: {}", note.case, note.seen), fix)
        }
        Grade::Good => Finding::ok("pam", shown),
    })
}

/// Lines of other kinds: they only need words that the module understands.
fn others(tree: &Tree, service: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in [Kind::Account, Kind::Password, Kind::Session] {
        let stack = stack::own(tree, service, kind).unwrap_or_default();
        for handler in stack.iter().filter(|handler| handler.file == service) {
            findings.extend(handler.line().filter(|line| line.is_pose()).map(|line| judged(handler, line)));
        }
    }
    findings
}

fn judged(handler: &Handler, line: &Line) -> Finding {
    let shown = format!("{} {}", handler.place(), handler.text);
    match line.args.iter().find(|arg| !options::is_known(arg)) {
        Some(unknown) => Finding::problem(
            "pam",
            format!("{shown}: the option {unknown} does not exist, so every call through this line fails"),
            format!("use only {}", options::all()),
        ),
        None => Finding::ok("pam", shown),
    }
}

fn ways_for_root(tree: &Tree) -> Finding {
    match ways::for_root(tree).first() {
        Some(way) => Finding::ok("pam", format!("left for root when no pose can be had: {way}")),
        None if fs::read(tree.path("/etc/shadow")).is_err() => Finding::warning(
            "pam",
            "whether root gets in when no pose can be had is for root to see",
            "run `posectl doctor` as root",
        ),
        None => Finding::warning(
            "pam",
            "every way in asks root for a pose, too",
            "give root a password and leave login or su without a pose, or test the rescue console (kernel option \
             systemd.unit=rescue.target) now",
        ),
    }
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

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn doctor(files: &[(&str, &str)]) -> Vec<Finding> {
        let folder = tempfile::tempdir().expect("folder");
        let services = folder.path().join("etc/pam.d");
        fs::create_dir_all(&services).expect("mkdir");
        fs::write(folder.path().join("etc/shadow"), "root:$6$x:19700:0:99999:7:::\n").expect("write");
        for (name, text) in files {
            fs::write(services.join(name), text).expect("write");
        }
        check(folder.path())
    }

    const COMMON: (&str, &str) = (
        "common-auth",
        "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
    );

    #[test]
    fn each_kind_of_line_gets_its_judgement() {
        let cases = [
            ("auth required pam_pose.so pose_only", Level::Ok, "pose_only"),
            ("auth [success=ok default=die] /lib/security/pam_pose.so pose_only # a remark", Level::Ok, ""),
            ("auth required pam_pose.so pose-only", Level::Problem, "does not exist"),
            ("auth required pam_pose.so timeout=600", Level::Problem, "does not exist"),
            ("auth optional pam_pose.so pose_only", Level::Problem, "let in although"),
            ("auth required pam_pose.so pose_only nouserok", Level::Warning, "nouserok"),
            ("-account required pam_pose.so", Level::Ok, "account"),
            ("password optional pam_pose.so cue=loud", Level::Problem, "does not exist"),
        ];
        for (line, level, words) in cases {
            let findings = doctor(&[COMMON, ("sudo", &format!("@include common-auth\n{line}\n"))]);
            assert_eq!(findings[0].level, level, "{line}: {findings:?}");
            assert!(findings[0].what.contains(words), "{line}: {findings:?}");
            assert_eq!(findings[0].fix.is_empty(), level == Level::Ok, "{line}");
        }
    }

    #[test]
    fn a_pose_before_the_password_is_a_problem() {
        let findings =
            doctor(&[COMMON, ("sudo", "auth sufficient pam_pose.so pose_only\n@include common-auth\n")]);
        assert_eq!(findings[0].level, Level::Problem, "{findings:?}");
    }

    #[test]
    fn stacks_without_the_module_and_comments_are_fine() {
        let findings = doctor(&[COMMON, ("login", "# auth required pam_pose.so\n@include common-auth\n")]);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].level, Level::Ok);
    }

    #[test]
    fn a_pose_in_every_login_leaves_root_no_other_way_in() {
        let common =
            ("common-auth", "auth required pam_unix.so\nauth required pam_pose.so pose_only nouserok\n");
        let locked = doctor(&[common, ("login", "@include common-auth\n")]);
        assert!(
            locked.iter().any(|f| f.level == Level::Warning && f.what.contains("every way in")),
            "{locked:?}"
        );
        let open =
            doctor(&[common, ("sudo", "@include common-auth\n"), ("login", "auth required pam_unix.so\n")]);
        assert!(open.iter().any(|f| f.level == Level::Ok && f.what.contains("login")), "{open:?}");
    }

    #[test]
    fn every_service_that_includes_the_line_is_named() {
        let common = ("common-auth", "auth required pam_unix.so\nauth required pam_pose.so pose_only\n");
        let findings =
            doctor(&[common, ("su", "auth include common-auth\n"), ("sudo", "@include common-auth\n")]);
        for service in ["common-auth", "su", "sudo"] {
            assert!(findings.iter().any(|f| f.what.starts_with(service)), "{findings:?}");
        }
    }
}
