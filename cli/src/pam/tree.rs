//! The pam.d files of a system, and whether root alone can have written them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use crate::exit::{Exit, Failure};

/// Where libpam looks for a service, in this order.
const FOLDERS: [&str; 2] = ["etc/pam.d", "usr/lib/pam.d"];

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
            Some(path) => fs::read_to_string(path),
            None => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    /// The file that libpam reads for a name.
    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        if name.starts_with('/') {
            return Some(self.path(name)).filter(|path| path.is_file());
        }
        FOLDERS.iter().map(|folder| self.path(folder).join(name)).find(|path| path.is_file())
    }

    /// Every service, sorted; copies that editors and package tools leave behind are none.
    pub(crate) fn services(&self) -> Vec<String> {
        let mut names: Vec<String> =
            FOLDERS.iter().flat_map(|folder| file_names(&self.path(folder))).collect();
        names.extend(self.drafts.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    /// Every file that libpam might read, by its full path.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let below = |folder: &&str| {
            let folder = self.path(folder);
            file_names(&folder).into_iter().map(move |name| folder.join(name))
        };
        FOLDERS.iter().flat_map(below).collect()
    }

    /// Checks that nobody but the owner can have changed a file or folder.
    ///
    /// # Errors
    /// Who can, and how to mend it.
    pub(crate) fn trust(&self, path: &Path) -> Result<(), Failure> {
        let shown = path.display();
        let meta = fs::metadata(path).map_err(|error| {
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

fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| {
            !name.ends_with('~')
                && !name.contains(".dpkg-")
                && !name.ends_with(".bak")
                && !name.starts_with('.')
        })
        .collect()
}
