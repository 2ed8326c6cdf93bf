//! How an instruction reaches the person in front of each kind of program.

use crate::conversation::{Broken, Style, show};
use crate::host::Host;
use crate::options::Cue;

/// What a program can do with an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It shows messages.
    Message,
    /// It shows prompts alone.
    Prompt,
    /// It shows neither; the helper is told and decides by its policy for the service.
    Nothing,
}

/// Screen lockers whose conversation shows the text of prompts but no messages (read in their sources).
const PROMPTS_ONLY: [&str; 1] = ["hyprlock"];
/// Screen lockers that show no text at all and take a second prompt for the same password (read in their
/// sources: both answer every prompt with the one password that was typed).
const NO_TEXT: [&str; 3] = ["i3lock", "swaylock", "i3lock-color"];
/// Programs that forbid messages by habit and print them all the same: sudo passes `PAM_SILENT` at every login, and
/// before 1.9.16 nothing turns that off. Nobody could do what is never asked.
const SILENT_BY_HABIT: [&str; 2] = ["sudo", "sudo-i"];

impl Manner {
    /// The administrator's choice, or what is known about the service; silence that the program means wins.
    #[must_use]
    pub fn of(cue: Cue, service: &str, silent: bool) -> Self {
        match cue {
            _ if silent && !SILENT_BY_HABIT.contains(&service) => Self::Nothing,
            Cue::Info => Self::Message,
            Cue::Prompt => Self::Prompt,
            Cue::Auto if PROMPTS_ONLY.contains(&service) => Self::Prompt,
            Cue::Auto if NO_TEXT.contains(&service) => Self::Nothing,
            Cue::Auto => Self::Message,
        }
    }

    /// Shows an instruction that has to be followed within `seconds`.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn instruct(self, host: &Host<'_>, text: &str, seconds: u64) -> Result<(), Broken> {
        match self {
            Self::Message => show(host, Style::Info, &format!("{text} (within {seconds} s)")),
            Self::Prompt => {
                show(host, Style::Confirm, &format!("{text} (within {seconds} s), then press Enter: "))
            }
            Self::Nothing => Ok(()),
        }
    }

    /// Shows why it did not work. Only where messages are shown: a prompt would want an answer.
    pub fn explain(self, host: &Host<'_>, text: &str) {
        if self == Self::Message && !text.is_empty() {
            // The code is decided; a program that cannot show the reason changes nothing.
            let _ = show(host, Style::Error, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrator_decides_before_the_table_and_silence_before_both() {
        let table = [
            (Cue::Auto, "su", false, Manner::Message),
            (Cue::Auto, "hyprlock", false, Manner::Prompt),
            (Cue::Auto, "swaylock", false, Manner::Nothing),
            (Cue::Info, "swaylock", false, Manner::Message),
            (Cue::Prompt, "su", false, Manner::Prompt),
            (Cue::Prompt, "su", true, Manner::Nothing),
            (Cue::Info, "su", true, Manner::Nothing),
            (Cue::Auto, "sudo", true, Manner::Message),
            (Cue::Auto, "sudo-i", true, Manner::Message),
            (Cue::Auto, "swaylock", true, Manner::Nothing),
            (Cue::Auto, "swaylock-x", false, Manner::Message),
        ];
        for (cue, service, silent, expected) in table {
            assert_eq!(Manner::of(cue, service, silent), expected, "{cue:?} {service} {silent}");
        }
    }
}
