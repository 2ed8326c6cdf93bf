//! `posectl emergency-off`: takes pam_pose.so out of every stack. Needs files below `/etc` and `/usr/lib/pam.d` and
//! nothing else: no bus, no helper, no store, no network, so that it runs in a rescue shell.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::pam::root_only;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::pam::edit;
use crate::pam::syntax::{What, parse};
use crate::pam::tree::Tree;
use crate::pam::vault::{Changer, State, Vault};

/// Runs the command.
pub(crate) fn run(undo: bool, root: &Path, output: Output) -> Result<Exit, Failure> {
    let tree = Tree::at(root);
    root_only(&tree)?;
    // A mistyped folder must not pass for a system that asks for no pose.
    if !["/etc/pam.d", "/usr/lib/pam.d", "/etc/pam.conf"].iter().any(|place| tree.path(place).exists()) {
        return Err(Failure::new(
            Exit::Input,
            format_args!("there is no system below {}: it has no etc/pam.d", root.display()),
            "mount the system, then name the folder in which its etc lies: posectl emergency-off --root DIR",
        ));
    }
    if undo { switch_on(&tree, output) } else { switch_off(&tree, output) }
}

/// One file that cannot be changed does not keep the others from it.
fn switch_off(tree: &Tree, output: Output) -> Result<Exit, Failure> {
    let mut changed = Vec::new();
    let mut failed = Vec::new();
    for file in files(tree) {
        match switch_off_one(tree, &file) {
            Ok(true) => changed.push(file),
            Ok(false) => {}
            Err(failure) => failed.push(failure),
        }
    }
    output.object(&json!({ "switched_off": changed, "failed": failed.iter().map(ToString::to_string).collect::<Vec<_>>() }))?;
    for file in &changed {
        output.say(&format!("  off      {}", file.display()))?;
    }
    failed.iter().for_each(|failure| eprintln!("  FAILED   {failure}"));
    if !failed.is_empty() {
        return Ok(Exit::Input);
    }
    output.say(if changed.is_empty() {
        "No file asks for a pose; nothing was changed."
    } else {
        "No login asks for a pose any more; the password alone decides, as before. To undo: posectl emergency-off --undo"
    })?;
    Ok(Exit::Done)
}

fn switch_off_one(tree: &Tree, file: &Path) -> Result<bool, Failure> {
    let bytes = fs::read(file).map_err(|error| {
        Failure::new(
            Exit::Input,
            format_args!("{}: {error}", file.display()),
            "take the pam_pose.so line out of it with an editor",
        )
    })?;
    let Some(text) = edit::without_pose(&from_bytes(&bytes)) else { return Ok(false) };
    Vault::of(tree, Changer::Emergency, file).replace(&to_bytes(&text))?;
    Ok(true)
}

fn switch_on(tree: &Tree, output: Output) -> Result<Exit, Failure> {
    let all = Vault::all(tree, Changer::Emergency);
    if all.is_empty() {
        return Err(Failure::new(
            Exit::No,
            "posectl emergency-off has changed nothing that could be undone",
            "see who asks for a pose with posectl doctor",
        ));
    }
    let (mut restored, mut kept) = (Vec::new(), Vec::new());
    for vault in all {
        if vault.state() == State::Edited {
            kept.push(vault);
        } else {
            vault.put_back()?;
            restored.push(vault.live().to_owned());
        }
    }
    let left: Vec<&Path> = kept.iter().map(Vault::live).collect();
    output.object(&json!({ "restored": restored, "edited_since": left }))?;
    for file in &restored {
        output.say(&format!("  on       {}", file.display()))?;
    }
    for vault in &kept {
        eprintln!(
            "  kept     {} was edited since; compare it with {} and mend it by hand",
            vault.live().display(),
            vault.before().display()
        );
    }
    Ok(if kept.is_empty() { Exit::Done } else { Exit::No })
}

/// Every file that libpam may read, the ones that are included by their full path too; links followed to the file, inside
/// the system that is switched.
fn files(tree: &Tree) -> Vec<PathBuf> {
    let mut open = tree.files();
    let mut seen = BTreeSet::new();
    while let Some(file) = open.pop() {
        let Ok(file) = tree.follow(&file) else { continue };
        if !seen.insert(file.clone()) {
            continue;
        }
        let text = fs::read(&file).map(|bytes| from_bytes(&bytes)).unwrap_or_default();
        for entry in parse(&text) {
            if let What::IncludeAll(name) | What::Include(_, name) | What::Substack(_, name) = entry.what
                && name.starts_with('/')
            {
                open.push(tree.path(&name));
            }
        }
    }
    seen.into_iter().collect()
}

/// Each byte as one letter, so that a file in any encoding comes out as it went in.
fn from_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn to_bytes(text: &str) -> Vec<u8> {
    // Every letter came from a byte, or is ASCII that the switch wrote.
    text.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect()
}
