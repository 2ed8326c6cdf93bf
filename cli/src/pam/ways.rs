//! How root still gets in when no pose can be had: helper broken, camera gone, module file lost.

use super::codes::Code;
use super::dispatch;
use super::modules::{self, Case, First};
use super::stack;
use super::syntax::Kind;
use super::tree::Tree;

/// Answers of the module that nothing on the machine may be able to mend.
const OUTAGES: [Code; 3] = [Code::AUTHINFO_UNAVAIL, Code::SYSTEM_ERR, Code::MODULE_UNKNOWN];
/// By these, people log in at the machine or from elsewhere.
const LOGINS: [&str; 7] = ["login", "gdm-password", "lightdm", "sddm", "greetd", "lxdm", "sshd"];
/// By these, a logged-in person becomes root with root's password.
const SWITCHES: [&str; 2] = ["su", "su-l"];
/// By these, a logged-in person becomes root with a password of their own; with the program behind each.
const RIGHTS: [(&str, &str); 2] = [("sudo", "/usr/bin/sudo"), ("polkit-1", "/usr/bin/pkexec")];

/// Every way that is left, for people; empty means that a broken camera locks root out.
pub(crate) fn for_root(tree: &Tree) -> Vec<String> {
    let mut ways = Vec::new();
    let password = root_has_password(tree);
    let login = LOGINS.iter().find(|service| is_free(tree, service));
    if password && is_free(tree, "login") {
        ways.push("root's password at the console (login)".to_owned());
    }
    let Some(login) = login else { return ways };
    if password {
        let free = SWITCHES.iter().filter(|service| is_free(tree, service));
        ways.extend(free.map(|service| format!("{service} with root's password, after a login by {login}")));
    }
    let free =
        RIGHTS.iter().filter(|(service, program)| tree.path(program).exists() && is_free(tree, service));
    ways.extend(
        free.map(|(service, _)| format!("{service} with an administrator's password, after {login}")),
    );
    ways
}

/// Whether a right password gets in whatever the pose module's outage.
fn is_free(tree: &Tree, service: &str) -> bool {
    if tree.find(service).is_none() && !tree.drafts().contains_key(service) {
        return false;
    }
    let Ok(stack) = stack::of(tree, service, Kind::Auth) else { return false };
    OUTAGES.into_iter().all(|pose| {
        let case = Case { first: First::Right, pose, without_exemptions: false, accepted: &[] };
        dispatch::results(&stack, &|handler| modules::answers(handler, &case)).contains_key(&Code::SUCCESS)
    })
}

/// Whether root's password field can match one. Only root reads the file; others are told to look for themselves.
fn root_has_password(tree: &Tree) -> bool {
    let shadow = std::fs::read_to_string(tree.path("/etc/shadow")).unwrap_or_default();
    let field = shadow.lines().find_map(|line| line.strip_prefix("root:")?.split(':').next());
    field.is_some_and(|hash| !hash.is_empty() && !hash.starts_with(['!', '*']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const OPEN: &str = "auth required pam_unix.so\n";
    const POSE: &str = "auth required pam_unix.so\nauth required pam_pose.so pose_only nouserok\n";
    const BUT_ROOT: &str = "auth required pam_unix.so\n\
        auth [success=1 default=ignore] pam_succeed_if.so quiet uid = 0 service = login\n\
        auth required pam_pose.so pose_only nouserok\n";

    fn ways(root: &str, services: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("folder");
        fs::create_dir_all(folder.path().join("etc/pam.d")).expect("mkdir");
        fs::create_dir_all(folder.path().join("usr/bin")).expect("mkdir");
        fs::write(folder.path().join("etc/shadow"), format!("root:{root}:19700:0:99999:7:::\n"))
            .expect("write");
        for program in ["sudo", "pkexec"] {
            fs::write(folder.path().join("usr/bin").join(program), "").expect("write");
        }
        for (name, text) in services {
            fs::write(folder.path().join("etc/pam.d").join(name), text).expect("write");
        }
        for_root(&Tree::at(folder.path()))
    }

    #[test]
    fn a_way_counts_when_it_survives_a_dead_helper() {
        type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
        let table: [Row<'_>; 8] = [
            ("$6$x", &[("login", OPEN), ("sudo", POSE)], &["console"]),
            ("$6$x", &[("login", POSE), ("sudo", POSE)], &[]),
            ("$6$x", &[("login", BUT_ROOT), ("sudo", POSE)], &["console"]),
            ("$6$x", &[("login", POSE), ("sshd", OPEN), ("su", OPEN)], &["su with root's"]),
            ("$6$x", &[("su", OPEN)], &[]),
            ("!", &[("login", OPEN), ("sudo", POSE)], &[]),
            ("!", &[("login", OPEN), ("sudo", POSE), ("polkit-1", OPEN)], &["polkit-1"]),
            ("*", &[("login", OPEN), ("sudo", OPEN)], &["sudo"]),
        ];
        for (root, services, expected) in table {
            let seen = ways(root, services);
            assert_eq!(seen.len(), expected.len(), "{root} {services:?}: {seen:?}");
            assert!(seen.iter().zip(expected).all(|(way, word)| way.contains(word)), "{seen:?}");
        }
    }
}
