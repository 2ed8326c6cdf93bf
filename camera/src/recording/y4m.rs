//! Uncompressed YUV4MPEG2 (Y4M): the header, and where each picture lies.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::clip::{Layout, MAX_FRAME_BYTES, MAX_FRAMES, Pictures, Place, Rate, check_size, cut_short};
use super::error::ClipFault;
use crate::frame::PixelFormat;

/// Longest header line, bytes; the parameters of a picture are bounded by the same.
const MAX_LINE: usize = 1024;

pub(crate) fn read(file: File, length: u64) -> Result<Layout, ClipFault> {
    let line = line_at(&file, 0, length)?.ok_or_else(|| damaged("its header line has no end"))?;
    let header = Header::parse(&line)?;
    let places = index(&file, length, line.len() as u64 + 1, &header)?;
    let Header { width, height, rate, format, .. } = header;
    Ok(Layout { format, width, height, rate, pictures: Pictures::InFile(file, places) })
}

struct Header {
    width: u32,
    height: u32,
    rate: Rate,
    format: PixelFormat,
    frame_bytes: u32,
}

impl Header {
    fn parse(line: &[u8]) -> Result<Self, ClipFault> {
        let text = std::str::from_utf8(line).map_err(|_| damaged("its header line is not text"))?;
        let (mut width, mut height, mut rate, mut colour) = (0, 0, Rate::DEFAULT, "420");
        for word in text.split(' ').skip(1).filter(|w| !w.is_empty()) {
            let (key, value) =
                word.split_at_checked(1).ok_or_else(|| damaged("its header line is not ASCII"))?;
            match key {
                "W" => width = value.parse().map_err(|_| damaged("its width is no number"))?,
                "H" => height = value.parse().map_err(|_| damaged("its height is no number"))?,
                "F" => rate = parse_rate(value).ok_or_else(|| damaged("its frame rate is unusable"))?,
                "C" => colour = value,
                "I" if !matches!(value, "p" | "?") => {
                    return Err(ClipFault::Unsupported("interlaced Y4M".to_owned()));
                }
                _ => {}
            }
        }
        check_size(width, height)?;
        let (format, frame_bytes) = layout_of(colour, width, height)?;
        if frame_bytes > MAX_FRAME_BYTES {
            return Err(ClipFault::TooLarge(format!("{frame_bytes} bytes a picture")));
        }
        Ok(Self { width, height, rate, format, frame_bytes: frame_bytes as u32 })
    }
}

/// `0:0` means unknown.
fn parse_rate(value: &str) -> Option<Rate> {
    let (num, den) = value.split_once(':')?;
    match (num.parse().ok()?, den.parse().ok()?) {
        (0, 0) => Some(Rate::DEFAULT),
        (num, den) => Rate::new(num, den),
    }
}

fn layout_of(colour: &str, width: u32, height: u32) -> Result<(PixelFormat, u64), ClipFault> {
    let luma = u64::from(width) * u64::from(height);
    let half_width = u64::from(width.div_ceil(2));
    match colour {
        // They differ in where chroma is sampled, by half a pixel: nothing here sees it.
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => {
            Ok((PixelFormat::I420, luma + 2 * half_width * u64::from(height.div_ceil(2))))
        }
        // Handed out interleaved as cameras do, which takes an even width.
        "422" if width.is_multiple_of(2) => Ok((PixelFormat::Yuyv, luma * 2)),
        "mono" => Ok((PixelFormat::Grey, luma)),
        other => Err(ClipFault::Unsupported(format!("Y4M with colour layout {other:?}"))),
    }
}

fn index(file: &File, length: u64, start: u64, header: &Header) -> Result<Vec<Place>, ClipFault> {
    let (mut at, mut places) = (start, Vec::new());
    while at < length {
        if places.len() >= MAX_FRAMES {
            return Err(ClipFault::TooLarge(format!("more than {MAX_FRAMES} pictures")));
        }
        let Some(line) = line_at(file, at, length)? else {
            let cut = length - at < MAX_LINE as u64;
            return Err(if cut {
                cut_short(&places, header.rate)
            } else {
                damaged("a picture's header has no end")
            });
        };
        if line != b"FRAME" && !line.starts_with(b"FRAME ") {
            return Err(damaged(&format!("picture {} has no header", places.len())));
        }
        let offset = at + line.len() as u64 + 1;
        let end = offset + u64::from(header.frame_bytes);
        if end > length {
            return Err(cut_short(&places, header.rate));
        }
        places.push(Place { slot: places.len() as u32, offset, length: header.frame_bytes });
        at = end;
    }
    Ok(places)
}

/// The line that starts at `at`, without its end; `None` if none ends within [`MAX_LINE`] or the file.
fn line_at(file: &File, at: u64, length: u64) -> Result<Option<Vec<u8>>, ClipFault> {
    let mut bytes = vec![0; (length - at).min(MAX_LINE as u64) as usize];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes.iter().position(|b| *b == b'\n').map(|end| {
        bytes.truncate(end);
        bytes
    }))
}

/// Planar 4:2:2 to interleaved Y0 U Y1 V. `bytes` holds exactly one picture of an even width.
pub(crate) fn pack_422(bytes: &[u8], width: u32, height: u32) -> Vec<u8> {
    let luma = width as usize * height as usize;
    let (y, chroma) = bytes.split_at(luma.min(bytes.len()));
    let (u, v) = chroma.split_at(chroma.len() / 2);
    y.chunks_exact(2).zip(u.iter().zip(v)).flat_map(|(y, (u, v))| [y[0], *u, y[1], *v]).collect()
}

fn damaged(why: &str) -> ClipFault {
    ClipFault::Malformed(why.to_owned())
}
