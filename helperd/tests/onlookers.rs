//! Programs that show instructions where the host does not: whom they are sent to, and what they never tell.
#![allow(unsafe_code, reason = "the client makes memfds and connects with another uid")]

mod support;

use futures_lite::{FutureExt, StreamExt};
use pose_contract::{instruction, kind, signal};
use support::client::Client;
use support::house::{NOBODY, can_be_others, verdict};
use support::logind::{HERE, Session, logind};
use support::{House, Script};
use zbus::MessageStream;

#[test]
fn instructions_go_to_the_sessions_own_user_and_say_nothing_of_the_match() {
    if !can_be_others() {
        return;
    }
    let mut told = Vec::new();
    for (script, outcome) in [(Script::right_person(), "success"), (Script::another_gesture(), "wrong_pose")]
    {
        let house = House::enrolled(&script);
        let _logind = logind(&house, true, Session { owner: NOBODY, ..HERE }, false);
        let (owner, root, host) = (house.client_of(NOBODY), house.client(), house.client());
        let (mut to_owner, mut to_root) = (follow(&owner), follow(&root));
        let attempt = host.begin_pose_only("root").unwrap();
        let events = host.run(&attempt, |_| Vec::new());
        assert_eq!(verdict(&events).code, outcome, "{events:?}");
        let shown = events.iter().filter(|event| event.kind == kind::INSTRUCTION);
        let mut shown: Vec<(String, String)> =
            shown.map(|event| (event.code.clone(), event.text.clone())).collect();
        shown.push((String::new(), String::new()));
        let seen: Vec<_> = shown.iter().map(|_| next(&mut to_owner)).collect();
        assert_eq!(seen, shown);
        // What had been sent to it before this reply would be there.
        root.call("Status", &()).unwrap();
        assert!(nothing_came(&mut to_root), "root does not sit there");
        told.push(seen.into_iter().map(|(code, _)| kind_of(&code).to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(told[0], told[1], "whether it matched shows nowhere");
}

#[test]
fn one_that_has_left_is_forgotten_and_each_user_has_few() {
    let house = House::enrolled(&Script::right_person());
    let mut followers: Vec<Client> = (0..4).map(|_| house.client()).collect();
    followers.iter().for_each(|client| client.call("Follow", &()).map(drop).unwrap());
    let one_more = house.client();
    assert_eq!(one_more.call("Follow", &()).unwrap_err(), pose_contract::error::BUSY);
    followers.pop().unwrap().vanish();
    house.wait_until("the one that left is forgotten", || one_more.call("Follow", &()).is_ok());
}

/// Everything that comes from now on, on that client's connection.
fn follow(client: &Client) -> MessageStream {
    let stream = MessageStream::from(&client.0);
    client.call("Follow", &()).unwrap();
    stream
}

/// The next instruction.
fn next(stream: &mut MessageStream) -> (String, String) {
    loop {
        let message = zbus::block_on(stream.next()).expect("a connection").expect("a message");
        if message.header().member().is_some_and(|member| member.as_str() == signal::INSTRUCTED) {
            return message.body().deserialize().expect("code and text");
        }
    }
}

fn nothing_came(stream: &mut MessageStream) -> bool {
    let waiting = || zbus::block_on(async { stream.next().or(async { None }).await });
    std::iter::from_fn(waiting)
        .flatten()
        .all(|message| message.header().member().is_none_or(|member| member.as_str() != signal::INSTRUCTED))
}

/// A challenge is drawn anew each time.
fn kind_of(code: &str) -> &str {
    if code.starts_with(instruction::CHALLENGE_PREFIX) { instruction::CHALLENGE_PREFIX } else { code }
}
