//! Sealing at rest: XChaCha20-Poly1305 under one key per user, which is itself sealed by the wrapping key.
//!
//! Sealed bytes are a 24-byte nonce, then ciphertext and tag. What a row is and whose it is goes in as associated
//! data, so that no row can be moved to another user, uid, version or purpose.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::StoreError;
use crate::keys::{self, KEY_LEN, KeyRing, WrappingKey};

const NONCE_LEN: usize = 24;
const WRAP: &[u8] = b"pam_pose user keys v1";

/// Whom a sealed row belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) name: &'a str,
    pub(super) uid: u32,
}

/// A user's own key.
pub(super) struct UserKey(Zeroizing<[u8; KEY_LEN]>);

impl UserKey {
    pub(super) fn generate() -> Result<Self, StoreError> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        getrandom::fill(key.as_mut_slice()).map_err(|_| StoreError::Randomness)?;
        Ok(Self(key))
    }

    /// Sealed by the wrapping key, for storing.
    pub(super) fn wrap(&self, by: &WrappingKey, owner: Owner<'_>) -> Result<Vec<u8>, StoreError> {
        seal(&by.derive(WRAP), &associated("user key", owner, 0, &by.id()), self.0.as_slice())
    }

    /// From its stored form.
    pub(super) fn unwrap(
        ring: &KeyRing,
        key_id: &[u8],
        wrapped: &[u8],
        owner: Owner<'_>,
    ) -> Result<Self, StoreError> {
        let by = ring.find(key_id).ok_or(StoreError::UnknownKey)?;
        let bytes = open(&by.derive(WRAP), &associated("user key", owner, 0, key_id), wrapped)
            .ok_or(StoreError::Seal("user key"))?;
        let key = <[u8; KEY_LEN]>::try_from(bytes.as_slice()).map_err(|_| StoreError::Seal("user key"))?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Seals something of that user's.
    pub(super) fn seal(
        &self,
        what: &'static str,
        owner: Owner<'_>,
        version: u32,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        seal(&keys::derive(&self.0, what.as_bytes()), &associated(what, owner, version, b""), plain)
    }

    /// Opens what [`UserKey::seal`] made for the same purpose, owner and version.
    pub(super) fn open(
        &self,
        what: &'static str,
        owner: Owner<'_>,
        version: u32,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        open(&keys::derive(&self.0, what.as_bytes()), &associated(what, owner, version, b""), sealed)
            .ok_or(StoreError::Seal(what))
    }

    /// A keyed digest, for comparing without keeping.
    pub(super) fn digest(&self, what: &str, bytes: &[u8]) -> [u8; KEY_LEN] {
        keys::mac(&self.0, &[what.as_bytes(), bytes])
    }
}

fn associated(what: &str, owner: Owner<'_>, version: u32, extra: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(what.len() + owner.name.len() + extra.len() + 32);
    for part in [b"pam_pose v1".as_slice(), what.as_bytes(), owner.name.as_bytes(), extra] {
        data.extend_from_slice(&(part.len() as u64).to_le_bytes());
        data.extend_from_slice(part);
    }
    data.extend_from_slice(&owner.uid.to_le_bytes());
    data.extend_from_slice(&version.to_le_bytes());
    data
}

fn seal(key: &[u8; KEY_LEN], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0_u8; NONCE_LEN];
    getrandom::fill(&mut nonce).map_err(|_| StoreError::Randomness)?;
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad })
        .map_err(|_| StoreError::Seal("row"))?;
    let mut stored = nonce.to_vec();
    stored.extend_from_slice(&sealed);
    Ok(stored)
}

fn open(key: &[u8; KEY_LEN], aad: &[u8], stored: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = stored.split_first_chunk::<NONCE_LEN>()?;
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad })
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(byte: u8) -> KeyRing {
        KeyRing::of(WrappingKey::new(Zeroizing::new([byte; KEY_LEN])))
    }

    const ADA: Owner<'_> = Owner { name: "ada", uid: 1000 };

    #[test]
    fn a_sealed_row_opens_only_where_it_belongs() {
        let key = UserKey::generate().expect("key");
        let sealed = key.seal("template", ADA, 3, b"joints").expect("seal");
        assert_eq!(key.open("template", ADA, 3, &sealed).expect("open").as_slice(), b"joints");
        assert!(key.open("password", ADA, 3, &sealed).is_err(), "another purpose");
        assert!(key.open("template", ADA, 2, &sealed).is_err(), "another version");
        assert!(key.open("template", Owner { uid: 1001, ..ADA }, 3, &sealed).is_err(), "another uid");
        assert!(key.open("template", Owner { name: "bob", ..ADA }, 3, &sealed).is_err(), "another name");
        assert!(UserKey::generate().expect("key").open("template", ADA, 3, &sealed).is_err(), "another key");
    }

    #[test]
    fn every_flipped_or_missing_byte_is_noticed() {
        let key = UserKey::generate().expect("key");
        let sealed = key.seal("template", ADA, 1, b"joints").expect("seal");
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(key.open("template", ADA, 1, &flipped).is_err(), "byte {at}");
            assert!(key.open("template", ADA, 1, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_user_key_opens_only_with_the_wrapping_key_that_sealed_it() {
        let ours = ring(1);
        let key = UserKey::generate().expect("key");
        let wrapped = key.wrap(&ours.current, ADA).expect("wrap");
        let id = ours.current.id();
        assert_eq!(UserKey::unwrap(&ours, &id, &wrapped, ADA).expect("unwrap").0, key.0);
        assert!(matches!(UserKey::unwrap(&ring(2), &id, &wrapped, ADA), Err(StoreError::UnknownKey)));
        let mut rotated = ring(2);
        rotated.old = Some(WrappingKey::new(Zeroizing::new([1; KEY_LEN])));
        assert_eq!(UserKey::unwrap(&rotated, &id, &wrapped, ADA).expect("old key").0, key.0);
    }
}
