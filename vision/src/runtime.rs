//! Loads ONNX Runtime: looks at the library itself before `ort` sees it, because `ort` panics on some that do
//! not fit.

use std::ffi::{CStr, CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use crate::VisionError;

/// Oldest release that was run with these models, major and minor.
pub(crate) const OLDEST: Version = Version(1, 30);
/// Newest release that was run with these models.
pub(crate) const NEWEST: Version = Version(1, 31);

/// Major and minor version of ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Version {
    /// Reads "1.31.1" or "1.31.1-dev".
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some(Self(parts.next()??, parts.next()??))
    }
}

/// The process's one environment and the library it came from. `ort` allows a single one per process and never
/// another after it was dropped, so it is kept for good.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Loads the library at `path` or returns the environment that was made from it before.
///
/// # Errors
/// Missing, unusable or unfitting libraries, and a second library in the same process.
pub(crate) fn environment(path: &Path) -> Result<Environment, VisionError> {
    let path = std::fs::canonicalize(path).map_err(|_| VisionError::RuntimeMissing { path: path.into() })?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((used, environment)) = loaded.as_ref() {
        if *used == path {
            return Ok(environment.clone());
        }
        return Err(VisionError::RuntimeFixed { loaded: used.clone() });
    }
    forbid_telemetry();
    check_library(&path)?;
    let unusable = |reason: String| VisionError::RuntimeUnusable { path: path.clone(), reason };
    let environment = ort::init_from(&path)
        .map_err(|e| unusable(e.to_string()))?
        .with_telemetry(false)
        .build()
        .map_err(|e| unusable(e.to_string()))?;
    *loaded = Some((path, environment.clone()));
    Ok(environment)
}

/// Keeps ONNX Runtime from what it does by itself from 1.31 on: a database and a device id in the home folder, and
/// reports over the network. Its interface for this comes too late, after the environment is made.
#[allow(unsafe_code, reason = "the library is asked through the environment")]
fn forbid_telemetry() {
    const SWITCH: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(SWITCH).is_none_or(|value| value != "1") {
        // SAFETY: Rust's own readers of the environment are locked out by the standard library. A C library that
        // reads it in another thread at this moment could see it change; programs here load the models before
        // they start threads that call such code, and the worker has the switch set from its start.
        unsafe { std::env::set_var(SWITCH, "1") };
    }
}

/// Opens the library, asks it for its version and for the interface that `ort` was built for. The handle stays
/// open: `ort` opens the same library next, and unloading ONNX Runtime is not safe.
fn check_library(path: &Path) -> Result<(), VisionError> {
    let unusable = |reason: &str| VisionError::RuntimeUnusable { path: path.into(), reason: reason.into() };
    let base = open_base(path).map_err(|reason| unusable(&reason))?;
    let version = version_of(base).ok_or_else(|| unusable("it does not tell its version"))?;
    let fits = Version::parse(&version).is_some_and(|v| (OLDEST..=NEWEST).contains(&v));
    if !fits {
        return Err(VisionError::RuntimeVersion { path: path.into(), version });
    }
    if !offers_interface(base) {
        return Err(unusable("it lacks the interface this program was built for"));
    }
    Ok(())
}

#[allow(unsafe_code, reason = "the dynamic loader is a C interface")]
fn open_base(path: &Path) -> Result<*const ort::sys::OrtApiBase, String> {
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| "its path contains a zero byte")?;
    // SAFETY: `name` is a zero-terminated path; the library's initialisers run, which is why installed ones must
    // belong to root before this is called.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(loader_error());
    }
    // SAFETY: the handle is open and the symbol name is zero-terminated.
    let symbol = unsafe { libc::dlsym(handle, c"OrtGetApiBase".as_ptr()) };
    if symbol.is_null() {
        return Err("it is not an ONNX Runtime library".into());
    }
    // SAFETY: ONNX Runtime defines this symbol as a function without arguments that returns its static table.
    let base = unsafe {
        let get: unsafe extern "C" fn() -> *const ort::sys::OrtApiBase = std::mem::transmute(symbol);
        get()
    };
    if base.is_null() { Err("it returns no interface".into()) } else { Ok(base) }
}

#[allow(unsafe_code, reason = "the dynamic loader is a C interface")]
fn loader_error() -> String {
    // SAFETY: dlerror returns null or a zero-terminated string that is valid until the next loader call here.
    let text = unsafe { libc::dlerror() };
    text_of(text).unwrap_or_else(|| "the loader refused it".into())
}

#[allow(unsafe_code, reason = "reads ONNX Runtime's function table")]
fn version_of(base: *const ort::sys::OrtApiBase) -> Option<String> {
    // SAFETY: `base` is the library's static table, its second entry returns a static string.
    text_of(unsafe { ((*base).GetVersionString)() })
}

#[allow(unsafe_code, reason = "reads ONNX Runtime's function table")]
fn offers_interface(base: *const ort::sys::OrtApiBase) -> bool {
    // SAFETY: `base` is the library's static table, its first entry returns null for versions it does not know.
    unsafe { !((*base).GetApi)(ort::sys::ORT_API_VERSION).is_null() }
}

#[allow(unsafe_code, reason = "strings that C code owns")]
fn text_of(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: both callers pass a zero-terminated string that lives until this returns.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!(Version::parse("1.31.1"), Some(Version(1, 31)));
        assert_eq!(Version::parse("1.31.1-dev+cpu"), Some(Version(1, 31)));
        assert!(Version::parse("1.9.0").is_some_and(|v| v < OLDEST), "1.9 is older than 1.30");
        for nonsense in ["", "1", "one.two", "1.x"] {
            assert_eq!(Version::parse(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn a_missing_library_names_the_fix() {
        let error = environment(Path::new("/nowhere/libonnxruntime.so.1")).err().map(|e| e.to_string());
        assert!(error.is_some_and(|text| text.contains("is missing") && text.contains("make build")));
    }

    #[test]
    fn a_file_that_is_no_library_is_an_error() {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), b"not a library").expect("write");
        assert!(matches!(check_library(file.path()), Err(VisionError::RuntimeUnusable { .. })));
    }

    #[test]
    fn a_library_that_is_not_onnx_runtime_is_an_error() {
        // The C library is there in every process; it exports no OrtGetApiBase.
        let error = check_library(Path::new("libc.so.6")).expect_err("libc is not ONNX Runtime");
        assert!(error.to_string().contains("not an ONNX Runtime library"), "{error}");
    }

    /// A library that answers like an ONNX Runtime of `version` ("0" for a null pointer).
    fn fake(folder: &Path, version: &str, base: &str, api: &str) -> PathBuf {
        let version = if version == "0" { "0".into() } else { format!("{version:?}") };
        let code = format!(
            "static const void *api(unsigned v) {{ return (void *){api}; }}\n\
             static const char *version(void) {{ return {version}; }}\n\
             static const struct {{ const void *(*a)(unsigned); const char *(*v)(void); }} base = {{ api, version }};\n\
             const void *OrtGetApiBase(void) {{ return {base}; }}\n"
        );
        let (source, library) = (folder.join("fake.c"), folder.join("libonnxruntime.so"));
        std::fs::write(&source, code).expect("write");
        let status = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .status()
            .expect("a C compiler");
        assert!(status.success());
        library
    }

    #[test]
    fn libraries_that_do_not_fit_are_errors_and_never_panics() {
        for (version, base, api, wanted) in [
            ("1.17.3", "&base", "1", "has version 1.17.3, but 1.30 to 1.31 is needed"),
            ("1.99.0", "&base", "1", "has version 1.99.0"),
            ("2.0", "&base", "1", "has version 2.0"),
            ("nonsense", "&base", "1", "has version nonsense"),
            ("0", "&base", "1", "does not tell its version"),
            ("1.31.1", "0", "1", "returns no interface"),
            ("1.31.1", "&base", "0", "lacks the interface"),
        ] {
            let folder = tempfile::tempdir().expect("folder");
            let library = fake(folder.path(), version, base, api);
            let error = environment(&library).expect_err("it does not fit").to_string();
            assert!(error.contains(wanted) && error.contains("make build"), "{version}: {error}");
        }
    }
}
