//! The wrapping key: read from systemd's credentials directory or a private key file, never from the state
//! directory, so that a copied state directory opens nothing.
//!
//! Both hold 32 raw bytes. The credentials are named `pam_pose.key` and, during a key rotation,
//! `pam_pose.key.old`; the key file's old key lies beside it as `key.old`.

use std::fmt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::trusted::{self, FileError, Owner};

/// Name of the credential in the unit (`LoadCredentialEncrypted=pam_pose.key`).
pub const CREDENTIAL: &str = "pam_pose.key";
/// Key length, bytes.
pub const KEY_LEN: usize = 32;

/// Tells wrapping keys apart without telling anything about them.
pub type KeyId = [u8; 8];

/// Where keys may come from, tried in this order.
#[derive(Clone, Debug)]
pub struct KeySources {
    /// systemd's `$CREDENTIALS_DIRECTORY`, if the unit has credentials.
    pub credentials: Option<PathBuf>,
    /// The key file, 0600, owned by the helper's user or root, outside the state directory.
    pub file: PathBuf,
}

/// Why there is no key.
#[derive(Debug)]
pub enum KeyError {
    /// Neither credential nor key file is there.
    Missing(PathBuf),
    /// The file is not private enough or unreadable.
    File(FileError),
    /// Not 32 bytes.
    Length(PathBuf, usize),
    /// The key file lies inside the state directory.
    InsideState(PathBuf),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(
                f,
                "no key: neither the credential {CREDENTIAL} nor {} is there; put it back from your backup, \
                 or start anew as root with `/usr/libexec/pam_pose/store-admin anew` (everybody enrols again)",
                path.display()
            ),
            Self::File(error) => write!(f, "{error}"),
            Self::Length(path, length) => write!(
                f,
                "{} has {length} bytes instead of {KEY_LEN}; restore the key from your backup",
                path.display()
            ),
            Self::InsideState(path) => write!(
                f,
                "the key file {} lies inside the state directory, where one copy would take both; move it out",
                path.display()
            ),
        }
    }
}

impl std::error::Error for KeyError {}

/// One wrapping key.
pub struct WrappingKey {
    id: KeyId,
    key: Zeroizing<[u8; KEY_LEN]>,
}

impl WrappingKey {
    /// From its raw bytes.
    #[must_use]
    pub fn new(key: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let mut id = KeyId::default();
        for (to, from) in id.iter_mut().zip(derive(&key, b"pam_pose key id v1").iter()) {
            *to = *from;
        }
        Self { id, key }
    }

    /// Tells it from others.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// A key for one purpose, so that no two uses share one.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; KEY_LEN]> {
        derive(&self.key, purpose)
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappingKey({:02x?})", self.id)
    }
}

/// The current key and, during a rotation, the one before.
#[derive(Debug)]
pub struct KeyRing {
    /// Seals everything new.
    pub current: WrappingKey,
    /// Opens what has not been re-wrapped yet.
    pub old: Option<WrappingKey>,
}

impl KeyRing {
    /// A ring of one key.
    #[must_use]
    pub fn of(key: WrappingKey) -> Self {
        Self { current: key, old: None }
    }

    /// Reads the keys. `state` is the state directory, which must not hold them.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn load(sources: &KeySources, state: &Path) -> Result<Self, KeyError> {
        let credential = sources.credentials.as_ref().map(|directory| directory.join(CREDENTIAL));
        if let Some(path) = credential
            && let Some(current) = read(&path, Owner::Credential)?
        {
            return Ok(Self { current, old: read(&beside(&path), Owner::Credential)? });
        }
        let inside = |path: &Path| {
            let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
            parent.zip(state.canonicalize().ok()).is_some_and(|(parent, state)| parent.starts_with(state))
        };
        if inside(&sources.file) {
            return Err(KeyError::InsideState(sources.file.clone()));
        }
        let current =
            read(&sources.file, Owner::Private)?.ok_or_else(|| KeyError::Missing(sources.file.clone()))?;
        Ok(Self { current, old: read(&beside(&sources.file), Owner::Private)? })
    }

    pub(crate) fn find(&self, id: &[u8]) -> Option<&WrappingKey> {
        [Some(&self.current), self.old.as_ref()].into_iter().flatten().find(|key| key.id.as_slice() == id)
    }
}

/// HMAC-SHA-256 of a purpose under a key, as a key.
pub(crate) fn derive(key: &[u8; KEY_LEN], purpose: &[u8]) -> Zeroizing<[u8; KEY_LEN]> {
    Zeroizing::new(mac(key, &[purpose]))
}

/// HMAC-SHA-256 over parts, each with its length before it, so that no two lists of parts collide.
pub(crate) fn mac(key: &[u8; KEY_LEN], parts: &[&[u8]]) -> [u8; KEY_LEN] {
    // HMAC itself pads a short key with zeros to SHA-256's block; done here, no length is left to fail.
    let mut block = Zeroizing::new([0_u8; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".old");
    PathBuf::from(name)
}

fn read(path: &Path, owner: Owner) -> Result<Option<WrappingKey>, KeyError> {
    let Some(bytes) = trusted::read(path, owner, KEY_LEN as u64 + 1).map_err(KeyError::File)? else {
        return Ok(None);
    };
    let bytes = Zeroizing::new(bytes);
    let key = <[u8; KEY_LEN]>::try_from(bytes.as_slice())
        .map_err(|_| KeyError::Length(path.to_owned(), bytes.len()))?;
    Ok(Some(WrappingKey::new(Zeroizing::new(key))))
}

#[cfg(test)]
mod tests;
