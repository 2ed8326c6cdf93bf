//! After a password was checked, no copy of it is left in the process: its whole memory is searched.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use pose_helperd::password::{Cost, Passwords};
use pose_helperd::secret::Secret;

/// The password, masked: the test itself never holds it in one piece outside the memfd.
const MASKED: [u8; 24] = [
    0x39, 0x28, 0x3b, 0x20, 0x23, 0x7a, 0x32, 0x35, 0x28, 0x29, 0x3f, 0x6d, 0x38, 0x3b, 0x2e, 0x2e, 0x3f,
    0x28, 0x23, 0x69, 0x77, 0x2b, 0x36, 0x7e,
];
const MASK: u8 = 0x5a;
/// A piece of this length of it is a find.
const PIECE: usize = 8;

fn sealed_password() -> OwnedFd {
    let fd = memfd_create("secret", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING).expect("memfd");
    for masked in MASKED {
        nix::unistd::write(&fd, &[masked ^ MASK]).expect("write");
    }
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&fd, FcntlArg::F_ADD_SEALS(seals)).expect("seal");
    fd
}

/// Ranges of this process' writable memory, with their names.
fn writable_memory() -> Vec<(u64, u64, String)> {
    let mut maps = String::new();
    File::open("/proc/self/maps").and_then(|mut file| file.read_to_string(&mut maps)).expect("maps");
    maps.lines()
        .filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")))
        .filter_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            let hex = |text| u64::from_str_radix(text, 16).ok();
            Some((hex(start)?, hex(end)?, rest.to_owned()))
        })
        .collect()
}

/// Where pieces of the password lie.
fn find_copies() -> Vec<String> {
    let memory = File::open("/proc/self/mem").expect("mem");
    let mut found = Vec::new();
    let mut block = vec![0_u8; 1 << 16];
    for (start, end, name) in writable_memory() {
        let mut at = start;
        while at < end {
            let want = usize::try_from((end - at).min(block.len() as u64)).expect("fits");
            let Ok(count) = memory.read_at(&mut block[..want], at) else { break };
            for (offset, window) in block[..count].windows(PIECE).enumerate() {
                let masked: Vec<u8> = window.iter().map(|byte| byte ^ MASK).collect();
                if MASKED.windows(PIECE).any(|piece| piece == masked) {
                    found.push(format!("{:x} {name}", at + offset as u64));
                }
            }
            if count <= PIECE || at + count as u64 >= end {
                break;
            }
            at += (count - PIECE + 1) as u64;
        }
        block.fill(0);
    }
    found
}

#[inline(never)]
fn check_once(passwords: &Passwords, stored: Option<&str>) -> (bool, usize) {
    let secret = Secret::from_memfd(sealed_password()).expect("secret");
    let right = passwords.check(&secret, stored).expect("check").right;
    (right, find_copies().len())
}

#[test]
fn no_copy_of_a_checked_password_is_left_in_memory() {
    // Block-wise reading leaves its own copies of what it reads; the block is wiped after each range.
    let passwords = Passwords::new(Cost { memory_kib: 64, passes: 1, lanes: 1 }).expect("cost");
    let stored = passwords.hash(&Secret::from_memfd(sealed_password()).expect("secret")).expect("hash");
    let (right, while_held) = check_once(&passwords, Some(&stored));
    assert!(right);
    assert!(while_held > 0, "the search finds a password that is there");
    let left = find_copies();
    assert!(left.is_empty(), "copies are left: {left:#?}");
}
