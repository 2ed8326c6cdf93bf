//! Changed texts: a service with the pose asked for, and any file with the pose taken out.

use super::stack;
use super::syntax::{Entry, Kind, Line, What, parse};
use super::tree::Tree;

/// Written above the line that [`with_pose`] adds.
const ADDED: &str = "# A live pose after the password. `posectl pam rollback` takes it out again.";
/// Written before a line that [`without_pose`] switched off.
const OFF: &str = "# posectl emergency-off: ";

/// Texts in which the service asks for a pose after everything that it asks now; the first that is judged well is to
/// be taken. Empty when the service has no auth line to come after.
pub(crate) fn with_pose(tree: &Tree, text: &str, options: &[String]) -> Vec<String> {
    let entries = parse(text);
    let Some(last) = entries.iter().filter(|entry| asks_auth(tree, entry)).map(|e| e.lines.end).max() else {
        return Vec::new();
    };
    let line = format!("auth\trequired\tpam_pose.so {}", options.join(" "));
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    lines.splice(last..last, [ADDED.to_owned(), line.trim_end().to_owned()]);
    if lines.last().is_some_and(|last| !last.is_empty()) {
        lines.push(String::new());
    }
    let plain = lines.join("\n");
    // A `sufficient` line in an included file would end the whole stack; in a substack it ends only that.
    let contained = contained(&plain);
    if contained == plain { vec![plain] } else { vec![plain, contained] }
}

fn asks_auth(tree: &Tree, entry: &Entry) -> bool {
    match &entry.what {
        What::Module(line) => line.kind == Kind::Auth,
        What::Include(kind, _) | What::Substack(kind, _) => *kind == Kind::Auth,
        What::IncludeAll(file) => stack::own(tree, file, Kind::Auth).is_ok_and(|lines| !lines.is_empty()),
        What::Mistake(_) => false,
    }
}

/// With `auth include FILE` turned into `auth substack FILE`.
fn contained(text: &str) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    for entry in parse(text).into_iter().rev() {
        if let What::Include(Kind::Auth, file) = entry.what {
            lines.splice(entry.lines, [format!("auth\tsubstack\t{file}")]);
        }
    }
    lines.join("\n")
}

/// The text with every line that names pam_pose.so switched off; `None` when none does.
///
/// The line's place stays, because jumps in other lines count it. Where the module only added a pose, the place does
/// nothing; where it checked a password of its own, the system's password is checked there.
pub(crate) fn without_pose(text: &str) -> Option<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut found = false;
    for entry in parse(text).into_iter().rev() {
        let instead = match &entry.what {
            What::Module(line) if line.is_pose() => stand_in(line),
            // A line that libpam cannot read fails every login; with the module's name in it, it is ours.
            What::Mistake(_) if entry.text.contains(super::MODULE) => {
                "# (libpam could not read this line)".into()
            }
            _ => continue,
        };
        found = true;
        let was = lines.get(entry.lines.clone()).unwrap_or_default();
        let mut new: Vec<String> = was.iter().map(|line| format!("{OFF}{line}")).collect();
        new.push(instead);
        lines.splice(entry.lines, new);
    }
    found.then(|| lines.join("\n"))
}

fn stand_in(line: &Line) -> String {
    let kind = line.kind.word();
    let own_password = line.kind == Kind::Auth && !line.has("pose_only");
    if !own_password {
        return format!("{kind}\t[default=ignore]\tpam_permit.so");
    }
    let plain = ["required", "requisite", "sufficient", "optional"];
    let control = if plain.contains(&line.control.to_ascii_lowercase().as_str()) {
        line.control.clone()
    } else {
        format!("[{}]", line.control)
    };
    let first_pass = line.args.iter().filter(|arg| arg.ends_with("_first_pass"));
    let words: Vec<&str> = ["pam_unix.so"].into_iter().chain(first_pass.map(String::as_str)).collect();
    format!("{kind}\t{control}\t{}", words.join(" "))
}

/// Whether the service asks for a pose: the first such line.
pub(crate) fn asks_for_pose(tree: &Tree, service: &str) -> Result<Option<String>, String> {
    let stack = stack::of(tree, service, Kind::Auth)?;
    let line = stack.iter().find(|handler| handler.line().is_some_and(Line::is_pose));
    Ok(line.map(|handler| format!("{} {}", handler.place(), handler.text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pam::judge::{Grade, judge, worst};
    use std::path::Path;

    const COMMON: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                          auth required pam_permit.so\n";

    fn tree() -> Tree {
        Tree::at(Path::new("/nonexistent"))
            .with_draft("common-auth", COMMON)
            .with_draft("common-account", "account required pam_unix.so\n")
            .with_draft("system-auth", "auth sufficient pam_unix.so\nauth required pam_deny.so\n")
    }

    fn options() -> Vec<String> {
        vec!["pose_only".into(), "nouserok".into()]
    }

    #[test]
    fn the_line_comes_after_everything_that_is_asked_and_nothing_else_changes() {
        let sudo =
            "#%PAM-1.0\n\nsession required pam_env.so\n@include common-auth\n@include common-account # x";
        let texts = with_pose(&tree(), sudo, &options());
        assert_eq!(texts.len(), 1);
        let lines: Vec<&str> = texts[0].lines().collect();
        assert_eq!(lines[3], "@include common-auth");
        assert_eq!(lines[4], ADDED);
        assert_eq!(lines[5], "auth\trequired\tpam_pose.so pose_only nouserok");
        assert_eq!(lines[6], "@include common-account # x");
        let kept: Vec<&str> = lines.into_iter().filter(|line| !line.contains("pose")).collect();
        assert_eq!(kept, sudo.lines().collect::<Vec<_>>());
    }

    #[test]
    fn an_inclusion_that_ends_the_stack_is_contained() {
        let texts = with_pose(&tree(), "auth include system-auth\n", &options());
        let grades: Vec<Grade> =
            texts.iter().map(|text| worst(&judge(&tree().with_draft("top", text), "top", &[]))).collect();
        assert_eq!(grades, [Grade::Bad, Grade::Note], "{texts:?}");
        assert!(texts[1].contains("auth\tsubstack\tsystem-auth"));
    }

    #[test]
    fn a_service_that_asks_nothing_gets_no_line() {
        assert!(with_pose(&tree(), "@include common-account\n", &options()).is_empty());
    }

    #[test]
    fn switching_off_keeps_places_and_asks_for_the_system_password() {
        let table = [
            (
                "auth [success=1 default=ignore] pam_succeed_if.so uid = 0\nauth required pam_pose.so pose_only\n",
                "auth\t[default=ignore]\tpam_permit.so",
            ),
            (
                "auth [success=done default=die] pam_pose.so try_first_pass\n",
                "auth\t[success=done default=die]\tpam_unix.so try_first_pass",
            ),
            ("auth sufficient pam_pose.so nouserok\n", "auth\tsufficient\tpam_unix.so"),
            ("password optional pam_pose.so\n", "password\t[default=ignore]\tpam_permit.so"),
            ("auth needed pam_pose.so\n", "# (libpam could not read this line)"),
        ];
        for (text, expected) in table {
            let off = without_pose(text).expect("names it");
            let places =
                |text: &str| parse(text).iter().filter(|e| !matches!(e.what, What::Mistake(_))).count();
            assert!(off.lines().any(|line| line == expected), "{off}");
            assert_eq!(places(&off), places(text), "{off}");
            assert!(without_pose(&off).is_none(), "{off}");
        }
        assert!(without_pose("# pam_pose.so\nauth required pam_unix.so\n").is_none());
    }

    #[test]
    fn continued_lines_are_switched_off_as_a_whole() {
        let off = without_pose("auth required \\\n  pam_pose.so \\\n  pose_only\nauth optional pam_cap.so\n")
            .expect("off");
        let modules: Vec<String> = parse(&off).into_iter().map(|entry| entry.text).collect();
        assert_eq!(modules, ["auth\t[default=ignore]\tpam_permit.so", "auth optional pam_cap.so"]);
    }
}
