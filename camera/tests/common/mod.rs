//! Clips made on the spot: the real pictures of a small test pattern in whatever container a test wants.
#![allow(dead_code)] // each test file takes what it needs
use std::path::{Path, PathBuf};

use pose_camera::recording::Clip;

/// Twelve pictures of 64 × 48, 15 per second, written by ffmpeg.
pub(crate) fn pattern() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pattern.avi")
}

/// The pattern's pictures.
pub(crate) fn jpegs() -> Vec<Vec<u8>> {
    Clip::open(&pattern()).unwrap().frames().map(|f| f.unwrap().data).collect()
}

/// A directory that goes away by itself.
pub(crate) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A chunk with its padding.
pub(crate) fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend((content.len() as u32).to_le_bytes());
    out.extend(content);
    if content.len() % 2 == 1 {
        out.push(0);
    }
    out
}

fn list(id: &[u8; 4], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    chunk(id, &[kind, content].concat())
}

/// An AVI to be written, every part open to change.
pub(crate) struct Avi {
    pub(crate) codec: [u8; 4],
    pub(crate) size: (u32, u32),
    /// Frames per second in the stream header, as rate and scale.
    pub(crate) rate: (u32, u32),
    /// Microseconds per frame in the main header.
    pub(crate) period: u32,
    /// The first part's `movi` chunks, and those of each `AVIX` part.
    pub(crate) parts: Vec<Vec<u8>>,
    pub(crate) index: bool,
}

impl Avi {
    /// One part with these pictures as `00dc`.
    pub(crate) fn of(pictures: &[Vec<u8>]) -> Self {
        let movie = pictures.iter().flat_map(|p| chunk(b"00dc", p)).collect();
        Self {
            codec: *b"MJPG",
            size: (64, 48),
            rate: (15, 1),
            period: 66_667,
            parts: vec![movie],
            index: false,
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut avih = [0u8; 56];
        avih[..4].copy_from_slice(&self.period.to_le_bytes());
        let mut strh = [0u8; 56];
        strh[..4].copy_from_slice(b"vids");
        strh[20..24].copy_from_slice(&self.rate.1.to_le_bytes());
        strh[24..28].copy_from_slice(&self.rate.0.to_le_bytes());
        let mut strf = [0u8; 40];
        strf[4..8].copy_from_slice(&self.size.0.to_le_bytes());
        strf[8..12].copy_from_slice(&self.size.1.to_le_bytes());
        strf[16..20].copy_from_slice(&self.codec);
        let stream = list(b"LIST", b"strl", &[chunk(b"strh", &strh), chunk(b"strf", &strf)].concat());
        let headers = list(b"LIST", b"hdrl", &[chunk(b"avih", &avih), stream].concat());
        let mut out = Vec::new();
        for (i, movie) in self.parts.iter().enumerate() {
            let movie = list(b"LIST", b"movi", movie);
            let index = if self.index { chunk(b"idx1", &[0; 64]) } else { Vec::new() };
            out.extend(match i {
                0 => list(b"RIFF", b"AVI ", &[headers.clone(), movie, index].concat()),
                _ => list(b"RIFF", b"AVIX", &movie),
            });
        }
        out
    }

    pub(crate) fn write(&self, dir: &Path) -> PathBuf {
        write(dir, "clip.avi", &self.bytes())
    }
}

pub(crate) fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
