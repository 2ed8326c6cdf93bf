//! From answers to a result, as libpam's `_pam_dispatch_aux` does it; over one set of answers or over all of them.

use std::collections::{BTreeMap, HashSet};

use super::codes::Code;
use super::control::Action;
use super::stack::{Asks, Handler};

/// What the answers so far look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Impression {
    Undecided,
    Positive,
    Negative,
}

/// Where libpam stands between two lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    at: usize,
    previous_level: usize,
    impression: Impression,
    status: Code,
    /// What stood when each open substack began; index 0 is the whole.
    outside: Vec<(Impression, Code)>,
}

/// One way through a stack: which line answered what.
pub(crate) type Trace = Vec<(usize, Code)>;

/// Every result that a stack can have, each with one way to it.
pub(crate) type Results = BTreeMap<Code, Trace>;

/// All results that are possible when each place may answer what `answers` says. An empty list takes the place out.
pub(crate) fn results(stack: &[Handler], answers: &dyn Fn(&Handler) -> Vec<Code>) -> Results {
    let mut results = Results::new();
    if stack.is_empty() {
        // libpam: "no modules loaded for the service".
        results.insert(Code::PERM_DENIED, Vec::new());
        return results;
    }
    let mut seen = HashSet::new();
    let mut open = vec![(State::first(), Trace::new())];
    while let Some((state, trace)) = open.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        let Some(handler) = stack.get(state.at) else {
            results.entry(state.result()).or_insert(trace);
            continue;
        };
        let entered = state.enter(handler.level);
        let codes = match handler.asks {
            Asks::Substack => Vec::new(),
            Asks::Mistake(_) => vec![Code::PERM_DENIED],
            Asks::Module(_) => answers(handler),
        };
        if codes.is_empty() {
            open.push((entered.past(handler.level, 1), trace));
            continue;
        }
        for code in codes {
            let mut trace = trace.clone();
            trace.push((state.at, code));
            open.push((entered.answered(stack, handler, code), trace));
        }
    }
    results
}

impl State {
    fn first() -> Self {
        let undecided = (Impression::Undecided, Code::PERM_DENIED);
        Self {
            at: 0,
            previous_level: 0,
            impression: undecided.0,
            status: undecided.1,
            outside: vec![undecided],
        }
    }

    /// Remembers what stood before a substack.
    fn enter(&self, level: usize) -> Self {
        let mut state = self.clone();
        if self.previous_level < level {
            state.outside.truncate(level);
            state.outside.resize(level + 1, (self.impression, self.status));
        }
        state
    }

    fn past(mut self, level: usize, places: usize) -> Self {
        self.previous_level = level;
        self.at += places;
        self
    }

    fn answered(&self, stack: &[Handler], handler: &Handler, code: Code) -> Self {
        let mut state = self.clone();
        let mut ends = false;
        match handler.actions().of(code) {
            Action::Ignore => {}
            Action::Reset => {
                if let Some(before) = self.outside.get(handler.level) {
                    (state.impression, state.status) = *before;
                }
            }
            action @ (Action::Ok | Action::Done) => {
                let open = self.impression == Impression::Undecided
                    || (self.impression == Impression::Positive && self.status == Code::SUCCESS);
                if open {
                    (state.impression, state.status) = (Impression::Positive, code);
                }
                ends = action == Action::Done && state.impression == Impression::Positive;
            }
            action @ (Action::Bad | Action::Die) => {
                state.fail(code);
                ends = action == Action::Die;
            }
            Action::Jump(count) => {
                let (landed, left) = jump(stack, self.at, handler.level, count);
                state.at = landed;
                if left > 0 {
                    (state.impression, state.status) = (Impression::Negative, Code::PERM_DENIED);
                }
            }
        }
        if ends {
            // The rest of this stack, with the substacks in it, is left out.
            while stack.get(state.at + 1).is_some_and(|next| next.level >= handler.level) {
                state.at += 1;
            }
        }
        state.past(handler.level, 1)
    }

    fn fail(&mut self, code: Code) {
        if self.impression != Impression::Negative {
            self.impression = Impression::Negative;
            self.status = if code == Code::IGNORE { Code::PERM_DENIED } else { code };
        }
    }

    fn result(&self) -> Code {
        if self.status == Code::SUCCESS && self.impression != Impression::Positive {
            Code::PERM_DENIED
        } else {
            self.status
        }
    }
}

/// Where a jump lands (its last place left out), and how much of it found no place. A substack is one place.
fn jump(stack: &[Handler], from: usize, level: usize, count: u8) -> (usize, u8) {
    let (mut at, mut left) = (from, count);
    let level_of = |place: usize| stack.get(place).map(|handler| handler.level);
    while left > 0 && level_of(at + 1).is_some_and(|next| next >= level) {
        at += 1;
        while level_of(at + 1).is_some_and(|next| next > level) {
            at += 1;
        }
        left -= 1;
    }
    (at, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pam::stack;
    use crate::pam::syntax::Kind;
    use crate::pam::tree::Tree;
    use std::path::Path;

    /// The one result when each module answers the code in its name: `auth_err.so`.
    fn result(files: &[(&str, &str)]) -> &'static str {
        let empty = Tree::at(Path::new("/nonexistent"));
        let tree = files.iter().fold(empty, |tree, (name, text)| tree.with_draft(name, text));
        let stack = stack::of(&tree, "top", Kind::Auth).expect("loads");
        let named = |h: &Handler| {
            h.line().and_then(|line| Code::parse(line.module.strip_suffix(".so")?)).into_iter().collect()
        };
        let results = results(&stack, &named);
        assert_eq!(results.len(), 1);
        results.keys().next().expect("one").name()
    }

    #[test]
    fn results_are_those_of_linux_pam() {
        let table: [(&str, &str); 17] = [
            ("auth required success.so", "success"),
            ("auth required ignore.so", "perm_denied"),
            ("auth optional auth_err.so\nauth required success.so", "success"),
            ("auth required auth_err.so\nauth required maxtries.so\nauth sufficient success.so", "auth_err"),
            ("auth requisite maxtries.so\nauth required auth_err.so", "maxtries"),
            ("auth sufficient success.so\nauth required auth_err.so", "success"),
            ("auth sufficient auth_err.so\nauth required success.so", "success"),
            (
                "auth [success=1 default=ignore] success.so\nauth requisite auth_err.so\nauth required success.so",
                "success",
            ),
            (
                "auth [success=1 default=ignore] auth_err.so\nauth requisite auth_err.so\nauth required success.so",
                "auth_err",
            ),
            ("auth [success=3 default=ignore] success.so\nauth required success.so", "perm_denied"),
            ("auth [success=1 default=ignore] success.so\nauth required auth_err.so", "perm_denied"),
            (
                "auth required success.so\nauth [default=reset] auth_err.so\nauth optional ignore.so",
                "perm_denied",
            ),
            ("auth [default=ignore] success.so", "perm_denied"),
            ("auth [default=bad] ignore.so", "perm_denied"),
            ("auth nonsense success.so", "perm_denied"),
            ("auth [success=die] success.so", "perm_denied"),
            ("", "perm_denied"),
        ];
        for (text, expected) in table {
            assert_eq!(result(&[("top", text)]), expected, "{text}");
        }
    }

    #[test]
    fn done_in_an_inclusion_ends_the_whole_and_in_a_substack_only_itself() {
        let inner = ("inner", "auth sufficient success.so\nauth required auth_err.so\n");
        let after = "auth required auth_err.so\n";
        assert_eq!(result(&[("top", &format!("auth include inner\n{after}")), inner]), "success");
        assert_eq!(result(&[("top", &format!("auth substack inner\n{after}")), inner]), "auth_err");
    }

    #[test]
    fn a_jump_leaves_a_substack_out_as_one_place() {
        let inner = ("inner", "auth required auth_err.so\nauth required auth_err.so\n");
        let top =
            "auth [success=1 default=ignore] success.so\nauth substack inner\nauth required success.so\n";
        assert_eq!(result(&[("top", top), inner]), "success");
    }

    #[test]
    fn all_answers_are_followed() {
        let empty = Tree::at(Path::new("/nonexistent"));
        let tree = empty.with_draft("top", "auth sufficient a.so\nauth required b.so\n");
        let stack = stack::of(&tree, "top", Kind::Auth).expect("loads");
        let results = results(&stack, &|_| vec![Code::SUCCESS, Code::AUTH_ERR, Code::MAXTRIES]);
        let codes: Vec<&str> = results.keys().map(|code| code.name()).collect();
        assert_eq!(codes, ["success", "auth_err", "maxtries"]);
        assert_eq!(results[&Code::MAXTRIES].last(), Some(&(1, Code::MAXTRIES)));
    }
}
