//! What lock-out and delay must hold for any course of events.

use proptest::prelude::*;

use super::*;

const BOOT: BootId = [1; 16];

fn at(ms: u64) -> Moment {
    Moment { boot: BOOT, ms }
}

#[test]
fn five_refusals_lock_for_thirty_seconds_and_the_lock_doubles_to_its_ceiling() {
    let limits = Limits::default();
    let mut counter = Counter::default();
    let mut now = at(1_000_000);
    for _ in 0..4 {
        counter.refused(&limits, &now);
        assert_eq!(counter.state(&limits, &now), State::Open);
    }
    for seconds in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
        counter.refused(&limits, &now);
        assert_eq!(counter.state(&limits, &now), State::Locked(Duration::from_secs(seconds)));
        now = now.plus_ms(seconds * 1000 - 1);
        assert_eq!(counter.state(&limits, &now).seconds(), Some(1));
        now = now.plus_ms(1);
        assert_eq!(counter.state(&limits, &now), State::Open);
    }
}

#[test]
fn the_fiftieth_refusal_switches_off_whatever_time_passes() {
    let limits = Limits::default();
    let mut counter = Counter::default();
    for _ in 0..50 {
        counter.refused(&limits, &at(0));
    }
    assert_eq!(counter.state(&limits, &at(u64::MAX)), State::Off);
    assert_eq!(counter.state(&limits, &Moment { boot: [2; 16], ms: u64::MAX }), State::Off);
    counter.reset();
    assert_eq!(counter.state(&limits, &at(0)), State::Open);
}

#[test]
fn a_reboot_restarts_a_lock_whole() {
    let limits = Limits::default();
    let mut counter = Counter::default();
    for _ in 0..5 {
        counter.refused(&limits, &at(500_000));
    }
    let rebooted = Moment { boot: [2; 16], ms: 2_000 };
    assert_eq!(counter.state(&limits, &rebooted), State::Locked(Duration::from_secs(28)));
    assert_eq!(counter.state(&limits, &rebooted.plus_ms(28_000)), State::Open);
}

#[test]
fn a_shortened_ceiling_holds_for_a_lock_that_runs() {
    let mut counter = Counter::default();
    for _ in 0..12 {
        counter.refused(&Limits::default(), &at(0));
    }
    let shorter = Limits { longest_lock_seconds: 60, ..Limits::default() };
    assert_eq!(counter.state(&shorter, &at(0)), State::Locked(Duration::from_secs(60)));
}

#[test]
fn guessers_share_one_queue_and_never_hold_the_owner_longer_than_the_limit() {
    let limits = Limits::default();
    let mut delay = Delay::none(at(0));
    for _ in 0..60 {
        delay.wrong(&limits, &at(0));
    }
    // The queue is one longest delay deep; who comes later is told so at once instead of waiting longer.
    assert_eq!(delay.take_turn(&limits, &at(0)), Turn::After(Duration::from_millis(4000)));
    assert_eq!(delay.take_turn(&limits, &at(0)), Turn::TooMany);
    assert_eq!(delay.take_turn(&limits, &at(8000)), Turn::After(Duration::ZERO));
    // After a reboot nothing is left to wait for.
    let mut rebooted = delay;
    assert_eq!(rebooted.take_turn(&limits, &Moment { boot: [2; 16], ms: 5 }), Turn::After(Duration::ZERO));
}

#[derive(Clone, Debug)]
enum Event {
    Refused(Origin),
    NotJudged(Origin),
    Success(Origin),
    Later(u64),
    Reboot,
}

fn event() -> impl Strategy<Value = Event> {
    let origin = || prop_oneof![Just(Origin::Root), Just(Origin::Own)];
    prop_oneof![
        4 => origin().prop_map(Event::Refused),
        2 => origin().prop_map(Event::NotJudged),
        1 => origin().prop_map(Event::Success),
        2 => (0_u64..5_000_000).prop_map(Event::Later),
        1 => Just(Event::Reboot),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (1_u32..8, 1_u32..100, 0_u32..5000, 1_u32..60, 0_u32..12).prop_map(
        |(after, first, more, off, unjudged)| Limits {
            lock_after: after,
            first_lock_seconds: first,
            longest_lock_seconds: first + more,
            off_after: after + off,
            unjudged_given_back: unjudged,
            ..Limits::default()
        },
    )
}

proptest! {
    /// Runs a course of events on both origins' counters beside a plain count of what must hold.
    #[test]
    fn counters_hold_their_rules(limits in limits(), events in proptest::collection::vec(event(), 0..200)) {
        let mut counters = [Counter::default(), Counter::default()];
        let mut now = at(10_000);
        for event in events {
            let before = counters.clone();
            match event {
                Event::Refused(origin) => {
                    counters[origin as usize].refused(&limits, &now);
                    let counter = &counters[origin as usize];
                    prop_assert_eq!(counter.failures, before[origin as usize].failures + 1);
                    let open = counter.state(&limits, &now) == State::Open;
                    prop_assert_eq!(open, counter.failures < limits.lock_after.min(limits.off_after));
                }
                Event::NotJudged(origin) => {
                    counters[origin as usize].not_judged(&limits, &now);
                    let (old, new) = (&before[origin as usize], &counters[origin as usize]);
                    let given_back = old.unjudged < limits.unjudged_given_back;
                    prop_assert_eq!(new.failures, old.failures + u32::from(!given_back));
                }
                Event::Success(origin) => {
                    counters[origin as usize].reset();
                    prop_assert_eq!(counters[origin as usize].state(&limits, &now), State::Open);
                }
                Event::Later(ms) => now = now.plus_ms(ms),
                Event::Reboot => {
                    now = Moment { boot: [now.boot[0].wrapping_add(1); 16], ms: 0 };
                    for (old, counter) in before.iter().zip(&counters) {
                        // Locks restart whole: whatever was left, it is not less now.
                        let old_lock = old.lock.map_or(0, |lock| lock.ms.min(u64::from(limits.longest_lock_seconds) * 1000));
                        if counter.failures < limits.off_after && old_lock > 0 {
                            prop_assert_eq!(counter.state(&limits, &now), State::Locked(Duration::from_millis(old_lock)));
                        }
                    }
                }
            }
            // The other origin is never touched.
            if let Event::Refused(origin) | Event::NotJudged(origin) | Event::Success(origin) = event {
                let other = 1 - origin as usize;
                prop_assert_eq!(&counters[other], &before[other]);
            }
            // No lock is longer than the ceiling, and waiting that long always ends it.
            for counter in &counters {
                if let State::Locked(left) = counter.state(&limits, &now) {
                    prop_assert!(left <= Duration::from_secs(limits.longest_lock_seconds.into()));
                    let later = now.plus_ms(u64::try_from(left.as_millis()).unwrap());
                    prop_assert_eq!(counter.state(&limits, &later), State::Open);
                }
            }
        }
    }

    /// Wrong passwords, any number from any moment: a wait never exceeds its limit and its end is reached.
    #[test]
    fn wrong_passwords_only_ever_delay(gaps in proptest::collection::vec(0_u64..10_000, 1..120)) {
        let limits = Limits::default();
        let longest = u64::from(limits.longest_delay_ms);
        let mut delay = Delay::none(at(0));
        let mut now = at(0);
        for gap in gaps {
            now = now.plus_ms(gap);
            if let Turn::After(wait) = delay.take_turn(&limits, &now) {
                prop_assert!(wait <= Duration::from_millis(longest));
            }
            delay.wrong(&limits, &now);
        }
        let turn = delay.take_turn(&limits, &now.plus_ms(2 * longest));
        prop_assert_eq!(turn, Turn::After(Duration::ZERO));
    }
}
