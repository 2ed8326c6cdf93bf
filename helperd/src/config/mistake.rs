//! A mistake in the configuration, told with its line and what to write instead.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

impl Mistake {
    /// What the parser or serde found: bad syntax, an unknown key or variant, a wrong type.
    pub(super) fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        let message = error.message().lines().collect::<Vec<_>>().join(" ");
        Self { line, what: suggest(&message) }
    }

    /// A value out of bounds, by the path of its key.
    pub(super) fn at_key(text: &str, key: &[String], must: &str) -> Self {
        let line = key_start(text, key).map_or(1, |start| line_of(text, start));
        Self { line, what: format!("`{}` must be {must}; change it", key.join(".")) }
    }

    /// Bytes that are not text.
    pub(super) fn not_utf8(bytes: &[u8], error: &std::str::Utf8Error) -> Self {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Self { line, what: "not UTF-8 text; save the file as UTF-8".into() }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// Adds the nearest known name to serde's "unknown field `x`, expected one of `a`, `b`", and a next step to
/// everything else.
fn suggest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown ") {
        return format!("{message}; correct this line");
    }
    let Some(unknown) = quoted.next() else { return format!("{message}; correct this line") };
    let thing = if message.starts_with("unknown field") { "unknown key" } else { "unknown value" };
    let known: Vec<&str> = quoted.collect();
    let nearest = known
        .iter()
        .map(|name| (distance(unknown, name), *name))
        .filter(|(distance, name)| *distance <= name.len().max(unknown.len()) / 2)
        .min();
    match nearest {
        Some((_, name)) => format!("{thing} `{unknown}`; did you mean `{name}`?"),
        None => format!("{thing} `{unknown}`; known here: {}", known.join(", ")),
    }
}

/// Levenshtein distance over characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = *cell;
            left = substituted.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Byte offset of the deepest part of the path that the text has.
fn key_start(text: &str, path: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut found = None;
    for key in path {
        let (name, value): (&Spanned<_>, &Spanned<DeValue<'_>>) =
            table.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
        found = Some(name.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshtein() {
        for (a, b, expected) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("divice", "device", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }
}
