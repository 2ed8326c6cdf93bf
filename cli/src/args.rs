//! The command line as it is typed. `invocation` turns it into what is to be done.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Enrol, test and look after pam_pose: a live pose as a login factor.
#[derive(Debug, Parser)]
#[command(name = "posectl", version, about, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "posectl doctor says what is wrong with an installation and how to repair it.")]
pub(crate) struct Cli {
    /// Print JSON on stdout, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Record a secret gesture and store it for a user
    #[command(visible_alias = "enrol")]
    Enroll(Enroll),
    /// Show enrolments
    List {
        /// The user; you if left out
        user: Option<String>,
        /// All users (root only)
        #[arg(long, conflicts_with = "user")]
        all: bool,
    },
    /// Remove a user's enrolment
    Remove {
        /// The user; you if left out
        user: Option<String>,
        /// Do not ask whether to go on
        #[arg(long, short)]
        yes: bool,
    },
    /// Change the password that is stored with the enrolment
    Passwd {
        /// The user; you if left out
        user: Option<String>,
    },
    /// End a lock-out (root only)
    Unlock {
        /// The user
        user: String,
    },
    /// Try a login without a door behind it
    Test {
        /// The user; you if left out
        user: Option<String>,
    },
    /// Show cameras, their formats, and what would be used
    Devices(Devices),
    /// Check the installation; each finding comes with its fix
    Doctor,
    /// Show, make, check or take back a pose in one service of /etc/pam.d
    Pam(Pam),
    /// Take the pose out of every login, also from a rescue shell (root only)
    EmergencyOff {
        /// Put everything back as it was before the switch
        #[arg(long)]
        undo: bool,
        /// Another system's root folder, for instance one mounted in a rescue system
        #[arg(long, value_name = "DIR", default_value = "/")]
        root: PathBuf,
    },
    /// Show the movements that a login may ask for after the gesture
    Movements {
        /// Also write a picture of each into this folder, as NAME.svg
        #[arg(long, value_name = "DIR")]
        pictures: Option<PathBuf>,
    },
    /// Measure accuracy on recordings of landmarks
    Eval(crate::eval::Args),
    /// Run the whole pipeline on recordings, without store, bus or PAM
    Rehearse(Rehearse),
    /// Turn recordings into landmark sequences
    Landmarks(Landmarks),
    /// Serve a web page on this machine for practising and enrolling with a live picture
    Studio,
    /// Time each step of a login on a recording
    Bench {
        /// The recording; one that the sources ship if left out
        clip: Option<PathBuf>,
    },
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    Man {
        /// Folder to write to; made if missing
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Enroll {
    /// The user; you if left out
    pub(crate) user: Option<String>,
    /// A name for the gesture, to tell enrolments apart (never describe the gesture itself)
    #[arg(long, value_name = "LABEL")]
    pub(crate) gesture: Option<String>,
    /// Put the new gesture in place of the old one, instead of beside it
    #[arg(long)]
    pub(crate) replace: bool,
    /// Record nothing; forget what later logins added to the templates
    #[arg(long, conflicts_with_all = ["gesture", "replace", "repetitions"])]
    pub(crate) reset_adaptation: bool,
    /// How many recordings to make; as many as the helper's configuration says if left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=8))]
    pub(crate) repetitions: Option<u32>,
    /// Movements that a login may not count on, because you cannot do them (see posectl movements)
    #[arg(long, value_name = "MOVEMENT", value_delimiter = ',')]
    pub(crate) cannot: Vec<String>,
    /// Agree to what is kept without being asked
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Devices {
    /// Save one picture with the skeleton drawn on it
    #[arg(long, value_name = "FILE.png")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Trust cameras that were plugged in while the session was locked and are connected now (root only)
    #[arg(long)]
    pub(crate) approve: bool,
    /// The camera to take the picture with, instead of the one that would be chosen
    #[arg(long, value_name = "/dev/videoN", requires = "snapshot")]
    pub(crate) device: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Recordings to enrol from (at least 3)
    #[arg(long, value_name = "CLIP", num_args = 1.., required = true)]
    pub(crate) enrol: Vec<PathBuf>,
    /// Recordings to judge
    #[arg(long, value_name = "CLIP", num_args = 1.., required = true)]
    pub(crate) probe: Vec<PathBuf>,
    /// Movement to ask for after the gesture
    #[arg(long, value_name = "NAME", requires = "answer")]
    pub(crate) challenge: Option<String>,
    /// Recording that answers the challenge, for every probe
    #[arg(long, value_name = "CLIP", requires = "challenge")]
    pub(crate) answer: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Landmarks {
    /// Recordings: MJPEG AVI, folder of JPEGs, or Y4M
    #[arg(value_name = "CLIP", required = true)]
    pub(crate) clips: Vec<PathBuf>,
    /// File to write, one line a recording; "-" for stdout
    #[arg(long, short, value_name = "FILE.jsonl")]
    pub(crate) output: PathBuf,
    /// The model's own landmarks, without smoothing over time
    #[arg(long)]
    pub(crate) no_smoothing: bool,
    /// Name of the set to write into the lines
    #[arg(long, default_value = "recorded")]
    pub(crate) set: String,
    /// Pseudonym of the person to write into the lines
    #[arg(long, default_value = "")]
    pub(crate) user: String,
    /// Gesture to write into the lines; the recording's name if left out
    #[arg(long)]
    pub(crate) gesture: Option<String>,
    /// View (distance, angle) to write into the lines
    #[arg(long, default_value = "")]
    pub(crate) view: String,
    /// Kind to write into the lines
    #[arg(long, default_value = "live", value_parser = ["live", "orig", "still", "wobble", "replay"])]
    pub(crate) kind: String,
}

#[derive(Debug, Args)]
pub(crate) struct Pam {
    #[command(subcommand)]
    pub(crate) action: PamAction,
    /// Another system's root folder, for instance one mounted in a rescue system
    #[arg(long, value_name = "DIR", default_value = "/", global = true)]
    pub(crate) root: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PamAction {
    /// Show what would be changed, and what the new stack would do in each case
    Plan(PamChange),
    /// Check the new stack, keep a backup, then put it in place (root only)
    Apply(PamChange),
    /// Check the stack that is in place
    Verify(PamChange),
    /// Put back what stood before `apply` (root only)
    Rollback {
        /// The service: a file of /etc/pam.d
        service: String,
        /// Also if the file was edited since; that is lost
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PamChange {
    /// The service: a file of /etc/pam.d, such as sudo
    pub(crate) service: String,
    /// Refuse users who never enrolled, instead of letting them pass with their password (no `nouserok`)
    #[arg(long)]
    pub(crate) strict: bool,
    /// A further word for the module's line, such as timeout=30 or cue=prompt
    #[arg(long, value_name = "WORD")]
    pub(crate) option: Vec<String>,
    /// A module of yours that may let people in without a pose, such as pam_fprintd.so
    #[arg(long, value_name = "MODULE.so")]
    pub(crate) accept: Vec<String>,
    /// Let this user try the stack at this terminal, with the real password and pose, before it is put in place
    #[arg(long = "try", value_name = "USER")]
    pub(crate) by_hand: Option<String>,
    /// Go by the analysis alone
    #[arg(long, conflicts_with = "by_hand")]
    pub(crate) no_dry_run: bool,
}

impl Command {
    /// Whether it drives attempts of the helper, which Ctrl-C has to cancel.
    pub(crate) fn speaks_to_helper(&self) -> bool {
        matches!(
            self,
            Self::Enroll(_) | Self::Remove { .. } | Self::Passwd { .. } | Self::Test { .. } | Self::Studio
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn both_spellings_of_enrol_are_understood() {
        for spelling in ["enroll", "enrol"] {
            let cli = Cli::try_parse_from(["posectl", spelling, "anna"]).expect("parses");
            assert!(
                matches!(cli.command, Command::Enroll(Enroll { user: Some(user), .. }) if user == "anna")
            );
        }
    }
}
