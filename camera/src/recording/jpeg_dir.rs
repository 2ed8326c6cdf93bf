//! A directory of JPEGs as a recording: natural order of names, rate from `fps.txt` or 30.

use std::cmp::Ordering;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::clip::{Layout, MAX_FRAME_BYTES, MAX_FRAMES, Pictures, Rate, check_size};
use super::error::ClipFault;
use crate::frame::PixelFormat;
use crate::jpeg;

/// All pictures of the directory are kept in memory; more than this is a mistake, bytes.
const MAX_TOTAL_BYTES: u64 = 1 << 30;
/// `fps.txt` holds one short number, bytes.
const MAX_RATE_FILE: u64 = 64;

pub(crate) fn read(dir: &Path) -> Result<Layout, ClipFault> {
    let paths = pictures_in(dir)?;
    let rate = rate_in(dir)?;
    let mut pictures = Vec::with_capacity(paths.len());
    let mut total = 0u64;
    for (index, path) in paths.iter().enumerate() {
        let bytes = bounded_read(path, MAX_FRAME_BYTES)
            .map_err(|e| ClipFault::BadFrame { frame: index, why: format!("{:?}: {e}", name_of(path)) })?;
        total += bytes.len() as u64;
        if total > MAX_TOTAL_BYTES {
            return Err(ClipFault::TooLarge(format!("more than {} MB of pictures", MAX_TOTAL_BYTES >> 20)));
        }
        pictures.push(bytes);
    }
    let (Some(first), Some(first_path)) = (pictures.first(), paths.first()) else {
        return Err(ClipFault::NoFrames);
    };
    let info = jpeg::inspect(first).map_err(|e| ClipFault::BadFrame {
        frame: 0,
        why: format!("{:?}: {}", name_of(first_path), e.text()),
    })?;
    check_size(info.width, info.height)?;
    let (width, height) = (info.width, info.height);
    Ok(Layout { format: PixelFormat::Mjpg, width, height, rate, pictures: Pictures::Read(pictures) })
}

/// The regular files with a JPEG's name in natural order; hidden ones (`._1.jpg` of other systems) are left out.
fn pictures_in(dir: &Path) -> Result<Vec<PathBuf>, ClipFault> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = name_of(&path);
        let jpeg =
            path.extension().is_some_and(|e| e.eq_ignore_ascii_case("jpg") || e.eq_ignore_ascii_case("jpeg"));
        if !jpeg || name.first() == Some(&b'.') || !fs::metadata(&path).is_ok_and(|m| m.is_file()) {
            continue;
        }
        if found.len() >= MAX_FRAMES {
            return Err(ClipFault::TooLarge(format!("more than {MAX_FRAMES} pictures")));
        }
        found.push(path);
    }
    found.sort_by(|a, b| natural(name_of(a), name_of(b)));
    Ok(found)
}

fn rate_in(dir: &Path) -> Result<Rate, ClipFault> {
    let path = dir.join("fps.txt");
    if !path.exists() {
        return Ok(Rate::DEFAULT);
    }
    let bytes = bounded_read(&path, MAX_RATE_FILE)
        .map_err(|e| ClipFault::Malformed(format!("fps.txt cannot be used: {e}")))?;
    let text = String::from_utf8_lossy(&bytes);
    parse_rate(text.trim()).ok_or_else(|| {
        ClipFault::Malformed("fps.txt must hold a rate such as 30, 29.97 or 30000/1001".to_owned())
    })
}

/// `30`, `29.97` or `30000/1001`.
fn parse_rate(text: &str) -> Option<Rate> {
    if let Some((num, den)) = text.split_once('/') {
        return Rate::new(num.trim().parse().ok()?, den.trim().parse().ok()?);
    }
    let fps: f64 = text.parse().ok()?;
    // Three decimals hold every rate in use; the range check refuses NaN, infinity and what does not fit.
    Rate::new((fps * 1000.0).round() as u32, 1000)
}

/// Reads a file that is a regular one when it is opened, and not longer than `limit`.
fn bounded_read(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let file: File = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() > limit {
        return Err(std::io::Error::other("not a file of a sensible size"));
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Runs of digits compare as numbers, everything else as bytes: `9.jpg` before `10.jpg`.
fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut x, mut y) = (a, b);
    loop {
        match (x.first(), y.first()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(p), Some(q)) if p.is_ascii_digit() && q.is_ascii_digit() => {
                let (m, rest_x) = number(x);
                let (n, rest_y) = number(y);
                let order = m.len().cmp(&n.len()).then_with(|| m.cmp(n));
                if order != Ordering::Equal {
                    return order;
                }
                (x, y) = (rest_x, rest_y);
            }
            (Some(p), Some(q)) if p != q => return p.cmp(q),
            _ => (x, y) = (x.get(1..).unwrap_or_default(), y.get(1..).unwrap_or_default()),
        }
    }
}

/// The leading digits without their zeros, and what follows.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|c| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), rest)
}

fn name_of(path: &Path) -> &[u8] {
    path.file_name().map(OsStrExt::as_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_sort_as_numbers() {
        let mut names: Vec<&[u8]> =
            vec![b"f10.jpg", b"f9.jpg", b"f009.jpg", b"f1.jpg", b"e2", b"f", b"f\xff.jpg"];
        names.sort_by(|a, b| natural(a, b));
        let want: Vec<&[u8]> = vec![b"e2", b"f", b"f1.jpg", b"f009.jpg", b"f9.jpg", b"f10.jpg", b"f\xff.jpg"];
        assert_eq!(names, want);
    }

    #[test]
    fn rates_are_read_in_every_common_form_and_nonsense_is_refused() {
        assert_eq!(parse_rate("30").map(Rate::fps), Some(30.0));
        assert_eq!(parse_rate("29.97").map(Rate::fps), Some(29.97));
        assert_eq!(parse_rate("30000/1001"), Rate::new(30000, 1001));
        for bad in ["", "0", "-5", "nan", "inf", "1/0", "1e9", "30 fps", "0/1"] {
            assert_eq!(parse_rate(bad), None, "{bad}");
        }
    }
}
