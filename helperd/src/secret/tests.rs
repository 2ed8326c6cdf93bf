//! What a secret's descriptor must be, and that nothing of it stays behind.

use std::os::fd::AsRawFd;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::*;

fn memfd(content: &[u8], seals: i32) -> OwnedFd {
    let fd = memfd_create("secret", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).expect("memfd");
    assert_eq!(nix::unistd::write(&fd, content).expect("write"), content.len());
    fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::from_bits_retain(seals))).expect("seal");
    fd
}

const GOOD: i32 = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

#[test]
fn a_sealed_memfd_gives_its_secret_and_is_overwritten() {
    let fd = memfd(b"correct horse", GOOD);
    let kept = fd.try_clone().expect("dup");
    let secret = Secret::from_memfd(fd).expect("secret");
    assert_eq!(secret.as_bytes(), b"correct horse");
    let mut left = [1_u8; 13];
    assert_eq!(pread(&kept, &mut left, 0).expect("read"), 13);
    assert_eq!(left, [0; 13]);
    assert!(!format!("{secret:?}").contains("horse"));
}

#[test]
fn an_empty_secret_is_one() {
    assert!(Secret::from_memfd(memfd(b"", GOOD)).expect("secret").is_empty());
}

#[test]
fn descriptors_without_the_right_seals_are_refused() {
    for seals in [
        0,
        libc::F_SEAL_SHRINK | libc::F_SEAL_GROW,
        libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL,
        libc::F_SEAL_GROW | libc::F_SEAL_SEAL,
        GOOD | libc::F_SEAL_WRITE,
        GOOD | libc::F_SEAL_FUTURE_WRITE,
    ] {
        assert!(matches!(Secret::from_memfd(memfd(b"x", seals)), Err(SecretError::Seals(_))), "{seals:x}");
    }
    let file = tempfile::tempfile().expect("file");
    assert!(matches!(Secret::from_memfd(file.into()), Err(SecretError::Seals(_))));
    let (reader, _writer) = nix::unistd::pipe().expect("pipe");
    assert!(matches!(Secret::from_memfd(reader), Err(SecretError::Seals(_))));
    let fd = memfd(b"x", GOOD);
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let read_only = std::fs::File::open(path).expect("reopen");
    assert!(matches!(Secret::from_memfd(read_only.into()), Err(SecretError::Seals(_))));
}

#[test]
fn secrets_over_the_limit_are_refused_and_up_to_it_taken() {
    let longest = vec![b'x'; MAX_SECRET];
    assert_eq!(Secret::from_memfd(memfd(&longest, GOOD)).expect("secret").as_bytes(), longest);
    let too_long = vec![b'x'; MAX_SECRET + 1];
    assert!(matches!(
        Secret::from_memfd(memfd(&too_long, GOOD)),
        Err(SecretError::TooLong(size)) if size == MAX_SECRET as u64 + 1
    ));
}

#[test]
fn taking_a_secret_wipes_where_it_came_from() {
    let mut bytes = *b"hunter2";
    let secret = Secret::take(&mut bytes).expect("secret");
    assert_eq!(secret.as_bytes(), b"hunter2");
    assert_eq!(bytes, [0; 7]);
}
