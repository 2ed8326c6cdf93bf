//! The control of a pam.d line: what each answer of the module does to the stack.

use super::codes::Code;

/// What an answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing.
    Ignore,
    /// A good answer, unless something failed before.
    Ok,
    /// The same, and the end of this stack.
    Done,
    /// A failure that stays.
    Bad,
    /// The same, and the end of this stack.
    Die,
    /// Back to what stood when this stack began.
    Reset,
    /// So many following lines are left out.
    Jump(u8),
}

/// The action for every code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Actions([Action; Code::COUNT]);

impl Actions {
    /// Every answer is a failure: what libpam makes of a control that it cannot read.
    pub(crate) const ALL_BAD: Self = Self([Action::Bad; Code::COUNT]);

    /// Reads a control: one of the four words, or the inside of `[value=action …]`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(control: &str, bracketed: bool) -> Result<Self, String> {
        if bracketed {
            return parse_pairs(control);
        }
        let (good, other) = match control.to_ascii_lowercase().as_str() {
            "required" => (Action::Ok, Action::Bad),
            "requisite" => (Action::Ok, Action::Die),
            "optional" => (Action::Ok, Action::Ignore),
            "sufficient" => (Action::Done, Action::Ignore),
            _ => return Err(format!("the control \"{control}\" does not exist")),
        };
        let mut actions = Self([other; Code::COUNT]);
        actions.set(Code::SUCCESS, good);
        actions.set(Code::NEW_AUTHTOK_REQD, good);
        actions.set(Code::IGNORE, Action::Ignore);
        Ok(actions)
    }

    /// What that answer does.
    pub(crate) fn of(&self, code: Code) -> Action {
        self.0[code.index()]
    }

    fn set(&mut self, code: Code, action: Action) {
        self.0[code.index()] = action;
    }
}

fn parse_pairs(inside: &str) -> Result<Actions, String> {
    let mut given: [Option<Action>; Code::COUNT] = [None; Code::COUNT];
    let mut default = None;
    let spaced = inside.replace(" =", "=").replace("= ", "=");
    for pair in spaced.split_whitespace() {
        let (value, action) =
            pair.split_once('=').ok_or_else(|| format!("\"{pair}\" is no value=action pair"))?;
        let action =
            parse_action(action).ok_or_else(|| format!("the action in \"{pair}\" does not exist"))?;
        if value.eq_ignore_ascii_case("default") {
            default = Some(action);
        } else {
            let code = Code::parse(value).ok_or_else(|| format!("the value in \"{pair}\" does not exist"))?;
            given[code.index()] = Some(action);
        }
    }
    Ok(Actions(given.map(|action| action.or(default).unwrap_or(Action::Bad))))
}

fn parse_action(word: &str) -> Option<Action> {
    Some(match word.to_ascii_lowercase().as_str() {
        "ignore" => Action::Ignore,
        "ok" => Action::Ok,
        "done" => Action::Done,
        "bad" => Action::Bad,
        "die" => Action::Die,
        "reset" => Action::Reset,
        number => Action::Jump(number.parse().ok().filter(|count| *count > 0)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_control_acts_as_the_manual_says() {
        let table = [
            ("required", false, [Action::Ok, Action::Bad, Action::Ignore]),
            ("requisite", false, [Action::Ok, Action::Die, Action::Ignore]),
            ("optional", false, [Action::Ok, Action::Ignore, Action::Ignore]),
            ("Sufficient", false, [Action::Done, Action::Ignore, Action::Ignore]),
            ("success=2 default=ignore", true, [Action::Jump(2), Action::Ignore, Action::Ignore]),
            ("success=ok auth_err=die", true, [Action::Ok, Action::Die, Action::Bad]),
            ("default=reset success = done", true, [Action::Done, Action::Reset, Action::Reset]),
        ];
        for (control, bracketed, expected) in table {
            let actions = Actions::parse(control, bracketed).expect(control);
            let seen = [Code::SUCCESS, Code::AUTH_ERR, Code::IGNORE].map(|code| actions.of(code));
            assert_eq!(seen, expected, "{control}");
        }
    }

    #[test]
    fn an_unreadable_control_is_named() {
        for (control, bracketed) in
            [("needed", false), ("success=0", true), ("succes=ok", true), ("success=yes", true), ("ok", true)]
        {
            assert!(Actions::parse(control, bracketed).is_err(), "{control}");
        }
    }
}
