//! The table of challenge movements: which are seen when shown, and which are met by something else.

use std::fmt::Write as _;

use super::presentations::{Count, Presentations};
use super::puppet;
use super::report::percent;

/// How each challenge movement fares on the live recordings.
pub(crate) fn table(p: &Presentations) -> String {
    let mut out = String::new();
    if p.shipped.live.n == 0 {
        return out;
    }
    let (n, one, two) = p.live_as_replay;
    let share = |count: f64| 100.0 * count / n as f64;
    let _ = writeln!(
        out,
        "live recordings played as replays: {one:.2} of {n} ({:.2} %) expected to pass one challenge, {two:.3} \
         ({:.3} %) two; the worst meets {:.1} % of all challenges from one moment on",
        share(one),
        share(two),
        100.0 * p.worst_share
    );
    let labels = p.met.iter().any(|m| m.labelled.n > 0);
    let _ =
        write!(out, "{:<20}{:>16}{:>22}{:>9}", "challenge", "seen, of its own", "met by another, of", "%");
    let _ = writeln!(out, "{}", if labels { SPLIT } else { "" });
    let (mut all, mut something_else) = (Count::default(), Count::default());
    for m in &p.met {
        let own = if m.own.n == 0 { "–".to_owned() } else { format!("{}/{}", m.own.accepted, m.own.n) };
        let not_of_it = less(m.other, m.labelled);
        let _ = write!(out, "{:<20}{own:>16}{}", m.movement.name(), cells(m.other));
        let _ =
            writeln!(out, "{}", if labels { cells(m.labelled) + &cells(not_of_it) } else { String::new() });
        all = plus(all, m.other);
        something_else = plus(something_else, not_of_it);
    }
    let _ = write!(out, "{:<20}{:>16}{}", "all", "", cells(all));
    let split = cells(less(all, something_else)) + &cells(something_else);
    let _ = writeln!(out, "{}", if labels { split } else { String::new() });
    out + &puppet::table(&p.by_delay)
}

/// Heads of the columns that labels allow.
const SPLIT: &str = "  of it by its label, of        %   something else, of        %";

/// A count and its rate.
fn cells(count: Count) -> String {
    let rate = percent((count.n > 0).then(|| count.accepted as f64 / count.n as f64));
    format!("{:>22}{rate:>9}", format!("{}/{}", count.accepted, count.n))
}

fn plus(a: Count, b: Count) -> Count {
    Count { n: a.n + b.n, accepted: a.accepted + b.accepted }
}

/// `a` without `b`, which is a part of it.
fn less(a: Count, b: Count) -> Count {
    Count { n: a.n.saturating_sub(b.n), accepted: a.accepted.saturating_sub(b.accepted) }
}
