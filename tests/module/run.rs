//! Runs a host process and reads what it reports.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// PAM's codes by name.
const CODES: [(i32, &str); 12] = [
    (0, "SUCCESS"),
    (4, "SYSTEM_ERR"),
    (5, "BUF_ERR"),
    (6, "PERM_DENIED"),
    (7, "AUTH_ERR"),
    (9, "AUTHINFO_UNAVAIL"),
    (10, "USER_UNKNOWN"),
    (11, "MAXTRIES"),
    (19, "CONV_ERR"),
    (20, "AUTHTOK_ERR"),
    (21, "AUTHTOK_RECOVERY_ERR"),
    (25, "IGNORE"),
];

/// The name of a PAM code.
pub(crate) fn name_of(code: i32) -> String {
    CODES.iter().find(|row| row.0 == code).map_or(format!("code-{code}"), |row| row.1.to_owned())
}

/// What a host reported.
#[derive(Debug)]
pub(crate) struct Report {
    lines: Vec<String>,
    pub(crate) took: Duration,
}

impl Report {
    /// The values of all lines of one kind.
    pub(crate) fn all(&self, key: &str) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix(key)?.strip_prefix(' ')).collect()
    }

    /// The last PAM code.
    pub(crate) fn code(&self) -> &str {
        self.all("code").last().copied().unwrap_or("none")
    }

    /// The two numbers of a before-and-after line.
    pub(crate) fn pair(&self, key: &str) -> (usize, usize) {
        let line = self.all(key).first().copied().expect("pair").to_owned();
        let (before, after) = line.split_once(' ').expect("pair");
        (before.parse().expect("number"), after.parse().expect("number"))
    }

    /// Texts shown, as `STYLE TEXT`.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.all("message")
            .iter()
            .map(|line| line.strip_prefix("1 ").expect("one message a call").to_owned())
            .collect()
    }
}

/// Runs `host` with these words.
pub(crate) fn host(words: &[&str]) -> Report {
    host_with(words, |_| ())
}

/// Runs `host` after `prepare` has changed its command.
pub(crate) fn host_with(words: &[&str], prepare: impl FnOnce(&mut Command)) -> Report {
    let mut command = Command::new(std::env::current_exe().expect("own path"));
    command.arg("host").args(words).stdin(Stdio::null());
    prepare(&mut command);
    finish(&mut command)
}

/// Runs a command that reports like a host; it has to end by itself.
pub(crate) fn finish(command: &mut Command) -> Report {
    let started = Instant::now();
    let Output { status, stdout, stderr } =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("host");
    let errors = String::from_utf8_lossy(&stderr);
    assert_eq!(status.signal(), None, "the host died: {errors}");
    assert!(status.success(), "the host failed: {errors}");
    let lines = String::from_utf8_lossy(&stdout).lines().map(str::to_owned).collect();
    Report { lines, took: started.elapsed() }
}

/// A library that reports every look into the environment that comes from the module, and every line to syslog.
const TRAP: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
static void report(void *caller, const char *name) {
    Dl_info info;
    if (dladdr(caller, &info) && info.dli_fname && strstr(info.dli_fname, "pam_pose"))
        fprintf(stdout, "getenv %s\n", name);
}
char *getenv(const char *name) {
    report(__builtin_return_address(0), name);
    static char *(*real)(const char *);
    if (!real) real = dlsym(RTLD_NEXT, "getenv");
    return real(name);
}
char *secure_getenv(const char *name) {
    report(__builtin_return_address(0), name);
    static char *(*real)(const char *);
    if (!real) real = dlsym(RTLD_NEXT, "secure_getenv");
    return real(name);
}
void __vsyslog_chk(int priority, int flag, const char *format, va_list values) {
    char line[2000];
    vsnprintf(line, sizeof line, format, values);
    fprintf(stdout, "syslog %d %s\n", priority, line);
}
void vsyslog(int priority, const char *format, va_list values) { __vsyslog_chk(priority, 0, format, values); }
void __syslog_chk(int priority, int flag, const char *format, ...) {
    va_list values;
    va_start(values, format);
    __vsyslog_chk(priority, 0, format, values);
    va_end(values);
}
void syslog(int priority, const char *format, ...) {
    va_list values;
    va_start(values, format);
    __vsyslog_chk(priority, 0, format, values);
    va_end(values);
}
"#;

/// Puts the trap into a host: `getenv NAME` and `syslog PRIORITY LINE` in its report.
pub(crate) fn trap(command: &mut Command) {
    if !std::path::Path::new("/run/trap.so").exists() {
        std::fs::write("/run/trap.c", TRAP).expect("trap");
        compile("/run/trap.c", "/run/trap.so");
    }
    command.env("LD_PRELOAD", "/run/trap.so");
}

/// Builds a C file into a shared library.
pub(crate) fn compile(source: &str, library: &str) {
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o", library, source, "-ldl"]).status();
    assert!(built.expect("cc (package gcc)").success(), "{source}");
}
