//! How a verdict's time and the store's size grow with users, templates and waiting clients.

use std::path::Path;
use std::time::Instant;

use pose_camera::Frame;
use pose_camera::recording::Clip;
use pose_contract::Outcome;
use pose_engine::landmarks::Observation;
use pose_engine::sequence::Sequence;
use pose_engine::template::Template;
use pose_engine::{enrol, gesture, matching};
use pose_helperd::accounts::Account;
use pose_helperd::keys::{KeyRing, KeySources};
use pose_helperd::lockout::{Limits, Moment, Origin};
use pose_helperd::store::{Judgement, Mode, NewEnrolment, Store, StorePaths};
use pose_system::runner::Scene;
use pose_system::{Result, pam, place};
use pose_vision::{Assets, Tracker, TrackerOptions};
use serde_json::{Value, json};

use crate::figures;
use crate::scene::{House, Waiting, full_login, key_of, module, right_person};

const USERS: [usize; 5] = [1, 10, 100, 1_000, 10_000];
const TEMPLATES: [usize; 4] = [1, 2, 4, 8];
const CLIENTS: [usize; 4] = [1, 4, 16, 64];
const ROUNDS: usize = 30;
/// Full logins a point.
const LOGINS: usize = 3;
/// Uids that no account of the sandbox has.
const FIRST_UID: u32 = 200_000;

pub(crate) fn measure(scene: &Scene) -> Result<Value> {
    Ok(json!({
        "users": users(scene)?,
        "waiting_clients": clients(scene)?,
        // Last: they stay in the store.
        "templates": templates(scene)?,
    }))
}

/// One store that grows.
fn users(scene: &Scene) -> Result<Value> {
    let mut points = Vec::new();
    let mut enrolled = 0;
    for wanted in USERS {
        eprintln!("{wanted} users");
        let mut store = open(&scene.state)?;
        while enrolled < wanted {
            enrol_one(&mut store, FIRST_UID + u32::try_from(enrolled)?)?;
            enrolled += 1;
        }
        let store_ms = (0..ROUNDS)
            .map(|round| one_try(&mut store, wanted * ROUNDS + round))
            .collect::<Result<Vec<f64>>>()?;
        drop(store);
        let bytes = std::fs::metadata(scene.state.join("store.db"))?.len();
        let (mut refused, mut after, mut ready) = (Vec::new(), Vec::new(), Vec::new());
        for login in 0..LOGINS {
            let house = House::start(scene, &right_person(login), &[])?;
            ready.push(house.ready_ms);
            after.push(full_login(&house)?.1);
            refused.extend(refusals(&house, 5)?);
        }
        points.push(json!({
            "users": wanted,
            "store_bytes": bytes,
            "bytes_a_user": bytes / wanted as u64,
            "store_part_of_a_login_ms": figures::of(store_ms),
            "refused_without_camera_ms": figures::of(refused),
            "verdict_after_movement_ms": figures::of(after),
            "daemon_ready_ms": figures::of(ready),
        }));
    }
    Ok(points.into())
}

fn refusals(house: &House, rounds: usize) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let (seen, _) = house.ask("pose_only", &["rhost=198.51.100.7"])?;
        times.push(seen.took.as_secs_f64() * 1e3);
    }
    Ok(times)
}

fn open(state: &Path) -> Result<Store> {
    let keys = KeyRing::load(&KeySources { credentials: None, file: key_of(state) }, state)?;
    Ok(Store::open(&StorePaths::private(state)?, keys)?)
}

/// A stranger with a template like the first enrolled person's.
fn enrol_one(store: &mut Store, uid: u32) -> Result<()> {
    enrol_like_ben(store, &Account { name: format!("user{uid}"), uid })
}

/// One more gesture for this account, the one that the first enrolled person has.
fn enrol_like_ben(store: &mut Store, account: &Account) -> Result<()> {
    let template = store.templates(&ben())?.1.into_iter().next().ok_or("ben is not enrolled")?.template;
    let new = NewEnrolment {
        template: &template,
        gesture: "gesture",
        recordings: 3,
        strength: "good",
        password: None,
        replace: false,
        most_gestures: 8,
    };
    store.enrol(account, &new, 0)?;
    Ok(())
}

fn ben() -> Account {
    Account { name: "ben".into(), uid: 1001 }
}

/// All that the store does in a login that succeeds, milliseconds; each has a number of its own.
fn one_try(store: &mut Store, number: usize) -> Result<f64> {
    let account = Account { name: format!("user{FIRST_UID}"), uid: FIRST_UID };
    let (limits, now) = (Limits::default(), Moment::now()?);
    let stream = number.to_le_bytes();
    let begun = Instant::now();
    let id = store.begin(&account.name, Some(&account), Origin::Root, Mode::PoseOnly, &limits, &now)?.id;
    let version = store.templates(&account)?.0;
    store.challenge_shown(id)?;
    let judgement =
        Judgement { outcome: Outcome::Success, stream: Some(&stream), version: Some(version), adapted: None };
    let end = store.conclude(id, &judgement, &limits, &now)?;
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    if end.outcome == Outcome::Success {
        return Ok(ms);
    }
    Err(format!("the store refused: {:?}", end.outcome).into())
}

/// Matching alone, which is what grows with templates, and whole logins.
fn templates(scene: &Scene) -> Result<Value> {
    let assets = Assets { models: place::models(), runtime: place::runtime()? };
    let names = ["ben_circle_touch_0", "ben_circle_touch_1", "ben_circle_touch_2", "ben_circle_touch_3"];
    let sequences: Vec<Sequence> = names.iter().map(|name| sequence(&assets, name)).collect::<Result<_>>()?;
    let (enrolment, probe) = sequences.split_at(3);
    let template = enrol::enrol(enrolment).map_err(|why| why.to_string())?.template;
    let probe = probe.first().ok_or("no probe")?;
    let (mut points, mut enrolled) = (Vec::new(), 1);
    for count in TEMPLATES {
        eprintln!("{count} templates");
        let templates: Vec<Template> = vec![template.clone(); count];
        let times = (0..ROUNDS).map(|_| {
            let begun = Instant::now();
            std::hint::black_box(matching::verify_any(&templates, probe));
            begun.elapsed().as_secs_f64() * 1e3
        });
        let match_ms = figures::of(times.collect());
        while enrolled < count {
            enrol_like_ben(&mut open(&scene.state)?, &ben())?;
            enrolled += 1;
        }
        let after = (0..LOGINS)
            .map(|login| Ok(full_login(&House::start(scene, &right_person(login), &[])?)?.1))
            .collect::<Result<Vec<f64>>>()?;
        points.push(json!({
            "templates": count,
            "match_ms": match_ms,
            "verdict_after_movement_ms": figures::of(after),
        }));
    }
    Ok(points.into())
}

fn sequence(assets: &Assets, clip: &str) -> Result<Sequence> {
    let mut tracker = Tracker::new(assets, &TrackerOptions::default())?;
    let frames: Vec<Frame> =
        Clip::open(&place::clip(clip))?.frames().collect::<std::result::Result<_, _>>()?;
    let observations: Vec<Observation> =
        frames.iter().map(|frame| tracker.observe(frame)).collect::<std::result::Result<_, _>>()?;
    Ok(Sequence::from_observations(gesture::cut(&observations)))
}

/// Other clients wait at their password prompt, each with a connection and an attempt of its own.
fn clients(scene: &Scene) -> Result<Value> {
    let mut points = Vec::new();
    let room_for_all = [("attempts_total = 32", "attempts_total = 100")];
    for count in CLIENTS {
        eprintln!("{count} waiting clients");
        let (mut refused, mut after) = (Vec::new(), Vec::new());
        for login in 0..LOGINS {
            let house = House::start(scene, &right_person(login), &room_for_all)?;
            let stack = format!("auth required {}\n", module()?.display());
            pam::write_service(&scene.room, pam::SERVICE, &stack)?;
            let waiting: Vec<Waiting> = (0..count).map(|_| Waiting::start()).collect::<Result<_>>()?;
            refused.extend(refusals(&house, 5)?);
            after.push(full_login(&house)?.1);
            drop(waiting);
        }
        points.push(json!({
            "clients": count,
            "refused_without_camera_ms": figures::of(refused),
            "verdict_after_movement_ms": figures::of(after),
        }));
    }
    Ok(points.into())
}
