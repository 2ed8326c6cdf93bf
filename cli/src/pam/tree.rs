//! The pam.d files of a system, and whether root alone can have written them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::unistd::geteuid;

use crate::exit::{Exit, Failure};

/// Where libpam looks for a service, in this order.
const FOLDERS: [&str; 2] = ["etc/pam.d", "usr/lib/pam.d"];
/// Symbolic links on one path before it is taken for a ring, as the kernel counts.
const MOST_LINKS: usize = 40;

/// A system's pam.d files; some may stand only in memory, to be judged before they are written.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    owner: u32,
    drafts: BTreeMap<String, String>,
}

impl Tree {
    /// The files below `root`; `/` for this system. Another root is owned by whoever works in it.
    pub(crate) fn at(root: &Path) -> Self {
        let owner = if root == Path::new("/") { 0 } else { geteuid().as_raw() };
        Self { root: root.to_owned(), owner, drafts: BTreeMap::new() }
    }

    /// The same with another text for one service.
    pub(crate) fn with_draft(&self, service: &str, text: &str) -> Self {
        let mut tree = self.clone();
        tree.drafts.insert(service.to_owned(), text.to_owned());
        tree
    }

    /// Texts that stand only in memory, by service.
    pub(crate) fn drafts(&self) -> &BTreeMap<String, String> {
        &self.drafts
    }

    /// A path of the system below this root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whose files these have to be.
    pub(crate) fn owner(&self) -> u32 {
        self.owner
    }

    /// The folder that administrators write to.
    pub(crate) fn folder(&self) -> PathBuf {
        self.path(FOLDERS[0])
    }

    /// The text of a service, or of an included file by name or absolute path.
    ///
    /// # Errors
    /// The file is not there, unreadable, or no text.
    pub(crate) fn read(&self, name: &str) -> io::Result<String> {
        if let Some(draft) = self.drafts.get(name) {
            return Ok(draft.clone());
        }
        match self.find(name) {
            Some(path) => fs::read_to_string(self.follow(&path)?),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    /// The file that libpam reads for a name.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        if name.starts_with('/') {
            return Some(self.path(name)).filter(|path| self.is_file(path));
        }
        FOLDERS.iter().map(|folder| self.path(folder).join(name)).find(|path| self.is_file(path))
    }

    /// Every service, sorted; copies that editors and package tools leave behind are none.
    pub(crate) fn services(&self) -> Vec<String> {
        let mut names: Vec<String> =
            FOLDERS.iter().flat_map(|folder| self.file_names(&self.path(folder))).collect();
        names.extend(self.drafts.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    /// Every file that libpam might read, by its full path.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let below = |folder: &&str| {
            let folder = self.path(folder);
            self.file_names(&folder).into_iter().map(move |name| folder.join(name))
        };
        FOLDERS.iter().flat_map(below).collect()
    }

    /// Where a file below this root lies in the end. Links lead as they do when this root is `/`: authselect's begin with
    /// a slash, and in a rescue system they would lead out of the mounted one.
    ///
    /// # Errors
    /// Nothing is there, or the links lead in a ring.
    pub(crate) fn follow(&self, path: &Path) -> io::Result<PathBuf> {
        let mut real = self.root.clone();
        let mut open = parts(path.strip_prefix(&self.root).unwrap_or(path));
        let mut links = 0;
        while let Some(part) = open.pop() {
            if part == ".." {
                if real != self.root {
                    real.pop();
                }
                continue;
            }
            let next = real.join(&part);
            if !fs::symlink_metadata(&next)?.is_symlink() {
                real = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::from_raw_os_error(libc::ELOOP));
            }
            let target = fs::read_link(&next)?;
            if target.is_absolute() {
                real.clone_from(&self.root);
            }
            open.extend(parts(&target));
        }
        Ok(real)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.follow(path).is_ok_and(|path| path.is_file())
    }

    fn file_names(&self, folder: &Path) -> Vec<String> {
        let Ok(folder) = self.follow(folder) else { return Vec::new() };
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| self.is_file(&entry.path()));
        files.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| !is_copy(name)).collect()
    }

    /// Checks that nobody but the owner can have changed a file or folder.
    ///
    /// # Errors
    /// Who can, and how to mend it.
    pub(crate) fn trust(&self, path: &Path) -> Result<(), Failure> {
        let shown = path.display();
        let meta = self.follow(path).and_then(fs::metadata).map_err(|error| {
            Failure::new(Exit::Input, format_args!("{shown}: {error}"), "check the path, or run this as root")
        })?;
        if meta.uid() == self.owner && meta.mode() & 0o022 == 0 {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Input,
            format_args!("{shown} can be changed by others than uid {}", self.owner),
            format_args!("look through it, then `chown root:root {shown} && chmod go-w {shown}`"),
        ))
    }
}

/// A path's parts, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let kept = |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().filter(kept).map(|part| part.as_os_str().to_owned()).rev().collect()
}

/// What editors and package tools leave behind.
fn is_copy(name: &str) -> bool {
    name.ends_with('~') || name.contains(".dpkg-") || name.ends_with(".bak") || name.starts_with('.')
}
