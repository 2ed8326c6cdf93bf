//! Files of the store: the state directory, the lock, the instance mark, creation and backups.
//!
//! # Instance mark and first start
//! The mark (`/etc/pam_pose/instance`, root-owned) is one line of 32 hexadecimal digits, random for each
//! installation; the store carries the same id. On a fresh installation `store-admin prepare` (run by the unit as
//! root) writes the mark and, only then, also `first-start` with the same line into the state directory. The helper
//! makes the store once for it and removes it. After that a missing store is a lost store and an error, never an
//! empty one: an empty store
//! would turn "must show the pose" into "not enrolled".

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::geteuid;
use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::schema::{self, Migration};
use super::{StoreError, integrity};
use crate::config::trusted::{self, Owner};

/// An installation's random id.
pub type InstanceId = [u8; 16];

/// Keeps other processes out for as long as it lives.
pub(super) type Lock = Flock<File>;

/// An SQLite file's header up to and with the application id (<https://www.sqlite.org/fileformat.html>), bytes.
const HEADER: usize = 72;

/// Where the store and its mark lie.
#[derive(Clone, Debug)]
pub struct StorePaths {
    /// State directory, 0700, owned by the helper's user (`/var/lib/pam_pose`).
    pub state: PathBuf,
    /// Instance mark, root-owned (`/etc/pam_pose/instance`).
    pub mark: PathBuf,
    /// Anchor of the generation, in a directory of its own that the helper can write
    /// (`/var/lib/pam_pose-anchor/generation`), so that the state directory cannot be put back without it.
    pub anchor: PathBuf,
    /// Who may own the mark: [`Owner::Root`], or [`Owner::RootOrCaller`] for recorded input.
    pub mark_owner: Owner,
}

impl StorePaths {
    /// The installed ones.
    #[must_use]
    pub fn installed() -> Self {
        Self {
            state: "/var/lib/pam_pose".into(),
            mark: "/etc/pam_pose/instance".into(),
            anchor: "/var/lib/pam_pose-anchor/generation".into(),
            mark_owner: Owner::Root,
        }
    }

    /// Everything in one directory of the caller's own, for recorded input and tests; makes directory and mark
    /// when they are missing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn private(state: &Path) -> Result<Self, StoreError> {
        let paths = Self {
            state: state.to_owned(),
            mark: state.join("instance"),
            anchor: state.join("generation"),
            mark_owner: Owner::RootOrCaller,
        };
        if !state.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(state).map_err(io)?;
        }
        if !paths.mark.exists() {
            let mut id = InstanceId::default();
            getrandom::fill(&mut id).map_err(|_| StoreError::Randomness)?;
            let line = format!("{}\n", print_id(&id));
            for path in [paths.mark.clone(), paths.first_start()] {
                write_new(&path, line.as_bytes())?;
            }
        }
        Ok(paths)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.state.join("store.db")
    }

    pub(super) fn unfinished(&self) -> PathBuf {
        self.state.join("new-store.db")
    }

    fn first_start(&self) -> PathBuf {
        self.state.join("first-start")
    }

    pub(super) fn accept_restored(&self) -> PathBuf {
        self.state.join("accept-restored")
    }

    fn backup(&self, version: i64) -> PathBuf {
        self.state.join(format!("store.db.before-v{version}"))
    }
}

/// Checks the state directory and takes the store for this process.
pub(super) fn lock(paths: &StorePaths) -> Result<Lock, StoreError> {
    let exposed = |what| StoreError::Exposed(paths.state.clone(), what);
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
        .open(&paths.state)
        .map_err(|_| exposed("is not a readable directory; make it with `systemd-tmpfiles --create`"))?;
    let metadata = directory.metadata().map_err(io)?;
    if metadata.uid() != geteuid().as_raw() {
        return Err(exposed("belongs to another user than the helper's; run `chown -R pam-pose:` on it"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(exposed("is open to others; run `chmod 700` on it"));
    }
    let path = paths.state.join("store.lock");
    let file = match private_options().create(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Err(StoreError::DiskFull),
        Err(_) => return Err(StoreError::ReadOnly),
    };
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| StoreError::InUse)
}

/// The instance id from its root-owned mark.
pub(super) fn read_mark(paths: &StorePaths) -> Result<InstanceId, StoreError> {
    let bytes = trusted::read(&paths.mark, paths.mark_owner, 64)?;
    bytes.as_deref().and_then(parse_id).ok_or_else(|| StoreError::NoMark(paths.mark.clone()))
}

/// Whether the store's file is there; an error when it is not private.
pub(super) fn present(paths: &StorePaths) -> Result<bool, StoreError> {
    let path = paths.database();
    let metadata = match std::fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(io(error)),
    };
    let exposed = |what| Err(StoreError::Exposed(path.clone(), what));
    if !metadata.is_file() || metadata.nlink() != 1 {
        return exposed("is not a plain file of its own; put the store itself there");
    }
    if metadata.uid() != geteuid().as_raw() {
        return exposed("belongs to another user than the helper's; run `chown pam-pose:` on it");
    }
    if metadata.mode() & 0o077 != 0 {
        return exposed("is open to others; run `chmod 600` on it and have everybody enrol anew");
    }
    Ok(true)
}

/// Refuses a file that is no store of ours as it lies there: SQLite writes to what it opens, also to another program's
/// database.
pub(super) fn check_header(paths: &StorePaths) -> Result<(), StoreError> {
    let mut header = [0; HEADER];
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW);
    match options.open(paths.database()).and_then(|mut file| file.read_exact(&mut header)) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(StoreError::Corrupt("it is empty or cut off".into()));
        }
        Err(error) => return Err(io(error)),
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(StoreError::Corrupt("not a database".into()));
    }
    let application = header.last_chunk().map(|bytes| i64::from(u32::from_be_bytes(*bytes)));
    if application == Some(schema::APPLICATION_ID) {
        Ok(())
    } else {
        Err(StoreError::Corrupt("another program's database".into()))
    }
}

/// Whether a first start was ordered for this instance.
pub(super) fn first_start_ordered(paths: &StorePaths, instance: &InstanceId) -> Result<bool, StoreError> {
    ordered(&paths.first_start(), instance)
}

/// Whether root left an order for this instance: a file with its id.
pub(super) fn ordered(path: &Path, instance: &InstanceId) -> Result<bool, StoreError> {
    let order = trusted::read(path, Owner::RootOrCaller, 64)?;
    Ok(order.as_deref().and_then(parse_id).as_ref() == Some(instance))
}

/// The order for a first start is used up once a store is there.
pub(super) fn forget_first_start(paths: &StorePaths) -> Result<(), StoreError> {
    remove_if_there(&paths.first_start())
}

/// Removes what an interrupted creation left.
pub(super) fn sweep_unfinished(paths: &StorePaths) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = paths.unfinished().into_os_string();
        name.push(suffix);
        remove_if_there(Path::new(&name))?;
    }
    Ok(())
}

/// An empty file that only the helper can read.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    private_options().create_new(true).open(path).map(drop).map_err(io)
}

/// The finished database becomes the store, durably.
pub(super) fn put_in_place(paths: &StorePaths) -> Result<(), StoreError> {
    let from = paths.unfinished();
    File::open(&from).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&from, paths.database()).map_err(io)?;
    sync_directory(paths)
}

/// Checks the code of a database and migrates an older one after copying it aside; a newer one is refused untouched.
pub(super) fn migrate(
    paths: &StorePaths,
    connection: &mut Connection,
    migrations: &[Migration],
    ledger: &integrity::Ledger,
) -> Result<(), StoreError> {
    let found = schema::version(connection)?;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found < 1 {
        return Err(StoreError::Garbage("schema version"));
    }
    // Before the migration, which would put its own code on whatever it finds.
    integrity::check(connection, ledger)?;
    if found == known {
        return Ok(());
    }
    copy_aside(paths, connection, known)?;
    schema::migrate(connection, migrations, ledger)
}

/// Removes the copies made before migrations: they hold keys that an erasure has to destroy.
pub(super) fn remove_backups(paths: &StorePaths) -> Result<(), StoreError> {
    for entry in std::fs::read_dir(&paths.state).map_err(io)? {
        let entry = entry.map_err(io)?;
        if entry.file_name().to_string_lossy().starts_with("store.db.before-v") {
            remove_if_there(&entry.path())?;
        }
    }
    sync_directory(paths)
}

fn copy_aside(paths: &StorePaths, connection: &Connection, version: i64) -> Result<(), StoreError> {
    let path = paths.backup(version);
    remove_if_there(&path)?;
    create_private(&path)?;
    let mut copy = Connection::open(&path)?;
    Backup::new(connection, &mut copy)?.run_to_completion(256, Duration::ZERO, None)?;
    // The copy is a plain file without a log beside it.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))?;
    copy.close().map_err(|(_, error)| error)?;
    File::open(&path).and_then(|file| file.sync_all()).map_err(io)?;
    sync_directory(paths)
}

pub(super) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = private_options().create_new(true).open(path).map_err(io)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io)
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(error)),
        _ => Ok(()),
    }
}

fn sync_directory(paths: &StorePaths) -> Result<(), StoreError> {
    File::open(&paths.state).and_then(|directory| directory.sync_all()).map_err(io)
}

/// The id as its mark's 32 hexadecimal digits.
pub(super) fn print_id(id: &InstanceId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn parse_id(line: &[u8]) -> Option<InstanceId> {
    let text = std::str::from_utf8(line).ok()?.trim_ascii_end();
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

pub(super) fn io(error: std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::DiskFull,
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => StoreError::ReadOnly,
        _ => StoreError::Io(error.to_string()),
    }
}
