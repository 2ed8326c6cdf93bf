//! Which gestures of other people's recordings are, by their labels, one of the challenge movements: what meets a
//! challenge because it is that very movement is counted apart from what meets it although it is something else.

use std::collections::HashMap;
use std::path::Path;

use pose_engine::challenge::{Movement, MovementSet};

/// The movements that a gesture's label says it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(HashMap<(String, String), MovementSet>);

impl Shown {
    /// Reads lines of `SET GESTURE MOVEMENT…`; what follows a `#` is a comment.
    ///
    /// # Errors
    /// What is wrong with the file or a line of it, and what to do.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| format!("{}: {e}; name a file that can be read", path.display()))?;
        let mut shown = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(set) = words.next() else { continue };
            let wrong = |why: String| format!("{}: line {number}: {why}", path.display());
            let gesture = words.next().ok_or_else(|| wrong("write SET GESTURE MOVEMENT…".to_owned()))?;
            let movements = words
                .map(|name| {
                    let unknown = || wrong(format!("no movement {name:?}; see `posectl movements`"));
                    Movement::parse(name).ok_or_else(unknown)
                })
                .collect::<Result<MovementSet, String>>()?;
            shown.insert((set.to_owned(), gesture.to_owned()), movements);
        }
        Ok(Self(shown))
    }

    /// Whether recordings of that gesture in that set are of the movement.
    pub(crate) fn is(&self, set: &str, gesture: &str, movement: Movement) -> bool {
        let key = (set.to_owned(), gesture.to_owned());
        self.0.get(&key).is_some_and(|movements| movements.contains(movement))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Shown, String> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("labels");
        std::fs::write(&path, text).expect("write");
        Shown::read(&path)
    }

    #[test]
    fn a_gesture_shows_what_its_line_says() {
        let shown =
            read("# Labels\n\nkinder T t_pose # both\nkinder wave raise_left raise_right\n").expect("fine");
        assert!(shown.is("kinder", "T", Movement::TPose) && !shown.is("kinder", "T", Movement::BothUp));
        assert!(shown.is("kinder", "wave", Movement::RaiseRight));
        assert!(!shown.is("other", "T", Movement::TPose), "labels belong to their set");
    }

    #[test]
    fn a_wrong_line_is_told_by_its_number() {
        let told = read("kinder T t_pose\nkinder Y both_arms\n").expect_err("unknown");
        assert!(told.contains("line 2") && told.contains("both_arms") && told.contains("posectl movements"));
        assert!(read("kinder\n").expect_err("no gesture").contains("line 1"));
    }
}
