//! Killed at any moment, and cut off at any byte, the store is in the old or the new state, never between.
//!
//! A child process works on the store and notes each step before it begins and after it is done; the parent kills
//! it at a random moment, opens the store and compares it with the notes.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pose_contract::Outcome;

use super::*;
use crate::lockout::Origin;

/// Kills in a normal test run; `POSE_KILLS` asks for more.
const KILLS: u32 = 200;

/// One step of the child, as noted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Enrols with a template and a password of that number.
    Enrol(u64),
    /// Sets the password of that number.
    Password(u64),
    Remove,
    /// A try that is refused.
    Refuse,
    /// A try that is abandoned after its challenge was shown.
    Leave,
    Succeed,
    Unlock,
    /// Opens the store with the key of that number and the one before.
    Rotate(u8),
}

/// What the store must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Model {
    /// Numbers of template and password.
    enrolled: Option<(u64, u64)>,
    failures: u32,
    key: u8,
}

impl Model {
    fn after(self, step: Step) -> Self {
        let mut next = self;
        match step {
            Step::Enrol(number) => next.enrolled = Some((number, number)),
            Step::Password(number) => next.enrolled = self.enrolled.map(|(template, _)| (template, number)),
            Step::Remove => next = Self { enrolled: None, failures: 0, ..self },
            Step::Refuse | Step::Leave => next.failures += u32::from(self.enrolled.is_some()),
            Step::Succeed | Step::Unlock => next.failures = 0,
            Step::Rotate(key) => next.key = key,
        }
        next
    }
}

/// No lock gets in the way of counting.
fn patient() -> Limits {
    Limits { lock_after: 100_000, off_after: 100_000, unjudged_given_back: 100_000, ..limits() }
}

fn template(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(6_000 + usize::try_from(number % 9_000).expect("small"), 0x5a);
    bytes
}

fn do_step(store: &mut Store, step: Step, salt: u64) -> Result<(), StoreError> {
    let now = at(0);
    let begin = |store: &mut Store| {
        store.begin("ada", Some(&ada()), Origin::Root, Mode::PoseOnly, &patient(), &now).map(|begun| begun.id)
    };
    match step {
        Step::Enrol(number) => {
            let (template, phc) = (template(number), format!("{PHC}{number}"));
            let new =
                NewEnrolment { template: &template, password: Some(&phc), replace: true, ..new_enrolment() };
            store.enrol(&ada(), &new, 0).map(drop)
        }
        Step::Password(number) => store.set_password(&ada(), &format!("{PHC}{number}"), 0),
        Step::Remove => store.remove("ada", 0).map(drop),
        Step::Refuse => {
            let id = begin(store)?;
            let judgement = Judgement::of(Outcome::WrongPose);
            store.conclude(id, &judgement, &patient(), &now).map(drop)
        }
        Step::Leave => {
            let id = begin(store)?;
            store.challenge_shown(id)?;
            store.abandon(id, &patient(), &now)
        }
        Step::Succeed => {
            let id = begin(store)?;
            let version = store.templates(&ada())?.0;
            let stream = salt.to_le_bytes();
            let judgement = Judgement {
                outcome: Outcome::Success,
                stream: Some(&stream),
                version: Some(version),
                adapted: None,
            };
            let end = store.conclude(id, &judgement, &patient(), &now)?;
            assert_eq!(end.outcome, Outcome::Success);
            Ok(())
        }
        Step::Unlock => store.unlock("ada", 0).map(drop),
        Step::Rotate(_) => unreachable!("opens the store itself"),
    }
}

fn rotating(key: u8) -> KeyRing {
    KeyRing { old: Some(WrappingKey::new(Zeroizing::new([key.wrapping_sub(1); KEY_LEN]))), ..ring(key) }
}

/// xorshift64*: the point is a course that the seed names, not quality.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn choose(dice: &mut Dice, model: Model) -> Step {
    let number = dice.roll() >> 20;
    match dice.roll() % 12 {
        _ if model.enrolled.is_none() => Step::Enrol(number),
        0 | 1 => Step::Enrol(number),
        2 => Step::Password(number),
        3 => Step::Remove,
        4 | 5 => Step::Refuse,
        6 | 7 => Step::Leave,
        8 | 9 => Step::Succeed,
        10 => Step::Unlock,
        _ => Step::Rotate(model.key.wrapping_add(1)),
    }
}

/// The child: works until it is killed.
#[test]
#[ignore = "run and killed by the test below"]
fn works_until_killed() {
    let state = PathBuf::from(std::env::var("POSE_KILLED_STATE").expect("run by another test"));
    let seed = std::env::var("POSE_KILLED_SEED").expect("seed").parse().expect("number");
    let key = std::env::var("POSE_KILLED_KEY").expect("key").parse().expect("number");
    let mut notes = File::options().append(true).open(state.with_extension("notes")).expect("notes");
    let mut note = |line: String| notes.write_all(line.as_bytes()).expect("note");
    let paths = StorePaths::private(&state).expect("paths");
    let mut store = Some(Store::open(&paths, rotating(key)).expect("open"));
    let enrolled = store.as_ref().is_some_and(|store| store.templates(&ada()).is_ok());
    let mut model = Model { enrolled: enrolled.then_some((0, 0)), failures: 0, key };
    let mut dice = Dice(seed);
    loop {
        let step = choose(&mut dice, model);
        note(format!("begin {step:?}\n"));
        if let Step::Rotate(key) = step {
            drop(store.take());
            store = Some(Store::open(&paths, rotating(key)).expect("rotate"));
        } else if let Some(store) = store.as_mut() {
            do_step(store, step, dice.roll()).expect("step");
        }
        note("done\n".into());
        model = model.after(step);
    }
}

#[test]
fn two_hundred_kills_leave_no_half_state() {
    let place = place();
    drop(Store::open(&place.paths, rotating(1)).expect("first start"));
    let kills = std::env::var("POSE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut model = Model { key: 1, ..Model::default() };
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).expect("randomness");
    let mut dice = Dice(u64::from_le_bytes(seed) | 1);
    let mut steps = 0;
    for kill in 0..kills {
        let seed = dice.roll() | 1;
        let context = format!("kill {kill}, seed {seed}");
        let notes = run_and_kill(&place.paths.state, seed, model.key, dice.roll() % 120);
        steps += notes.iter().filter(|line| *line == "done").count();
        let (settled, in_flight) = replay(model, &notes, &context);
        model = verify(&place, settled, in_flight, &context);
    }
    assert!(steps > 100, "the kills came too early to mean anything: {steps} steps");
}

fn run_and_kill(state: &Path, seed: u64, key: u8, after_ms: u64) -> Vec<String> {
    let notes = state.with_extension("notes");
    File::create(&notes).expect("notes");
    let mut child = Command::new(std::env::current_exe().expect("exe"))
        .args(["--ignored", "--exact", "--nocapture", "store::tests::killed::works_until_killed"])
        .env("POSE_KILLED_STATE", state)
        .env("POSE_KILLED_SEED", seed.to_string())
        .env("POSE_KILLED_KEY", key.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("child");
    std::thread::sleep(Duration::from_millis(after_ms));
    child.kill().expect("kill");
    let output = child.wait_with_output().expect("wait");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("panicked"), "seed {seed}: {told}");
    std::fs::read_to_string(&notes).expect("notes").lines().map(ToOwned::to_owned).collect()
}

/// The state after everything that was done, and the step that may or may not have been.
fn replay(mut model: Model, notes: &[String], context: &str) -> (Model, Option<Step>) {
    let mut in_flight = None;
    for line in notes {
        if let Some(step) = line.strip_prefix("begin ") {
            in_flight = parse(step);
            assert!(in_flight.is_some(), "{context}: {line:?}");
        } else if let Some(step) = in_flight.take() {
            model = model.after(step);
        }
    }
    (model, in_flight)
}

fn parse(text: &str) -> Option<Step> {
    let number = || text.split(['(', ')']).nth(1)?.parse::<u64>().ok();
    Some(match text.split('(').next()? {
        "Enrol" => Step::Enrol(number()?),
        "Password" => Step::Password(number()?),
        "Remove" => Step::Remove,
        "Refuse" => Step::Refuse,
        "Leave" => Step::Leave,
        "Succeed" => Step::Succeed,
        "Unlock" => Step::Unlock,
        "Rotate" => Step::Rotate(u8::try_from(number()?).ok()?),
        _ => return None,
    })
}

/// Opens the store as the helper would, compares, and logs in once. Answers the state that goes on from there.
fn verify(place: &Place, settled: Model, in_flight: Option<Step>, context: &str) -> Model {
    let context = format!("{context}: {settled:?}, then {in_flight:?}");
    let possible = [Some(settled), in_flight.map(|step| settled.after(step))];
    let key = possible.iter().flatten().last().map_or(settled.key, |model| model.key);
    let mut store =
        Store::open(&place.paths, rotating(key)).unwrap_or_else(|error| panic!("{context}: {error}"));
    store.abandon_all(&patient(), &at(0)).expect("sweep");
    let found = Model { key, ..read(&store, &context) };
    let fits = possible.into_iter().flatten().any(|model| Model { key, ..model } == found);
    assert!(fits, "{context}: found {found:?}");
    if found.enrolled.is_none() {
        return found;
    }
    let mut salt = [0; 8];
    getrandom::fill(&mut salt).expect("randomness");
    do_step(&mut store, Step::Succeed, u64::from_le_bytes(salt)).expect("the next login works");
    found.after(Step::Succeed)
}

fn read(store: &Store, context: &str) -> Model {
    let enrolled = match store.templates(&ada()) {
        Ok((_, templates)) => {
            assert_eq!(templates.len(), 1, "{context}");
            let bytes = &templates[0].template;
            let number = u64::from_le_bytes(bytes[..8].try_into().expect("eight"));
            assert_eq!(bytes.as_slice(), template(number), "{context}: a whole template");
            let phc = store.password(&ada()).expect("password").expect("stored");
            let password = phc.strip_prefix(PHC).and_then(|text| text.parse().ok()).expect("number");
            Some((number, password))
        }
        Err(StoreError::NotEnrolled) => None,
        Err(error) => panic!("{context}: {error}"),
    };
    let failures = store
        .connection
        .query_row("SELECT coalesce(max(failures), 0) FROM counters", [], |row| row.get(0))
        .expect("counter");
    Model { enrolled, failures, key: 0 }
}

/// Power loss cuts the log where it likes; what was synced before stays.
#[test]
fn a_log_cut_off_anywhere_gives_one_of_the_earlier_states() {
    let place = place();
    let mut store = place.open();
    let mut states = vec![None];
    for number in 1..=6_u64 {
        do_step(&mut store, Step::Enrol(number), 0).expect("enrol");
        states.push(Some((number, number)));
        do_step(&mut store, Step::Password(number + 100), 0).expect("password");
        states.push(Some((number, number + 100)));
    }
    let database = std::fs::read(place.paths.database()).expect("database");
    let log = std::fs::read(place.paths.state.join("store.db-wal")).expect("log");
    let mark = std::fs::read_to_string(&place.paths.mark).expect("mark");
    drop(store);
    let mut seen = std::collections::BTreeSet::new();
    for part in 0..=120 {
        // The anchor is written after the sync that the cut undoes.
        std::fs::write(&place.paths.anchor, format!("{} 0\n", mark.trim())).expect("anchor");
        std::fs::write(place.paths.database(), &database).expect("database");
        std::fs::write(place.paths.state.join("store.db-wal"), &log[..log.len() * part / 120]).expect("log");
        let store = place.open();
        let found = read(&store, &format!("part {part}")).enrolled;
        let position = states.iter().position(|state| *state == found);
        seen.insert(position.unwrap_or_else(|| panic!("part {part}: {found:?} never was")));
    }
    assert!(seen.len() > 6, "the cuts met too few states: {seen:?}");
    assert!(seen.contains(&(states.len() - 1)), "the whole log gives the last state");
}
