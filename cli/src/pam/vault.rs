//! Writing a pam.d file so that every moment shows the old text or the new one, and putting it back.
//!
//! For each file that was changed, the vault keeps what stood before and what was written. Everything lies below
//! `/etc`, so that a rescue shell with nothing but `/` finds it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use super::tree::Tree;
use crate::exit::{Exit, Failure};

/// Who changed a file; each has a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changer {
    /// `posectl pam apply`.
    Apply,
    /// `posectl emergency-off`.
    Emergency,
}

impl Changer {
    fn folder(self) -> &'static str {
        match self {
            Self::Apply => "/etc/pam_pose/pam-backup",
            Self::Emergency => "/etc/pam_pose/emergency-off",
        }
    }
}

/// One file's place in the vault.
#[derive(Debug)]
pub(crate) struct Vault {
    live: PathBuf,
    before: PathBuf,
    written: PathBuf,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Unchanged,
    /// It stands as it was written.
    AsWritten,
    /// The old text is there: the change was cut short, or undone by hand.
    AsBefore,
    /// Somebody wrote something else since.
    Edited,
}

/// How a file was put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PutBack {
    /// As it was before.
    Restored,
    /// Removed: there was none before.
    Removed,
}

impl Vault {
    /// The place of a live file.
    pub(crate) fn of(tree: &Tree, changer: Changer, live: &Path) -> Self {
        let root = tree.path("/");
        let inside = live.strip_prefix(&root).unwrap_or(live);
        let name = inside.to_string_lossy().trim_start_matches('/').replace('/', "%");
        let folder = tree.path(changer.folder());
        Self {
            live: live.to_owned(),
            before: folder.join(format!("{name}.before")),
            written: folder.join(format!("{name}.written")),
        }
    }

    /// Every file that the changer has changed and not put back.
    pub(crate) fn all(tree: &Tree, changer: Changer) -> Vec<Self> {
        let folder = tree.path(changer.folder());
        let names = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let mut lives: Vec<PathBuf> = names
            .filter_map(|name| Some(tree.path(&name.strip_suffix(".written")?.replace('%', "/"))))
            .collect();
        lives.sort();
        lives.into_iter().map(|live| Self::of(tree, changer, &live)).collect()
    }

    /// The live file.
    pub(crate) fn live(&self) -> &Path {
        &self.live
    }

    /// Where the text from before lies.
    pub(crate) fn before(&self) -> &Path {
        &self.before
    }

    /// Keeps what stands now, then writes the new text.
    ///
    /// # Errors
    /// Nothing was changed then.
    pub(crate) fn replace(&self, text: &[u8]) -> Result<(), Failure> {
        let kept = || -> io::Result<()> {
            if let Some(folder) = self.before.parent() {
                fs::create_dir_all(folder)?;
            }
            match fs::read(&self.live) {
                Ok(old) => write_like(&self.before, &old, &self.live)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => remove_if_there(&self.before)?,
                Err(error) => return Err(error),
            }
            write_like(&self.written, text, &self.live)
        };
        kept().map_err(|error| self.unwritable(&self.before, &error))?;
        write_like(&self.live, text, &self.live).map_err(|error| self.unwritable(&self.live, &error))
    }

    /// What the live file looks like now.
    pub(crate) fn state(&self) -> State {
        let Ok(written) = fs::read(&self.written) else { return State::Unchanged };
        let live = fs::read(&self.live).ok();
        if live.as_ref() == Some(&written) {
            State::AsWritten
        } else if live == fs::read(&self.before).ok() {
            State::AsBefore
        } else {
            State::Edited
        }
    }

    /// Puts the text from before back and forgets the change.
    ///
    /// # Errors
    /// The file cannot be written; both texts stay in the vault.
    pub(crate) fn put_back(&self) -> Result<PutBack, Failure> {
        let put = || -> io::Result<PutBack> {
            let done = match fs::read(&self.before) {
                Ok(old) => {
                    write_like(&self.live, &old, &self.before)?;
                    PutBack::Restored
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    remove_if_there(&self.live)?;
                    PutBack::Removed
                }
                Err(error) => return Err(error),
            };
            remove_if_there(&self.written)?;
            remove_if_there(&self.before)?;
            Ok(done)
        };
        put().map_err(|error| self.unwritable(&self.live, &error))
    }

    fn unwritable(&self, path: &Path, error: &io::Error) -> Failure {
        let next = match error.raw_os_error() {
            Some(libc::EROFS) => "make it writable: mount -o remount,rw / ; then run this again".to_owned(),
            Some(libc::ENOSPC) => "free some space on /, then run this again".to_owned(),
            _ => format!("run this as root; {} is unchanged", self.live.display()),
        };
        Failure::new(Exit::Input, format_args!("{}: {error}", path.display()), next)
    }
}

/// Writes a file whole or not at all, with owner and mode of `pattern` (root's, 0644, if that is not there).
fn write_like(path: &Path, text: &[u8], pattern: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.posectl-{}", std::process::id()));
    remove_if_there(&draft)?;
    let result = write_draft(&draft, text, pattern).and_then(|()| fs::rename(&draft, path));
    if result.is_err() {
        let _ = fs::remove_file(&draft);
    }
    result?;
    // The name is what must survive a power loss.
    File::open(folder)?.sync_all()
}

fn write_draft(draft: &Path, text: &[u8], pattern: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text)?;
    let (uid, gid, mode) = match fs::metadata(pattern) {
        Ok(meta) => (meta.uid(), meta.gid(), meta.mode() & 0o7777),
        Err(_) => (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw(), 0o644),
    };
    fchown(&file, Some(uid), Some(gid))?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> (tempfile::TempDir, Tree, PathBuf) {
        let folder = tempfile::tempdir().expect("folder");
        let tree = Tree::at(folder.path());
        let live = tree.folder().join("sudo");
        fs::create_dir_all(tree.folder()).expect("mkdir");
        (folder, tree, live)
    }

    #[test]
    fn what_was_there_comes_back_byte_for_byte_with_its_mode() {
        let (_folder, tree, live) = scene();
        fs::write(&live, b"old \xff\n").expect("write");
        fs::set_permissions(&live, fs::Permissions::from_mode(0o640)).expect("chmod");
        let vault = Vault::of(&tree, Changer::Apply, &live);
        assert_eq!(vault.state(), State::Unchanged);
        vault.replace(b"new\n").expect("writes");
        assert_eq!(vault.state(), State::AsWritten);
        assert_eq!(fs::metadata(&live).expect("there").mode() & 0o777, 0o640);
        assert_eq!(Vault::all(&tree, Changer::Apply).len(), 1);
        assert!(Vault::all(&tree, Changer::Emergency).is_empty());
        assert_eq!(vault.put_back().expect("restores"), PutBack::Restored);
        assert_eq!(fs::read(&live).expect("there"), b"old \xff\n");
        assert_eq!(fs::metadata(&live).expect("there").mode() & 0o777, 0o640);
        assert!(Vault::all(&tree, Changer::Apply).is_empty());
    }

    #[test]
    fn a_file_that_was_not_there_is_removed_again() {
        let (_folder, tree, live) = scene();
        let vault = Vault::of(&tree, Changer::Apply, &live);
        vault.replace(b"new\n").expect("writes");
        assert_eq!(vault.put_back().expect("removes"), PutBack::Removed);
        assert!(!live.exists());
    }

    #[test]
    fn a_later_change_by_somebody_else_is_seen() {
        let (_folder, tree, live) = scene();
        fs::write(&live, "old\n").expect("write");
        let vault = Vault::of(&tree, Changer::Apply, &live);
        vault.replace(b"new\n").expect("writes");
        fs::write(&live, "edited\n").expect("write");
        assert_eq!(vault.state(), State::Edited);
        fs::write(&live, "old\n").expect("write");
        assert_eq!(vault.state(), State::AsBefore);
    }

    #[test]
    fn a_folder_that_cannot_be_written_leaves_the_file_as_it_was() {
        let (folder, tree, live) = scene();
        fs::write(&live, "old\n").expect("write");
        // A file where the vault's folder should be: no write can succeed, whoever runs this.
        fs::create_dir_all(folder.path().join("etc/pam_pose")).expect("mkdir");
        fs::write(folder.path().join("etc/pam_pose/pam-backup"), "").expect("write");
        let failure = Vault::of(&tree, Changer::Apply, &live).replace(b"new\n").expect_err("refused");
        assert!(failure.to_string().contains("next:"), "{failure}");
        assert_eq!(fs::read_to_string(&live).expect("there"), "old\n");
        assert_eq!(fs::read_dir(tree.folder()).expect("folder").count(), 1);
    }
}
