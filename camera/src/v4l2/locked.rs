//! Times in which the session was locked: who plugs a camera in meanwhile may not be its owner. Pure.

/// Spans that are kept. One is forgotten as soon as no camera that came in it is left, so that more than a few would
/// need as many strange cameras.
pub const MOST_SPANS: usize = 8;

/// The spans in which a camera that is not built in must not have been plugged in, microseconds of `CLOCK_MONOTONIC`
/// since boot, the clock of [`super::Device::plugged_in_us`]; from the first number to before the second, which is
/// `u64::MAX` while the session is locked. Oldest first; `[0, 0]` is no span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockedTimes([[u64; 2]; MOST_SPANS]);

impl LockedTimes {
    /// Those spans; the oldest ones become one where there are too many.
    #[must_use]
    pub fn of(spans: &[[u64; 2]]) -> Self {
        let mut times = Self::default();
        spans.iter().for_each(|span| times.push(*span));
        times
    }

    /// The spans.
    pub fn spans(&self) -> impl Iterator<Item = [u64; 2]> {
        self.0.into_iter().filter(|[from, until]| from < until)
    }

    /// Whether the session is locked.
    #[must_use]
    pub fn last(&self) -> bool {
        self.spans().any(|[_, until]| until == u64::MAX)
    }

    /// Whether something that came then, or nobody knows when, came while the session was locked.
    #[must_use]
    pub fn cover(&self, came_us: Option<u64>) -> bool {
        came_us.map_or(self.last(), |at| self.spans().any(|[from, until]| (from..until).contains(&at)))
    }

    /// The session has been locked since then. Nothing changes if it was already.
    pub fn begin(&mut self, since_us: u64) {
        if !self.last() {
            self.push([since_us, u64::MAX]);
        }
    }

    /// The session was unlocked then; `present` are the times at which the cameras that are there came.
    pub fn end(&mut self, at_us: u64, present: &[u64]) {
        let closed = self.spans().map(|[from, until]| [from, if until == u64::MAX { at_us } else { until }]);
        let kept: Vec<_> = closed
            .filter(|[from, until]| present.iter().any(|came| (*from..*until).contains(came)))
            .collect();
        *self = Self::of(&kept);
    }

    /// What came until then is approved; a session that is locked still is from then on.
    pub fn approve(&mut self, at_us: u64) {
        let still = self.last();
        *self = Self::default();
        if still {
            self.begin(at_us);
        }
    }

    fn push(&mut self, span: [u64; 2]) {
        let mut spans: Vec<_> = self.spans().chain([span]).filter(|[from, until]| from < until).collect();
        while spans.len() > MOST_SPANS {
            let first = spans.remove(0);
            if let Some(next) = spans.first_mut() {
                next[0] = first[0];
            }
        }
        self.0 = [[0, 0]; MOST_SPANS];
        self.0.iter_mut().zip(spans).for_each(|(place, span)| *place = span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_while_locked_stays_refused_until_it_goes_or_is_approved() {
        let mut times = LockedTimes::default();
        assert!(!times.cover(Some(50)) && !times.cover(None));
        times.begin(100);
        times.begin(140);
        assert!(times.last() && !times.cover(Some(99)) && times.cover(Some(100)) && times.cover(None));
        times.end(200, &[50, 150]);
        assert!(!times.last());
        assert!(times.cover(Some(150)), "unlocking approves nothing");
        assert!(!times.cover(Some(50)) && !times.cover(Some(200)) && !times.cover(None));
        times.begin(300);
        times.end(400, &[50, 150]);
        assert_eq!(times.spans().count(), 1, "nothing came in the second span");
        times.begin(500);
        times.end(600, &[50, 601]);
        assert_eq!(times, LockedTimes::default(), "the strange camera has gone");
    }

    #[test]
    fn approving_holds_for_what_is_there_and_not_for_what_comes() {
        let mut times = LockedTimes::of(&[[100, 200]]);
        times.approve(250);
        assert_eq!(times, LockedTimes::default());
        times.begin(300);
        times.approve(400);
        assert!(!times.cover(Some(350)) && times.cover(Some(450)));
    }

    #[test]
    fn too_many_spans_become_fewer_and_longer() {
        let spans: Vec<[u64; 2]> = (1..=12).map(|i| [i * 100, i * 100 + 10]).collect();
        let times = LockedTimes::of(&spans);
        assert_eq!(times.spans().count(), MOST_SPANS);
        assert!(spans.iter().all(|[from, _]| times.cover(Some(*from))), "{times:?}");
        assert!(!times.cover(Some(1250)) && !times.cover(Some(99)));
    }
}
