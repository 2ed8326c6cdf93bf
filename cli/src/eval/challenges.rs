//! The table of challenge movements: which are seen when shown, and which are met by something else.

use std::fmt::Write as _;

use super::presentations::Presentations;
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
    let _ =
        writeln!(out, "{:<20}{:>16}{:>22}{:>9}", "challenge", "seen, of its own", "met by another, of", "%");
    let (mut met, mut of) = (0, 0);
    for m in &p.met {
        let own = if m.own.n == 0 { "–".to_owned() } else { format!("{}/{}", m.own.accepted, m.own.n) };
        let other = format!("{}/{}", m.other.accepted, m.other.n);
        let rate = percent((m.other.n > 0).then(|| m.other.accepted as f64 / m.other.n as f64));
        let _ = writeln!(out, "{:<20}{own:>16}{other:>22}{rate:>9}", m.movement.name());
        met += m.other.accepted;
        of += m.other.n;
    }
    let rate = percent((of > 0).then(|| met as f64 / of as f64));
    let _ = writeln!(out, "{:<20}{:>16}{:>22}{rate:>9}", "all", "", format!("{met}/{of}"));
    out + &puppet::table(&p.by_delay)
}
