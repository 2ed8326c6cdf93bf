//! What the worker gives up before it looks at a picture: privileges, memory without end, and system calls.

use std::collections::BTreeMap;
use std::io;

use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Address space, bytes: ONNX Runtime with both models maps about 0.6 GB, most of it never touched.
const ADDRESS_SPACE: u64 = 3 << 30;
/// Open files: the socket, the camera or a clip, and what the loader holds for a moment.
const OPEN_FILES: u64 = 64;

/// First measures, before any file is read: the parent's end takes the worker along, no new privileges, no core
/// dump, bounded memory and files, no descriptor but the standard three.
///
/// # Errors
/// The system call that failed.
pub(super) fn at_start(parent: nix::unistd::Pid) -> io::Result<()> {
    set_process_attribute(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    // The parent may have ended before the line above took effect.
    if nix::unistd::getppid() != parent {
        return Err(io::Error::other("the parent has ended"));
    }
    set_process_attribute(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    set_process_attribute(libc::PR_SET_DUMPABLE, 0)?;
    close_inherited_descriptors()?;
    for (resource, limit) in [
        (Resource::RLIMIT_AS, ADDRESS_SPACE),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
        (Resource::RLIMIT_CORE, 0),
    ] {
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}

/// The last measure, once models and runtime are loaded: every system call outside the list ends the process.
///
/// # Errors
/// The filter could not be built or installed.
pub(super) fn filter_system_calls() -> io::Result<()> {
    let program = filter().map_err(|error| io::Error::other(error.to_string()))?;
    // All threads: the runtime's pool is already running.
    seccompiler::apply_filter_all_threads(&program).map_err(|error| io::Error::other(error.to_string()))
}

fn filter() -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|&call| (call, Vec::new())).collect();
    // Opening for reading and writing a device or clip, never creating.
    let never_create = (libc::O_CREAT | libc::O_TMPFILE & !libc::O_DIRECTORY) as u64;
    rules.insert(
        libc::SYS_openat,
        vec![SeccompRule::new(vec![SeccompCondition::new(
            2,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::MaskedEq(never_create),
            0,
        )?])?],
    );
    // No memory that is both freshly written and executable: PROT_EXEC is refused in both calls.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(
            call,
            vec![SeccompRule::new(vec![SeccompCondition::new(
                2,
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64),
                0,
            )?])?],
        );
    }
    let arch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)?;
    filter.try_into().map_err(seccompiler::Error::from)
}

/// What capture and inference need once everything is loaded: memory, the camera's calls, the socket, thread
/// wake-ups, time. No exec, no fork, no socket, no signals to others, no names in the file system but opening.
const ALLOWED: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getdents64,
    libc::SYS_readlinkat,
    libc::SYS_fcntl,
    libc::SYS_close,
    libc::SYS_ioctl,
    libc::SYS_ppoll,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // An abort after a panic or a failed allocation ends as itself, not as a mystery.
    libc::SYS_tgkill,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
];

#[allow(unsafe_code)]
fn set_process_attribute(option: libc::c_int, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: prctl with these options takes plain numbers and touches no memory of ours.
    let result = unsafe { libc::prctl(option, value, 0, 0, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[allow(unsafe_code)]
fn close_inherited_descriptors() -> io::Result<()> {
    // SAFETY: nothing in this process owns a descriptor above the standard three yet.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
