//! What can go wrong between a frame and its landmarks, each with the next step to take.

use std::fmt;
use std::path::PathBuf;

/// Why models could not be loaded or a frame could not be read.
#[derive(Debug)]
pub enum VisionError {
    /// A model file is not there or cannot be read.
    ModelUnreadable {
        /// The file looked for.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A model file's SHA-256 is not the one this program was built for.
    ModelChanged {
        /// The file.
        path: PathBuf,
    },
    /// The ONNX Runtime library is not there.
    RuntimeMissing {
        /// The file looked for.
        path: PathBuf,
    },
    /// The library is an ONNX Runtime of a version that was not tested with these models.
    RuntimeVersion {
        /// The library.
        path: PathBuf,
        /// The version it reports.
        version: String,
    },
    /// The library could not be loaded or is not an ONNX Runtime.
    RuntimeUnusable {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// This process already runs with another ONNX Runtime library; a process can hold only one.
    RuntimeFixed {
        /// The library in use.
        loaded: PathBuf,
    },
    /// An installed file, or a directory above it, could be changed by somebody other than root.
    NotRootOwned {
        /// The file or directory.
        path: PathBuf,
    },
    /// One frame could not be decoded; the next one may be fine.
    Picture(String),
    /// ONNX Runtime refused a model or failed to run it.
    Inference(String),
}

impl fmt::Display for VisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fetch = "run `make build` in the source tree or reinstall the package";
        match self {
            Self::ModelUnreadable { path, source } => {
                write!(f, "pose model {} cannot be read ({source}): {fetch}", path.display())
            }
            Self::ModelChanged { path } => write!(
                f,
                "pose model {} does not have the expected SHA-256, it is damaged or from another version: {fetch}",
                path.display()
            ),
            Self::RuntimeMissing { path } => {
                write!(f, "ONNX Runtime library {} is missing: {fetch}", path.display())
            }
            Self::RuntimeVersion { path, version } => write!(
                f,
                "ONNX Runtime {} has version {version}, but {} to {} is needed: {fetch}",
                path.display(),
                crate::runtime::OLDEST,
                crate::runtime::NEWEST
            ),
            Self::RuntimeUnusable { path, reason } => {
                write!(f, "ONNX Runtime library {} cannot be used ({reason}): {fetch}", path.display())
            }
            Self::RuntimeFixed { loaded } => write!(
                f,
                "this process already uses the ONNX Runtime library {}: restart it to use another one",
                loaded.display()
            ),
            Self::NotRootOwned { path } => write!(
                f,
                "{} is not owned by root or others may write to it: run `chown root:root` and `chmod go-w` on it, \
                 or reinstall the package",
                path.display()
            ),
            Self::Picture(reason) => {
                write!(f, "the picture cannot be used ({reason}): check the camera with `posectl devices`")
            }
            Self::Inference(reason) => write!(f, "the pose model failed ({reason}): {fetch}"),
        }
    }
}

impl std::error::Error for VisionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::ModelUnreadable { source, .. } => Some(source),
            _ => None,
        }
    }
}
