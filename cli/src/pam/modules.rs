//! What each module may answer in a case: the checks of a first factor, conditions on who asks, house-keeping.

use super::codes::Code;
use super::control::Action;
use super::stack::Handler;
use super::syntax::Line;

/// Modules that check something which the person knows, has or is.
const FIRST_FACTORS: [&str; 20] = [
    "pam_unix.so",
    "pam_sss.so",
    "pam_ldap.so",
    "pam_krb5.so",
    "pam_winbind.so",
    "pam_systemd_home.so",
    "pam_himmelblau.so",
    "pam_authd.so",
    "pam_kanidm.so",
    "pam_userdb.so",
    "pam_fprintd.so",
    "pam_u2f.so",
    "pam_pkcs11.so",
    "pam_p11.so",
    "pam_ssh_agent_auth.so",
    "pam_google_authenticator.so",
    "pam_oath.so",
    "pam_yubico.so",
    "pam_howdy.so",
    "pam_python.so",
];

/// Modules that look at who asks, where and when, and check nothing that the person shows.
const CONDITIONS: [&str; 9] = [
    "pam_succeed_if.so",
    "pam_listfile.so",
    "pam_access.so",
    "pam_localuser.so",
    "pam_usertype.so",
    "pam_wheel.so",
    "pam_time.so",
    "pam_shells.so",
    "pam_nologin.so",
];

/// Modules that prepare or record something.
const HOUSEKEEPING: [&str; 18] = [
    "pam_env.so",
    "pam_faildelay.so",
    "pam_gnome_keyring.so",
    "pam_kwallet.so",
    "pam_kwallet5.so",
    "pam_mount.so",
    "pam_cap.so",
    "pam_ecryptfs.so",
    "pam_group.so",
    "pam_issue.so",
    "pam_echo.so",
    "pam_keyinit.so",
    "pam_motd.so",
    "pam_mail.so",
    "pam_securetty.so",
    "pam_tally2.so",
    "pam_warn.so",
    "pam_ccreds.so",
];

/// How the first factor goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// Whoever is asked may say yes.
    Right,
    /// Nobody says yes.
    Wrong,
}

/// One case to look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    /// How the first factor goes.
    pub(crate) first: First,
    /// What pam_pose.so answers.
    pub(crate) pose: Code,
    /// Leave out the ways that conditions, and modules accepted by name, open around the rest.
    pub(crate) without_exemptions: bool,
    /// Modules that the administrator accepts as exemptions.
    pub(crate) accepted: &'a [String],
}

/// Whether it checks what the person shows.
pub(crate) fn is_first_factor(line: &Line) -> bool {
    FIRST_FACTORS.contains(&line.module_name())
}

/// Whether a way around the pose through it is the administrator's own exemption.
pub(crate) fn is_exemption(line: &Line, accepted: &[String]) -> bool {
    let name = line.module_name();
    CONDITIONS.contains(&name) || accepted.iter().any(|module| module == name)
}

/// Every answer that the place may give in that case; none takes it out.
pub(crate) fn answers(handler: &Handler, case: &Case<'_>) -> Vec<Code> {
    let Some(line) = handler.line() else { return Vec::new() };
    let codes = of_module(line, case);
    if !case.without_exemptions || !is_exemption(line, case.accepted) {
        return codes;
    }
    codes.into_iter().filter(|code| !shortens(line, *code)).collect()
}

fn of_module(line: &Line, case: &Case<'_>) -> Vec<Code> {
    if line.is_pose() {
        return vec![case.pose];
    }
    match line.module_name() {
        "pam_permit.so" => vec![Code::SUCCESS],
        // Neither asks for anything; the person who is looked at is not root yet.
        "pam_deny.so" | "pam_rootok.so" => vec![Code::AUTH_ERR],
        "pam_faillock.so" if line.has("authfail") => vec![Code::AUTH_ERR],
        "pam_faillock.so" if line.has("authsucc") => vec![Code::SUCCESS],
        "pam_faillock.so" => vec![Code::SUCCESS, Code::IGNORE, Code::AUTH_ERR],
        _ if is_first_factor(line) => of_first_factor(case.first),
        name if HOUSEKEEPING.contains(&name) => vec![Code::SUCCESS, Code::IGNORE, Code::AUTH_ERR],
        _ => vec![Code::SUCCESS, Code::IGNORE, Code::AUTH_ERR, Code::USER_UNKNOWN, Code::PERM_DENIED],
    }
}

fn of_first_factor(first: First) -> Vec<Code> {
    let no = [Code::AUTH_ERR, Code::USER_UNKNOWN, Code::AUTHINFO_UNAVAIL, Code::MAXTRIES];
    match first {
        First::Right => [&[Code::SUCCESS], &no[..]].concat(),
        First::Wrong => no.to_vec(),
    }
}

/// Whether the answer ends the stack well or leaves lines out.
fn shortens(line: &Line, code: Code) -> bool {
    matches!(line.actions.of(code), Action::Done | Action::Jump(_))
}
