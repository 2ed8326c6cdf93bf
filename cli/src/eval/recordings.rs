//! Recordings of landmarks: gzipped JSON lines, one recording a line.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use pose_engine::normalise::Track;
use pose_engine::sequence::Sequence;
use rayon::prelude::*;
use serde::Deserialize;

use super::one_body::Figures;

/// Longest accepted line, bytes: a minute of landmarks is about 6 MB.
const MAX_LINE: usize = 64 << 20;
/// Lines that are parsed together end when they have so many bytes; bounds the memory that reading takes.
const BATCH: usize = 8 << 20;

/// What a recording shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Live,
    Orig,
    Still,
    Wobble,
    Replay,
    Other,
}

impl Kind {
    /// Whether a person moves before the camera.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Orig)
    }
}

/// One recording.
#[derive(Debug)]
pub(crate) struct Recording {
    /// The collection that it belongs to; empty if the line names none.
    pub(crate) set: String,
    pub(crate) user: String,
    pub(crate) gesture: String,
    pub(crate) view: String,
    pub(crate) rep: f64,
    pub(crate) kind: Kind,
    pub(crate) sequence: Sequence,
    pub(crate) track: Track,
    /// Its bodies, where all landmarks are there.
    pub(crate) figures: Option<Figures>,
    /// Joints in space, where a depth sensor measured them.
    pub(crate) space: Option<Space>,
}

/// A depth sensor's `j13` frames.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) fps: f64,
    pub(crate) rows: Vec<Vec<[f32; 3]>>,
}

/// Why a file could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    Open(PathBuf, std::io::Error),
    Read(PathBuf, usize, std::io::Error),
    Line(PathBuf, usize, String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(path, e) => write!(f, "{}: {e}; check the path and its permissions", path.display()),
            Self::Read(path, line, e) => write!(
                f,
                "{}: line {line}: {e}; the file is cut short or damaged, fetch it again",
                path.display()
            ),
            Self::Line(path, line, why) => {
                write!(f, "{}: line {line}: {why}; correct or remove that line", path.display())
            }
        }
    }
}

/// Reads a whole file, gzipped or not.
pub(crate) fn read(path: &Path) -> Result<Vec<Recording>, ReadError> {
    let file = File::open(path).map_err(|e| ReadError::Open(path.to_owned(), e))?;
    let mut raw = BufReader::new(file);
    let magic = raw.fill_buf().map_err(|e| ReadError::Open(path.to_owned(), e))?;
    let mut input: Box<dyn BufRead> = if magic.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(raw)))
    } else {
        Box::new(raw)
    };
    let mut recordings = Vec::new();
    let mut number = 0;
    loop {
        let mut batch = Vec::new();
        let (mut bytes, mut ended) = (0, false);
        while bytes < BATCH && !ended {
            let mut line = Vec::new();
            let got = (&mut input)
                .take(MAX_LINE as u64 + 1)
                .read_until(b'\n', &mut line)
                .map_err(|e| ReadError::Read(path.to_owned(), number + 1, e))?;
            ended = got == 0;
            number += usize::from(!ended);
            bytes += got;
            if got > MAX_LINE {
                let why = format!("longer than {} MiB, which is no recording of a gesture", MAX_LINE >> 20);
                return Err(ReadError::Line(path.to_owned(), number, why));
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                batch.push((number, line));
            }
        }
        let parsed: Result<Vec<Recording>, ReadError> = batch
            .par_iter()
            .map(|(n, line)| parse(line).map_err(|why| ReadError::Line(path.to_owned(), *n, why)))
            .collect();
        recordings.extend(parsed?);
        if ended {
            return Ok(recordings);
        }
    }
}

/// Rows of numbers in which anything may be missing.
type Rows = Vec<Option<Vec<Option<Vec<Option<f32>>>>>>;

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    set: Option<Name>,
    user: Name,
    gesture: Name,
    #[serde(default)]
    view: Option<Name>,
    #[serde(default)]
    rep: Option<serde_json::Value>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    fps: Option<f64>,
    #[serde(default)]
    w: Option<f32>,
    #[serde(default)]
    h: Option<f32>,
    #[serde(default)]
    lm: Option<Rows>,
    #[serde(default)]
    j13: Option<Rows>,
}

/// A name that some tools write as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Number(serde_json::Number),
}

impl Name {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

fn parse(line: &[u8]) -> Result<Recording, String> {
    let line = serde_json::from_slice::<Line>(line)
        .or_else(|first| serde_json::from_str(&without_nan(line)).map_err(|_| first))
        .map_err(|e| e.to_string())?;
    let fps = line.fps.unwrap_or(15.0);
    let (mut space, mut figures) = (None, None);
    let sequence = match (line.lm, line.j13) {
        (Some(rows), _) => {
            let (w, h) = (line.w.unwrap_or(640.0), line.h.unwrap_or(480.0));
            let rows = dense(rows);
            figures = Figures::of(fps, w, h, &rows);
            Sequence::from_lm(fps, w, h, &rows)
        }
        (None, Some(rows)) => {
            let rows = dense(rows);
            let sequence = Sequence::from_j13(fps, &rows);
            space = Some(Space { fps, rows });
            sequence
        }
        (None, None) => return Err("neither \"lm\" nor \"j13\" is there".to_owned()),
    };
    let track = Track::of(&sequence);
    Ok(Recording {
        set: line.set.map(Name::into_text).unwrap_or_default(),
        user: line.user.into_text(),
        gesture: line.gesture.into_text(),
        view: line.view.map(Name::into_text).unwrap_or_default(),
        rep: line.rep.as_ref().map_or(0.0, number_of),
        kind: kind_of(line.kind.as_deref()),
        sequence,
        track,
        figures,
        space,
    })
}

/// Fixed-width rows with `NaN` for what is missing; a frame without a person is an empty row.
fn dense<const D: usize>(rows: Rows) -> Vec<Vec<[f32; D]>> {
    let point = |values: Option<Vec<Option<f32>>>| {
        let mut out = [f32::NAN; D];
        for (slot, v) in out.iter_mut().zip(values.into_iter().flatten()) {
            *slot = v.unwrap_or(f32::NAN);
        }
        out
    };
    rows.into_iter().map(|frame| frame.into_iter().flatten().map(point).collect()).collect()
}

/// Python's writer puts bare `NaN` and `Infinity` where JSON has no number for them.
fn without_nan(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null")
}

fn number_of(value: &serde_json::Value) -> f64 {
    match value {
        serde_json::Value::String(text) => text.trim().parse().unwrap_or(0.0),
        other => other.as_f64().unwrap_or(0.0),
    }
}

fn kind_of(name: Option<&str>) -> Kind {
    match name {
        None | Some("live") => Kind::Live,
        Some("orig") => Kind::Orig,
        Some("still") => Kind::Still,
        Some("wobble") => Kind::Wobble,
        Some("replay") => Kind::Replay,
        Some(_) => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_recordings_are_read_and_broken_ones_are_not() {
        let odd = [
            r#"{"user":"a","gesture":"g","rep":1,"lm":[]}"#,
            r#"{"user":1,"gesture":2,"rep":"3","lm":[null,[null],[[0.1,null,0,1]]],"fps":0}"#,
            r#"{"user":"a","gesture":"g","j13":[[[NaN,1,2]]],"fps":-Infinity,"new":{"x":[]}}"#,
        ];
        for line in odd {
            assert!(parse(line.as_bytes()).is_ok(), "{line}");
        }
        for line in [
            "{",
            r#"{"user":"a","gesture":"g"}"#,
            r#"{"gesture":"g","lm":[]}"#,
            "[]",
            r#"{"user":"a","gesture":"g","lm":7}"#,
        ] {
            assert!(parse(line.as_bytes()).is_err(), "{line}");
        }
    }
}
