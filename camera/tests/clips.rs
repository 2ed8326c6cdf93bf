//! Recordings: what is read, and that whatever else is given ends in an error that says what to do.

mod common;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use common::{Avi, chunk, jpegs, pattern, scratch, write};
use pose_camera::PixelFormat;
use pose_camera::recording::{Clip, ClipError, ClipFault};

fn read_all(path: &Path) -> Result<usize, ClipError> {
    let clip = Clip::open(path)?;
    clip.frames().try_fold(0, |n, f| f.map(|_| n + 1))
}

#[test]
fn an_avi_gives_its_pictures_with_size_rate_and_time() {
    let clip = Clip::open(&pattern()).unwrap();
    assert_eq!((clip.len(), clip.width(), clip.height(), clip.fps()), (12, 64, 48, 15.0));
    assert_eq!(clip.duration_us(), 800_000);
    let frames: Vec<_> = clip.frames().map(Result::unwrap).collect();
    assert_eq!(frames[3].t_us, 200_000);
    assert!(frames.iter().all(|f| f.format == PixelFormat::Mjpg && f.data.starts_with(&[0xff, 0xd8])));
    assert!(frames.iter().all(|f| f.data.ends_with(&[0xff, 0xd9])));
}

#[test]
fn every_common_way_of_writing_an_avi_is_read() {
    let pictures = jpegs();
    let tagged = |id: &[u8; 4]| pictures.iter().flat_map(|p| chunk(id, p)).collect::<Vec<u8>>();
    let plain = || Avi::of(&pictures);
    let with = |movie: Vec<u8>| Avi { parts: vec![movie], ..Avi::of(&[]) };
    let grouped: Vec<u8> =
        pictures.iter().flat_map(|p| chunk(b"LIST", &[b"rec ", &chunk(b"00dc", p)[..]].concat())).collect();
    let noisy: Vec<u8> = pictures
        .iter()
        .flat_map(|p| {
            [chunk(b"01wb", &[1; 33]), chunk(b"JUNK", &[2; 5]), chunk(b"00dc", p), chunk(b"ix00", &[3; 7])]
                .concat()
        })
        .collect();
    let halves =
        |tag: &[u8; 4]| pictures.chunks(6).map(|c| c.iter().flat_map(|p| chunk(tag, p)).collect()).collect();
    let table = [
        ("with an index", Avi { index: true, ..plain() }),
        ("uncompressed chunk ids", with(tagged(b"00db"))),
        ("grouped", with(grouped)),
        ("with sound, padding and indexes between", with(noisy)),
        ("lower case codec", Avi { codec: *b"mjpg", ..plain() }),
        ("AVI 2.0 in two parts", Avi { parts: halves(b"00dc"), ..plain() }),
        ("rate in the main header only", Avi { rate: (0, 0), ..plain() }),
        ("wrong size in the header", Avi { size: (1, 1), ..plain() }),
    ];
    for (name, avi) in table {
        let dir = scratch();
        let clip = Clip::open(&avi.write(dir.path())).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!((clip.fps() - 15.0).abs() < 0.01, "{name}: {}", clip.fps());
        let frames: Vec<_> = clip.frames().map(|f| f.unwrap().data).collect();
        assert_eq!(frames, pictures, "{name}");
    }
}

#[test]
fn the_time_of_a_picture_that_the_recorder_dropped_passes() {
    let pictures = jpegs();
    let movie = [
        chunk(b"00dc", &pictures[0]),
        chunk(b"00dc", &[]),
        chunk(b"00dc", &[]),
        chunk(b"00dc", &pictures[1]),
    ];
    let dir = scratch();
    let clip = Clip::open(&Avi { parts: vec![movie.concat()], ..Avi::of(&[]) }.write(dir.path())).unwrap();
    let times: Vec<_> = clip.frames().map(|f| f.unwrap()).map(|f| (f.t_us, f.sequence)).collect();
    assert_eq!(times, [(0, 0), (200_000, 3)]);
}

#[test]
fn a_jpeg_without_huffman_tables_gets_the_standard_ones() {
    // The pattern was written with the standard tables (ffmpeg -huffman default): taking them out loses nothing.
    let whole = jpegs();
    let bare: Vec<_> = whole.iter().map(|j| without_tables(j)).collect();
    assert!(bare[0].len() + 400 < whole[0].len());
    let dir = scratch();
    let clip = Clip::open(&Avi::of(&bare).write(dir.path())).unwrap();
    for (frame, original) in clip.frames().zip(&whole) {
        let decode = |data: &[u8]| {
            zune_jpeg::JpegDecoder::new(zune_jpeg::zune_core::bytestream::ZCursor::new(data))
                .decode()
                .unwrap()
        };
        assert_eq!(decode(&frame.unwrap().data), decode(original));
    }
}

fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (jpeg[..2].to_vec(), 2);
    while jpeg[at + 1] != 0xda {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] != 0xc4 {
            out.extend(&jpeg[at..end]);
        }
        at = end;
    }
    out.extend(&jpeg[at..]);
    out
}

#[test]
fn a_directory_is_read_in_natural_order_whatever_else_lies_in_it() {
    let (dir, pictures) = (scratch(), jpegs());
    let at = |name: &str| dir.path().join(name);
    for (name, i) in [("f10.JPG", 2), ("f9.jpeg", 1), ("f1.jpg", 0)] {
        fs::write(at(name), &pictures[i]).unwrap();
    }
    fs::write(at("._f1.jpg"), "resource fork").unwrap();
    fs::write(at("notes.txt"), "hello").unwrap();
    fs::create_dir(at("f2.jpg")).unwrap();
    std::os::unix::fs::symlink("/nowhere", at("f3.jpg")).unwrap();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"f99\xff\n\x1b.jpg")), &pictures[3]).unwrap();
    fs::write(at("fps.txt"), "12.5\n").unwrap();
    let clip = Clip::open(dir.path()).unwrap();
    assert_eq!(clip.fps(), 12.5);
    assert_eq!(clip.frames().map(|f| f.unwrap().data).collect::<Vec<_>>(), &pictures[..4]);
    fs::write(at("fps.txt"), "fast").unwrap();
    assert!(Clip::open(dir.path()).unwrap_err().to_string().contains("fps.txt"));
}

fn y4m(header: &str, frame: &[u8], count: usize) -> Vec<u8> {
    let mut out = format!("YUV4MPEG2 {header}\n").into_bytes();
    for i in 0..count {
        out.extend(if i % 2 == 0 { &b"FRAME\n"[..] } else { b"FRAME Ip\n" });
        out.extend(frame);
    }
    out
}

#[test]
fn y4m_is_read_in_the_layouts_that_cameras_have() {
    let table: [(&str, usize, PixelFormat, f64); 6] = [
        ("W4 H2 F30000:1001 Ip A1:1 C420jpeg", 12, PixelFormat::I420, 30000.0 / 1001.0),
        ("W4 H2 F25:1", 12, PixelFormat::I420, 25.0),
        ("W5 H3 F25:1 C420mpeg2 XYSCSS=420MPEG2", 27, PixelFormat::I420, 25.0),
        ("W4 H2 F25:1 Cmono", 8, PixelFormat::Grey, 25.0),
        ("W4 H2 F0:0 C422", 16, PixelFormat::Yuyv, 30.0),
        ("W4 H2", 12, PixelFormat::I420, 30.0),
    ];
    for (header, bytes, format, fps) in table {
        let dir = scratch();
        let frame: Vec<u8> = (0..bytes as u8).collect();
        let clip = Clip::open(&write(dir.path(), "c.y4m", &y4m(header, &frame, 3))).unwrap();
        assert_eq!((clip.len(), clip.format()), (3, format), "{header}");
        assert!((clip.fps() - fps).abs() < 1e-9, "{header}");
        let got = clip.frame(2).unwrap();
        if format == PixelFormat::Yuyv {
            assert_eq!(got.data, [0, 8, 1, 12, 2, 9, 3, 13, 4, 10, 5, 14, 6, 11, 7, 15]);
        } else {
            assert_eq!(got.data, frame, "{header}");
        }
    }
}

/// What is wrong, and words that the message must hold.
#[test]
fn whatever_is_no_recording_is_refused_with_the_next_step() {
    let pictures = jpegs();
    let jpeg = &pictures[0];
    let avi = Avi::of(&pictures).bytes();
    let yuv = |header: &str| y4m(header, &[0; 12], 2);
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty file", vec![], "empty file"),
        ("text", b"hello, this is no clip".to_vec(), "another kind"),
        ("one JPEG", jpeg.clone(), "single JPEG"),
        ("MP4", b"\0\0\0\x20ftypisom\0\0\0\0".to_vec(), "MP4"),
        ("Matroska", b"\x1a\x45\xdf\xa3\0\0\0\0\0\0\0\0".to_vec(), "Matroska"),
        ("sound", b"RIFF\x10\0\0\0WAVEfmt \0\0\0\0".to_vec(), "RIFF"),
        ("AVI of no pictures", Avi::of(&[]).bytes(), "no picture"),
        ("AVI of another codec", Avi { codec: *b"H264", ..Avi::of(&pictures) }.bytes(), "H264"),
        (
            "AVI without headers",
            chunk(b"RIFF", &[b"AVI ", &chunk(b"JUNK", &[0; 8])[..]].concat()),
            "video stream",
        ),
        ("AVI header alone", avi[..12].to_vec(), "damaged"),
        (
            "AVI cut in a picture",
            avi[..avi.len() - 100].to_vec(),
            "11 whole pictures, the last is number 10 at 0.67 s",
        ),
        ("AVI never finished", [b"RIFF\0\0\0\0", &avi[8..]].concat(), "12 whole pictures"),
        ("Y4M without an end of header", b"YUV4MPEG2 W4 H2".to_vec(), "header"),
        ("Y4M of no pictures", yuv("W4 H2")[..16].to_vec(), "no picture"),
        ("Y4M cut in a picture", yuv("W4 H2")[..yuv("W4 H2").len() - 1].to_vec(), "1 whole pictures"),
        ("Y4M cut in a header", [&yuv("W4 H2")[..], b"FRA"].concat(), "2 whole pictures"),
        ("Y4M of no size", yuv("W0 H2"), "0×2"),
        ("Y4M of huge size", yuv("W4000000000 H4000000000"), "too large"),
        ("Y4M with a rate of nonsense", yuv("W4 H2 F1:0"), "rate"),
        ("Y4M of ten bits", yuv("W4 H2 C420p10"), "420p10"),
        ("Y4M of fields", yuv("W4 H2 It"), "interlaced"),
        ("Y4M with wrong frame marks", yuv("W4 H1 Cmono"), "has no header"),
    ];
    for (name, bytes, words) in table {
        let dir = scratch();
        let error = read_all(&write(dir.path(), "clip", &bytes)).expect_err(name).to_string();
        assert!(error.contains(words), "{name}: {error}");
        let step =
            ["ffmpeg", "record it again", "cut it", "check the name"].iter().any(|s| error.contains(s));
        assert!(step, "{name} does not end with a step: {error}");
    }
}

#[test]
fn paths_that_lead_to_no_clip_are_refused_without_hanging() {
    let dir = scratch();
    let fifo = dir.path().join("fifo");
    nix_mkfifo(&fifo);
    fs::create_dir(dir.path().join("empty")).unwrap();
    for path in [
        fifo.as_path(),
        Path::new("/dev/zero"),
        &dir.path().join("missing"),
        &dir.path().join("empty"),
        Path::new(""),
    ] {
        let error = Clip::open(path).unwrap_err();
        assert!(error.to_string().contains(';'), "{error}");
    }
}

fn nix_mkfifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Files that claim, or have, sizes that no recording has; they are sparse and take no room.
#[test]
fn huge_files_are_refused_without_reading_them() {
    let (dir, picture) = (scratch(), &jpegs()[0]);
    let grow = |path: &Path, size: u64| {
        fs::OpenOptions::new().write(true).open(path).unwrap().set_len(size).unwrap()
    };
    fs::create_dir(dir.path().join("jpegs")).unwrap();
    let path = write(&dir.path().join("jpegs"), "1.jpg", picture);
    grow(&path, 1 << 40);
    let error = Clip::open(&dir.path().join("jpegs")).unwrap_err();
    assert!(matches!(error.fault, ClipFault::BadFrame { frame: 0, .. }), "{error}");

    let mut avi = Avi::of(std::slice::from_ref(picture)).bytes();
    let size_at = avi.windows(4).position(|w| w == b"00dc").unwrap() + 4;
    let movi_at = avi.windows(4).position(|w| w == b"movi").unwrap() - 4;
    for (at, size) in [(4, 0x7fff_0000u32), (movi_at, 0x7ffe_0000), (size_at, 0x7ffd_0000)] {
        avi[at..at + 4].copy_from_slice(&size.to_le_bytes());
    }
    let path = write(dir.path(), "huge.avi", &avi);
    grow(&path, 1 << 40);
    let error = Clip::open(&path).unwrap_err();
    assert!(matches!(error.fault, ClipFault::TooLarge(_)), "{error}");

    let path = write(dir.path(), "zeros.avi", &Avi::of(std::slice::from_ref(picture)).bytes());
    grow(&path, 1 << 40);
    assert_eq!(read_all(&path).unwrap(), 1, "what follows the recording is not part of it");
}

#[test]
fn one_bad_picture_is_named() {
    let mut pictures = jpegs();
    let whole = pictures[4].len();
    pictures[4].truncate(whole / 2);
    let dir = scratch();
    let error = read_all(&Avi::of(&pictures).write(dir.path())).unwrap_err();
    assert!(matches!(error.fault, ClipFault::BadFrame { frame: 4, .. }), "{error}");
    let mut pictures = jpegs();
    patch_width(&mut pictures[7], 32);
    let error = read_all(&Avi::of(&pictures).write(dir.path())).unwrap_err();
    assert!(
        matches!(error.fault, ClipFault::WrongSize { frame: 7, expected: (64, 48), found: (32, 48) }),
        "{error}"
    );
}

fn patch_width(jpeg: &mut [u8], width: u16) {
    let sof = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[sof + 7..sof + 9].copy_from_slice(&width.to_be_bytes());
}

/// A seeded walk over damaged files: whatever the bytes, an answer comes and no picture is larger than the file.
#[test]
fn damaged_clips_never_panic_nor_grow() {
    let pictures = jpegs();
    let avi2 = Avi {
        parts: pictures.chunks(4).map(|c| c.iter().flat_map(|p| chunk(b"00dc", p)).collect()).collect(),
        ..Avi::of(&[])
    };
    let seeds = [fs::read(pattern()).unwrap(), avi2.bytes(), y4m("W16 H8 F15:1 C420", &[9; 192], 5)];
    let dir = scratch();
    let mut random = Random(20_260_101);
    let (mut read, mut refused) = (0, 0);
    for round in 0..900 {
        let mut bytes = seeds[round % seeds.len()].clone();
        random.damage(&mut bytes);
        let path = write(dir.path(), "damaged", &bytes);
        let Ok(clip) = Clip::open(&path) else {
            refused += 1;
            continue;
        };
        for frame in clip.frames().flatten() {
            assert!(frame.data.len() <= bytes.len() + 420);
            read += 1;
        }
    }
    assert!(read > 1000 && refused > 100, "the walk must see both sides: {read} {refused}");
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }

    /// One to four changes: a byte, a length field, a cut, a repeated piece. Most fall into the headers.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.next(3) {
            let range = if self.next(2) == 0 { bytes.len() } else { bytes.len().min(700) };
            let at = self.next(range);
            match self.next(5) {
                0 => bytes.truncate(at),
                1 => {
                    let value = [0, 1, 7, u32::MAX, 1 << 31, bytes.len() as u32][self.next(6)];
                    let end = (at + 4).min(bytes.len());
                    bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
                }
                2 => {
                    let piece = bytes[at..(at + 64).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ if at < bytes.len() => bytes[at] = self.next(256) as u8,
                _ => {}
            }
        }
    }
}
