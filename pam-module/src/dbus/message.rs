//! D-Bus messages: calls that we send, replies that we read.

use super::BusError;
use super::wire::{Reader, Writer};

/// Longest message taken from the bus, bytes. The contract's largest reply is a few hundred.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// Length of the fixed part of a header, up to and with the length of the field array.
pub const FIXED_HEADER: usize = 16;

const METHOD_CALL: u8 = 1;
const NO_REPLY_EXPECTED: u8 = 1;
const PROTOCOL_VERSION: u8 = 1;

mod field {
    pub(super) const PATH: u8 = 1;
    pub(super) const INTERFACE: u8 = 2;
    pub(super) const MEMBER: u8 = 3;
    pub(super) const ERROR_NAME: u8 = 4;
    pub(super) const REPLY_SERIAL: u8 = 5;
    pub(super) const DESTINATION: u8 = 6;
    pub(super) const SENDER: u8 = 7;
    pub(super) const SIGNATURE: u8 = 8;
    pub(super) const UNIX_FDS: u8 = 9;
}

/// A method call.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Bus name it goes to.
    pub destination: &'a str,
    /// Object path.
    pub path: &'a str,
    /// Interface.
    pub interface: &'a str,
    /// Method.
    pub member: &'a str,
    /// Signature of the arguments.
    pub signature: &'a str,
    /// Marshalled arguments.
    pub body: &'a [u8],
    /// File descriptors that travel beside it.
    pub fds: u32,
    /// Whether an answer is wanted.
    pub wants_reply: bool,
}

impl Call<'_> {
    /// The bytes of this call. `serial` is never 0.
    #[must_use]
    pub fn marshal(&self, serial: u32) -> Vec<u8> {
        let mut message = Writer::default();
        message.byte(b'l');
        message.byte(METHOD_CALL);
        message.byte(if self.wants_reply { 0 } else { NO_REPLY_EXPECTED });
        message.byte(PROTOCOL_VERSION);
        message.u32(u32::try_from(self.body.len()).unwrap_or(u32::MAX));
        message.u32(serial);
        message.array8(|fields| {
            for (code, kind, value) in [
                (field::PATH, "o", self.path),
                (field::INTERFACE, "s", self.interface),
                (field::MEMBER, "s", self.member),
                (field::DESTINATION, "s", self.destination),
            ] {
                open_field(fields, code, kind);
                fields.string(value);
            }
            if !self.signature.is_empty() {
                open_field(fields, field::SIGNATURE, "g");
                fields.signature(self.signature);
            }
            if self.fds > 0 {
                open_field(fields, field::UNIX_FDS, "u");
                fields.u32(self.fds);
            }
        });
        message.align(8);
        message.raw(self.body);
        message.finish()
    }
}

fn open_field(fields: &mut Writer, code: u8, kind: &str) {
    fields.align(8);
    fields.byte(code);
    fields.signature(kind);
}

/// What kind of message came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A successful answer.
    Return,
    /// An error answer.
    Error,
    /// A call or a signal: not for us.
    Other,
}

/// A message from the bus.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Answer, error or something else.
    pub kind: Kind,
    /// Serial of the call that it answers.
    pub reply_serial: Option<u32>,
    /// Unique name of who sent it, set by the bus.
    pub sender: Option<String>,
    /// Name of an error.
    pub error_name: Option<String>,
    /// Signature of the body.
    pub signature: String,
    body: Vec<u8>,
    big_endian: bool,
}

impl Incoming {
    /// Whole length of the message whose first [`FIXED_HEADER`] bytes are `head`.
    ///
    /// # Errors
    /// Not a D-Bus message, or longer than [`MAX_MESSAGE`].
    pub fn length(head: &[u8]) -> Result<usize, BusError> {
        let (mut reader, body) = fixed(head)?;
        let fields = reader.u32()? as usize;
        let header = fields.checked_add(FIXED_HEADER).ok_or(TOO_LONG)?.next_multiple_of(8);
        header.checked_add(body).filter(|&whole| whole <= MAX_MESSAGE).ok_or(TOO_LONG)
    }

    /// Reads one whole message.
    ///
    /// # Errors
    /// [`BusError::Malformed`] for anything the specification does not allow.
    pub fn parse(bytes: &[u8]) -> Result<Self, BusError> {
        let (mut reader, body_length) = fixed(bytes)?;
        let big_endian = bytes.first() == Some(&b'B');
        let mut message = Self {
            kind: match bytes.get(1) {
                Some(2) => Kind::Return,
                Some(3) => Kind::Error,
                _ => Kind::Other,
            },
            reply_serial: None,
            sender: None,
            error_name: None,
            signature: String::new(),
            body: Vec::new(),
            big_endian,
        };
        let fields_length = reader.u32()? as usize;
        let end = reader.offset().checked_add(fields_length).ok_or(TOO_LONG)?;
        while reader.offset() < end {
            message.read_field(&mut reader)?;
        }
        if reader.offset() != end {
            return Err(BusError::Malformed("header fields that do not fit their length"));
        }
        reader.align(8)?;
        let body = bytes.get(reader.offset()..).unwrap_or_default();
        if body.len() != body_length {
            return Err(BusError::Malformed("a body that does not fit its length"));
        }
        message.body = body.to_vec();
        Ok(message)
    }

    fn read_field(&mut self, reader: &mut Reader<'_>) -> Result<(), BusError> {
        reader.align(8)?;
        let code = reader.byte()?;
        let kind = reader.signature()?;
        match (code, kind) {
            (field::REPLY_SERIAL, "u") => self.reply_serial = Some(reader.u32()?),
            (field::SENDER, "s") => self.sender = Some(reader.string()?.to_owned()),
            (field::ERROR_NAME, "s") => self.error_name = Some(reader.string()?.to_owned()),
            (field::SIGNATURE, "g") => reader.signature()?.clone_into(&mut self.signature),
            (field::PATH..=field::UNIX_FDS, _) if !fits(code, kind) => {
                return Err(BusError::Malformed("a header field of the wrong type"));
            }
            _ => reader.skip_basic(kind)?,
        }
        Ok(())
    }

    /// The arguments, once their signature is known to be `signature`.
    ///
    /// # Errors
    /// Another signature.
    pub fn body(&self, signature: &str) -> Result<Reader<'_>, BusError> {
        if self.signature == signature {
            Ok(Reader::new(&self.body, self.big_endian))
        } else {
            Err(BusError::Malformed("an answer with other arguments than the contract's"))
        }
    }

    /// An error's text: its first argument, if that is a string.
    #[must_use]
    pub fn error_text(&self) -> &str {
        let text =
            self.signature.starts_with('s').then(|| Reader::new(&self.body, self.big_endian).string().ok());
        text.flatten().unwrap_or_default()
    }
}

fn fits(code: u8, kind: &str) -> bool {
    match code {
        field::PATH => kind == "o",
        field::SIGNATURE => kind == "g",
        field::REPLY_SERIAL | field::UNIX_FDS => kind == "u",
        _ => kind == "s",
    }
}

/// Checks the fixed header; the reader is left at the length of the field array.
fn fixed(bytes: &[u8]) -> Result<(Reader<'_>, usize), BusError> {
    let big_endian = match bytes.first() {
        Some(b'l') => false,
        Some(b'B') => true,
        _ => return Err(BusError::Malformed("something that is not a D-Bus message")),
    };
    if bytes.get(1) == Some(&0) || bytes.get(3) != Some(&PROTOCOL_VERSION) {
        return Err(BusError::Malformed("a message of an unknown protocol version"));
    }
    let mut reader = Reader::new(bytes, big_endian);
    reader.u32()?;
    let body = reader.u32()? as usize;
    if reader.u32()? == 0 {
        return Err(BusError::Malformed("a message with serial 0"));
    }
    Ok((reader, body))
}

const TOO_LONG: BusError = BusError::Malformed("a message longer than anything the contract has");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn call() -> Vec<u8> {
        let mut body = Writer::default();
        body.string("x");
        Call {
            destination: ":1.7",
            path: "/a/b",
            interface: "a.b",
            member: "Next",
            signature: "s",
            body: &body.finish(),
            fds: 0,
            wants_reply: true,
        }
        .marshal(5)
    }

    #[test]
    fn a_call_has_the_bytes_of_the_specification() {
        let bytes = call();
        assert_eq!(&bytes[..4], b"l\x01\0\x01");
        assert_eq!(&bytes[4..12], &[6, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(Incoming::length(&bytes).unwrap(), bytes.len());
        // First field: path, an object path, aligned to 8.
        assert_eq!(&bytes[16..29], b"\x01\x01o\0\x04\0\0\0/a/b\0");
        assert_eq!(&bytes[bytes.len() - 6..], b"\x01\0\0\0x\0");
        let read = Incoming::parse(&bytes).unwrap();
        assert_eq!((read.kind, read.signature.as_str()), (Kind::Other, "s"));
        assert_eq!(read.body("s").unwrap().string().unwrap(), "x");
    }

    #[test]
    fn a_big_endian_reply_is_read() {
        let bytes = [
            &b"B\x02\x01\x01\0\0\0\x04\0\0\0\x09\0\0\0\x0f"[..],
            &b"\x05\x01u\0\0\0\0\x05\x08\x01g\0\x01u\0\0"[..],
            &b"\0\0\x03\xe8"[..],
        ]
        .concat();
        let reply = Incoming::parse(&bytes).unwrap();
        assert_eq!((reply.kind, reply.reply_serial), (Kind::Return, Some(5)));
        assert_eq!(reply.body("u").unwrap().u32().unwrap(), 1000);
        assert!(reply.body("s").is_err());
    }

    #[test]
    fn lengths_beyond_the_limit_are_refused_before_anything_is_stored() {
        let mut bytes = call();
        bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Incoming::length(&bytes).is_err());
        bytes[4..8].copy_from_slice(&0u32.to_le_bytes());
        bytes[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(Incoming::length(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = Incoming::length(&bytes);
            let _ = Incoming::parse(&bytes);
        }

        #[test]
        fn a_damaged_message_is_read_or_refused_and_never_panics(
            at in 0usize..100, value: u8, cut in 0usize..100,
        ) {
            let mut bytes = call();
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            if let Ok(message) = Incoming::parse(&bytes) {
                let _ = message.error_text();
                if let Ok(mut body) = message.body("s") {
                    let _ = body.string();
                }
            }
        }
    }
}
