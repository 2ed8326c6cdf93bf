//! Attempts through the bus: who gets in, who does not, and what is left when somebody leaves.
#![allow(unsafe_code, reason = "the client makes memfds and connects with another uid")]

mod support;

use support::house::{PASSWORD, verdict};
use support::{Event, House, Script};

fn codes(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.code.as_str()).collect()
}

#[test]
fn the_right_person_with_the_right_password_gets_in() {
    let house = House::enrolled(&Script::right_person());
    let client = house.client();
    let attempt = client.begin("root", &[]).unwrap();
    let events = client.run(&attempt, |_| PASSWORD.to_vec());
    let codes = codes(&events);
    assert_eq!(verdict(&events).code, "success", "{events:?}");
    assert_eq!(codes[..2], ["password", "gesture"]);
    assert_eq!(codes.iter().filter(|code| code.starts_with("challenge:")).count(), 2);
    assert_eq!(
        client.next(&attempt).unwrap_err(),
        "org.pam_pose.Error.NoSuchAttempt",
        "a verdict is delivered once"
    );
    house.wait_until("the worker ends", || house.workers() == 0);
}
