//! The camera's side of the page: looking at oneself, recording a gesture for practice, trying it.

use std::time::Duration;

use pose_camera::camera::{Camera, CameraError};
use pose_engine::challenge::{Movement, figure};
use pose_engine::enrol::Enrolment;
use pose_engine::landmarks::{Observation, Pose, part};
use pose_engine::session::{End, Limits, Session, Step};
use pose_vision::Tracker;

use crate::picture;
use crate::stage::{Stage, Strength, Wish};

/// Recordings of a practised gesture: as few as an enrolment takes.
const REPETITIONS: u8 = 3;
/// One look at the wish at least this often.
const TICK: Duration = Duration::from_millis(500);
/// Mean luma below which landmarks get unsteady.
const DIM: f32 = 0.15;
/// Shown joints, in the order that the page draws.
const JOINTS: [usize; 7] = [
    part::NOSE,
    part::LEFT_SHOULDER,
    part::RIGHT_SHOULDER,
    part::LEFT_ELBOW,
    part::RIGHT_ELBOW,
    part::LEFT_WRIST,
    part::RIGHT_WRIST,
];
/// Below this visibility the model guesses a joint.
const SEEN: f32 = 0.5;

/// What the camera's thread works with between two openings of the camera.
pub struct Practice {
    tracker: Tracker,
    stage: Stage,
    practised: Option<Enrolment>,
    /// A result is on show: it stays until something new begins.
    concluded: bool,
}

impl Practice {
    /// With landmarks from `tracker`, shown on `stage`.
    pub fn new(tracker: Tracker, stage: Stage) -> Self {
        Self { tracker, stage, practised: None, concluded: false }
    }

    /// Runs the camera while the page wants it. Ends when the page rests, is gone, or wants to enrol (the helper
    /// needs the camera then), or when the camera fails.
    ///
    /// # Errors
    /// The camera's own, except for pictures that come late.
    pub fn watch(&mut self, camera: &mut dyn Camera) -> Result<(), CameraError> {
        self.tracker.reset();
        let mut running: Option<(Wish, Session)> = None;
        let ended = loop {
            let wish = self.stage.wish();
            if matches!(wish, Wish::Rest | Wish::Enrol) {
                break Ok(());
            }
            let frame = match camera.next_frame(TICK) {
                Ok(frame) => frame,
                Err(CameraError::TimedOut) => continue,
                Err(e) => break Err(e),
            };
            let observed = self.tracker.observe(&frame);
            // Not before: on a slow machine the figure would lag behind the picture that it is drawn on.
            if let Some(shown) = picture::shown(&frame) {
                self.stage.picture_is(Some(shown));
            }
            // A picture that cannot be decoded is skipped: the next may be fine.
            let Ok(observation) = observed else { continue };
            self.show(&observation);
            if running.as_ref().map(|(of, _)| *of) != Some(wish) {
                running = self.begin(wish, observation.t_us, camera).map(|session| (wish, session));
            }
            let step = running.as_mut().and_then(|(_, session)| session.observe(&observation));
            if let Some(step) = step {
                self.follow(step, wish, camera);
                if self.stage.wish() != wish {
                    running = None;
                }
            }
        };
        self.stage.picture_is(None);
        self.stage.show(|view| view.skeleton = None);
        ended
    }

    fn begin(&mut self, wish: Wish, now_us: u64, camera: &mut dyn Camera) -> Option<Session> {
        let mut session = match (wish, &self.practised) {
            (Wish::Practise, _) => {
                self.stage.show(|view| view.strength = None);
                Session::enrol(REPETITIONS, Limits::default(), now_us)
            }
            (Wish::Try, Some(practised)) => {
                let limits = Limits { challenges_required: 1, ..Limits::default() };
                Session::verify(vec![practised.template.clone()], vec![any_movement()], limits, now_us)
            }
            (Wish::Try, None) => {
                self.say("Practise a gesture first.");
                self.concluded = true;
                self.stage.done(Wish::Try, Wish::Look);
                return None;
            }
            _ => {
                if !self.concluded {
                    self.say("This is what the camera sees. Nothing is recorded.");
                }
                return None;
            }
        };
        self.concluded = false;
        let first = session.begin();
        self.follow(first, wish, camera);
        Some(session)
    }

    fn follow(&mut self, step: Step, wish: Wish, camera: &mut dyn Camera) {
        match step {
            Step::Instruct { code, text, .. } => {
                camera.cue(&code);
                self.say(&text);
                let asked = Movement::of_instruction(&code).map(figure);
                self.stage.show(|view| view.figure = asked);
            }
            Step::Finished(end) => {
                self.finish(end);
                self.stage.done(wish, Wish::Look);
            }
        }
    }

    fn finish(&mut self, end: End) {
        self.concluded = true;
        self.stage.show(|view| view.figure = None);
        match end {
            End::Enrolled { enrolment } => {
                self.say("Practised. “Try it” shows whether you would be recognised.");
                let strength = told(&enrolment.strength);
                self.practised = Some(enrolment);
                self.stage.show(|view| {
                    view.practised = true;
                    view.strength = Some(strength);
                });
            }
            End::Verified(decision) if decision.accept => self.say("Recognised: this would pass."),
            End::Verified(decision) => {
                let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
                self.say(&format!("Not recognised: {}.", reasons.join("; ")));
            }
            End::Failed { text, .. } => self.say(&text),
        }
    }

    fn say(&self, text: &str) {
        self.stage.show(|view| text.clone_into(&mut view.message));
    }

    fn show(&self, observation: &Observation) {
        let skeleton = observation.pose.as_ref().map(|pose| {
            JOINTS.map(|joint| {
                let landmark = &pose.landmarks[joint];
                [landmark.x, landmark.y, landmark.visibility]
            })
        });
        let hint = hint(observation);
        self.stage.show(|view| {
            view.skeleton = skeleton.map(|joints| joints.to_vec());
            hint.clone_into(&mut view.hint);
        });
    }
}

fn told(strength: &pose_engine::strength::Strength) -> Strength {
    Strength {
        percent: strength.percent(),
        words: strength.words.to_owned(),
        estimate: strength.sentence(),
        advice: strength.advice.clone(),
    }
}

/// What would help, the most urgent first; empty when all is well.
fn hint(observation: &Observation) -> &'static str {
    let Some(pose) = &observation.pose else { return "Nobody is in view." };
    if observation.people > 1 {
        "Several people are in view; be alone in the picture."
    } else if observation.stats.luma_mean < DIM {
        "It is dim: a light in front of you helps."
    } else if hidden(pose) {
        "Sit so that head, shoulders and both hands are seen."
    } else {
        ""
    }
}

fn hidden(pose: &Pose) -> bool {
    JOINTS.iter().any(|&joint| pose.landmarks[joint].visibility < SEEN)
}

fn any_movement() -> Movement {
    let mut byte = [0u8];
    // Practice protects nothing: without randomness the first movement does.
    let _ = getrandom::fill(&mut byte);
    Movement::ALL.get(usize::from(byte[0]) % Movement::ALL.len()).copied().unwrap_or(Movement::BothUp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pose_engine::landmarks::{LANDMARK_COUNT, Landmark, PictureStats};

    fn observation(people: u8, luma_mean: f32, visibility: f32) -> Observation {
        let landmarks = [Landmark { visibility, ..Landmark::default() }; LANDMARK_COUNT];
        Observation {
            t_us: 0,
            sequence: 0,
            width: 640,
            height: 480,
            pose: (people > 0).then_some(Pose { landmarks, world: [[0.0; 3]; LANDMARK_COUNT], score: 1.0 }),
            people,
            stats: PictureStats { luma_mean, ..PictureStats::default() },
        }
    }

    #[test]
    fn the_most_urgent_hint_is_given() {
        for (people, luma, visibility, words) in [
            (0, 0.5, 0.9, "Nobody"),
            (2, 0.05, 0.1, "alone"),
            (1, 0.05, 0.1, "light"),
            (1, 0.5, 0.1, "hands"),
            (1, 0.5, 0.9, ""),
        ] {
            let given = hint(&observation(people, luma, visibility));
            assert!(given.contains(words) && (given.is_empty() == words.is_empty()), "{given}");
        }
    }
}
