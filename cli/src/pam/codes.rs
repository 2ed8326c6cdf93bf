//! PAM's result codes, by the names that pam.d files use.

/// One result code; its number is libpam's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Code(u8);

/// Every code at its number (`_pam_token_returns` in Linux-PAM).
const NAMES: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];

impl Code {
    pub(crate) const SUCCESS: Self = Self(0);
    pub(crate) const SYSTEM_ERR: Self = Self(4);
    pub(crate) const BUF_ERR: Self = Self(5);
    /// What libpam answers where nothing else decided (`PAM_MUST_FAIL_CODE`).
    pub(crate) const PERM_DENIED: Self = Self(6);
    pub(crate) const AUTH_ERR: Self = Self(7);
    pub(crate) const AUTHINFO_UNAVAIL: Self = Self(9);
    pub(crate) const USER_UNKNOWN: Self = Self(10);
    pub(crate) const MAXTRIES: Self = Self(11);
    pub(crate) const NEW_AUTHTOK_REQD: Self = Self(12);
    pub(crate) const CONV_ERR: Self = Self(19);
    pub(crate) const IGNORE: Self = Self(25);
    pub(crate) const MODULE_UNKNOWN: Self = Self(28);

    /// How many codes there are.
    pub(crate) const COUNT: usize = NAMES.len();

    /// The code of a name in a control.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let number = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        u8::try_from(number).ok().map(Self)
    }

    /// Its name, as controls and `pam_debug.so` spell it.
    pub(crate) fn name(self) -> &'static str {
        NAMES[self.index()]
    }

    /// Its number.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_have_the_numbers_of_their_names() {
        let table = [
            (Code::SUCCESS, "success"),
            (Code::SYSTEM_ERR, "system_err"),
            (Code::BUF_ERR, "buf_err"),
            (Code::PERM_DENIED, "perm_denied"),
            (Code::AUTH_ERR, "auth_err"),
            (Code::AUTHINFO_UNAVAIL, "authinfo_unavail"),
            (Code::USER_UNKNOWN, "user_unknown"),
            (Code::MAXTRIES, "maxtries"),
            (Code::NEW_AUTHTOK_REQD, "new_authtok_reqd"),
            (Code::CONV_ERR, "conv_err"),
            (Code::IGNORE, "ignore"),
            (Code::MODULE_UNKNOWN, "module_unknown"),
        ];
        for (code, name) in table {
            assert_eq!((Code::parse(name), code.name()), (Some(code), name));
        }
    }
}
