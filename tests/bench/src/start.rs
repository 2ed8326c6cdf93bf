//! From a cold or a warm daemon to the first landmark.

use std::time::Duration;

use pose_helperd::boottime::monotonic_us;
use pose_system::Result;
use pose_system::pam::{self, Request};
use pose_system::runner::Scene;
use serde_json::{Value, json};

use crate::figures;
use crate::scene::{House, WHO, right_person};

const ROUNDS: usize = 7;
/// How long a person takes to type a password; the models load meanwhile.
const TYPING: Duration = Duration::from_millis(1500);

pub(crate) fn measure(scene: &Scene) -> Result<Value> {
    let (mut ready, mut cold, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let house = House::start(scene, &right_person(round), &[])?;
        ready.push(house.ready_ms);
        // Nobody types: the module asks as soon as the daemon serves.
        pam::ask(&scene.room, &Request { options: "pose_only", ..Request::new(WHO.0, WHO.1) }, |_| {})?;
        cold.push(house.logged("landmarks_us")?.saturating_sub(house.started_us) as f64 / 1e3);
    }
    for round in 0..ROUNDS {
        let house = House::start(scene, &right_person(round), &[])?;
        let mut typed_us = 0;
        let type_slowly = || {
            std::thread::sleep(TYPING);
            typed_us = monotonic_us();
        };
        pam::ask_typing(&scene.room, &Request::new(WHO.0, WHO.1), type_slowly, |_| {})?;
        warm.push(house.logged("landmarks_us")?.saturating_sub(typed_us) as f64 / 1e3);
    }
    Ok(json!({
        "daemon_ready_ms": figures::of(ready),
        "cold_first_landmark_ms": figures::of(cold),
        "warm_first_landmark_after_enter_ms": figures::of(warm),
    }))
}
