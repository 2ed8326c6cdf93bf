//! The few facts about a JPEG picture that are needed without decoding it: its size, whether it is whole, and
//! whether it brings its Huffman tables (Motion JPEG cameras may leave them out).

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

/// What the headers of one picture say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JpegInfo {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Offset of the start-of-scan marker; tables go in front of it.
    scan: usize,
    has_huffman_tables: bool,
    /// Length up to and including the end-of-image marker; `None` when the picture is cut short.
    whole: Option<usize>,
}

/// Why bytes are not a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JpegFault {
    NotJpeg,
    CutShort,
    NoSize,
}

impl JpegFault {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NotJpeg => "it is not a JPEG picture",
            Self::CutShort => "the JPEG picture is cut short",
            Self::NoSize => "the JPEG picture has no frame header before its data",
        }
    }
}

/// Reads the headers. A picture without its end is no error here: see [`whole`].
pub(crate) fn inspect(data: &[u8]) -> Result<JpegInfo, JpegFault> {
    if data.get(..2) != Some(&[0xff, 0xd8]) {
        return Err(if data.is_empty() { JpegFault::CutShort } else { JpegFault::NotJpeg });
    }
    let (mut at, mut size, mut has_huffman_tables) = (2usize, None, false);
    loop {
        let &[ff, marker] = data.get(at..at + 2).and_then(|s| s.first_chunk()).ok_or(JpegFault::CutShort)?;
        if ff != 0xff {
            return Err(JpegFault::NotJpeg);
        }
        match marker {
            0xff => {
                at += 1;
                continue;
            }
            0xda => break,
            // Markers without a segment: TEM, RSTn. SOI and EOI have no place here.
            0x01 | 0xd0..=0xd7 => {
                at += 2;
                continue;
            }
            0x00 | 0xd8 | 0xd9 => return Err(JpegFault::NotJpeg),
            _ => {}
        }
        let length = usize::from(be16(data, at + 2).ok_or(JpegFault::CutShort)?);
        if length < 2 {
            return Err(JpegFault::NotJpeg);
        }
        match marker {
            0xc4 => has_huffman_tables = true,
            // Start of frame, any coding but the differential and arithmetic reservations DHT, JPG, DAC.
            0xc0..=0xcf if marker != 0xc8 && marker != 0xcc => {
                size = be16(data, at + 5).zip(be16(data, at + 7));
            }
            _ => {}
        }
        at += 2 + length;
    }
    let (height, width) = size.ok_or(JpegFault::NoSize)?;
    if width == 0 || height == 0 {
        return Err(JpegFault::NoSize);
    }
    Ok(JpegInfo {
        width: width.into(),
        height: height.into(),
        scan: at,
        has_huffman_tables,
        whole: end_of_image(data, at),
    })
}

/// Makes a camera's bytes a picture that every decoder takes: cut after its end marker (drivers pad), with the
/// standard Huffman tables put in where the camera left them out. Fails for a picture without its end.
pub(crate) fn complete(mut data: Vec<u8>) -> Result<(JpegInfo, Vec<u8>), JpegFault> {
    let info = inspect(&data)?;
    data.truncate(info.whole.ok_or(JpegFault::CutShort)?);
    Ok((info, with_tables(&info, data)))
}

/// As [`complete`] for a camera that never writes the end marker. Whether the picture is whole, but for its last
/// row of blocks, is found out by decoding it, which takes its time.
pub(crate) fn close(mut data: Vec<u8>) -> Result<(JpegInfo, Vec<u8>), JpegFault> {
    let info = inspect(&data)?;
    if info.whole.is_some() {
        return complete(data);
    }
    data = with_tables(&info, data);
    // Before the marker is put there: with it the decoder would take what is missing for grey.
    let strict = DecoderOptions::default().set_strict_mode(true);
    JpegDecoder::new_with_options(ZCursor::new(&data), strict).decode().map_err(|_| JpegFault::CutShort)?;
    data.extend([0xff, 0xd9]);
    Ok((info, data))
}

fn with_tables(info: &JpegInfo, mut data: Vec<u8>) -> Vec<u8> {
    if !info.has_huffman_tables {
        data.splice(info.scan..info.scan, STANDARD_TABLES);
    }
    data
}

/// Position after the last end marker behind the scan header. Inside the coded data 0xff is always followed by
/// a stuffed zero, so that the last one found is the picture's own.
fn end_of_image(data: &[u8], scan: usize) -> Option<usize> {
    data.get(scan..)?.windows(2).rposition(|w| w == [0xff, 0xd9]).map(|p| scan + p + 2)
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..at.checked_add(2)?)?.first_chunk().map(|b| u16::from_be_bytes(*b))
}

/// The "typical" Huffman tables of ITU-T T.81, Annex K.3 (tables K.3 to K.6) as one DHT segment: what Motion
/// JPEG means when a picture brings none (OpenDML AVI File Format Extensions 1.02, "Motion JPEG DIB format").
#[rustfmt::skip]
const STANDARD_TABLES: [u8; 420] = [
    0xff, 0xc4, 0x01, 0xa2,
    // DC luminance: counts by length, then symbols.
    0x00, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    // AC luminance.
    0x10, 0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d,
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
    0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
    0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
    0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5,
    0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
    0xf9, 0xfa,
    // DC chrominance.
    0x01, 0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0,
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    // AC chrominance.
    0x11, 0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77,
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
    0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
    0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26,
    0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
    0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
    0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5,
    0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
    0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
    0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
    0xf9, 0xfa,
];
