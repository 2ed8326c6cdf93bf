//! A secret on its way to the helper: typed without echo, held in a sealed memory file, wiped afterwards.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use pose_contract::MAX_SECRET;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// A memory file whose size is the secret's length, sealed against shrinking, growing and further seals, but not
/// against writing: the helper overwrites it once it has read it.
pub(crate) struct Sealed(File);

impl Sealed {
    /// Puts the secret into a new memory file.
    pub(crate) fn new(secret: &[u8]) -> Result<Self, Failure> {
        seal(secret).map(Sealed).map_err(|e| {
            Failure::new(
                Exit::Internal,
                format_args!("cannot make a memory file: {e}"),
                "free memory, then try again",
            )
        })
    }

    /// The descriptor to pass over the bus.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn seal(secret: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("secret", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
    file.write_all(secret)?;
    let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
    Ok(file)
}

/// Reads a secret: from the terminal without echo after `prompt`, or as the next line of stdin when that is no
/// terminal (for scripts).
pub(crate) fn read(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let stdin = io::stdin();
    let line = if stdin.is_terminal() {
        eprint!("{prompt}");
        // Without the prompt the person still sees that input is awaited.
        let _ = io::stderr().flush();
        let silence = Silence::begin();
        let line = read_line(&mut stdin.lock());
        drop(silence);
        eprintln!();
        line?
    } else {
        read_line(&mut stdin.lock())?
    };
    if line.len() > MAX_SECRET {
        return Err(Failure::new(
            Exit::Usage,
            format_args!("longer than {MAX_SECRET} bytes"),
            "use a shorter password",
        ));
    }
    Ok(line)
}

/// Reads a new secret twice from a terminal until both agree; once from anything else.
pub(crate) fn read_new(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    loop {
        let first = read(prompt)?;
        if !io::stdin().is_terminal() || *first == *read("The same again: ")? {
            return Ok(first);
        }
        eprintln!("The two differ; once more.");
    }
}

fn read_line(input: &mut impl BufRead) -> Result<Zeroizing<String>, Failure> {
    // The full size at once: growing would leave pieces of the secret behind in freed memory.
    let mut line = Zeroizing::new(String::with_capacity(MAX_SECRET + 2));
    let mut limited = io::Read::take(input, MAX_SECRET as u64 + 2);
    let read = limited.read_line(&mut line).map_err(|e| {
        Failure::new(Exit::Usage, format_args!("cannot read from stdin: {e}"), "type it at a terminal")
    })?;
    if read == 0 {
        return Err(Failure::new(
            Exit::Usage,
            "stdin ended before the password",
            "run it at a terminal, or pipe one line for each question",
        ));
    }
    while line.ends_with(['\n', '\r']) {
        line.pop();
    }
    Ok(line)
}

/// The terminal without echo, until dropped.
struct Silence(Option<Termios>);

impl Silence {
    fn begin() -> Self {
        let stdin = io::stdin();
        let Ok(before) = tcgetattr(&stdin) else { return Silence(None) };
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO);
        quiet.local_flags.remove(LocalFlags::ECHONL);
        match tcsetattr(&stdin, SetArg::TCSAFLUSH, &quiet) {
            Ok(()) => Silence(Some(before)),
            Err(_) => Silence(None),
        }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Nothing more can be done for a terminal that is gone.
            let _ = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, before);
        }
    }
}

/// What restores the terminal when the process ends in the middle of a question.
pub(crate) fn terminal_now() -> Option<Termios> {
    let stdin = io::stdin();
    if stdin.is_terminal() { tcgetattr(&stdin).ok() } else { None }
}

/// Puts the terminal back as [`terminal_now`] found it.
pub(crate) fn restore(terminal: &Termios) {
    // As above: a terminal that is gone needs no restoring.
    let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, terminal);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, SeekFrom};

    #[test]
    fn a_sealed_secret_keeps_its_size_and_can_be_overwritten() {
        let Sealed(mut file) = Sealed::new(b"correct horse").expect("memory file");
        assert!(file.set_len(0).is_err(), "shrank");
        assert!(file.set_len(100).is_err(), "grew");
        file.seek(SeekFrom::Start(0)).expect("seek");
        file.write_all(&[0; 13]).expect("the helper wipes it");
        let mut back = Vec::new();
        file.seek(SeekFrom::Start(0)).expect("seek");
        file.read_to_end(&mut back).expect("read");
        assert_eq!(back, [0; 13]);
    }

    #[test]
    fn a_line_loses_its_end_only() {
        let mut input: &[u8] = b" spaces stay \r\nnext\n";
        assert_eq!(read_line(&mut input).expect("line").as_str(), " spaces stay ");
        assert_eq!(read_line(&mut input).expect("line").as_str(), "next");
        assert!(read_line(&mut input).is_err());
    }
}
