//! `posectl pam`: shows, makes, checks and takes back the change of one service's stack.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::args::{Pam, PamAction, PamChange};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::pam::judge::{Finding, Grade, judge, worst};
use crate::pam::tree::Tree;
use crate::pam::vault::{Changer, PutBack, State, Vault};
use crate::pam::{MODULE, diff, dry_run, edit, options, ways};

/// Files that other services include: a change there is a change everywhere, and belongs to the tool that writes them.
const SHARED: [&str; 6] =
    ["common-auth", "common-account", "common-session", "common-password", "system-auth", "password-auth"];
/// Services that ask nobody at this machine, with what happens when they ask for a pose.
const UNATTENDED: [&str; 10] =
    ["sshd", "cron", "crond", "atd", "vsftpd", "samba", "dovecot", "smtp", "systemd-user", "other"];
/// Services that do the same through another name.
const TWINS: [(&str, &str); 4] = [("sudo", "sudo-i"), ("sudo-i", "sudo"), ("su", "su-l"), ("su-l", "su")];

/// Runs the command.
pub(crate) fn run(args: &Pam, output: Output) -> Result<Exit, Failure> {
    let tree = Tree::at(&args.root);
    match &args.action {
        PamAction::Plan(change) => plan(&tree, change, output),
        PamAction::Apply(change) => apply(&tree, change, output),
        PamAction::Verify(change) => verify(&tree, change, output),
        PamAction::Rollback { service, force } => rollback(&tree, service, *force, output),
    }
}

/// What would be changed, and what the result would do.
struct Planned {
    service: String,
    /// The file that is to be written.
    file: PathBuf,
    before: String,
    after: String,
    findings: Vec<Finding>,
    ways: Vec<String>,
}

impl Planned {
    fn of(tree: &Tree, change: &PamChange) -> Result<Self, Failure> {
        let service = &change.service;
        let before = readable(tree, service)?;
        refuse_shared(service)?;
        if let Some(line) = edit::asks_for_pose(tree, service).map_err(|why| {
            Failure::new(Exit::No, why, "mend the inclusion; libpam refuses every login through this service")
        })? {
            return Err(Failure::new(
                Exit::No,
                format_args!("{service} asks for a pose already: {line}"),
                format_args!("posectl pam verify {service}, or posectl pam rollback {service} to begin anew"),
            ));
        }
        let words = words(change)?;
        let texts = edit::with_pose(tree, &before, &words);
        let judged = texts.into_iter().map(|text| {
            let findings = judge(&tree.with_draft(service, &text), service, &change.accept);
            (text, findings)
        });
        let mut judged: Vec<(String, Vec<Finding>)> = judged.collect();
        let best = judged.iter().position(|(_, findings)| worst(findings) < Grade::Bad).unwrap_or(0);
        if judged.is_empty() {
            return Err(Failure::new(
                Exit::No,
                format_args!("{service} has no auth line, so there is no password for a pose to come after"),
                "name a service that asks for a password: sudo, su, login, or your locker's",
            ));
        }
        let (after, findings) = judged.swap_remove(best);
        let ways = ways::for_root(&tree.with_draft(service, &after));
        let file = tree.folder().join(service);
        Ok(Self { service: service.clone(), file, before, after, findings, ways })
    }

    fn draft(&self, tree: &Tree) -> Tree {
        tree.with_draft(&self.service, &self.after)
    }

    fn is_good(&self) -> bool {
        worst(&self.findings) < Grade::Bad && !self.ways.is_empty()
    }

    fn show(&self, tree: &Tree, output: Output) -> Result<Exit, Failure> {
        let diff = diff::unified(&self.file.display().to_string(), &self.before, &self.after);
        output.object(&json!({
            "service": self.service, "file": self.file, "diff": diff,
            "findings": self.findings, "ways_for_root": self.ways, "good": self.is_good(),
        }))?;
        output.say(diff.trim_end())?;
        say_findings(&self.findings, output)?;
        self.say_ways(tree, output)?;
        if let Some((_, twin)) = TWINS.iter().find(|(service, _)| *service == self.service)
            && tree.find(twin).is_some()
        {
            output.say(&format!("  note     {twin} is a service of its own and stays as it is"))?;
        }
        Ok(if self.is_good() { Exit::Done } else { Exit::No })
    }

    fn say_ways(&self, tree: &Tree, output: Output) -> Result<(), Failure> {
        for way in &self.ways {
            output.say(&format!("  ok       left for root when no pose can be had: {way}"))?;
        }
        if self.ways.is_empty() {
            let shadow = tree.path("/etc/shadow");
            let seen = if std::fs::read(&shadow).is_ok() {
                "no way would be left for root when no pose can be had"
            } else {
                "whether root has a password is for root to see: run this as root"
            };
            output.say(&format!(
                "  REFUSED  {seen}\n             fix: give root a password (passwd root) and leave login or su without a \
                 pose"
            ))?;
        }
        Ok(())
    }
}

fn plan(tree: &Tree, change: &PamChange, output: Output) -> Result<Exit, Failure> {
    let planned = Planned::of(tree, change)?;
    let exit = planned.show(tree, output)?;
    output.say(&if planned.is_good() {
        format!("Nothing was changed. As root, with the same options: posectl pam apply {}", planned.service)
    } else {
        "Nothing was changed, and posectl pam apply refuses this until what is marked REFUSED is mended."
            .to_owned()
    })?;
    Ok(exit)
}

fn apply(tree: &Tree, change: &PamChange, output: Output) -> Result<Exit, Failure> {
    root_only(tree)?;
    let planned = Planned::of(tree, change)?;
    let service = &planned.service;
    if std::fs::symlink_metadata(&planned.file).is_ok_and(|meta| meta.is_symlink()) {
        return Err(Failure::new(
            Exit::Input,
            format_args!("{} is a symbolic link: another tool writes it", planned.file.display()),
            "change it with that tool (authselect, for instance), or name the file it points to",
        ));
    }
    trust_all(tree)?;
    let quiet = Output { json: false, ..output };
    let shown = if output.json { Ok(Exit::Done) } else { planned.show(tree, quiet) };
    shown?;
    if !planned.is_good() {
        return refused(&planned, output, "the analysis refuses the new stack");
    }
    let (acted, findings) = dry_run(&planned.draft(tree), change, output)?;
    if !acted {
        return refused(&planned, output, "a dry run went wrong");
    }

    let vault = Vault::of(tree, Changer::Apply, &planned.file);
    vault.replace(planned.after.as_bytes())?;
    // What counts is what libpam reads from now on.
    let live = judge(tree, service, &change.accept);
    if worst(&live) == Grade::Bad || edit::asks_for_pose(tree, service).ok().flatten().is_none() {
        vault.put_back()?;
        return Err(Failure::new(
            Exit::Internal,
            format_args!("{} did not become what was planned; the old text is back", planned.file.display()),
            "see what else writes to /etc/pam.d, then run this again",
        ));
    }
    output.object(&json!({
        "service": service, "applied": true, "backup": vault.before(), "dry_run": findings,
    }))?;
    output.say(&format!(
        "{service} asks for a pose from now on. The old text is kept in {}.\n\
         Keep this shell open, and try {service} in another one now.\n\
         To take it back: posectl pam rollback {service}",
        vault.before().display()
    ))?;
    Ok(Exit::Done)
}

fn refused(planned: &Planned, output: Output, why: &str) -> Result<Exit, Failure> {
    output.object(&json!({
        "service": planned.service, "applied": false, "why": why,
        "findings": planned.findings, "ways_for_root": planned.ways,
    }))?;
    output.say(&format!("Nothing was changed: {why}."))?;
    Ok(Exit::No)
}

/// Whether every run went as it must, and what was seen.
fn dry_run(tree: &Tree, change: &PamChange, output: Output) -> Result<(bool, Vec<Finding>), Failure> {
    if change.no_dry_run {
        return Ok((true, Vec::new()));
    }
    if let Some(why) = dry_run::missing(tree) {
        output.remark(&format!("  note     no dry run: {why}"));
        return if change.by_hand.is_some() {
            Err(Failure::new(Exit::Input, format_args!("nobody can try: {why}"), "leave --try out"))
        } else {
            Ok((true, Vec::new()))
        };
    }
    let findings = dry_run::run(tree, &change.service)?;
    say_findings(&findings, output)?;
    if worst(&findings) == Grade::Bad {
        return Ok((false, findings));
    }
    let Some(user) = &change.by_hand else { return Ok((true, findings)) };
    output.remark(&format!("  try      {user} at this terminal, through the new stack:"));
    Ok((dry_run::try_by_hand(tree, &change.service, user)?, findings))
}

fn verify(tree: &Tree, change: &PamChange, output: Output) -> Result<Exit, Failure> {
    let service = &change.service;
    readable(tree, service)?;
    let mut findings = judge(tree, service, &change.accept);
    let asks = edit::asks_for_pose(tree, service).ok().flatten().is_some();
    say_findings(&findings, output)?;
    let ways = ways::for_root(tree);
    for way in &ways {
        output.say(&format!("  ok       left for root when no pose can be had: {way}"))?;
    }
    let mut good = worst(&findings) < Grade::Bad && asks;
    if asks && ways.is_empty() {
        output.say("  REFUSED  no way that could be seen is left for root when no pose can be had")?;
        good = false;
    }
    if let Err(failure) = trust_all(tree) {
        output.remark(&failure.to_string());
        good = false;
    }
    if asks {
        let (acted, seen) = dry_run(tree, change, output)?;
        good &= acted;
        findings.extend(seen);
    }
    output.object(&json!({
        "service": service, "asks_for_pose": asks, "good": good, "findings": findings, "ways_for_root": ways,
    }))?;
    output.say(&match (asks, good) {
        (false, _) => format!("{service} does not ask for a pose. What would: posectl pam plan {service}"),
        (true, true) => format!("{service} asks for a pose, lets nobody in whom it refused, and leaves root a way in."),
        (true, false) => format!(
            "Mend what is marked REFUSED or named above, or take the change back: posectl pam rollback {service}"
        ),
    })?;
    Ok(if good { Exit::Done } else { Exit::No })
}

fn rollback(tree: &Tree, service: &str, force: bool, output: Output) -> Result<Exit, Failure> {
    root_only(tree)?;
    let vault = Vault::of(tree, Changer::Apply, &tree.folder().join(service));
    let shown = vault.live().display();
    match vault.state() {
        State::Unchanged => {
            return Err(Failure::new(
                Exit::No,
                format_args!("posectl pam apply has not changed {shown}, or it was taken back already"),
                format_args!("take the line with {MODULE} out by hand, or run posectl emergency-off"),
            ));
        }
        State::Edited if !force => {
            return Err(Failure::new(
                Exit::No,
                format_args!("{shown} was edited since; going back would lose that"),
                format_args!(
                    "compare it with {}, take the line out by hand, or add --force to put the old text back",
                    vault.before().display()
                ),
            ));
        }
        State::AsWritten | State::AsBefore | State::Edited => {}
    }
    let how = vault.put_back()?;
    output.object(&json!({ "service": service, "rolled_back": true }))?;
    output.say(&match how {
        PutBack::Restored => format!("{shown} is as it was before."),
        PutBack::Removed => format!("{shown} is removed: there was none before."),
    })?;
    Ok(Exit::Done)
}

fn readable(tree: &Tree, service: &str) -> Result<String, Failure> {
    if service.is_empty() || service.contains('/') || service.starts_with('.') {
        return Err(Failure::new(
            Exit::Usage,
            format_args!("\"{}\" is no service name", service.escape_debug()),
            "name a file of /etc/pam.d, without folder",
        ));
    }
    tree.read(service).map_err(|error| {
        let services = tree.services();
        let known: Vec<&str> =
            services.iter().map(String::as_str).filter(|name| !name.starts_with("common-")).collect();
        Failure::new(
            Exit::Input,
            format_args!("the service {service}: {error}"),
            if known.is_empty() {
                format!("there is no service in {}; check --root", tree.folder().display())
            } else {
                format!("name one of: {}", known.join(", "))
            },
        )
    })
}

fn refuse_shared(service: &str) -> Result<(), Failure> {
    if SHARED.contains(&service) {
        return Err(Failure::new(
            Exit::No,
            format_args!("{service} is included by many services and written by another tool"),
            "name one service; for all of them, use pam-auth-update --enable pam_pose",
        ));
    }
    if UNATTENDED.contains(&service) {
        return Err(Failure::new(
            Exit::No,
            format_args!(
                "nobody sits before this machine's camera when {service} asks: every login would fail"
            ),
            "leave it without a pose",
        ));
    }
    Ok(())
}

/// The words of the new line.
fn words(change: &PamChange) -> Result<Vec<String>, Failure> {
    let mut words = vec!["pose_only".to_owned()];
    if !change.strict {
        words.push("nouserok".to_owned());
    }
    for option in &change.option {
        if !options::is_known(option) {
            return Err(Failure::new(
                Exit::Usage,
                format_args!("{MODULE} has no option \"{}\"", option.escape_debug()),
                format_args!("use {}", options::all()),
            ));
        }
        if !words.contains(option) {
            words.push(option.clone());
        }
    }
    Ok(words)
}

fn trust_all(tree: &Tree) -> Result<(), Failure> {
    tree.trust(&tree.folder())?;
    tree.files().iter().try_for_each(|file| tree.trust(file))
}

/// Changes below `/` are root's; another root is whoever's it is.
pub(super) fn root_only(tree: &Tree) -> Result<(), Failure> {
    if tree.owner() != 0 || nix::unistd::geteuid().is_root() || tree.path("/") != Path::new("/") {
        return Ok(());
    }
    Err(Failure::new(
        Exit::NotAuthorized,
        "only root changes /etc/pam.d",
        "run this with sudo, or in a root shell",
    ))
}

fn say_findings(findings: &[Finding], output: Output) -> Result<(), Failure> {
    for finding in findings {
        let mark = match finding.grade {
            Grade::Good => "  ok     ",
            Grade::Note => "  note   ",
            Grade::Bad => "  REFUSED",
        };
        let fix = if finding.fix.is_empty() {
            String::new()
        } else {
            format!("\n             fix: {}", finding.fix)
        };
        output.say(&format!("{mark}  {}: {}{fix}", finding.case, finding.seen))?;
    }
    Ok(())
}
