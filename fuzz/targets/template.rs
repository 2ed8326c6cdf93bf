//! The byte form of templates: as stored, and with a checksum that fits so that the rest is reached.
#![no_main]

use pose_engine::template::Template;

pose_fuzz::target!(|data| {
    check(data);
    let mut bytes = b"pose-tpl".to_vec();
    bytes.extend_from_slice(&pose_engine::template::VERSION.to_le_bytes());
    bytes.extend_from_slice(&(data.len() as u32).to_le_bytes());
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(&crc32(&bytes).to_le_bytes());
    check(&bytes);
});

fn check(bytes: &[u8]) {
    let Ok(template) = Template::decode(bytes) else { return };
    let current = bytes.get(8..10) == Some(&pose_engine::template::VERSION.to_le_bytes()[..]);
    assert!(!current || template.encode() == bytes, "one template has one byte form in a version");
    for track in template.recordings() {
        assert!(track.frames.iter().flatten().flatten().all(|value| value.is_finite()));
    }
}

/// CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}
