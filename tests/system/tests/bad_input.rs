//! Wrong configuration, store, clip, models, runtime and module options, one broken thing at a time: the daemon does not
//! start, or the login is refused with the right code; and what is said names the next step.
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use pose_system::bus::Bus;
use pose_system::film::Film;
use pose_system::helper::{Helper, Setup};
use pose_system::pam::{self, Request, Seen};
use pose_system::runner::{Case, Scene, test_main};
use pose_system::{Result, place};

/// Breaks one thing.
type Break = fn(&Scene, &mut Setup) -> Result<()>;

/// The daemon must not start; its words must contain all of these.
const STARTS: &[(&str, Break, &[&str])] = &[
    (
        "an unknown key in the configuration",
        |_, setup| configure(setup, "[attempt]\nchallenge = 2\n"),
        &["helperd.toml", "challenge", "challenges"],
    ),
    (
        "a wrong type in the configuration",
        |_, setup| configure(setup, "[attempt]\nchallenges = \"two\"\n"),
        &["helperd.toml:2", "correct this line"],
    ),
    (
        "a number out of bounds in the configuration",
        |_, setup| configure(setup, "[attempt]\nchallenges = 0\n"),
        &["helperd.toml", "challenges"],
    ),
    ("a configuration that is no TOML", |_, setup| configure(setup, "[attempt\n"), &["helperd.toml"]),
    (
        "a configuration that others may write to",
        |_, setup| mode(&setup.config, 0o666),
        &["helperd.toml", "chmod"],
    ),
    (
        "a configuration that cannot be read",
        |_, setup| {
            std::fs::remove_file(&setup.config)?;
            Ok(std::fs::create_dir(&setup.config)?)
        },
        &["helperd.toml"],
    ),
    (
        "a corrupt database",
        |scene, _| Ok(std::fs::write(scene.state.join("store.db"), [0x5a; 8192])?),
        &["damaged", "backup"],
    ),
    ("a database of a newer version", |scene, _| newer_store(&scene.state), &["newer"]),
    (
        "a database that is gone",
        |scene, _| Ok(std::fs::remove_file(scene.state.join("store.db"))?),
        &["store.db"],
    ),
    ("a state directory that others may read", |scene, _| mode(&scene.state, 0o755), &["chmod"]),
    ("a missing key", |scene, _| Ok(std::fs::write(scene.state.with_extension("key"), [])?), &["state.key"]),
];

/// The login must end with this code; the daemon's words must contain all of these.
const LOGINS: &[(&str, Break, &str, &[&str])] = &[
    (
        "a missing model",
        |scene, setup| broken_models(scene, setup, |path| std::fs::remove_file(path)),
        "SYSTEM_ERR",
        &["pose_detection", "make build"],
    ),
    (
        "a model with another hash",
        |scene, setup| broken_models(scene, setup, |path| std::fs::write(path, b"not a model")),
        "SYSTEM_ERR",
        &["pose_detection", "SHA-256", "make build"],
    ),
    (
        "a runtime that is none",
        |scene, setup| {
            setup.runtime = scene.room.join("libonnxruntime.so.1.31.1");
            Ok(std::fs::write(&setup.runtime, b"not a library")?)
        },
        "SYSTEM_ERR",
        &["libonnxruntime", "make build"],
    ),
    (
        "a clip that is none",
        |scene, setup| {
            setup.input = scene.room.join("clip.avi");
            Ok(std::fs::write(&setup.input, b"not a clip")?)
        },
        "SYSTEM_ERR",
        &["clip.avi", "give a recording"],
    ),
    (
        "a camera that is missing",
        |scene, setup| film(scene, setup, "missing", 0),
        "AUTHINFO_UNAVAIL",
        &["camera_missing"],
    ),
    (
        "a camera that is busy",
        |scene, setup| film(scene, setup, "busy", 0),
        "AUTHINFO_UNAVAIL",
        &["camera_busy"],
    ),
    (
        "a camera that is unplugged",
        |scene, setup| film(scene, setup, "unplug", 1500),
        "AUTHINFO_UNAVAIL",
        &["camera_failed"],
    ),
    (
        "a camera that stalls",
        |scene, setup| film(scene, setup, "stall", 1500),
        "AUTHINFO_UNAVAIL",
        &["camera_failed"],
    ),
];

/// The module must answer SYSTEM_ERR and log all of these.
const OPTIONS: &[(&str, &[&str])] = &[
    ("nouserOK", &["nouserOK", "accepted are", "nouserok"]),
    ("timeout=soon", &["timeout=soon", "SECONDS"]),
    ("timeout=9999", &["timeout=9999", "5 to 120"]),
    ("pose_only=yes", &["pose_only=yes", "accepted are"]),
];

fn main() -> ExitCode {
    let starts = STARTS.iter().map(|row| Case {
        name: format!("the daemon refuses {}", row.0),
        run: Box::new(|scene| refuses_to_start(scene, row.1, row.2)),
    });
    let logins = LOGINS.iter().map(|row| Case {
        name: format!("a login with {}", row.0),
        run: Box::new(|scene| login_fails(scene, row.1, row.2, row.3)),
    });
    let options = OPTIONS.iter().map(|row| Case {
        name: format!("the module refuses {}", row.0),
        run: Box::new(|scene| option_is_refused(scene, row.0, row.1)),
    });
    test_main(starts.chain(logins).chain(options).collect())
}

fn refuses_to_start(scene: &Scene, break_it: Break, words: &[&str]) -> Result<String> {
    let _bus = Bus::start(&scene.room)?;
    let mut setup = Setup::new(&scene.room, &scene.state, &ben())?;
    break_it(scene, &mut setup)?;
    let mut daemon = setup.command()?.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let start = Instant::now();
    while daemon.try_wait()?.is_none() {
        if start.elapsed() > Duration::from_secs(20) {
            daemon.kill()?;
            return Err("the daemon started all the same".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = daemon.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Err(format!("it ended as if all were well and said: {said}").into());
    }
    contains_all(&said, words)
}

fn login_fails(scene: &Scene, break_it: Break, code: &str, words: &[&str]) -> Result<String> {
    let _bus = Bus::start(&scene.room)?;
    let mut setup = Setup::new(&scene.room, &scene.state, &ben())?;
    break_it(scene, &mut setup)?;
    let helper = Helper::start(&setup)?;
    let seen = pam::ask(&scene.room, &Request::new("ben", "correct horse"), |_| {})?;
    let said = helper.messages();
    has_code(&seen, code).map_err(|error| format!("{error}\nthe daemon said:\n{said}"))?;
    contains_all(&said, words)
}

fn option_is_refused(scene: &Scene, options: &str, words: &[&str]) -> Result<String> {
    let mut request = Request::new("ben", "correct horse");
    request.options = options;
    let seen = pam::ask(&scene.room, &request, |_| {})?;
    has_code(&seen, "SYSTEM_ERR")?;
    contains_all(&seen.logged.join("\n"), words)
}

fn has_code(seen: &Seen, code: &str) -> Result<()> {
    if seen.code == code { Ok(()) } else { Err(format!("expected {code}, seen {seen:#?}").into()) }
}

fn contains_all(said: &str, words: &[&str]) -> Result<String> {
    match words.iter().find(|word| !said.contains(**word)) {
        None => Ok(String::new()),
        Some(word) => Err(format!("nothing was said of {word:?}:\n{said}").into()),
    }
}

fn ben() -> Film {
    Film::login("ben_circle_touch_3").answered_by("ben")
}

fn film(scene: &Scene, setup: &mut Setup, fault: &str, after_ms: u32) -> Result<()> {
    setup.input = ben().fault(fault, after_ms).write(&scene.room)?;
    Ok(())
}

fn configure(setup: &Setup, text: &str) -> Result<()> {
    Ok(std::fs::write(&setup.config, text)?)
}

fn mode(path: &Path, bits: u32) -> Result<()> {
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits))?)
}

/// A store as a later release would leave it.
fn newer_store(state: &Path) -> Result<()> {
    Ok(rusqlite::Connection::open(state.join("store.db"))?.pragma_update(None, "user_version", 999)?)
}

/// A folder of models whose detector is broken.
fn broken_models(
    scene: &Scene,
    setup: &mut Setup,
    break_it: impl Fn(&Path) -> std::io::Result<()>,
) -> Result<()> {
    let folder = scene.room.join("models");
    std::fs::create_dir_all(&folder)?;
    for file in std::fs::read_dir(place::models())?.flatten() {
        if file.path().extension().is_some_and(|extension| extension == "onnx") {
            std::fs::copy(file.path(), folder.join(file.file_name()))?;
        }
    }
    break_it(&folder.join("pose_detection_f16w.onnx"))?;
    setup.models = folder;
    Ok(())
}
