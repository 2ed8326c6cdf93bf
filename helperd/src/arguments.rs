//! Arguments of bus calls: read once into bounded values; anything unknown, too long or of another type is refused.

use std::collections::HashMap;
use std::time::Duration;

use pose_contract::{MAX_SERVICE, MAX_USER, is_user_name, mode};
use pose_engine::challenge::{Movement, MovementSet};
use zbus::OwnedVariant;

use crate::place::Told;
use crate::refusal::Refusal;

/// Longest terminal or remote host name, bytes (a DNS name has at most 255).
const MAX_PLACE: usize = 255;
/// Longest label of a gesture, bytes.
const MAX_LABEL: usize = 64;
/// Shortest and longest time for an attempt's camera part, milliseconds.
const TIMEOUT_MS: std::ops::RangeInclusive<u32> = 3_000..=120_000;
/// Time for the camera part when the caller names none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest list of movements, bytes: all of them fit.
const MAX_CANNOT: usize = 512;
/// Recordings that an enrolment may ask for.
const REPETITIONS: std::ops::RangeInclusive<u32> = 3..=8;

/// `Begin`'s origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whether an earlier module has checked the password.
    pub pose_only: bool,
    /// Terminal as told by the caller, for the audit line only.
    pub tty: String,
    /// Remote host as told by the caller: it can only make the caller remote.
    pub rhost: String,
    /// Whether the host can show nothing, as told by the caller: only a service's own policy makes anything of it.
    pub silent: bool,
    /// Who logged in that the caller's process comes from, as told by the caller: it can only make the caller remote.
    pub login_uid: Option<u32>,
    /// The process that the caller asks for, as told by the caller: only a service that asks for others is believed.
    pub asker: Option<u32>,
    /// Time for the camera part.
    pub timeout: Duration,
}

/// `Enroll`'s options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolOptions {
    /// The person's label of the gesture.
    pub gesture: String,
    /// Recordings to take; the configuration's number if absent.
    pub repetitions: Option<u8>,
    /// Whether the new gesture revokes all earlier ones.
    pub replace: bool,
    /// Challenge movements that the person cannot do.
    pub cannot: MovementSet,
    /// Record nothing; forget what later logins added to the templates.
    pub reset_adaptation: bool,
}

/// A user's name that could be one.
///
/// # Errors
/// [`Refusal::InvalidArgument`], here and in every function below.
pub fn user(name: &str) -> Result<(), Refusal> {
    if is_user_name(name) {
        Ok(())
    } else {
        Err(Refusal::InvalidArgument(format!(
            "not a user name; give 1 to {MAX_USER} bytes as in /etc/passwd"
        )))
    }
}

/// A PAM service's name.
pub fn service(name: &str) -> Result<(), Refusal> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "-_.@+".contains(c);
    if !name.is_empty() && name.len() <= MAX_SERVICE && name.chars().all(letter) {
        Ok(())
    } else {
        Err(Refusal::InvalidArgument(format!(
            "not a service name; give the file's name in /etc/pam.d, at most {MAX_SERVICE} bytes"
        )))
    }
}

impl Origin {
    /// What it and the service say of where the caller sits.
    #[must_use]
    pub fn told<'a>(&'a self, service: &'a str) -> Told<'a> {
        Told { service, rhost: &self.rhost, login_uid: self.login_uid, asker: self.asker }
    }

    /// Reads the dictionary.
    pub fn read(mut values: HashMap<String, OwnedVariant>) -> Result<Self, Refusal> {
        let pose_only = match text(&mut values, "mode", MAX_PLACE)?.as_str() {
            "" | mode::OWN_PASSWORD => false,
            mode::POSE_ONLY => true,
            _ => return Err(invalid("mode", "is neither own-password nor pose-only")),
        };
        let tty = text(&mut values, "tty", MAX_PLACE)?;
        let rhost = text(&mut values, "rhost", MAX_PLACE)?;
        let silent = flag(&mut values, "silent")?;
        let login_uid = number(&mut values, "login_uid")?;
        let asker = number(&mut values, "asker")?;
        let timeout = match number(&mut values, "timeout_ms")? {
            None => DEFAULT_TIMEOUT,
            Some(ms) => Duration::from_millis(u64::from(ms.clamp(*TIMEOUT_MS.start(), *TIMEOUT_MS.end()))),
        };
        nothing_else(&values)?;
        Ok(Self { pose_only, tty, rhost, silent, login_uid, asker, timeout })
    }
}

impl EnrolOptions {
    /// Reads the dictionary.
    pub fn read(mut values: HashMap<String, OwnedVariant>) -> Result<Self, Refusal> {
        let gesture = text(&mut values, "gesture", MAX_LABEL)?;
        let repetitions = match number(&mut values, "repetitions")? {
            None => None,
            Some(count) if REPETITIONS.contains(&count) => u8::try_from(count).ok(),
            Some(_) => return Err(invalid("repetitions", "is not between 3 and 8")),
        };
        let replace = flag(&mut values, "replace")?;
        let cannot = movements(&text(&mut values, "cannot", MAX_CANNOT)?)?;
        let reset_adaptation = flag(&mut values, "reset_adaptation")?;
        nothing_else(&values)?;
        Ok(Self { gesture, repetitions, replace, cannot, reset_adaptation })
    }
}

/// The options of calls that take none yet.
pub fn nothing_else(values: &HashMap<String, OwnedVariant>) -> Result<(), Refusal> {
    match values.len() {
        0 => Ok(()),
        _ => {
            Err(Refusal::InvalidArgument("unknown options; see the introspection for those there are".into()))
        }
    }
}

fn text(values: &mut HashMap<String, OwnedVariant>, key: &str, longest: usize) -> Result<String, Refusal> {
    let Some(value) = values.remove(key) else { return Ok(String::new()) };
    let text = String::try_from(value).map_err(|_| invalid(key, "is not a string"))?;
    if text.len() > longest || text.chars().any(char::is_control) {
        return Err(invalid(key, "is too long or has control characters"));
    }
    Ok(text)
}

/// Names of challenge movements with commas between them.
fn movements(names: &str) -> Result<MovementSet, Refusal> {
    let known = |name| Movement::parse(name).ok_or_else(|| invalid("cannot", "names an unknown movement"));
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(known).collect()
}

fn flag(values: &mut HashMap<String, OwnedVariant>, key: &str) -> Result<bool, Refusal> {
    let read = |value| bool::try_from(value).map_err(|_| invalid(key, "is not a boolean"));
    values.remove(key).map_or(Ok(false), read)
}

fn number(values: &mut HashMap<String, OwnedVariant>, key: &str) -> Result<Option<u32>, Refusal> {
    let read = |value| u32::try_from(value).map_err(|_| invalid(key, "is not an unsigned 32-bit number"));
    values.remove(key).map(read).transpose()
}

fn invalid(key: &str, what: &str) -> Refusal {
    Refusal::InvalidArgument(format!("option {key} {what}; correct it and call again"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::Variant;

    fn values(pairs: &[(&str, Variant<'_>)]) -> HashMap<String, OwnedVariant> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.try_to_owned().unwrap())).collect()
    }

    #[test]
    fn an_origin_is_read_or_refused_as_a_whole() {
        let good =
            values(&[("mode", "pose-only".into()), ("tty", "pts/1".into()), ("timeout_ms", 5000u32.into())]);
        let origin = Origin::read(good).unwrap();
        assert!(origin.pose_only);
        assert_eq!(origin.timeout, Duration::from_secs(5));
        let long = "x".repeat(300);
        for bad in [
            ("mode", Variant::from("any")),
            ("mode", Variant::from(1u32)),
            ("tty", Variant::from(long.as_str())),
            ("rhost", Variant::from("a\nb")),
            ("timeout_ms", Variant::from("20")),
            ("silent", Variant::from(1u32)),
            ("skip_challenge", Variant::from(true)),
        ] {
            assert!(matches!(Origin::read(values(&[bad])), Err(Refusal::InvalidArgument(_))));
        }
    }

    #[test]
    fn times_are_kept_within_bounds() {
        for (asked, given) in [(0u32, 3), (u32::MAX, 120)] {
            let origin = Origin::read(values(&[("timeout_ms", asked.into())])).unwrap();
            assert_eq!(origin.timeout, Duration::from_secs(given));
        }
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        for bad in ["", "a/b", "a b", "../x", &"x".repeat(65)] {
            assert!(service(bad).is_err(), "{bad}");
        }
        for good in ["sudo", "sudo-i", "gdm-password", "polkit-1", "systemd-user", "login"] {
            assert!(service(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn enrolment_options_have_bounds() {
        assert_eq!(EnrolOptions::read(values(&[("repetitions", 5u32.into())])).unwrap().repetitions, Some(5));
        let cannot = EnrolOptions::read(values(&[("cannot", "lean_left, t_pose".into())])).unwrap().cannot;
        assert_eq!(cannot.iter().map(Movement::name).collect::<Vec<_>>(), ["t_pose", "lean_left"]);
        for bad in [
            ("cannot", Variant::from("lean_left,fly")),
            ("repetitions", Variant::from(2u32)),
            ("repetitions", Variant::from(9u32)),
            ("x", Variant::from(1u32)),
        ] {
            assert!(EnrolOptions::read(values(&[bad])).is_err());
        }
    }
}
