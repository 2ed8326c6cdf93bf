//! What the targets share: the one function that libFuzzer calls, and bytes taken off the front of an input.

/// Makes `fn(&[u8])` the target of this program. A panic in it is a finding, because unwinding stops at the border
/// to C and aborts.
#[macro_export]
macro_rules! target {
    ($run:expr) => {
        /// What libFuzzer calls with each input.
        #[unsafe(no_mangle)]
        #[allow(unsafe_code, reason = "the name and the arguments are libFuzzer's")]
        pub extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, size: usize) -> i32 {
            let input = if size == 0 {
                &[][..]
            } else {
                // SAFETY: libFuzzer gives `size` readable bytes that stay until this returns.
                unsafe { std::slice::from_raw_parts(data, size) }
            };
            let run: fn(&[u8]) = $run;
            run(input);
            0
        }
    };
}

/// An input, read from its front; whatever lies behind its end is zero.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self) -> u16 {
        u16::from(self.byte()) | u16::from(self.byte()) << 8
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self) -> u64 {
        (0..8).fold(0, |value, at| value | u64::from(self.byte()) << (8 * at))
    }

    /// Up to `count` bytes.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        head
    }

    /// Whether something is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
