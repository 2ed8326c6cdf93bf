//! The helper's own password check: Argon2id in constant work, one at a time.
//!
//! An unknown user costs the same as a known one: the password is then compared with a hash that nothing matches.
//! A stored hash of other cost than configured is checked at its own cost and reported for re-hashing.

use std::fmt;
use std::sync::Mutex;

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::{Mapping, Secret};

const SALT_LEN: usize = 16;
const HASH_LEN: usize = 32;
/// Most memory that a stored hash may ask for, KiB: a damaged store must not exhaust the machine.
const MAX_MEMORY_KIB: u32 = 1 << 18;
/// Most passes that a stored hash may ask for.
const MAX_PASSES: u32 = 16;
/// Most lanes that a stored hash may ask for.
const MAX_LANES: u32 = 4;

/// Cost of one check (`[password]` of the configuration). Default: OWASP's Argon2id minimum, 19 MiB, 2 passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes; they run one after another.
    pub lanes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// Why a check gave no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// The configured cost is outside what Argon2 and this helper take.
    Cost,
    /// The stored hash is not one that this helper wrote.
    StoredHash,
    /// No memory for the check.
    Memory,
    /// No randomness for a salt.
    Randomness,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cost => {
                "[password] asks for a cost out of bounds; use memory_kib 8192 to 262144, passes 1 to 16, lanes 1 to 4"
            }
            Self::StoredHash => {
                "the stored password hash is damaged; let the user enrol again after `posectl remove`"
            }
            Self::Memory => "no memory for the password check; lower [password] memory_kib or free memory",
            Self::Randomness => "the kernel gave no randomness; try again",
        })
    }
}

impl std::error::Error for PasswordError {}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The password is the stored one.
    pub right: bool,
    /// It is right and its hash should be made anew at the configured cost.
    pub rehash: bool,
}

/// Hashes and checks passwords, one at a time.
pub struct Passwords {
    cost: Cost,
    one_at_a_time: Mutex<()>,
}

impl Passwords {
    /// With that cost.
    ///
    /// # Errors
    /// [`PasswordError::Cost`] when it is out of bounds.
    pub fn new(cost: Cost) -> Result<Self, PasswordError> {
        params(&cost)?;
        Ok(Self { cost, one_at_a_time: Mutex::new(()) })
    }

    /// The PHC string to store for a password.
    ///
    /// # Errors
    /// No memory or randomness.
    pub fn hash(&self, password: &Secret) -> Result<Zeroizing<String>, PasswordError> {
        let mut salt = [0_u8; SALT_LEN];
        getrandom::fill(&mut salt).map_err(|_| PasswordError::Randomness)?;
        let params = params(&self.cost)?;
        let hash = self.compute(password, &salt, &params)?;
        let phc = PasswordHash {
            algorithm: Ident::new(ARGON2ID_IDENT.as_str()).map_err(|_| PasswordError::Cost)?,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(|_| PasswordError::Cost)?,
            salt: Some(Salt::new(&salt).map_err(|_| PasswordError::Cost)?),
            hash: Some(Output::new(hash.as_slice()).map_err(|_| PasswordError::Cost)?),
        };
        Ok(Zeroizing::new(phc.to_string()))
    }

    /// Compares a password with the stored PHC string; `None` (no such user) takes the same work and is never
    /// right. An empty password is never right either.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub fn check(&self, password: &Secret, stored: Option<&str>) -> Result<Checked, PasswordError> {
        let configured = params(&self.cost)?;
        let (params, salt, expected) = match stored {
            Some(phc) => parse(phc)?,
            None => (configured.clone(), [0; SALT_LEN], [0; HASH_LEN]),
        };
        let hash = self.compute(password, &salt, &params)?;
        let equal = bool::from(hash.as_slice().ct_eq(&expected));
        let right = equal & stored.is_some() & !password.is_empty();
        let same_cost = cost_of(&params) == cost_of(&configured);
        Ok(Checked { right, rehash: right && !same_cost })
    }

    fn compute(
        &self,
        password: &Secret,
        salt: &[u8],
        params: &Params,
    ) -> Result<Zeroizing<[u8; HASH_LEN]>, PasswordError> {
        let _turn = match self.one_at_a_time.lock() {
            Ok(turn) => turn,
            Err(poisoned) => poisoned.into_inner(),
        };
        // A mapping of its own goes back to the kernel when it is dropped; the allocator would keep it.
        let mut memory =
            Mapping::new(params.block_count() * Block::SIZE).map_err(|_| PasswordError::Memory)?;
        let mut hash = Zeroizing::new([0_u8; HASH_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(
                password.as_bytes(),
                salt,
                hash.as_mut_slice(),
                blocks(&mut memory),
            )
            .map_err(|_| PasswordError::Cost)?;
        Ok(hash)
    }
}

fn blocks(memory: &mut Mapping) -> &mut [Block] {
    let bytes = memory.bytes_mut();
    #[allow(unsafe_code)]
    // SAFETY: a block is 128 plain 64-bit words, for which any bytes are valid; `align_to_mut` itself takes care of
    // alignment (a mapping starts at a page, so nothing is cut off).
    let (_, blocks, _) = unsafe { bytes.align_to_mut::<Block>() };
    blocks
}

fn params(cost: &Cost) -> Result<Params, PasswordError> {
    let fits = (8..=MAX_MEMORY_KIB).contains(&cost.memory_kib)
        && (1..=MAX_PASSES).contains(&cost.passes)
        && (1..=MAX_LANES).contains(&cost.lanes);
    if !fits {
        return Err(PasswordError::Cost);
    }
    Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_LEN)).map_err(|_| PasswordError::Cost)
}

fn cost_of(params: &Params) -> Cost {
    Cost { memory_kib: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() }
}

fn parse(phc: &str) -> Result<(Params, [u8; SALT_LEN], [u8; HASH_LEN]), PasswordError> {
    let bad = |_| PasswordError::StoredHash;
    let parsed = PasswordHash::new(phc).map_err(|_| PasswordError::StoredHash)?;
    if parsed.algorithm.as_str() != ARGON2ID_IDENT.as_str() || parsed.version != Some(Version::V0x13.into()) {
        return Err(PasswordError::StoredHash);
    }
    let stored = Params::try_from(&parsed).map_err(|_| PasswordError::StoredHash)?;
    let params = params(&cost_of(&stored)).map_err(bad)?;
    let salt = parsed.salt.ok_or(PasswordError::StoredHash)?;
    let hash = parsed.hash.ok_or(PasswordError::StoredHash)?;
    let salt = <[u8; SALT_LEN]>::try_from(salt.as_ref()).map_err(|_| PasswordError::StoredHash)?;
    let hash = <[u8; HASH_LEN]>::try_from(hash.as_bytes()).map_err(|_| PasswordError::StoredHash)?;
    Ok((params, salt, hash))
}

#[cfg(test)]
mod tests;
