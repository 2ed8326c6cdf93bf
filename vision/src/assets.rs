//! Where the models and the runtime library lie, and whether they may be used: models by their SHA-256, installed
//! files by their owner.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::VisionError;

/// Where `make install` and the package put the models (`models/`) and the runtime library.
pub const INSTALLED: &str = "/usr/lib/pam_pose";
/// The release that `make` fetches; other tested releases are found too.
const LIBRARY: &str = "libonnxruntime.so.1.31.1";
const LIBRARY_STEM: &str = "libonnxruntime.so";

/// Which landmark model runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Variant {
    /// The larger one: steadier wrists. The default.
    #[default]
    Full,
    /// Half the time, less exact.
    Lite,
    /// Four times the time. Measured beside the others and not shipped: `models/get_models.sh` makes the file.
    Heavy,
}

/// A model file's name and SHA-256 (`models/SHA256SUMS`).
pub(crate) struct ModelFile {
    name: &'static str,
    sha256: &'static str,
}

/// The person detector.
pub(crate) const DETECTOR: ModelFile = ModelFile {
    name: "pose_detection_f16w.onnx",
    sha256: "a67d1cd5c1ffb6fdbf43b3aad3ec5caec896f4517345205810f32d8e87f9741e",
};
const LANDMARKS_FULL: ModelFile = ModelFile {
    name: "pose_landmark_full_noseg_f16w.onnx",
    sha256: "c08bd9edae1b45db5d83260100a716c2fb93e90ef69e7dc89c805af4e7fe4743",
};
const LANDMARKS_LITE: ModelFile = ModelFile {
    name: "pose_landmark_lite_noseg_f16w.onnx",
    sha256: "9e526d222777f0d4dae3e5181ff4844857e374c5bb84f189e86fee1d79cdac70",
};

const LANDMARKS_HEAVY: ModelFile = ModelFile {
    name: "pose_landmark_heavy_noseg_f16w.onnx",
    sha256: "a14e0c869fece1de519c99288671ab15615febd0f857cbbfe8d3c7cd7e336909",
};

impl Variant {
    pub(crate) fn file(self) -> &'static ModelFile {
        match self {
            Self::Full => &LANDMARKS_FULL,
            Self::Lite => &LANDMARKS_LITE,
            Self::Heavy => &LANDMARKS_HEAVY,
        }
    }
}

/// The models' folder and the ONNX Runtime library. Whatever lies under [`INSTALLED`] is used only if nobody but
/// root could have changed it, however the paths came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assets {
    /// Folder with the `.onnx` files.
    pub models: PathBuf,
    /// The runtime library's file.
    pub runtime: PathBuf,
}

impl Assets {
    /// The installed files, root-owned and writable by root alone.
    ///
    /// # Errors
    /// Files that are missing or that others could change.
    pub fn installed() -> Result<Self, VisionError> {
        let assets = Self::in_folder(Path::new(INSTALLED), Path::new(INSTALLED))?;
        open_trusted(&assets.runtime).map_err(|e| match e {
            VisionError::ModelUnreadable { path, .. } => VisionError::RuntimeMissing { path },
            other => other,
        })?;
        for model in [&DETECTOR, &LANDMARKS_FULL] {
            open_trusted(&assets.models.join(model.name))?;
        }
        Ok(assets)
    }

    /// The files of the source tree that this program was built in (`models/` and `target/runtime/`), so that a
    /// built program runs without installation; otherwise the installed ones.
    ///
    /// # Errors
    /// Neither are there; the error is about the installed ones.
    pub fn beside_executable() -> Result<Self, VisionError> {
        let exe = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
        let tree = exe.as_deref().and_then(source_tree_above);
        match tree.map(|root| Self::in_folder(&root, &root.join("target/runtime"))) {
            Some(Ok(assets)) => Ok(assets),
            _ => Self::installed(),
        }
    }

    fn in_folder(models_parent: &Path, runtime_folder: &Path) -> Result<Self, VisionError> {
        Ok(Self { models: models_parent.join("models"), runtime: find_library(runtime_folder)? })
    }

    /// Reads a model whole and returns its bytes if they are the ones this program was built for. What is
    /// hashed is what is used: nobody can change the file in between.
    pub(crate) fn read_model(&self, model: &ModelFile) -> Result<Vec<u8>, VisionError> {
        let path = self.models.join(model.name);
        let unreadable = |source| VisionError::ModelUnreadable { path: path.clone(), source };
        let mut file = if path.starts_with(INSTALLED) {
            open_trusted(&path)?
        } else {
            File::open(&path).map_err(unreadable)?
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if digest == model.sha256 { Ok(bytes) } else { Err(VisionError::ModelChanged { path }) }
    }

    /// The runtime library's path, after the owner check where it is due.
    pub(crate) fn trusted_runtime(&self) -> Result<&Path, VisionError> {
        if self.runtime.starts_with(INSTALLED) {
            open_trusted(&self.runtime).map_err(|e| match e {
                VisionError::ModelUnreadable { path, .. } => VisionError::RuntimeMissing { path },
                other => other,
            })?;
        }
        Ok(&self.runtime)
    }
}

/// The newest library in `folder` by name, the release that `make` fetches first.
fn find_library(folder: &Path) -> Result<PathBuf, VisionError> {
    let wanted = folder.join(LIBRARY);
    if wanted.is_file() {
        return Ok(wanted);
    }
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(LIBRARY_STEM)))
        .collect();
    found.sort();
    found.pop().ok_or(VisionError::RuntimeMissing { path: wanted })
}

/// The source tree whose `target/` contains `exe`.
fn source_tree_above(exe: &Path) -> Option<PathBuf> {
    let target = exe.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == "target"))?;
    let root = target.parent()?;
    root.join("models").join(DETECTOR.name).is_file().then(|| root.to_path_buf())
}

/// Opens a file whose directories, from the root down, and itself belong to root and are writable by root alone.
///
/// Each step is checked through its open descriptor and no link is followed, so once the directories above are
/// known to be root's, nobody else can exchange what a later step opens.
fn open_trusted(path: &Path) -> Result<File, VisionError> {
    let mut steps: Vec<&Path> = path.ancestors().collect();
    steps.reverse();
    let mut last = None;
    for step in steps {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
            .open(step)
            .map_err(|source| VisionError::ModelUnreadable { path: step.into(), source })?;
        let meta =
            file.metadata().map_err(|source| VisionError::ModelUnreadable { path: step.into(), source })?;
        if meta.uid() != 0 || meta.mode() & 0o022 != 0 {
            return Err(VisionError::NotRootOwned { path: step.into() });
        }
        last = Some(file);
    }
    last.ok_or_else(|| VisionError::NotRootOwned { path: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

    #[test]
    fn the_sums_in_the_code_are_the_ones_beside_the_models() {
        let sums = fs::read_to_string(Path::new(REPOSITORY).join("models/SHA256SUMS")).expect("SHA256SUMS");
        for model in [&DETECTOR, &LANDMARKS_FULL, &LANDMARKS_LITE] {
            assert!(sums.contains(&format!("{}  {}", model.sha256, model.name)), "{}", model.name);
        }
    }

    #[test]
    fn a_changed_or_missing_model_is_refused_with_the_fix() {
        let folder = tempfile::tempdir().expect("folder");
        let assets = Assets { models: folder.path().into(), runtime: PathBuf::new() };
        let missing = assets.read_model(&DETECTOR).expect_err("no model there");
        assert!(matches!(missing, VisionError::ModelUnreadable { .. }));
        assert!(missing.to_string().contains("make build"), "{missing}");

        let original = Path::new(REPOSITORY).join("models").join(DETECTOR.name);
        let mut bytes = fs::read(original).expect("model");
        fs::write(folder.path().join(DETECTOR.name), &bytes).expect("copy");
        assert_eq!(assets.read_model(&DETECTOR).expect("intact copy").len(), bytes.len());
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(folder.path().join(DETECTOR.name), &bytes).expect("damaged copy");
        let changed = assets.read_model(&DETECTOR).expect_err("one bit differs");
        assert!(matches!(changed, VisionError::ModelChanged { .. }));
        assert!(changed.to_string().contains("make build"), "{changed}");
    }

    #[test]
    fn files_below_a_folder_that_others_may_write_are_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("model");
        fs::write(&path, b"x").expect("write");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("chmod");
        // The temporary folder itself is world-writable already, so some step above fails in any case.
        assert!(matches!(open_trusted(&path), Err(VisionError::NotRootOwned { .. })));
    }

    #[test]
    fn a_symbolic_link_is_not_followed() {
        // /bin or /proc/self: whichever is a link here must be refused before ownership is even asked.
        let error = open_trusted(Path::new("/proc/self/status")).expect_err("/proc/self is a link");
        assert!(matches!(error, VisionError::ModelUnreadable { .. }), "{error}");
    }

    #[test]
    fn the_source_tree_is_found_from_a_built_program() {
        let root = Path::new(REPOSITORY).canonicalize().expect("root");
        assert_eq!(source_tree_above(&root.join("target/release/posectl")), Some(root.clone()));
        assert_eq!(source_tree_above(&root.join("target/debug/deps/x-1")), Some(root));
        assert_eq!(source_tree_above(Path::new("/usr/bin/posectl")), None);
    }

    #[test]
    fn the_fetched_release_wins_over_others() {
        let folder = tempfile::tempdir().expect("folder");
        assert!(matches!(find_library(folder.path()), Err(VisionError::RuntimeMissing { .. })));
        for name in ["libonnxruntime.so.1.30.0", "libonnxruntime.so.1.99.0", "README"] {
            fs::write(folder.path().join(name), b"").expect("write");
        }
        assert!(find_library(folder.path()).expect("one").ends_with("libonnxruntime.so.1.99.0"));
        fs::write(folder.path().join(LIBRARY), b"").expect("write");
        assert!(find_library(folder.path()).expect("one").ends_with(LIBRARY));
    }
}
