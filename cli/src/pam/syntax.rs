//! A pam.d file as libpam reads it: logical lines, comments, brackets, inclusions.

use std::ops::Range;

use super::MODULE;
use super::control::Actions;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Auth,
    Account,
    Session,
    Password,
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "auth" => Self::Auth,
            "account" => Self::Account,
            "session" => Self::Session,
            "password" => Self::Password,
            _ => return None,
        })
    }

    /// The word in a pam.d file.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Account => "account",
            Self::Session => "session",
            Self::Password => "password",
        }
    }
}

/// One logical line.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its physical lines, counted from 0.
    pub(crate) lines: Range<usize>,
    /// Its text in one piece, without comment.
    pub(crate) text: String,
    /// What it says.
    pub(crate) what: What,
}

/// What a logical line says.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A module is asked.
    Module(Line),
    /// `@include FILE`: of every kind, in this stack.
    IncludeAll(String),
    /// `KIND include FILE`: in this stack.
    Include(Kind, String),
    /// `KIND substack FILE`: a stack of its own.
    Substack(Kind, String),
    /// libpam makes of it a line that always fails.
    Mistake(String),
}

/// A line that asks a module.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    /// The control as written, without brackets.
    pub(crate) control: String,
    pub(crate) actions: Actions,
    /// The module as written, perhaps with a path.
    pub(crate) module: String,
    pub(crate) args: Vec<String>,
}

impl Line {
    /// The module's file name.
    pub(crate) fn module_name(&self) -> &str {
        self.module.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it asks for a pose.
    pub(crate) fn is_pose(&self) -> bool {
        self.module_name() == MODULE
    }

    /// Whether that word stands after the module.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.args.iter().any(|arg| arg == option)
    }
}

/// Reads a whole file.
pub(crate) fn parse(text: &str) -> Vec<Entry> {
    let physical: Vec<&str> = text.split('\n').collect();
    let mut entries = Vec::new();
    let mut at = 0;
    while at < physical.len() {
        let (logical, after) = assemble(&physical, at);
        if !logical.trim().is_empty() {
            let text = logical.trim().to_owned();
            entries.push(Entry { lines: at..after, what: parse_line(&text), text });
        }
        at = after;
    }
    entries
}

/// The logical line that begins at `at`, and where the next begins. A comment ends a line even before a backslash.
fn assemble(physical: &[&str], at: usize) -> (String, usize) {
    let mut logical = String::new();
    for (place, line) in physical.iter().enumerate().skip(at) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some((before, _)) = line.split_once('#') {
            logical.push_str(before);
            return (logical, place + 1);
        }
        match line.strip_suffix('\\') {
            Some(before) => {
                logical.push_str(before);
                logical.push(' ');
            }
            None => {
                logical.push_str(line);
                return (logical, place + 1);
            }
        }
    }
    (logical, physical.len())
}

fn parse_line(text: &str) -> What {
    let words = words(text);
    let mut words = words.into_iter();
    let Some((first, _)) = words.next() else { return What::Mistake("an empty line".into()) };
    if first == "@include" {
        return match words.next() {
            Some((file, _)) => What::IncludeAll(file),
            None => What::Mistake("@include names no file".into()),
        };
    }
    let Some(kind) = Kind::parse(first.trim_start_matches('-')) else {
        return What::Mistake(format!("the type \"{first}\" does not exist"));
    };
    let (Some((control, bracketed)), Some((module, _))) = (words.next(), words.next()) else {
        return What::Mistake("a control or a module is missing".into());
    };
    match control.to_ascii_lowercase().as_str() {
        "include" if !bracketed => return What::Include(kind, module),
        "substack" if !bracketed => return What::Substack(kind, module),
        _ => {}
    }
    match Actions::parse(&control, bracketed) {
        Ok(actions) => {
            What::Module(Line { kind, control, actions, module, args: words.map(|(word, _)| word).collect() })
        }
        Err(why) => What::Mistake(why),
    }
}

/// Words, each with whether it stood in `[brackets]`, where spaces belong to it and `\]` is a bracket.
fn words(text: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(&letter) = letters.peek() {
        if letter.is_whitespace() {
            letters.next();
            continue;
        }
        let bracketed = letter == '[';
        let mut word = String::new();
        if bracketed {
            letters.next();
            while let Some(letter) = letters.next() {
                match letter {
                    ']' => break,
                    '\\' if letters.peek() == Some(&']') => word.extend(letters.next()),
                    _ => word.push(letter),
                }
            }
        } else {
            while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
                word.push(letter);
            }
        }
        words.push((word, bracketed));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> What {
        let mut entries = parse(text);
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0).what
    }

    #[test]
    fn a_line_is_read_with_brackets_comments_and_continuations() {
        let What::Module(line) =
            only("-Auth [success=2 \\\n default=ignore] /lib/pam_pose.so a [b c] # x \\")
        else {
            panic!("no module")
        };
        assert_eq!((line.kind, line.module_name(), line.is_pose()), (Kind::Auth, "pam_pose.so", true));
        assert_eq!(line.args, ["a", "b c"]);
        assert!(line.has("b c") && !line.has("b"));
    }

    #[test]
    fn the_lines_of_an_entry_are_known() {
        let entries =
            parse("# head\n\nauth required \\\n  a.so\nauth required b.so # tail\\\nauth required c.so");
        let lines: Vec<_> = entries.iter().map(|entry| entry.lines.clone()).collect();
        assert_eq!(lines, [2..4, 4..5, 5..6]);
    }

    #[test]
    fn inclusions_and_mistakes_are_told_apart() {
        assert!(matches!(only("@include common-auth"), What::IncludeAll(file) if file == "common-auth"));
        assert!(matches!(only("auth include su"), What::Include(Kind::Auth, file) if file == "su"));
        assert!(matches!(only("auth substack su"), What::Substack(Kind::Auth, file) if file == "su"));
        for bad in ["@include", "auth required", "oauth required a.so", "auth needed a.so", "auth [x] a.so"] {
            assert!(matches!(only(bad), What::Mistake(_)), "{bad}");
        }
    }
}
