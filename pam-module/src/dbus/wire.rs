//! D-Bus marshalling: the few types the exchange needs, with every length checked.
//!
//! Format: the D-Bus specification, "Message Protocol". Offsets count from the start of the message, which is
//! what alignment refers to.

use super::BusError;

/// Longest string taken from a peer, bytes. Texts for people are far shorter.
const MAX_STRING: usize = 4096;

/// Builds little-endian bytes.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Pads with zeros to a multiple of `alignment`.
    pub fn align(&mut self, alignment: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
    }

    /// One byte.
    pub fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// `u` (and `h`, which is an index; and `b`, which is 0 or 1).
    pub fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// `s` and `o`.
    pub fn string(&mut self, value: &str) {
        self.u32(length(value.len()));
        self.bytes.extend_from_slice(value.as_bytes());
        self.byte(0);
    }

    /// `g`.
    pub fn signature(&mut self, value: &str) {
        self.byte(u8::try_from(value.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(value.as_bytes());
        self.byte(0);
    }

    /// An array whose elements align to 8 (structs, dictionary entries); the length leaves out the first padding.
    pub fn array8(&mut self, fill: impl FnOnce(&mut Self)) {
        self.u32(0);
        let length_at = self.bytes.len() - 4;
        self.align(8);
        let start = self.bytes.len();
        fill(self);
        let filled = length(self.bytes.len() - start).to_le_bytes();
        if let Some(place) = self.bytes.get_mut(length_at..length_at + 4) {
            place.copy_from_slice(&filled);
        }
    }

    /// Bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends finished bytes.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The finished bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

// Everything this module writes is bounded by the contract's limits; a length beyond u32 cannot occur, and a
// capped one would only make the bus refuse the message.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Reads a peer's bytes in either byte order; never past the end, never more than it promises.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the start of a message, or of a body, which starts on a multiple of 8.
    #[must_use]
    pub fn new(bytes: &'a [u8], big_endian: bool) -> Self {
        Self { bytes, at: 0, big_endian }
    }

    /// Whether everything was read.
    #[must_use]
    pub fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Offset of the next byte.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], BusError> {
        let end = self.at.checked_add(count).ok_or(SHORT)?;
        let taken = self.bytes.get(self.at..end).ok_or(SHORT)?;
        self.at = end;
        Ok(taken)
    }

    /// Skips padding, which has to be zero.
    ///
    /// # Errors
    /// Malformed or short input, here and in every method below.
    pub fn align(&mut self, alignment: usize) -> Result<(), BusError> {
        let padding = self.take(self.at.next_multiple_of(alignment) - self.at)?;
        if padding.iter().any(|&b| b != 0) {
            return Err(BusError::Malformed("padding that is not zero"));
        }
        Ok(())
    }

    /// One byte.
    #[allow(clippy::missing_errors_doc)]
    pub fn byte(&mut self) -> Result<u8, BusError> {
        self.take(1)?.first().copied().ok_or(SHORT)
    }

    /// `u`.
    #[allow(clippy::missing_errors_doc)]
    pub fn u32(&mut self) -> Result<u32, BusError> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().map_err(|_| SHORT)?;
        Ok(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// `s` and `o`.
    #[allow(clippy::missing_errors_doc)]
    pub fn string(&mut self) -> Result<&'a str, BusError> {
        let length = self.u32()? as usize;
        if length > MAX_STRING {
            return Err(BusError::Malformed("a string longer than anything the contract has"));
        }
        self.text(length)
    }

    /// `g`.
    #[allow(clippy::missing_errors_doc)]
    pub fn signature(&mut self) -> Result<&'a str, BusError> {
        let length = usize::from(self.byte()?);
        self.text(length)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, BusError> {
        let text = self.take(length)?;
        if self.byte()? != 0 || text.contains(&0) {
            return Err(BusError::Malformed("a string without its end"));
        }
        std::str::from_utf8(text).map_err(|_| BusError::Malformed("a string that is not UTF-8"))
    }

    /// Skips one value of a basic type (header fields of later protocol versions).
    #[allow(clippy::missing_errors_doc)]
    pub fn skip_basic(&mut self, signature: &str) -> Result<(), BusError> {
        match signature {
            "y" => self.take(1).map(drop),
            "n" | "q" => self.align(2).and_then(|()| self.take(2).map(drop)),
            "b" | "i" | "u" | "h" => self.u32().map(drop),
            "x" | "t" | "d" => self.align(8).and_then(|()| self.take(8).map(drop)),
            "s" | "o" => self.string().map(drop),
            "g" => self.signature().map(drop),
            _ => Err(BusError::Malformed("a header field of an unknown type")),
        }
    }
}

const SHORT: BusError = BusError::Malformed("a message that ends too early");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::default();
        writer.byte(7);
        writer.string("grüß");
        writer.array8(|w| {
            w.u32(9);
            w.signature("a{sv}");
        });
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes, false);
        assert_eq!(reader.byte().unwrap(), 7);
        assert_eq!(reader.string().unwrap(), "grüß");
        assert_eq!(reader.u32().unwrap(), 4 + 7);
        reader.align(8).unwrap();
        assert_eq!(reader.u32().unwrap(), 9);
        assert_eq!(reader.signature().unwrap(), "a{sv}");
        assert!(reader.at_end());
    }

    #[test]
    fn broken_strings_are_refused() {
        let table: [&[u8]; 6] = [
            b"\x05\0\0\0abc\0",
            b"\xff\xff\xff\xffabc\0",
            b"\x03\0\0\0abcX",
            b"\x03\0\0\0a\0c\0",
            b"\x03\0\0\0\xff\xfec\0",
            b"\x03\0\0",
        ];
        for bytes in table {
            assert!(Reader::new(bytes, false).string().is_err(), "{bytes:?}");
        }
    }
}
