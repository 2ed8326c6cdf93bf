//! Messages to the person, one per call of the program's conversation function.
//!
//! pamsm's own `conv` follows a NULL reply and leaks real ones, so this one talks to the C structure itself.

#![allow(unsafe_code, reason = "the program's conversation function is C")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use crate::host::{Host, RawHandle, raw};

const PAM_CONV: c_int = 5;
const PAM_SUCCESS: c_int = 0;
/// Longest text shown, characters: a line of a terminal, and what greeters leave room for.
const MAX_TEXT: usize = 160;

/// How a message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Style {
    /// Something to do, confirmed with Enter; the answer is thrown away (`PAM_PROMPT_ECHO_OFF`).
    Confirm = 1,
    /// Something went wrong (`PAM_ERROR_MSG`).
    Error = 3,
    /// Something to know or do (`PAM_TEXT_INFO`).
    Info = 4,
}

/// The program has no conversation function, or it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

/// Shows one message; whether a program may be sent any is decided before ([`crate::cue::Manner`]).
///
/// # Errors
/// [`Broken`].
pub fn show(host: &Host<'_>, style: Style, message: &str) -> Result<(), Broken> {
    let message = CString::new(presentable(message)).map_err(|_| Broken)?;
    let message = PamMessage { style: style as c_int, text: message.as_ptr() };
    // SAFETY: the item is NULL or a `struct pam_conv` that lives as long as the handle. Linux-PAM passes an
    // array of pointers to messages; one pointer to one message is that array for both readings of the
    // standard. The reply is freed below and nowhere else.
    unsafe {
        let mut item: *const c_void = ptr::null();
        if pam_get_item(raw(host.pam()), PAM_CONV, &raw mut item) != PAM_SUCCESS {
            return Err(Broken);
        }
        let conversation = item.cast::<PamConv>().as_ref().ok_or(Broken)?;
        let function = conversation.function.ok_or(Broken)?;
        let mut pointer = &raw const message;
        let mut reply: *mut PamResponse = ptr::null_mut();
        let code = function(1, &raw mut pointer, &raw mut reply, conversation.data);
        // A failed call's reply pointer means nothing by the standard, so only a successful one's is freed.
        if code != PAM_SUCCESS {
            return Err(Broken);
        }
        discard(reply);
    }
    Ok(())
}

/// Wipes and frees a reply that nobody asked for; some programs answer messages with an empty string or NULL.
///
/// # Safety
/// `reply` is NULL or an array of one response, both it and its text from `malloc`.
unsafe fn discard(reply: *mut PamResponse) {
    if reply.is_null() {
        return;
    }
    // SAFETY: by the caller's promise.
    unsafe {
        let text = (*reply).text;
        if !text.is_null() {
            libc::explicit_bzero(text.cast(), libc::strlen(text));
            libc::free(text.cast());
        }
        libc::free(reply.cast());
    }
}

/// One line without control characters, so that no text can move a terminal's cursor.
fn presentable(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect()
}

#[repr(C)]
struct PamMessage {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct PamResponse {
    text: *mut c_char,
    code: c_int,
}

type Function =
    unsafe extern "C" fn(c_int, *mut *const PamMessage, *mut *mut PamResponse, *mut c_void) -> c_int;

#[repr(C)]
struct PamConv {
    function: Option<Function>,
    data: *mut c_void,
}

unsafe extern "C" {
    fn pam_get_item(pamh: RawHandle, item: c_int, value: *mut *const c_void) -> c_int;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_short_line_without_control_characters() {
        assert_eq!(presentable("a\nb\u{1b}[2J\u{7}ü\0"), "a b [2J ü ");
        assert_eq!(presentable(&"ä".repeat(1000)).chars().count(), MAX_TEXT);
    }
}
