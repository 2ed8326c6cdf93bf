//! A service's lines of one kind in the order in which libpam asks them, inclusions and substacks in place.

use super::control::Actions;
use super::syntax::{Kind, Line, What, parse};
use super::tree::Tree;

/// Deepest nesting that libpam follows (`PAM_SUBSTACK_MAX_LEVEL`).
const DEEPEST: usize = 16;
/// The service whose lines stand in where one has none.
const OTHER: &str = "other";

/// One place of a stack.
#[derive(Clone, Debug)]
pub(crate) struct Handler {
    /// Nesting of substacks.
    pub(crate) level: usize,
    /// The file it stands in.
    pub(crate) file: String,
    /// Its line there, counted from 1.
    pub(crate) number: usize,
    /// Its text.
    pub(crate) text: String,
    /// What is asked.
    pub(crate) asks: Asks,
}

/// What happens at a place.
#[derive(Clone, Debug)]
pub(crate) enum Asks {
    /// A module is asked.
    Module(Line),
    /// A substack begins: the place counts for jumps and does nothing.
    Substack,
    /// Always a failure.
    Mistake(String),
}

impl Handler {
    /// The line, if a module is asked.
    pub(crate) fn line(&self) -> Option<&Line> {
        match &self.asks {
            Asks::Module(line) => Some(line),
            _ => None,
        }
    }

    /// What its answers do.
    pub(crate) fn actions(&self) -> Actions {
        self.line().map_or(Actions::ALL_BAD, |line| line.actions)
    }

    /// Where it stands, for people.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.number)
    }
}

/// The stack of a service.
///
/// # Errors
/// Why libpam would not start for it: a file that is not there, or one that includes itself.
pub(crate) fn of(tree: &Tree, service: &str, kind: Kind) -> Result<Vec<Handler>, String> {
    let own = if tree.read(service).is_ok() { own(tree, service, kind)? } else { Vec::new() };
    if own.is_empty() && service != OTHER && tree.read(OTHER).is_ok() {
        return self::own(tree, OTHER, kind);
    }
    Ok(own)
}

/// Its own lines alone, without those of `other`.
///
/// # Errors
/// As [`of`].
pub(crate) fn own(tree: &Tree, service: &str, kind: Kind) -> Result<Vec<Handler>, String> {
    let mut handlers = Vec::new();
    add(tree, service, kind, Depth { inclusions: 0, level: 0 }, &mut handlers)?;
    Ok(handlers)
}

#[derive(Clone, Copy)]
struct Depth {
    inclusions: usize,
    level: usize,
}

fn add(tree: &Tree, file: &str, kind: Kind, depth: Depth, handlers: &mut Vec<Handler>) -> Result<(), String> {
    if depth.inclusions > DEEPEST {
        return Err(format!("{file} is included too deeply; does it include itself?"));
    }
    let text = tree.read(file).map_err(|error| format!("{file}: {error}"))?;
    let deeper = |level| Depth { inclusions: depth.inclusions + 1, level };
    for entry in parse(&text) {
        let place = |asks| Handler {
            level: depth.level,
            file: file.to_owned(),
            number: entry.lines.start + 1,
            text: entry.text.clone(),
            asks,
        };
        match entry.what {
            What::Module(line) if line.kind == kind => handlers.push(place(Asks::Module(line))),
            What::Module(_) => {}
            What::IncludeAll(inner) => add(tree, &inner, kind, deeper(depth.level), handlers)?,
            What::Include(of, inner) if of == kind => add(tree, &inner, kind, deeper(depth.level), handlers)?,
            What::Substack(of, inner) if of == kind => {
                handlers.push(place(Asks::Substack));
                add(tree, &inner, kind, deeper(depth.level + 1), handlers)?;
            }
            What::Include(..) | What::Substack(..) => {}
            // libpam takes a line without a known type for one of the most sensitive, and lets it fail.
            What::Mistake(ref why) => {
                let why = why.clone();
                handlers.push(place(Asks::Mistake(why)));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let empty = Tree::at(Path::new("/nonexistent"));
        files.iter().fold(empty, |tree, (name, text)| tree.with_draft(name, text))
    }

    fn shape(files: &[(&str, &str)], service: &str) -> Vec<(usize, String)> {
        let handlers = of(&tree(files), service, Kind::Auth).expect("loads");
        handlers.iter().map(|h| (h.level, format!("{} {}", h.place(), h.text))).collect()
    }

    #[test]
    fn inclusions_keep_the_level_and_substacks_open_one() {
        let files = [
            ("top", "auth required a.so\n@include inner\nauth substack inner\nauth include inner\n"),
            ("inner", "account required x.so\nauth required b.so\n"),
        ];
        let b = "inner:2 auth required b.so";
        let expected =
            [(0, "top:1 auth required a.so"), (0, b), (0, "top:3 auth substack inner"), (1, b), (0, b)];
        assert_eq!(shape(&files, "top"), expected.map(|(level, text)| (level, text.to_owned())));
    }

    #[test]
    fn other_stands_in_for_a_service_without_lines_of_the_kind() {
        let files = [("top", "account required x.so\n"), ("other", "auth required d.so\n")];
        for service in ["top", "unheard-of"] {
            assert_eq!(shape(&files, service), [(0, "other:1 auth required d.so".to_owned())]);
        }
    }

    #[test]
    fn a_missing_file_and_a_loop_keep_libpam_from_starting() {
        for files in [[("top", "@include gone\n")], [("top", "@include top\n")]] {
            assert!(of(&tree(&files), "top", Kind::Auth).is_err());
        }
    }
}
