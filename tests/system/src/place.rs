//! Where the built programs, models and recordings lie.
use std::path::{Path, PathBuf};

use crate::Result;

/// Top of the source tree.
#[must_use]
pub fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file that `make build` leaves in `target/release`; an error names that command when it is missing.
pub fn built(name: &str) -> Result<PathBuf> {
    let path = target()?.join("release").join(name);
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing: run `make build` first", path.display()).into())
    }
}

/// A clip of `tests/recordings`, by its name without `.avi`.
#[must_use]
pub fn clip(name: &str) -> PathBuf {
    source().join("tests/recordings").join(name).with_extension("avi")
}

/// The models of the source tree.
#[must_use]
pub fn models() -> PathBuf {
    source().join("models")
}

/// The ONNX Runtime library that `make build` fetched.
pub fn runtime() -> Result<PathBuf> {
    let folder = target()?.join("runtime");
    std::fs::read_dir(&folder)
        .ok()
        .and_then(|files| {
            files
                .flatten()
                .map(|file| file.path())
                .find(|path| path.to_string_lossy().contains("libonnxruntime.so."))
        })
        .ok_or_else(|| format!("no ONNX Runtime in {}: run `make build` first", folder.display()).into())
}

/// Cargo's target folder: this program lies in it.
fn target() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    program
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "release" || name == "debug"))
        .and_then(Path::parent)
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("{} does not lie in a cargo target folder", program.display()).into())
}
