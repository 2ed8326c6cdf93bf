//! Files that decide security are believed only when nobody else can have written them, judged by the open
//! descriptor, so that nothing can be swapped between check and read.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// Who may own the file and who may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// root alone; others may read but not write.
    Root,
    /// root or whoever runs this process; others may read but not write. For recorded input only.
    RootOrCaller,
    /// root or whoever runs this process; nobody else may read or write. For keys.
    Private,
    /// As [`Owner::Private`], but its group may read: systemd shows the access list of a credential as group bits.
    Credential,
}

/// Why a file is not believed.
#[derive(Debug)]
pub struct FileError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Io(std::io::Error),
    NotRegular,
    WrongOwner { found: u32, or_caller: bool },
    TooOpen(u32),
    TooOpenKey(u32),
    TooLarge(u64),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            Kind::Io(error) => write!(f, "{path} cannot be read: {error}; check it with `ls -l {path}`"),
            Kind::NotRegular => write!(f, "{path} is not a regular file; put the file itself there"),
            Kind::WrongOwner { found, or_caller: false } => {
                write!(f, "{path} belongs to uid {found} instead of root; run `chown root: {path}`")
            }
            Kind::WrongOwner { found, or_caller: true } => write!(
                f,
                "{path} belongs to uid {found}, neither root nor the helper's own user; run `chown` on it"
            ),
            Kind::TooOpen(mode) => {
                write!(f, "{path} is writable by others (mode {mode:04o}); run `chmod go-w {path}`")
            }
            Kind::TooOpenKey(mode) => {
                write!(
                    f,
                    "{path} is open to others (mode {mode:04o}); run `chmod 600 {path}` and rotate the key"
                )
            }
            Kind::TooLarge(limit) => {
                write!(f, "{path} is larger than {limit} bytes; put the right file there")
            }
        }
    }
}

impl std::error::Error for FileError {}

/// The file's bytes, `None` when there is no such file.
///
/// # Errors
/// [`FileError`] when it is unreadable, not regular, not owned as asked, open to others or larger than `limit`.
pub fn read(path: &Path, owner: Owner, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    let fail = |kind| FileError { path: path.to_owned(), kind };
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
    {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(Kind::Io(error))),
    };
    check(&file, owner).map_err(fail)?;
    let mut bytes = Vec::with_capacity(256);
    (&file).take(limit + 1).read_to_end(&mut bytes).map_err(|error| fail(Kind::Io(error)))?;
    if bytes.len() as u64 > limit {
        return Err(fail(Kind::TooLarge(limit)));
    }
    Ok(Some(bytes))
}

fn check(file: &File, owner: Owner) -> Result<(), Kind> {
    let metadata = file.metadata().map_err(Kind::Io)?;
    if !metadata.is_file() {
        return Err(Kind::NotRegular);
    }
    let found = metadata.uid();
    let or_caller = owner != Owner::Root;
    if found != 0 && !(or_caller && found == geteuid().as_raw()) {
        return Err(Kind::WrongOwner { found, or_caller });
    }
    let mode = metadata.mode() & 0o7777;
    match owner {
        Owner::Private if mode & 0o077 != 0 => Err(Kind::TooOpenKey(mode)),
        Owner::Credential if mode & 0o037 != 0 => Err(Kind::TooOpenKey(mode)),
        Owner::Root | Owner::RootOrCaller if mode & 0o022 != 0 => Err(Kind::TooOpen(mode)),
        _ => Ok(()),
    }
}
