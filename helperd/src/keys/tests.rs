//! Where keys are taken from and what is refused.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn put(path: &Path, bytes: &[u8], mode: u32) {
    std::fs::write(path, bytes).expect("write");
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("chmod");
}

struct Place {
    _root: tempfile::TempDir,
    sources: KeySources,
    state: PathBuf,
}

fn place() -> Place {
    let root = tempfile::tempdir().expect("directory");
    let state = root.path().join("state");
    let credentials = root.path().join("credentials");
    std::fs::create_dir(&state).expect("mkdir");
    std::fs::create_dir(&credentials).expect("mkdir");
    let sources = KeySources { credentials: Some(credentials), file: root.path().join("key") };
    Place { sources, state, _root: root }
}

#[test]
fn a_credential_goes_before_the_file_and_old_keys_lie_beside() {
    let at = place();
    let missing = KeyRing::load(&at.sources, &at.state).expect_err("no key");
    assert!(missing.to_string().contains("no key"), "{missing}");
    put(&at.sources.file, &[1; 32], 0o600);
    let from_file = KeyRing::load(&at.sources, &at.state).expect("file");
    assert_eq!(from_file.current.id(), WrappingKey::new(Zeroizing::new([1; 32])).id());
    assert!(from_file.old.is_none());
    put(&beside(&at.sources.file), &[0; 32], 0o600);
    assert!(KeyRing::load(&at.sources, &at.state).expect("rotating").old.is_some());
    let credential = at.sources.credentials.as_ref().expect("directory").join(CREDENTIAL);
    put(&credential, &[2; 32], 0o440);
    let from_credential = KeyRing::load(&at.sources, &at.state).expect("credential");
    assert_eq!(from_credential.current.id(), WrappingKey::new(Zeroizing::new([2; 32])).id());
    assert!(from_credential.old.is_none(), "the file's old key does not belong to the credential");
}

#[test]
fn keys_open_to_others_of_wrong_length_or_beside_the_store_are_refused() {
    let mut at = place();
    for mode in [0o640, 0o604, 0o660] {
        put(&at.sources.file, &[1; 32], mode);
        let told = KeyRing::load(&at.sources, &at.state).expect_err("open").to_string();
        assert!(told.contains("chmod 600"), "{told}");
    }
    for length in [0, 31, 33, 5000] {
        put(&at.sources.file, &vec![1; length], 0o600);
        assert!(KeyRing::load(&at.sources, &at.state).is_err(), "{length} bytes");
    }
    at.sources.file = at.state.join("key");
    put(&at.sources.file, &[1; 32], 0o600);
    assert!(matches!(KeyRing::load(&at.sources, &at.state), Err(KeyError::InsideState(_))));
}

#[test]
fn neither_id_nor_debug_output_shows_the_key() {
    let key = WrappingKey::new(Zeroizing::new([0x5a; 32]));
    assert!(!key.id().windows(2).any(|pair| pair == [0x5a; 2]));
    assert!(!format!("{key:?}").contains("90, 90"));
}

#[test]
fn lists_of_parts_that_join_alike_have_different_codes() {
    let key = [7; KEY_LEN];
    assert_ne!(mac(&key, &[b"ab", b"c"]), mac(&key, &[b"a", b"bc"]));
    assert_ne!(mac(&key, &[b"ab"]), mac(&key, &[b"ab", b""]));
}

#[test]
fn codes_are_hmac_sha256() {
    // RFC 4231, test case 1 has a 20-byte key; zero-padded to 32 bytes HMAC gives the same code.
    let mut key = [0; KEY_LEN];
    key[..20].copy_from_slice(&[0x0b; 20]);
    let mut block = [0_u8; 64];
    block[..32].copy_from_slice(&key);
    let mut rfc = <Hmac<Sha256> as KeyInit>::new((&block).into());
    rfc.update(b"Hi There");
    let code: [u8; 32] = rfc.finalize().into_bytes().into();
    assert_eq!(code[..4], [0xb0, 0x34, 0x4c, 0x61]);
    let mut ours = <Hmac<Sha256> as KeyInit>::new((&block).into());
    ours.update(&2_u64.to_le_bytes());
    ours.update(b"Hi");
    let ours: [u8; 32] = ours.finalize().into_bytes().into();
    assert_eq!(ours, mac(&key, &[b"Hi"]));
}
