//! What the page shows, and what it asked for: the one thing the threads share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use pose_engine::challenge::Stroke;
use serde::Serialize;

/// A page that has not asked for this long is closed: the camera must not go on watching.
const AWAY: Duration = Duration::from_secs(5);

/// What the person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wish {
    /// Camera off.
    Rest,
    /// See oneself.
    Look,
    /// Record a gesture three times, for practice.
    Practise,
    /// Do the practised gesture and a random movement.
    Try,
    /// Enrol through the helper.
    Enrol,
}

/// A picture for the browser.
#[derive(Clone, Debug)]
pub struct Shown {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// How strong a gesture is, for people; serialised as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Strength {
    /// Of a hundred, for a bar.
    pub percent: u32,
    /// In a word.
    pub words: String,
    /// How many would pass.
    pub estimate: String,
    /// What would make it stronger; empty when nothing obvious would.
    pub advice: String,
}

/// One line of what the page shows; serialised as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct View {
    /// What to do now, or what happened.
    pub message: String,
    /// What helps: light, distance, people.
    pub hint: String,
    /// Upper body: nose, then shoulder, elbow, wrist, left before right; `[x, y, visibility]` in picture sizes.
    pub skeleton: Option<Vec<[f32; 3]>>,
    /// A stick figure of the movement that is asked for: strokes of two points in a square, as in a mirror.
    pub figure: Option<Vec<Stroke>>,
    /// Strength of the gesture practised or enrolled last.
    pub strength: Option<Strength>,
    /// Whether a practised gesture can be tried.
    pub practised: bool,
}

/// Shared between the page's connections and the camera's thread.
#[derive(Clone, Debug)]
pub struct Stage(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    wish: Wish,
    view: View,
    picture: Option<Arc<Shown>>,
    asked: Option<Instant>,
}

impl Default for Stage {
    fn default() -> Self {
        let view = View { message: "The camera is off.".to_owned(), ..View::default() };
        Self(Arc::new(Mutex::new(State { wish: Wish::Rest, view, picture: None, asked: None })))
    }
}

impl Stage {
    /// What is asked for now; [`Wish::Rest`] once the page is gone, except during an enrolment, which the helper ends.
    pub fn wish(&self) -> Wish {
        let mut state = self.lock();
        let away = state.asked.is_none_or(|at| at.elapsed() > AWAY);
        if away && state.wish != Wish::Enrol {
            state.wish = Wish::Rest;
        }
        state.wish
    }

    /// Takes a wish of the page. An enrolment that runs is not interrupted.
    pub fn ask(&self, wish: Wish) {
        let mut state = self.lock();
        if state.wish != Wish::Enrol {
            state.wish = wish;
        }
    }

    /// What was wished is done; `next` follows unless the page asked for something else meanwhile.
    pub fn done(&self, wish: Wish, next: Wish) {
        let mut state = self.lock();
        if state.wish == wish {
            state.wish = next;
        }
    }

    /// Changes what is shown.
    pub fn show(&self, change: impl FnOnce(&mut View)) {
        change(&mut self.lock().view);
    }

    /// The newest picture, or none when the camera is off.
    pub(crate) fn picture_is(&self, picture: Option<Shown>) {
        self.lock().picture = picture.map(Arc::new);
    }

    pub(crate) fn picture(&self) -> Option<Arc<Shown>> {
        self.lock().picture.clone()
    }

    /// What is shown now; whoever looks is there, so the camera may stay on.
    pub fn look(&self) -> View {
        let mut state = self.lock();
        state.asked = Some(Instant::now());
        state.view.clone()
    }

    /// What the page shows, as JSON; the page is there.
    pub(crate) fn json(&self) -> String {
        let mut value = serde_json::to_value(self.look()).unwrap_or_default();
        value["wish"] = serde_json::to_value(self.lock().wish).unwrap_or_default();
        value.to_string()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Plain values: a thread that panicked left nothing half-done that matters here.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_never_asked_or_went_away_turns_the_camera_off() {
        let stage = Stage::default();
        stage.ask(Wish::Look);
        assert_eq!(stage.wish(), Wish::Rest, "nobody sees it");
        assert!(stage.json().contains("\"wish\":\"rest\""));
        stage.ask(Wish::Look);
        assert_eq!(stage.wish(), Wish::Look);
        stage.lock().asked = Instant::now().checked_sub(AWAY * 2);
        assert_eq!(stage.wish(), Wish::Rest);
    }

    #[test]
    fn an_enrolment_is_not_interrupted_by_the_page() {
        let stage = Stage::default();
        stage.ask(Wish::Enrol);
        stage.ask(Wish::Rest);
        assert_eq!(stage.wish(), Wish::Enrol);
        stage.done(Wish::Enrol, Wish::Rest);
        assert_eq!(stage.wish(), Wish::Rest);
    }
}
