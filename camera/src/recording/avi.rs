//! Motion JPEG in AVI: a bounded walk over the RIFF structure that notes where each picture lies.
//!
//! The index chunks (`idx1`, `indx`, `ix00`) are not read: they are absent, stale or hostile often enough, and the
//! `movi` lists say the same. AVI 2.0 (OpenDML) continues in further `RIFF AVIX` parts, which are walked alike.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::clip::{Layout, MAX_FRAME_BYTES, MAX_FRAMES, Pictures, Place, Rate, check_size, cut_short};
use super::error::ClipFault;
use crate::frame::PixelFormat;
use crate::jpeg;

/// Chunks looked at in one file, pictures and all: a few per picture (audio, padding) and some to spare.
const MAX_CHUNKS: usize = 4 * MAX_FRAMES;
/// Streams in one file; two digits name them.
const MAX_STREAMS: u32 = 100;
/// Recorders that were interrupted leave one of these as size.
const UNFINISHED: [u32; 2] = [0, u32::MAX];

pub(crate) fn read(file: File, length: u64) -> Result<Layout, ClipFault> {
    let mut walk = Walk {
        file: &file,
        length,
        chunks: 0,
        streams: 0,
        rate: None,
        video: None,
        places: Vec::new(),
        slot: 0,
    };
    let complete = walk.file_level()?;
    let Walk { rate, video, places, .. } = walk;
    let video = video.ok_or_else(|| damaged("it has no video stream"))?;
    let rate = video.rate.or(rate).unwrap_or(Rate::DEFAULT);
    if !complete {
        return Err(cut_short(&places, rate));
    }
    let (width, height) = size_of_first(&file, &places, &video)?;
    check_size(width, height)?;
    Ok(Layout { format: PixelFormat::Mjpg, width, height, rate, pictures: Pictures::InFile(file, places) })
}

struct Walk<'a> {
    file: &'a File,
    length: u64,
    chunks: usize,
    streams: u32,
    /// From the main header, for streams that do not say.
    rate: Option<Rate>,
    video: Option<Video>,
    places: Vec<Place>,
    slot: u32,
}

struct Video {
    stream: u32,
    rate: Option<Rate>,
    width: u32,
    height: u32,
}

/// A chunk header.
struct Chunk {
    id: [u8; 4],
    size: u32,
    /// Where its content starts.
    start: u64,
}

impl Walk<'_> {
    /// The top level: one `RIFF AVI ` and any number of `RIFF AVIX`. False if the file ends in the middle.
    fn file_level(&mut self) -> Result<bool, ClipFault> {
        let mut at = 0;
        while let Some(chunk) = self.chunk(at, self.length)? {
            let kind = self.four(chunk.start)?;
            // Whatever follows the first part and is not its continuation is not ours.
            if chunk.id != *b"RIFF" || (at > 0 && kind != Some(*b"AVIX")) {
                break;
            }
            let unfinished = UNFINISHED.contains(&chunk.size);
            let end = if unfinished { self.length } else { chunk.start + u64::from(chunk.size) };
            let whole = self.riff(chunk.start + 4, end.min(self.length))?;
            if !whole || unfinished || end > self.length {
                return Ok(false);
            }
            at = end + u64::from(chunk.size & 1);
        }
        Ok(true)
    }

    /// Inside one RIFF part.
    fn riff(&mut self, mut at: u64, end: u64) -> Result<bool, ClipFault> {
        while let Some(chunk) = self.chunk(at, end)? {
            let size = if UNFINISHED.contains(&chunk.size) && chunk.id == *b"LIST" {
                u32::try_from(end - chunk.start).unwrap_or(u32::MAX)
            } else {
                chunk.size
            };
            let stop = chunk.start + u64::from(size);
            if chunk.id == *b"LIST" {
                match self.four(chunk.start)?.as_ref() {
                    Some(b"hdrl") => self.headers(chunk.start + 4, stop.min(end))?,
                    Some(b"movi") if !self.movie(chunk.start + 4, stop.min(end))? => return Ok(false),
                    _ => {}
                }
            }
            if stop > end {
                return Ok(false);
            }
            at = stop + u64::from(size & 1);
        }
        Ok(true)
    }

    fn headers(&mut self, mut at: u64, end: u64) -> Result<(), ClipFault> {
        while let Some(chunk) = self.chunk(at, end)? {
            let stop = chunk.start + u64::from(chunk.size);
            match &chunk.id {
                b"avih" => {
                    let microseconds = u32_at(&self.some(chunk.start, 4)?, 0).unwrap_or(0);
                    self.rate = Rate::new(1_000_000, microseconds);
                }
                b"LIST" if self.four(chunk.start)?.as_ref() == Some(b"strl") => {
                    self.stream(chunk.start + 4, stop.min(end))?;
                }
                _ => {}
            }
            at = stop + u64::from(chunk.size & 1);
        }
        Ok(())
    }

    /// One stream's headers; the first video stream is taken.
    fn stream(&mut self, mut at: u64, end: u64) -> Result<(), ClipFault> {
        let (number, mut video, mut rate) = (self.streams, false, None);
        self.streams += 1;
        if number >= MAX_STREAMS {
            return Err(damaged("it declares more than 100 streams"));
        }
        while let Some(chunk) = self.chunk(at, end)? {
            match &chunk.id {
                b"strh" => {
                    let header = self.some(chunk.start, 28)?;
                    video = header.get(..4) == Some(b"vids");
                    rate = u32_at(&header, 24)
                        .zip(u32_at(&header, 20))
                        .and_then(|(num, den)| Rate::new(num, den));
                }
                b"strf" if video && self.video.is_none() => {
                    let format = self.some(chunk.start, 20)?;
                    check_codec(&format)?;
                    let width = u32_at(&format, 4).unwrap_or(0);
                    // A negative height only means top-down rows, which says nothing about a JPEG.
                    let height = (u32_at(&format, 8).unwrap_or(0) as i32).unsigned_abs();
                    self.video = Some(Video { stream: number, rate, width, height });
                }
                _ => {}
            }
            at = chunk.start + u64::from(chunk.size) + u64::from(chunk.size & 1);
        }
        Ok(())
    }

    /// The pictures. Recorders may group them in `rec ` lists. False if the list ends in the middle of a chunk.
    fn movie(&mut self, mut at: u64, end: u64) -> Result<bool, ClipFault> {
        let stream =
            self.video.as_ref().ok_or_else(|| damaged("pictures come before the stream headers"))?.stream;
        while at < end {
            let Some(chunk) = self.chunk(at, end)? else { break };
            if chunk.id == *b"LIST" {
                // Step into the list rather than over it: its chunks follow as if it were not there.
                at = chunk.start + 4;
                continue;
            }
            let stop = chunk.start + u64::from(chunk.size);
            if stop > end {
                return Ok(false);
            }
            if is_picture_of(chunk.id, stream) {
                self.picture(&chunk)?;
            }
            at = stop + u64::from(chunk.size & 1);
        }
        Ok(true)
    }

    fn picture(&mut self, chunk: &Chunk) -> Result<(), ClipFault> {
        if u64::from(chunk.size) > MAX_FRAME_BYTES {
            return Err(ClipFault::TooLarge(format!(
                "picture {} has {} bytes",
                self.places.len(),
                chunk.size
            )));
        }
        if self.slot as usize >= MAX_FRAMES {
            return Err(ClipFault::TooLarge(format!("more than {MAX_FRAMES} pictures")));
        }
        // An empty chunk stands for a picture that the recorder dropped: its time passes.
        if chunk.size > 0 {
            self.places.push(Place { slot: self.slot, offset: chunk.start, length: chunk.size });
        }
        self.slot += 1;
        Ok(())
    }

    /// The chunk header at `at`, if a whole one lies before `end`.
    fn chunk(&mut self, at: u64, end: u64) -> Result<Option<Chunk>, ClipFault> {
        if at.saturating_add(8) > end.min(self.length) {
            return Ok(None);
        }
        self.chunks += 1;
        if self.chunks > MAX_CHUNKS {
            return Err(ClipFault::TooLarge(format!("more than {MAX_CHUNKS} chunks")));
        }
        let mut header = [0; 8];
        self.file.read_exact_at(&mut header, at)?;
        let [a, b, c, d, e, f, g, h] = header;
        Ok(Some(Chunk { id: [a, b, c, d], size: u32::from_le_bytes([e, f, g, h]), start: at + 8 }))
    }

    fn four(&self, at: u64) -> Result<Option<[u8; 4]>, ClipFault> {
        Ok(self.some(at, 4)?.first_chunk().copied())
    }

    /// Up to `count` bytes, fewer at the file's end.
    fn some(&self, at: u64, count: u64) -> Result<Vec<u8>, ClipFault> {
        let mut bytes = vec![0; count.min(self.length.saturating_sub(at)) as usize];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// `00dc` or `00db` for stream 0, and so on.
fn is_picture_of(id: [u8; 4], stream: u32) -> bool {
    let [tens, units, kind @ ..] = id;
    tens.is_ascii_digit()
        && units.is_ascii_digit()
        && u32::from(tens - b'0') * 10 + u32::from(units - b'0') == stream
        && (kind == *b"dc" || kind == *b"db")
}

/// `format` starts with a BITMAPINFOHEADER.
fn check_codec(format: &[u8]) -> Result<(), ClipFault> {
    let codec = format.get(16..20).ok_or_else(|| damaged("its video format header is cut short"))?;
    match codec {
        b"MJPG" | b"mjpg" | b"JPEG" | b"jpeg" | b"AVRn" | b"dmb1" => Ok(()),
        other => {
            Err(ClipFault::Unsupported(format!("AVI with video codec {:?}", String::from_utf8_lossy(other))))
        }
    }
}

/// The first picture's own size is the recording's; the header's stands in when that picture is unreadable, and
/// reading it then says why.
fn size_of_first(file: &File, places: &[Place], video: &Video) -> Result<(u32, u32), ClipFault> {
    let Some(first) = places.first() else { return Err(ClipFault::NoFrames) };
    let mut bytes = vec![0; first.length as usize];
    file.read_exact_at(&mut bytes, first.offset)?;
    Ok(jpeg::inspect(&bytes).map_or((video.width, video.height), |i| (i.width, i.height)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_le_bytes(*b))
}

fn damaged(why: &str) -> ClipFault {
    ClipFault::Malformed(why.to_owned())
}
