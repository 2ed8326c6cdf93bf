//! One attempt from a cold sandbox to a PAM code, and the table of attempts that demo and tests share.
use crate::Result;
use crate::bus::Bus;
use crate::film::Film;
use crate::helper::{Helper, Setup};
use crate::pam::{self, Request, Seen};
use crate::runner::{Case, Scene};

/// One attempt: who, what the camera sees, what must come of it.
pub struct Login {
    /// What the demo prints.
    pub name: &'static str,
    /// Account and password.
    pub who: (&'static str, &'static str),
    /// What the camera sees.
    pub film: fn() -> Film,
    /// Options on the module's line.
    pub options: &'static str,
    /// PAM items set beforehand.
    pub items: &'static [&'static str],
    /// The PAM code that must come.
    pub code: &'static str,
    /// The outcomes that the daemon may have reached; empty when none is reached.
    pub outcomes: &'static [&'static str],
    /// Ends the daemon as soon as the gesture is asked for.
    pub kill: bool,
}

const BEN: (&str, &str) = ("ben", "correct horse");

/// The table of the demo.
pub const TABLE: &[Login] = &[
    Login {
        name: "right person, right password",
        who: BEN,
        film: || Film::login("ben_circle_touch_3").answered_by("ben"),
        options: "",
        items: &[],
        code: "SUCCESS",
        outcomes: &["success"],
        kill: false,
    },
    Login {
        name: "right person, wrong password",
        who: ("ben", "incorrect horse"),
        film: || Film::login("ben_circle_touch_4").answered_by("ben"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["wrong_password"],
        kill: false,
    },
    Login {
        name: "another person, the same gesture",
        who: BEN,
        film: || Film::login("chidi_circle_touch_3").answered_by("chidi"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["wrong_pose"],
        kill: false,
    },
    Login {
        name: "right person, another gesture",
        who: BEN,
        film: || Film::login("ben_open_head_3").answered_by("ben"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["wrong_pose"],
        kill: false,
    },
    Login {
        name: "a printed photo, moved by hand",
        who: BEN,
        film: || Film::login("ben_print_moved").any_challenge("ben_print_moved"),
        options: "timeout=40",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["not_live", "not_finished", "wrong_pose", "challenge_missed"],
        kill: false,
    },
    Login {
        name: "a still picture",
        who: BEN,
        film: || Film::login("ben_print_still").any_challenge("ben_print_still"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["not_live", "not_finished"],
        kill: false,
    },
    Login {
        name: "a replay on a tablet, random challenge",
        who: BEN,
        film: || Film::login("ben_circle_touch_tablet").any_challenge("ben_open_head_tablet"),
        options: "timeout=40",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["not_live", "challenge_missed"],
        kill: false,
    },
    Login {
        name: "nobody in view",
        who: BEN,
        film: || Film::login("nobody").any_challenge("nobody"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["nobody_in_view"],
        kill: false,
    },
    Login {
        name: "not enrolled",
        who: ("dora", "anything"),
        film: || Film::login("ben_circle_touch_3").answered_by("ben"),
        options: "",
        items: &[],
        code: "USER_UNKNOWN",
        outcomes: &["not_enrolled"],
        kill: false,
    },
    Login {
        name: "daemon killed while the camera runs",
        who: BEN,
        film: || Film::login("ben_circle_touch_5").answered_by("ben"),
        options: "",
        items: &[],
        code: "AUTHINFO_UNAVAIL",
        outcomes: &[],
        kill: true,
    },
];

/// Attempts that only the tests make.
pub const FURTHER: &[Login] = &[
    Login {
        name: "right person, password checked by an earlier module",
        who: BEN,
        film: || Film::login("ben_circle_touch_4").answered_by("ben"),
        options: "pose_only",
        items: &[],
        code: "SUCCESS",
        outcomes: &["success"],
        kill: false,
    },
    Login {
        name: "right gesture, the challenges answered by nobody",
        who: BEN,
        film: || Film::login("ben_circle_touch_5").any_challenge("nobody"),
        options: "timeout=40",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["challenge_missed", "nobody_in_view", "not_live"],
        kill: false,
    },
    Login {
        name: "the light is off",
        who: BEN,
        film: || Film::login("dark").any_challenge("dark"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["too_dark"],
        kill: false,
    },
    Login {
        name: "asked from another machine",
        who: BEN,
        film: || Film::login("ben_circle_touch_3").answered_by("ben"),
        options: "",
        items: &["rhost=198.51.100.7"],
        code: "AUTHINFO_UNAVAIL",
        outcomes: &["remote"],
        kill: false,
    },
    Login {
        // The stack has no other module, so an ignored one leaves it without any permission.
        name: "not enrolled, excused by nouserok",
        who: ("dora", "anything"),
        film: || Film::login("ben_circle_touch_3").answered_by("ben"),
        options: "nouserok",
        items: &[],
        code: "PERM_DENIED",
        outcomes: &["not_enrolled"],
        kill: false,
    },
    Login {
        name: "another enrolled person in the right one's place",
        who: BEN,
        film: || Film::login("chidi_open_head_3").answered_by("chidi"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        outcomes: &["wrong_pose"],
        kill: false,
    },
    Login {
        name: "a third person, the same gesture",
        who: BEN,
        film: || Film::login("anna_circle_touch_3").answered_by("ben"),
        options: "",
        items: &[],
        code: "AUTH_ERR",
        // Where it is seen that somebody else answers, that is said first.
        outcomes: &["wrong_pose", "not_live"],
        kill: false,
    },
];

/// What came of an attempt.
pub struct Row {
    /// What the host saw.
    pub seen: Seen,
    /// The daemon's outcome, when it reached one.
    pub outcome: Option<String>,
    /// Everything that the daemon said.
    pub messages: String,
}

impl Login {
    /// Runs it in a furnished sandbox.
    pub fn attempt(&self, scene: &Scene) -> Result<Row> {
        let _bus = Bus::start(&scene.room)?;
        let mut helper = Helper::start(&Setup::new(&scene.room, &scene.state, &(self.film)())?)?;
        let mut request = Request::new(self.who.0, self.who.1);
        request.options = self.options;
        request.items = self.items;
        let seen = pam::ask(&scene.room, &request, |line| {
            if self.kill && line.to_lowercase().contains("gesture") {
                helper.kill();
            }
        })?;
        let messages = helper.messages();
        let outcome = outcome_of(&messages);
        Ok(Row { seen, outcome, messages })
    }

    /// Whether that is what must come.
    #[must_use]
    pub fn accepts(&self, row: &Row) -> bool {
        let outcome = row.outcome.as_deref();
        row.seen.code == self.code
            && if self.outcomes.is_empty() {
                outcome.is_none()
            } else {
                outcome.is_some_and(|name| self.outcomes.contains(&name))
            }
    }

    /// As a case of a test program: fails with everything that was seen.
    #[must_use]
    pub fn case(&'static self) -> Case {
        Case {
            name: self.name.to_owned(),
            run: Box::new(|scene| {
                let row = self.attempt(scene)?;
                if self.accepts(&row) {
                    return Ok(String::new());
                }
                let Row { seen, outcome, messages } = row;
                Err(format!(
                    "expected {} by {:?}\nseen {} by {outcome:?} after {:?}, shown {:#?}\nthe daemon said:\n{messages}",
                    self.code, self.outcomes, seen.code, seen.took, seen.shown
                )
                .into())
            }),
        }
    }
}

/// The last outcome that the daemon logged.
fn outcome_of(messages: &str) -> Option<String> {
    let (_, rest) = messages.rsplit_once("outcome=")?;
    let word: String = rest
        .chars()
        .skip_while(|letter| *letter == '"')
        .take_while(|letter| letter.is_ascii_lowercase() || *letter == '_')
        .collect();
    pose_contract::Outcome::parse(&word).map(|outcome| outcome.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expected_outcome_exists_and_fits_its_code() {
        for login in TABLE.iter().chain(FURTHER).filter(|login| login.options != "nouserok") {
            for name in login.outcomes {
                let outcome = pose_contract::Outcome::parse(name).unwrap_or_else(|| panic!("{name}"));
                let code = format!("{:?}", outcome.pam_code()).to_lowercase();
                assert_eq!(code, login.code.replace('_', "").to_lowercase(), "{}", login.name);
            }
        }
    }

    #[test]
    fn the_last_logged_outcome_counts() {
        assert_eq!(
            outcome_of("verdict outcome=\"wrong_pose\" x\nverdict outcome=success y"),
            Some("success".into())
        );
        assert_eq!(outcome_of("nothing"), None);
    }
}
