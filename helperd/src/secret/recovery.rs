//! The one-time recovery code: 100 random bits printed at enrolment, in groups that a person can copy.
//!
//! Crockford's base 32 (no I, L, O, U), 20 symbols and 2 check symbols in groups: `XXXXX-XXXXX-XXXXX-XXXXX-XX`.
//! Reading takes small letters, spaces, and I, L for 1 and O for 0. The check symbols catch copying mistakes
//! before the store is asked, so a mistyped code costs nothing; they carry no secret.

use std::fmt;

use zeroize::Zeroizing;

use super::Secret;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Symbols of the code itself, 5 bits each.
const SYMBOLS: usize = 20;
/// Check symbols.
const CHECKS: usize = 2;
/// Prime below 32², so that every single mistyped symbol and every swap of neighbours changes the check.
const MODULUS: u32 = 1021;

/// A recovery code as its symbols' values, 0 to 31 each.
pub struct RecoveryCode(Zeroizing<[u8; SYMBOLS]>);

impl RecoveryCode {
    /// A fresh code; `None` when the kernel gives no randomness.
    #[must_use]
    pub fn generate() -> Option<Self> {
        let mut symbols = Zeroizing::new([0_u8; SYMBOLS]);
        getrandom::fill(symbols.as_mut_slice()).ok()?;
        // 256 is a multiple of 32: cutting the bytes down keeps every symbol equally likely.
        symbols.iter_mut().for_each(|symbol| *symbol &= 31);
        Some(Self(symbols))
    }

    /// The code that a person typed, `None` when it is not one (so it may be a password).
    #[must_use]
    pub fn parse(typed: &Secret) -> Option<Self> {
        let mut symbols = Zeroizing::new([0_u8; SYMBOLS + CHECKS]);
        let mut count = 0;
        for byte in typed.as_bytes() {
            if matches!(byte, b' ' | b'-') {
                continue;
            }
            *symbols.get_mut(count)? = value(*byte)?;
            count += 1;
        }
        let (code, checks) = symbols.split_at(SYMBOLS);
        if count != SYMBOLS + CHECKS || check(code) != *checks {
            return None;
        }
        let mut parsed = Zeroizing::new([0_u8; SYMBOLS]);
        parsed.copy_from_slice(code);
        Some(Self(parsed))
    }

    /// What a keyed hash of the code is made over.
    pub(crate) fn symbols(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The code as printed, 26 characters.
    #[must_use]
    pub fn printed(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(SYMBOLS + CHECKS + SYMBOLS / 5));
        for (index, symbol) in self.0.iter().chain(&check(self.0.as_slice())).enumerate() {
            if index > 0 && index % 5 == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET.get(usize::from(*symbol)).copied().unwrap_or(b'0')));
        }
        text
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

fn value(byte: u8) -> Option<u8> {
    let upper = match byte.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        other => other,
    };
    ALPHABET.iter().position(|symbol| *symbol == upper).and_then(|at| u8::try_from(at).ok())
}

fn check(code: &[u8]) -> [u8; CHECKS] {
    // Weighted by powers of 32 modulo a prime: the code read as a number.
    let sum = code.iter().fold(0_u32, |sum, symbol| (sum * 32 + u32::from(*symbol)) % MODULUS);
    [u8::try_from(sum / 32).unwrap_or_default(), u8::try_from(sum % 32).unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Secret {
        Secret::take(&mut text.to_owned().into_bytes()).expect("secret")
    }

    #[test]
    fn a_printed_code_reads_back_however_it_is_typed() {
        for _ in 0..50 {
            let code = RecoveryCode::generate().expect("randomness");
            let printed = code.printed();
            assert_eq!(printed.len(), 26);
            let sloppy = printed.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            for form in [printed.to_string(), sloppy, printed.replace('-', "")] {
                assert_eq!(RecoveryCode::parse(&typed(&form)).expect("reads").symbols(), code.symbols());
            }
        }
    }

    #[test]
    fn every_single_mistake_and_every_swap_is_caught() {
        let code = RecoveryCode::generate().expect("randomness");
        let text: Vec<char> = code.printed().replace('-', "").chars().collect();
        for at in 0..text.len() {
            for other in ALPHABET.iter().map(|b| char::from(*b)).filter(|c| *c != text[at]) {
                let mut wrong = text.clone();
                wrong[at] = other;
                assert!(
                    RecoveryCode::parse(&typed(&wrong.iter().collect::<String>())).is_none(),
                    "{at} {other}"
                );
            }
        }
        for at in 0..SYMBOLS - 1 {
            let mut swapped = text.clone();
            swapped.swap(at, at + 1);
            if swapped != text {
                assert!(RecoveryCode::parse(&typed(&swapped.iter().collect::<String>())).is_none(), "{at}");
            }
        }
    }

    #[test]
    fn passwords_and_garbage_are_not_codes() {
        for text in ["", "hunter2", "00000-00000-00000-00000-01", "00000-00000-00000-00000-00-0", "ü", "\0"]
        {
            assert!(RecoveryCode::parse(&typed(text)).is_none(), "{text:?}");
        }
    }

    #[test]
    fn codes_use_all_symbols_in_all_places() {
        let mut seen = [[false; 32]; SYMBOLS];
        for _ in 0..2000 {
            let code = RecoveryCode::generate().expect("randomness");
            for (place, symbol) in code.symbols().iter().enumerate() {
                seen[place][usize::from(*symbol)] = true;
            }
        }
        assert!(seen.iter().flatten().all(|seen| *seen));
    }
}
