//! The password check: right and wrong, unknown users, damaged hashes.

use super::*;

fn secret(text: &str) -> Secret {
    Secret::take(&mut text.to_owned().into_bytes()).expect("secret")
}

/// As cheap as allowed: these tests are not about cost.
fn cheap() -> Passwords {
    Passwords::new(Cost { memory_kib: 8, passes: 1, lanes: 1 }).expect("cost")
}

#[test]
fn the_right_password_passes_and_no_other() {
    let passwords = cheap();
    let stored = passwords.hash(&secret("correct horse")).expect("hash");
    assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", *stored);
    let check = |text| passwords.check(&secret(text), Some(&stored)).expect("check");
    assert_eq!(check("correct horse"), Checked { right: true, rehash: false });
    for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
        assert!(!check(wrong).right, "{wrong:?}");
    }
}

#[test]
fn an_unknown_user_and_an_empty_password_are_never_right() {
    let passwords = cheap();
    assert!(!passwords.check(&secret("x"), None).expect("check").right);
    assert!(!passwords.check(&secret(""), None).expect("check").right);
    let of_nothing = passwords.hash(&secret("")).expect("hash");
    assert!(!passwords.check(&secret(""), Some(&of_nothing)).expect("check").right);
}

#[test]
fn two_hashes_of_one_password_differ() {
    let passwords = cheap();
    let hash = || passwords.hash(&secret("same")).expect("hash");
    assert_ne!(*hash(), *hash());
}

#[test]
fn a_hash_of_other_cost_is_checked_and_reported_for_renewal() {
    let stored = cheap().hash(&secret("x")).expect("hash");
    let dearer = Passwords::new(Cost { memory_kib: 16, passes: 2, lanes: 1 }).expect("cost");
    let checked = dearer.check(&secret("x"), Some(&stored)).expect("check");
    assert_eq!(checked, Checked { right: true, rehash: true });
    let checked = dearer.check(&secret("y"), Some(&stored)).expect("check");
    assert_eq!(checked, Checked { right: false, rehash: false });
}

#[test]
fn damaged_hashes_are_errors_whatever_they_ask_for() {
    let passwords = cheap();
    let good = passwords.hash(&secret("x")).expect("hash");
    let salt_and_hash = good.rsplitn(3, '$').take(2).collect::<Vec<_>>();
    let tail = format!("{}${}", salt_and_hash[1], salt_and_hash[0]);
    let mut bad = vec![
        String::new(),
        "x".into(),
        "$".repeat(50),
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2E".into(),
        format!("$argon2i$v=19$m=8,t=1,p=1${tail}"),
        format!("$argon2id$v=16$m=8,t=1,p=1${tail}"),
        format!("$argon2id$v=19$m=4000000000,t=1,p=1${tail}"),
        format!("$argon2id$v=19$m=8,t=4000000000,p=1${tail}"),
        format!("$argon2id$v=19$m=8,t=1,p=16777215${tail}"),
        format!("$argon2id$v=19$m=8,t=1,p=1${tail}AAAA"),
    ];
    bad.extend((0..good.len()).map(|at| good[..at].to_owned()));
    for phc in &bad {
        assert_eq!(passwords.check(&secret("x"), Some(phc)), Err(PasswordError::StoredHash), "{phc:?}");
    }
}

#[test]
fn costs_out_of_bounds_are_refused() {
    for (memory_kib, passes, lanes) in
        [(0, 2, 1), (7, 1, 1), (8, 1, 2), (u32::MAX, 2, 1), (19_456, 0, 1), (19_456, 17, 1), (19_456, 2, 0)]
    {
        let cost = Cost { memory_kib, passes, lanes };
        assert_eq!(Passwords::new(cost.clone()).err(), Some(PasswordError::Cost), "{cost:?}");
    }
}

/// Resident memory of this process, KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("number")
}

#[test]
fn the_memory_of_a_check_goes_back() {
    let passwords = Passwords::new(Cost { memory_kib: 128 * 1024, passes: 1, lanes: 1 }).expect("cost");
    let before = resident_kib();
    for _ in 0..3 {
        passwords.check(&secret("x"), None).expect("check");
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB stayed");
}
