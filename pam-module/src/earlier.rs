//! Whether the person has just left the password prompt of a module that stands before this one.
//!
//! libpam goes on to the next `required` module when one has failed, and tells it nothing. Somebody who presses Ctrl-C
//! at sudo's prompt would then be asked for a pose, because sudo looks at its interrupt when the whole stack has ended.
//! `pam_unix` is the one that says how it ended: it keeps its result for its own `pam_setcred`.

#![allow(unsafe_code, reason = "libpam's C interface where pamsm has none")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use crate::host::{Host, RawHandle, raw};

/// Where `pam_unix` keeps an `int`, its last result (pam_unix_auth.c).
const RESULT_OF_PAM_UNIX: &CStr = c"unix_setcred_return";
/// What was seen in earlier logins on the same handle: [`AHEAD`], or the result that has ended one.
const SEEN: &CStr = c"pam_pose_seen";
/// This module came before `pam_unix`, whose result is then that of the login before. No allocation has this address.
const AHEAD: *const c_void = ptr::without_provenance(1);
/// No allocation lies in the first page. A future `pam_unix` might keep a number there instead of a pointer.
const FIRST_PAGE: usize = 4096;
/// libpam's codes for a prompt that got no answer.
const NO_ANSWER: [c_int; 2] = [19, 20];

/// Whether `pam_unix` asked in this login and got no answer, nor did anybody after it. Never true where that is not
/// certain.
#[must_use]
pub fn prompt_was_left(host: &Host<'_>) -> bool {
    let pamh = raw(host.pam());
    let (result, seen) = (data(pamh, RESULT_OF_PAM_UNIX), data(pamh, SEEN));
    if result.is_null() {
        note(pamh, AHEAD);
        return false;
    }
    // Its results are allocated before the last one is freed, so that no two in a row have one address.
    if result.addr() < FIRST_PAGE || seen == AHEAD || seen == result || host.password(true).is_ok() {
        return false;
    }
    // SAFETY: an `int` that `pam_unix` allocated; it stays until it is replaced.
    let code = unsafe { result.cast::<c_int>().read_unaligned() };
    let left = NO_ANSWER.contains(&code);
    if left {
        note(pamh, result);
    }
    left
}

/// What is kept under that name; NULL if nothing is.
fn data(pamh: RawHandle, name: &CStr) -> *const c_void {
    let mut data = ptr::null();
    // SAFETY: the handle is this call's, the name ends with NUL.
    let found = unsafe { pam_get_data(pamh, name.as_ptr(), &raw mut data) };
    if found == 0 { data } else { ptr::null() }
}

fn note(pamh: RawHandle, seen: *const c_void) {
    // SAFETY: as above. The pointer is a mark that nobody follows, so nothing is to be freed.
    let _ = unsafe { pam_set_data(pamh, SEEN.as_ptr(), seen.cast_mut(), None) };
}

unsafe extern "C" {
    fn pam_get_data(pamh: RawHandle, name: *const c_char, data: *mut *const c_void) -> c_int;
    fn pam_set_data(
        pamh: RawHandle,
        name: *const c_char,
        data: *mut c_void,
        cleanup: Option<Cleanup>,
    ) -> c_int;
}

type Cleanup = unsafe extern "C" fn(RawHandle, *mut c_void, c_int);
