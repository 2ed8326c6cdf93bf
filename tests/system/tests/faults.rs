//! What fails while people log in: the daemon is killed at random moments, disks fill up, the bus restarts, clocks
//! jump. Nobody gets in by it, nothing is left half done, and the next login works.
//!
//! `POSE_KILLS` says how often each case kills (a few times by default; `make faults` says 50, two hundred in all),
//! `POSE_SEED` repeats a course: each case prints its own.
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use pose_system::bus::Bus;
use pose_system::enrol;
use pose_system::film::Film;
use pose_system::helper::{Helper, Setup};
use pose_system::pam::{self, Request};
use pose_system::runner::{Case, Scene, test_main};
use pose_system::{Result, place};

/// Short waits, so that a case need not sleep through a lock-out.
const CONFIGURATION: &str = "[attempt]\nchallenges = 1\n\
    [lockout]\nlock_after = 3\nfirst_lock_seconds = 2\nlongest_lock_seconds = 2\noff_after = 100\n";
/// Somebody who gets in at all gets in within this time, also where the machine is too busy to play recordings in time.
const PATIENCE: Duration = Duration::from_secs(400);
const PASSWORD: &str = "correct horse";

/// What a case does, by its function.
type Body = fn(&Scene) -> Result<String>;

fn main() -> ExitCode {
    let cases: [(&str, Body); 8] = [
        ("the daemon killed at random moments of logins", killed_logins),
        ("the daemon killed at random moments of enrolments", killed_enrolments),
        ("the daemon killed at random moments of a lock-out", killed_lock_out),
        ("the daemon killed at random moments of key rotations", killed_rotations),
        ("a disk that is full", full_disk),
        ("a disk that has become read-only", read_only_disk),
        ("a bus that restarts during a login", bus_restart),
        ("clocks that jump", clock_jumps),
    ];
    test_main(
        cases.into_iter().map(|(name, run)| Case { name: name.to_owned(), run: Box::new(run) }).collect(),
    )
}

fn killed_logins(scene: &Scene) -> Result<String> {
    let (_bus, setup) = begin(scene, &ben())?;
    let mut dice = Dice::new();
    for kill in 0..kills() {
        let context = format!("kill {kill} of seed {}", dice.seed);
        let mut helper = Helper::start(&setup)?;
        let code = during(scene, dice.below(9_000), || helper.kill())?;
        // It may have been done before it was killed, or locked by what the earlier kills left open.
        if !["SUCCESS", "AUTH_ERR", "AUTHINFO_UNAVAIL", "MAXTRIES"].contains(&code.as_str()) {
            return Err(format!("{context}: {code}").into());
        }
        if code == "SUCCESS" && !helper.messages().contains("outcome=\"success\"") {
            return Err(format!("{context}: let in without a verdict:\n{}", helper.messages()).into());
        }
    }
    gets_in(scene, &setup)
}

fn killed_enrolments(scene: &Scene) -> Result<String> {
    let clips = enrol::PEOPLE[0].2;
    let mut dice = Dice::new();
    for kill in 0..kills() {
        let context = format!("kill {kill} of seed {}", dice.seed);
        let fresh = Scene { room: scene.room.clone(), state: scene.room.join(format!("fresh-{kill}")) };
        let (_bus, setup) = begin(&fresh, &Film::enrolment(&clips))?;
        let mut helper = Helper::start(&setup)?;
        let mut posectl = Command::new(place::built("posectl")?)
            .args(["enroll", "ben", "--repetitions", "3", "--yes"])
            .stdin(typed(&fresh, &format!("{PASSWORD}\n{PASSWORD}\n"))?)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_millis(dice.below(20_000)));
        helper.kill();
        posectl.wait()?;
        // What is there is a whole enrolment, or none; both go on.
        let again = Helper::start(&setup)?;
        let listed = list()?;
        if !(listed == 0 || listed == 1) {
            return Err(format!("{context}: {listed} enrolments").into());
        }
        let start = Instant::now();
        while list()? == 0 {
            if let Err(error) = enrol::enrol("ben", PASSWORD, 3)
                && start.elapsed() > PATIENCE
            {
                return Err(format!("{context}: {error}").into());
            }
        }
        drop(again);
        gets_in(&fresh, &Setup::new(&fresh.room, &fresh.state, &ben())?)
            .map_err(|e| format!("{context}: {e}"))?;
    }
    Ok(String::new())
}

fn killed_lock_out(scene: &Scene) -> Result<String> {
    let (_bus, setup) = begin(scene, &Film::login("ben_open_head_3").answered_by("ben"))?;
    let mut dice = Dice::new();
    for kill in 0..kills() {
        let context = format!("kill {kill} of seed {}", dice.seed);
        let mut helper = Helper::start(&setup)?;
        let code = during(scene, dice.below(9_000), || helper.kill())?;
        if !["AUTH_ERR", "AUTHINFO_UNAVAIL", "MAXTRIES"].contains(&code.as_str()) {
            return Err(format!("{context}: {code}").into());
        }
    }
    gets_in(scene, &Setup::new(&scene.room, &scene.state, &ben())?)
}

fn killed_rotations(scene: &Scene) -> Result<String> {
    let (_bus, setup) = begin(scene, &ben())?;
    let (key, old) = (scene.state.with_extension("key"), scene.state.with_extension("key.old"));
    let mut dice = Dice::new();
    for kill in 0..kills() {
        // As store-admin does: the old key is there before the new one counts.
        if !old.exists() {
            std::fs::copy(&key, &old)?;
            let next = scene.state.with_extension("key.new");
            std::fs::copy(&key, &next)?;
            std::fs::write(&next, new_key()?)?;
            std::fs::rename(&next, &key)?;
        }
        let mut daemon = setup.command()?.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_millis(dice.below(150)));
        daemon.kill()?;
        daemon.wait()?;
        // Every second time it is let finish; then the old key has served.
        if kill % 2 == 1 {
            drop(Helper::start(&setup).map_err(|e| format!("kill {kill} of seed {}: {e}", dice.seed))?);
            std::fs::remove_file(&old)?;
        }
    }
    gets_in(scene, &setup)
}

fn full_disk(scene: &Scene) -> Result<String> {
    on_small_disk(scene, |scene, setup| {
        let helper = Helper::start(setup)?;
        let filler = scene.state.join("filler");
        let filled = std::fs::write(&filler, vec![0; 64 << 20]);
        if filled.is_ok() {
            return Err("the disk was not full".into());
        }
        let codes = [ask(scene)?, ask(scene)?];
        std::fs::remove_file(&filler)?;
        if codes != ["SYSTEM_ERR", "SYSTEM_ERR"] {
            return Err(format!("{codes:?}\n{}", helper.messages()).into());
        }
        // The same daemon goes on once there is room.
        let code = retried(scene)?;
        if code == "SUCCESS" { Ok(()) } else { Err(format!("{code}\n{}", helper.messages()).into()) }
    })
}

fn read_only_disk(scene: &Scene) -> Result<String> {
    on_small_disk(scene, |scene, setup| {
        let remount = |flags| mount(None::<&str>, &scene.state, None::<&str>, flags, None::<&str>);
        remount(MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY)?;
        let mut daemon = setup.command()?.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let code = ask(scene)?;
        let _ = daemon.kill();
        let said = String::from_utf8_lossy(&daemon.wait_with_output()?.stderr).into_owned();
        remount(MsFlags::MS_REMOUNT)?;
        if !["AUTHINFO_UNAVAIL", "SYSTEM_ERR"].contains(&code.as_str()) {
            return Err(format!("{code}\n{said}").into());
        }
        if !said.contains("make its file system writable") {
            return Err(format!("nothing was said of the disk:\n{said}").into());
        }
        Ok(())
    })
}

fn bus_restart(scene: &Scene) -> Result<String> {
    let (bus, setup) = begin(scene, &ben())?;
    let helper = Helper::start(&setup)?;
    let mut bus = Some(bus);
    let code = during(scene, 3_000, || drop(bus.take()))?;
    if code != "AUTHINFO_UNAVAIL" {
        return Err(format!("{code}\n{}", helper.messages()).into());
    }
    // The daemon ends with its bus, for systemd to start it with the next.
    let start = Instant::now();
    while !helper.messages().contains("the bus went away") {
        if start.elapsed() > PATIENCE {
            return Err(format!("the daemon did not notice:\n{}", helper.messages()).into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(helper);
    let _ = std::fs::remove_file(pose_contract::SYSTEM_BUS_SOCKET);
    let _bus = Bus::start(&scene.room)?;
    gets_in(scene, &setup)
}

/// The clock of the calendar is set while somebody logs in and while a lock lasts; neither is decided by it.
fn clock_jumps(scene: &Scene) -> Result<String> {
    let (_bus, mut setup) = begin(scene, &ben())?;
    let clock = Clock::new(&scene.room)?;
    let wrapper = scene.room.join("helper-with-clock");
    clock.wrap(&place::built("pose-helperd-recorded")?, &wrapper)?;
    setup.program = Some(wrapper);
    let helper = Helper::start(&setup)?;
    for seconds in [315_360_000_i64, -630_720_000, 0] {
        during(scene, 2_000, || {
            let _ = clock.jump(seconds);
        })?;
        let code = retried(scene)?;
        if code != "SUCCESS" {
            return Err(format!("a jump of {seconds} s: {code}\n{}", helper.messages()).into());
        }
    }
    drop(helper);
    // A lock is as long as it is, whatever the calendar says.
    let locking =
        CONFIGURATION.replace("seconds = 2", "seconds = 60").replace("lock_after = 3", "lock_after = 1");
    std::fs::write(&setup.config, locking)?;
    setup.input = Film::login("ben_open_head_3").answered_by("ben").write(&scene.room)?;
    let helper = Helper::start(&setup)?;
    let mut codes = Vec::new();
    while codes.len() < 5 && codes.last().is_none_or(|code| code != "MAXTRIES") {
        codes.push(ask(scene)?);
    }
    clock.jump(86_400)?;
    codes.push(ask(scene)?);
    if codes.iter().any(|code| code == "SUCCESS") || !codes.ends_with(&["MAXTRIES".into(), "MAXTRIES".into()])
    {
        return Err(format!("{codes:?}\n{}", helper.messages()).into());
    }
    drop(helper);
    setup.input = ben().write(&scene.room)?;
    gets_in(scene, &setup)
}

/// A calendar clock that can be set, for one program.
struct Clock {
    library: std::path::PathBuf,
    offset: std::path::PathBuf,
}

/// Adds the file's number of seconds to CLOCK_REALTIME and to nothing else.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, now);
    if (id == CLOCK_REALTIME) {
        long long seconds = 0;
        FILE *file = fopen(OFFSET, "r");
        if (file) { if (fscanf(file, "%lld", &seconds) != 1) seconds = 0; fclose(file); }
        now->tv_sec += seconds;
    }
    return done;
}
"#;

impl Clock {
    fn new(room: &Path) -> Result<Self> {
        let (source, library) = (room.join("clock.c"), room.join("clock.so"));
        let offset = room.join("clock.offset");
        std::fs::write(&source, CLOCK)?;
        let define = format!("-DOFFSET=\"{}\"", offset.display());
        let done = Command::new("cc")
            .args(["-shared", "-fPIC", &define, "-o"])
            .arg(&library)
            .arg(&source)
            .status()?;
        if !done.success() {
            return Err("cc cannot build the clock (install gcc)".into());
        }
        let clock = Self { library, offset };
        clock.jump(0)?;
        Ok(clock)
    }

    fn jump(&self, seconds: i64) -> Result<()> {
        let new = self.offset.with_extension("new");
        std::fs::write(&new, seconds.to_string())?;
        Ok(std::fs::rename(new, &self.offset)?)
    }

    /// A program that runs `program` with this clock.
    fn wrap(&self, program: &Path, wrapper: &Path) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let text = format!(
            "#!/bin/sh\nLD_PRELOAD={} exec {} \"$@\"\n",
            self.library.display(),
            program.canonicalize()?.display()
        );
        std::fs::write(wrapper, text)?;
        Ok(std::fs::set_permissions(wrapper, std::fs::Permissions::from_mode(0o755))?)
    }
}

/// A bus, and a daemon's setup with this file's configuration.
fn begin(scene: &Scene, film: &Film) -> Result<(Bus, Setup)> {
    let _ = std::fs::remove_file(pose_contract::SYSTEM_BUS_SOCKET);
    let bus = Bus::start(&scene.room)?;
    Ok((bus, configured(scene, film)?))
}

fn configured(scene: &Scene, film: &Film) -> Result<Setup> {
    let setup = Setup::new(&scene.room, &scene.state, film)?;
    std::fs::write(&setup.config, CONFIGURATION)?;
    Ok(setup)
}

fn ben() -> Film {
    Film::login("ben_circle_touch_3").answered_by("ben")
}

/// A login during which something happens after so many milliseconds; its PAM code.
fn during(scene: &Scene, after_ms: u64, happens: impl FnOnce() + Send) -> Result<String> {
    std::thread::scope(|threads| {
        threads.spawn(move || {
            std::thread::sleep(Duration::from_millis(after_ms));
            happens();
        });
        ask(scene)
    })
}

/// The right person gets in, once the short locks that the faults may have left have passed.
fn gets_in(scene: &Scene, setup: &Setup) -> Result<String> {
    std::fs::write(&setup.config, CONFIGURATION)?;
    let helper = Helper::start(setup)?;
    match retried(scene)?.as_str() {
        "SUCCESS" => Ok(String::new()),
        code => Err(format!("the next login ended in {code}:\n{}", helper.messages()).into()),
    }
}

fn ask(scene: &Scene) -> Result<String> {
    let mut request = Request::new("ben", PASSWORD);
    request.options = "timeout=60";
    pam::ask(&scene.room, &request, |_| {}).map(|seen| seen.code)
}

/// A login, again until it passes, while a short lock lasts or the machine is too busy to play the recording in time:
/// how well it is recognised is not the question here. Ends early with what no second try can mend.
fn retried(scene: &Scene) -> Result<String> {
    let start = Instant::now();
    loop {
        let code = ask(scene)?;
        let may_pass = ["MAXTRIES", "AUTH_ERR", "AUTHINFO_UNAVAIL"].contains(&code.as_str());
        if !may_pass || start.elapsed() > PATIENCE {
            return Ok(code);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Moves the state onto a disk of its own, breaks that, and logs in once it is whole again.
fn on_small_disk(scene: &Scene, break_it: impl FnOnce(&Scene, &Setup) -> Result<()>) -> Result<String> {
    let aside = scene.room.join("aside");
    std::fs::rename(&scene.state, &aside)?;
    std::fs::create_dir(&scene.state)?;
    mount(Some("tmpfs"), &scene.state, Some("tmpfs"), MsFlags::empty(), Some("size=2m,mode=700"))?;
    let copied = Command::new("cp").args(["-a", "-T"]).arg(&aside).arg(&scene.state).status()?;
    if !copied.success() {
        return Err("the state did not fit on the small disk".into());
    }
    let (_bus, setup) = begin(scene, &ben())?;
    break_it(scene, &setup)?;
    gets_in(scene, &setup)
}

/// Enrolments of ben, as root sees them.
fn list() -> Result<usize> {
    let output = Command::new(place::built("posectl")?).args(["list", "--json", "ben"]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).matches("\"gesture\"").count())
}

/// A file that is read as if typed.
fn typed(scene: &Scene, text: &str) -> Result<Stdio> {
    let path = scene.room.join("typed");
    std::fs::write(&path, text)?;
    Ok(std::fs::File::open(path)?.into())
}

fn new_key() -> Result<[u8; 32]> {
    use std::io::Read;
    let mut key = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

fn kills() -> u32 {
    std::env::var("POSE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

/// xorshift64*: the point is a course that the seed names, not quality.
struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    fn new() -> Self {
        let seed = std::env::var("POSE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_126);
        println!("seed {seed}");
        Self { seed, state: seed | 1 }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 20) % end
    }
}
