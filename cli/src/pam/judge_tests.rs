//! Tables of stacks, good and hostile.

use std::path::Path;

use super::*;

/// Debian's own, as pam-auth-update writes it.
const COMMON: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                      auth required pam_permit.so\nauth optional pam_cap.so\n";
const POSE: &str = "auth required pam_pose.so pose_only\n";

fn judged(top: &str, accepted: &[&str]) -> Vec<Finding> {
    let tree = Tree::at(Path::new("/nonexistent"))
        .with_draft("top", top)
        .with_draft("common-auth", COMMON)
        .with_draft("fedora", "auth sufficient pam_unix.so\nauth required pam_deny.so\n");
    let accepted: Vec<String> = accepted.iter().map(ToString::to_string).collect();
    judge(&tree, "top", &accepted)
}

fn bad(findings: &[Finding]) -> Vec<String> {
    let bad = findings.iter().filter(|finding| finding.grade == Grade::Bad);
    bad.map(|finding| format!("{}: {} | {}", finding.case, finding.seen, finding.fix)).collect()
}

#[test]
fn good_stacks_are_taken() {
    let table = [
        format!("@include common-auth\n{POSE}"),
        format!("auth required pam_unix.so\n{POSE}"),
        format!("auth requisite pam_unix.so\n{POSE}auth optional pam_gnome_keyring.so\n"),
        format!("auth substack fedora\n{POSE}"),
        format!("auth sufficient pam_rootok.so\n@include common-auth\n{POSE}"),
        "@include common-auth\nauth [success=ok default=die] /lib/security/pam_pose.so pose_only\n".into(),
        "auth required pam_unix.so\nauth requisite pam_pose.so pose_only timeout=30 cue=prompt\n".into(),
        "auth required pam_pose.so\n".into(),
        // A fingerprint in place of the password, then the pose.
        format!(
            "auth [success=2 default=ignore] pam_fprintd.so\nauth [success=1 default=ignore] pam_unix.so\n\
             auth requisite pam_deny.so\nauth required pam_permit.so\n{POSE}"
        ),
        format!(
            "auth required pam_faillock.so preauth\nauth [success=1 default=bad] pam_unix.so\n\
             auth [default=die] pam_faillock.so authfail\n{POSE}auth required pam_faillock.so authsucc\n"
        ),
    ];
    for top in table {
        let findings = judged(&top, &[]);
        assert_eq!(bad(&findings), Vec::<String>::new(), "{top}");
        assert!(findings.iter().filter(|f| f.grade == Grade::Good).count() >= 9, "{top}: {findings:?}");
    }
}

#[test]
fn hostile_stacks_are_refused_with_the_case_and_the_line() {
    let table: [(&str, &[&str]); 14] = [
        // The inclusion ends before the pose is asked.
        ("auth include fedora\nauth required pam_pose.so pose_only\n", &["fedora:1", "before pam_pose.so"]),
        (
            "auth sufficient pam_unix.so\nauth required pam_pose.so pose_only\n",
            &["top:1", "before pam_pose.so"],
        ),
        ("@include common-auth\nauth optional pam_pose.so pose_only\n", &["auth_err", "required"]),
        ("@include common-auth\nauth sufficient pam_pose.so pose_only\n", &["auth_err"]),
        (
            "@include common-auth\nauth [success=ok authinfo_unavail=ignore default=bad] pam_pose.so pose_only\n",
            &["authinfo_unavail", "no helper"],
        ),
        (
            "@include common-auth\nauth [success=ok maxtries=ignore default=bad] pam_pose.so pose_only\n",
            &["maxtries"],
        ),
        (
            "@include common-auth\nauth [default=bad success=ok module_unknown=ignore] pam_pose.so pose_only\n",
            &["module_unknown", "gone"],
        ),
        ("auth required pam_pose.so pose_only\n", &["wrong password, right pose", "after one that checks"]),
        ("auth sufficient pam_pose.so pose_only\n@include common-auth\n", &["wrong password, right pose"]),
        // The way round by a lock-out counter that says yes.
        (
            "auth required pam_faillock.so preauth\nauth [success=1 default=bad] pam_unix.so\n\
             auth [default=die] pam_faillock.so authfail\nauth sufficient pam_faillock.so authsucc\n\
             auth required pam_pose.so pose_only\n",
            &["top:4", "pam_faillock.so success"],
        ),
        (
            "auth sufficient pam_fprintd.so\n@include common-auth\nauth required pam_pose.so pose_only\n",
            &["top:1"],
        ),
        (
            "auth sufficient pam_mystery.so\n@include common-auth\nauth required pam_pose.so pose_only\n",
            &["top:1"],
        ),
        (
            "auth required pam_unix.so\nauth required pam_deny.so\nauth required pam_pose.so pose_only\n",
            &["nobody"],
        ),
        // nouserok alone: whoever never enrolled needs nothing.
        (
            "auth required pam_permit.so\nauth required pam_pose.so nouserok\n",
            &["wrong password, never enrolled"],
        ),
    ];
    for (top, words) in table {
        let bad = bad(&judged(top, &[])).join("\n");
        for word in words {
            assert!(bad.contains(word), "{top}: {word}: {bad}");
        }
    }
}

#[test]
fn every_answer_of_the_design_table_is_tried() {
    let findings = judged(&format!("@include common-auth\n{POSE}"), &[]);
    for (code, _) in FAILURES {
        assert!(findings.iter().any(|finding| finding.case.ends_with(code.name())), "{code:?}");
    }
}

#[test]
fn words_that_nobody_understands_are_refused() {
    for (top, word) in [
        ("@include common-auth\nauth required pam_pose.so pose-only\n", "pose-only"),
        ("@include common-auth\nauth needed pam_pose.so pose_only\n", "top:2"),
        ("@include gone\nauth required pam_pose.so pose_only\n", "gone"),
        ("@include top\n", "too deeply"),
    ] {
        assert!(bad(&judged(top, &[])).iter().any(|line| line.contains(word)), "{top}");
    }
}

#[test]
fn conditions_are_the_administrators_exemptions_and_others_only_when_accepted() {
    let lightdm =
        format!("auth sufficient pam_succeed_if.so user ingroup nopasswdlogin\n@include common-auth\n{POSE}");
    let findings = judged(&lightdm, &[]);
    assert_eq!(bad(&findings), Vec::<String>::new());
    assert!(findings.iter().any(|f| f.grade == Grade::Note && f.seen.contains("pam_succeed_if.so")));

    let own = format!("auth sufficient pam_mystery.so\n@include common-auth\n{POSE}");
    assert!(!bad(&judged(&own, &[])).is_empty());
    assert_eq!(bad(&judged(&own, &["pam_mystery.so"])), Vec::<String>::new());
}

#[test]
fn nouserok_lets_the_unenrolled_pass_with_their_password_and_says_so() {
    let findings = judged("@include common-auth\nauth required pam_pose.so pose_only nouserok\n", &[]);
    assert_eq!(bad(&findings), Vec::<String>::new());
    assert!(findings.iter().any(|f| f.grade == Grade::Note && f.seen.contains("password alone")));
}
