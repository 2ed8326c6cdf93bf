//! A program that uses PAM: the process in which the module is loaded, so that its threads, descriptors, signals
//! and death can be looked at from outside.
//!
//! `host key=value…`: `user`, `password`, `conv` (normal, none, null-function, null-reply, fail, fail-prompt, fail-first,
//! strings),
//! `action` (auth, acct, session, cred, passwd), `silent`, `times`, `rounds` (on one handle), `fork`, `service`, `switch` (renames the user when a
//! message is shown), `rhost`, `tty`, `latin` (items in Latin-1, which is not UTF-8), `old`, `uid`, `ruid` (a setuid program's), `alarm` (seconds until SIGALRM meets a handler), `chld`.

#![allow(unsafe_code, reason = "a C program that uses PAM, in Rust")]

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::process::ExitCode;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

static DELAY: AtomicU32 = AtomicU32::new(0);
/// Whether the conversation has been called.
static PROMPTED: AtomicBool = AtomicBool::new(false);

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    code: c_int,
}

type Function = unsafe extern "C" fn(c_int, *mut *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
struct Conversation {
    function: Option<Function>,
    data: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conv: *const Conversation,
        confdir: *const c_char,
        pamh: *mut *mut c_void,
    ) -> c_int;
    fn pam_end(pamh: *mut c_void, status: c_int) -> c_int;
    fn pam_set_item(pamh: *mut c_void, item: c_int, value: *const c_void) -> c_int;
    fn pam_authenticate(pamh: *mut c_void, flags: c_int) -> c_int;
    fn pam_setcred(pamh: *mut c_void, flags: c_int) -> c_int;
    fn pam_acct_mgmt(pamh: *mut c_void, flags: c_int) -> c_int;
    fn pam_open_session(pamh: *mut c_void, flags: c_int) -> c_int;
    fn pam_close_session(pamh: *mut c_void, flags: c_int) -> c_int;
    fn pam_chauthtok(pamh: *mut c_void, flags: c_int) -> c_int;
}

const PAM_USER: c_int = 2;
const PAM_TTY: c_int = 3;
const PAM_RHOST: c_int = 4;
const PAM_CONV: c_int = 5;
const PAM_FAIL_DELAY: c_int = 10;
const PAM_SILENT: c_int = 0x8000;

struct Person<'a> {
    spec: &'a HashMap<String, String>,
    pamh: *mut c_void,
}

/// Runs one host; prints what happened, one fact a line.
pub(crate) fn main(args: &[String]) -> ExitCode {
    let spec: HashMap<String, String> = args
        .iter()
        .filter_map(|arg| arg.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    if let Some(uid) = spec.get("uid") {
        nix::unistd::setuid(nix::unistd::Uid::from_raw(uid.parse().expect("uid"))).expect("setuid");
    }
    if let Some(uid) = spec.get("ruid") {
        let root = nix::unistd::Uid::from_raw(0);
        nix::unistd::setresuid(nix::unistd::Uid::from_raw(uid.parse().expect("uid")), root, root)
            .expect("setresuid");
    }
    arm(&spec);
    let times = spec.get("times").map_or(1, |times| times.parse().expect("times"));
    // Once before counting: libpam and the loader keep a few things of their own.
    if times > 1 {
        login(&spec);
    }
    let before = (count("task"), count("fd"));
    for _ in 0..times {
        login(&spec);
    }
    let after = (count("task"), count("fd"));
    println!("threads {} {}", before.0, after.0);
    println!("fds {} {}", before.1, after.1);
    if spec.contains_key("fork") {
        return in_child(&spec);
    }
    ExitCode::SUCCESS
}

fn in_child(spec: &HashMap<String, String>) -> ExitCode {
    // SAFETY: this process has one thread.
    match unsafe { nix::unistd::fork() }.expect("fork") {
        nix::unistd::ForkResult::Child => {
            println!("child");
            login(spec);
        }
        nix::unistd::ForkResult::Parent { child } => {
            nix::sys::wait::waitpid(child, None).expect("wait");
        }
    }
    ExitCode::SUCCESS
}

extern "C" fn nothing(_: c_int) {}

fn arm(spec: &HashMap<String, String>) {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe {
        sigaction(Signal::SIGINT, &action).expect("sigaction");
        sigaction(Signal::SIGCHLD, &action).expect("sigaction");
        // Rust ignores SIGPIPE; most programs that use PAM do not.
        sigaction(Signal::SIGPIPE, &SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty()))
            .expect("sigaction");
    }
    for (key, signal) in [("int", "INT"), ("chld", "CHLD")] {
        if let Some(after) = spec.get(key) {
            let command = format!("sleep {after}; kill -{signal} {}", std::process::id());
            // In the background of a shell that ends at once, so that the signal comes from nobody's child.
            let command = format!("({command}) &");
            std::process::Command::new("sh").args(["-c", &command]).status().expect("sh");
        }
    }
}

fn count(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).expect("proc").count()
}

fn login(spec: &HashMap<String, String>) {
    let bytes = |value: &str| match spec.contains_key("latin") {
        true => value.chars().map(|letter| u8::try_from(letter).expect("a letter of Latin-1")).collect(),
        false => value.as_bytes().to_vec(),
    };
    let text = |key: &str| spec.get(key).map(|value| CString::new(bytes(value)).expect("text"));
    let mut person = Box::new(Person { spec, pamh: ptr::null_mut() });
    let conv = Conversation { function: Some(converse), data: (&raw mut *person).cast() };
    let user = text("user");
    let service = text("service").unwrap_or_else(|| c"pose-test".to_owned());
    let started = Instant::now();
    // SAFETY: every pointer lives longer than the handle, and libpam copies the items.
    unsafe {
        let mut pamh = ptr::null_mut();
        let name = user.as_ref().map_or(ptr::null(), |user| user.as_ptr());
        let got =
            pam_start_confdir(service.as_ptr(), name, &raw const conv, c"/run/pam.d".as_ptr(), &raw mut pamh);
        assert_eq!(got, 0, "pam_start");
        person.pamh = pamh;
        for (item, key) in [(PAM_TTY, "tty"), (PAM_RHOST, "rhost")] {
            if let Some(value) = text(key) {
                pam_set_item(pamh, item, value.as_ptr().cast());
            }
        }
        pam_set_item(pamh, PAM_FAIL_DELAY, note_delay as *const c_void);
        if spec.get("conv").is_some_and(|conv| conv == "null-function") {
            let broken = Conversation { function: None, data: ptr::null_mut() };
            pam_set_item(pamh, PAM_CONV, (&raw const broken).cast());
        }
        let flags = if spec.contains_key("silent") { PAM_SILENT } else { 0 };
        for _ in 1..spec.get("rounds").map_or(1, |rounds| rounds.parse().expect("rounds")) {
            println!("code {}", super::run::name_of(pam_authenticate(pamh, flags)));
        }
        let code = match spec.get("action").map_or("auth", String::as_str) {
            "acct" => pam_acct_mgmt(pamh, flags),
            "open" => pam_open_session(pamh, flags),
            "close" => pam_close_session(pamh, flags),
            "cred" => pam_setcred(pamh, flags),
            "passwd" => pam_chauthtok(pamh, flags),
            _ => pam_authenticate(pamh, flags),
        };
        println!("code {}", super::run::name_of(code));
        println!("milliseconds {}", started.elapsed().as_millis());
        println!("delay {}", DELAY.swap(0, Ordering::Relaxed));
        pam_end(pamh, code);
    }
}

/// Stands in for the pause that libpam would make.
unsafe extern "C" fn note_delay(_code: c_int, microseconds: c_uint, _data: *mut c_void) {
    DELAY.store(microseconds, Ordering::Relaxed);
}

unsafe extern "C" fn converse(
    count: c_int,
    messages: *mut *const Message,
    replies: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    // SAFETY: libpam and the module hand over what pam_conv(3) says; `data` is the `Person` of this login.
    unsafe {
        let person = &*data.cast::<Person<'_>>();
        let message = &**messages;
        let text = CStr::from_ptr(message.text).to_string_lossy();
        println!("message {count} {} {text}", message.style);
        let prompt = message.style == 1 || message.style == 2;
        let manner = person.spec.get("conv").map_or("normal", String::as_str);
        let first = !PROMPTED.swap(true, Ordering::Relaxed);
        if manner == "fail" && !prompt || manner == "fail-prompt" || manner == "fail-first" && first {
            return 19;
        }
        if let Some(other) = person.spec.get("switch") {
            let other = CString::new(other.as_str()).expect("name");
            pam_set_item(person.pamh, PAM_USER, other.as_ptr().cast());
        }
        if manner == "null-reply" && !prompt {
            return 0;
        }
        let key = if text.contains("urrent") { "old" } else { "password" };
        let answer = if prompt { person.spec.get(key).map_or("", String::as_str) } else { "noted" };
        if let Some(pause) = person.spec.get("think") {
            std::thread::sleep(std::time::Duration::from_millis(pause.parse().expect("ms")));
        }
        let reply: *mut Response = libc::calloc(1, size_of::<Response>()).cast();
        let answer = CString::new(answer).expect("answer");
        (*reply).text =
            if prompt || manner == "strings" { libc::strdup(answer.as_ptr()) } else { ptr::null_mut() };
        (*reply).code = 0;
        *replies = reply;
        0
    }
}
