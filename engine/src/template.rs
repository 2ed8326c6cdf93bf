//! What is kept of an enrolment: normalised movements, no picture, no absolute position; and its byte form.
//!
//! # Byte form, version 2
//! `pose-tpl`, version u16, body length u32, body, CRC-32 of all before it; little-endian throughout. Body: decoys u32
//! (bits of a [`MovementSet`]; not in version 1), number of recordings u8; each: number of frames u16, 7 visibilities as u8 (255ths), then frames × 7 × (x, y) as i16
//! (4096ths of the sum of upper-bone lengths).

use std::fmt;

use crate::challenge::MovementSet;
use crate::clean::MAX_CLEAN_FRAMES;
use crate::constants::MAX_RECORDINGS;
use crate::matching::Reference;
use crate::normalise::Track;
use crate::sequence::JOINTS;

/// The byte form's version that this build writes.
pub const VERSION: u16 = 2;
/// The oldest version that this build reads.
pub const OLDEST_VERSION: u16 = 1;
const MAGIC: &[u8; 8] = b"pose-tpl";
const HEADER: usize = 14;
const DECOYS: usize = 4;
const CHECKSUM: usize = 4;
/// Coordinates are kept in steps of this share of the sum of upper-bone lengths.
const STEP: f32 = 1.0 / 4096.0;
/// No larger input is looked at, bytes.
pub const MAX_BYTES: usize =
    HEADER + DECOYS + 1 + MAX_RECORDINGS * (2 + JOINTS + MAX_CLEAN_FRAMES * JOINTS * 4) + CHECKSUM;

/// A user's enrolled gesture.
#[derive(Clone, PartialEq)]
pub struct Template {
    recordings: Vec<Track>,
    reference: Reference,
    carried: Option<Box<Reference>>,
    decoys: MovementSet,
}

impl fmt::Debug for Template {
    /// Counts only: a template in a log would be a secret in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({} recordings)", self.recordings.len())
    }
}

/// Why bytes are not a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// Written by a version before [`OLDEST_VERSION`].
    Older {
        /// The version found.
        found: u16,
    },
    /// Written by a version after [`VERSION`].
    Newer {
        /// The version found.
        found: u16,
    },
    /// The bytes end early.
    CutShort,
    /// The bytes are not a template, or were changed.
    Corrupt,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older { found } => write!(
                f,
                "the template has version {found}, which is older than {OLDEST_VERSION}; enrol the gesture again"
            ),
            Self::Newer { found } => write!(
                f,
                "the template has version {found}, newer than the {VERSION} this program reads; update pam_pose"
            ),
            Self::CutShort => {
                f.write_str("the template is cut short; restore the store from a backup or enrol again")
            }
            Self::Corrupt => {
                f.write_str("the template is damaged; restore the store from a backup or enrol again")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// A template of normalised recordings as they are; [`crate::enrol::enrol`] is the way that checks them.
    /// Empty recordings and those beyond [`MAX_RECORDINGS`] are left out.
    #[must_use]
    pub fn of_tracks(recordings: impl IntoIterator<Item = Track>) -> Self {
        let recordings: Vec<Track> = recordings
            .into_iter()
            .filter(|r| !r.is_empty())
            .take(MAX_RECORDINGS)
            .map(|r| quantised(&r))
            .collect();
        let reference = Reference::of(&recordings);
        Self { recordings, reference, carried: None, decoys: MovementSet::default() }
    }

    /// The same with challenge movements whose answer is not to count for this user: those that the gesture contains
    /// and those that the user cannot do.
    #[must_use]
    pub fn with_decoys(self, decoys: MovementSet) -> Self {
        Self { decoys, ..self }
    }

    /// See [`Template::with_decoys`]. None are known of a template of version 1.
    #[must_use]
    pub fn decoys(&self) -> MovementSet {
        self.decoys
    }

    /// The enrolment recordings, normalised.
    #[must_use]
    pub fn recordings(&self) -> &[Track] {
        &self.recordings
    }

    /// The recordings made ready for comparing.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The same with one recording of a later login beside the enrolled ones; see [`crate::adapt`], which decides whether
    /// it may. It is no part of the byte form.
    pub(crate) fn carrying(&self, later: &Track) -> Self {
        Self { carried: Some(Box::new(self.reference.with(later))), ..self.clone() }
    }

    /// The enrolled recordings and the later one made ready for comparing, where one is carried.
    pub(crate) fn carried(&self) -> Option<&Reference> {
        self.carried.as_deref()
    }

    /// The byte form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = self.decoys.bits().to_le_bytes().to_vec();
        body.push(self.recordings.len() as u8);
        for track in &self.recordings {
            body.extend_from_slice(&(track.frames.len() as u16).to_le_bytes());
            body.extend(track.visibility.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8));
            for v in track.frames.iter().flatten().flatten() {
                body.extend_from_slice(&to_step(*v).to_le_bytes());
            }
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&body);
        let sum = crc32(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads the byte form. Allocates no more than the input is long.
    pub fn decode(bytes: &[u8]) -> Result<Self, TemplateError> {
        let magic = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) || bytes.len() > MAX_BYTES {
            return Err(TemplateError::Corrupt);
        }
        let mut reader = Reader { bytes, at: MAGIC.len() };
        let found = reader.u16()?;
        if found < OLDEST_VERSION {
            return Err(TemplateError::Older { found });
        }
        if found > VERSION {
            return Err(TemplateError::Newer { found });
        }
        let length = reader.u32()? as usize;
        let end = HEADER.saturating_add(length);
        match bytes.len().cmp(&end.saturating_add(CHECKSUM)) {
            std::cmp::Ordering::Less => return Err(TemplateError::CutShort),
            std::cmp::Ordering::Greater => return Err(TemplateError::Corrupt),
            std::cmp::Ordering::Equal => {}
        }
        if crc32(&bytes[..end]).to_le_bytes() != bytes[end..] {
            return Err(TemplateError::Corrupt);
        }
        let mut reader = Reader { bytes: &bytes[..end], at: HEADER };
        let decoys = if found == 1 { 0 } else { reader.u32().map_err(|_| TemplateError::Corrupt)? };
        let decoys = MovementSet::of_bits(decoys).ok_or(TemplateError::Corrupt)?;
        let recordings = read_body(&mut reader).map_err(|_| TemplateError::Corrupt)?;
        if reader.at != end || recordings.is_empty() {
            return Err(TemplateError::Corrupt);
        }
        let reference = Reference::of(&recordings);
        Ok(Self { recordings, reference, carried: None, decoys })
    }
}

fn read_body(reader: &mut Reader<'_>) -> Result<Vec<Track>, TemplateError> {
    let count = usize::from(reader.u8()?);
    if count > MAX_RECORDINGS {
        return Err(TemplateError::Corrupt);
    }
    let mut recordings = Vec::with_capacity(count);
    for _ in 0..count {
        let frames = usize::from(reader.u16()?);
        if frames == 0 || frames > MAX_CLEAN_FRAMES {
            return Err(TemplateError::Corrupt);
        }
        let mut track = Track::default();
        for v in &mut track.visibility {
            *v = f32::from(reader.u8()?) / 255.0;
        }
        // The bytes are taken before anything is allocated for them.
        let raw = reader.take(frames * JOINTS * 4)?;
        track.frames = raw
            .chunks_exact(JOINTS * 4)
            .map(|row| {
                std::array::from_fn(|k| {
                    std::array::from_fn(|d| {
                        let at = 4 * k + 2 * d;
                        f32::from(i16::from_le_bytes([row[at], row[at + 1]])) * STEP
                    })
                })
            })
            .collect();
        recordings.push(track);
    }
    Ok(recordings)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], TemplateError> {
        let end = self.at.checked_add(n).ok_or(TemplateError::CutShort)?;
        let out = self.bytes.get(self.at..end).ok_or(TemplateError::CutShort)?;
        self.at = end;
        Ok(out)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TemplateError> {
        self.take(N)?.try_into().map_err(|_| TemplateError::CutShort)
    }

    fn u8(&mut self) -> Result<u8, TemplateError> {
        Ok(self.array::<1>()?[0])
    }

    fn u16(&mut self) -> Result<u16, TemplateError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, TemplateError> {
        Ok(u32::from_le_bytes(self.array()?))
    }
}

fn to_step(v: f32) -> i16 {
    // A float cast saturates: a wild coordinate stays within the range instead of wrapping.
    (v / STEP).round() as i16
}

/// The track as it comes back from its byte form, so that matching is the same before and after storing.
fn quantised(track: &Track) -> Track {
    Track {
        frames: track.frames.iter().map(|f| f.map(|p| p.map(|v| f32::from(to_step(v)) * STEP))).collect(),
        visibility: track.visibility.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() / 255.0),
    }
}

/// CRC-32 (IEEE 802.3): against accidents; deliberate change is the store's seal to stop.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template() -> impl Strategy<Value = Template> {
        let frame = prop::array::uniform7(prop::array::uniform2(-7.9f32..7.9));
        let track = (prop::collection::vec(frame, 1..40), prop::array::uniform7(0f32..=1.0))
            .prop_map(|(frames, visibility)| Track { frames, visibility });
        (prop::collection::vec(track, 1..=MAX_RECORDINGS), 0u32..1 << 16).prop_map(|(tracks, decoys)| {
            Template::of_tracks(tracks)
                .with_decoys(MovementSet::of_bits(decoys).expect("a movement for each bit"))
        })
    }

    proptest! {
        #[test]
        fn a_template_comes_back_as_it_was(t in template()) {
            prop_assert_eq!(Template::decode(&t.encode()), Ok(t));
        }

        #[test]
        fn every_cut_is_noticed(t in template(), share in 0f64..1.0) {
            let bytes = t.encode();
            let cut = (bytes.len() as f64 * share) as usize;
            prop_assert_eq!(Template::decode(&bytes[..cut]), Err(TemplateError::CutShort));
        }

        #[test]
        fn every_changed_byte_is_noticed(t in template(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = t.encode();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Template::decode(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
            let mut input = if head { b"pose-tpl\x02\x00".to_vec() } else { Vec::new() };
            input.extend(bytes);
            prop_assert!(Template::decode(&input).is_err());
        }
    }

    #[test]
    fn other_versions_are_named() {
        let track = Track { frames: vec![[[0.1; 2]; JOINTS]; 20], visibility: [1.0; JOINTS] };
        let mut bytes = Template::of_tracks([track]).encode();
        bytes[8..10].copy_from_slice(&9u16.to_le_bytes());
        assert_eq!(Template::decode(&bytes), Err(TemplateError::Newer { found: 9 }));
        bytes[8..10].copy_from_slice(&0u16.to_le_bytes());
        assert_eq!(Template::decode(&bytes), Err(TemplateError::Older { found: 0 }));
        assert!(TemplateError::Newer { found: 9 }.to_string().contains("update"));
    }

    #[test]
    fn a_template_of_version_1_is_read_and_has_no_decoys() {
        let track = Track { frames: vec![[[0.1; 2]; JOINTS]; 20], visibility: [1.0; JOINTS] };
        let template = Template::of_tracks([track]);
        let mut bytes = template.encode();
        bytes.truncate(bytes.len() - CHECKSUM);
        bytes.drain(HEADER..HEADER + DECOYS);
        bytes[8..10].copy_from_slice(&1u16.to_le_bytes());
        let length = (bytes.len() - HEADER) as u32;
        bytes[10..14].copy_from_slice(&length.to_le_bytes());
        let sum = crc32(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        assert_eq!(Template::decode(&bytes), Ok(template));
    }

    #[test]
    fn a_wild_length_is_refused_without_allocating_for_it() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&1u16.to_le_bytes());
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(Template::decode(&bytes), Err(TemplateError::CutShort));
    }
}
