//! The wait for a login's start, with the camera opened ahead when the daemon asks for it (`warm_up = "camera"`): a
//! webcam takes half a second to open and its first pictures are dark, and the person types meanwhile.

use std::io;
use std::time::{Duration, Instant};

use pose_camera::{Camera, CameraError};

use super::channel::{Channel, Received};
use super::wire::{Command, Start};
use super::{OpenCamera, Setup};

/// How long one wait for the start lasts; only the daemon decides when an unused worker ends.
const START_WAIT: Duration = Duration::from_secs(60);
/// Longest time that a camera is open without a login: somebody who walks off from a prompt leaves no light on.
const OPEN_LIMIT: Duration = Duration::from_secs(30);
/// Longest wait for a picture before the socket is looked at again.
const PICTURE_WAIT: Duration = Duration::from_millis(50);

/// A camera that is open before its login.
struct Ahead {
    start: Start,
    camera: Box<dyn Camera>,
    since: Instant,
}

/// The login's camera once the daemon wants pictures; `None` when it has closed the socket.
pub(super) fn wait_for_start(
    channel: &Channel,
    setup: &Setup,
    open: OpenCamera,
) -> io::Result<Option<Result<Box<dyn Camera>, CameraError>>> {
    let mut ahead: Option<Ahead> = None;
    loop {
        let wait = if ahead.is_some() { Duration::ZERO } else { START_WAIT };
        match channel.receive(None, wait)? {
            Received::Message(bytes) => match Command::decode(&bytes) {
                Ok(Command::Start(start)) => {
                    let ready = ahead.take().filter(|ahead| ahead.start == start);
                    return Ok(Some(ready.map_or_else(|| open(setup, start), |ahead| Ok(ahead.camera))));
                }
                Ok(Command::Prepare(start)) => ahead = prepare(ahead, setup, open, start),
                Ok(Command::Rest) => ahead = None,
                Ok(Command::Cue(_)) => return Err(io::Error::other("a cue before the start")),
                Err(error) => return Err(io::Error::other(error)),
            },
            Received::Closed => return Ok(None),
            Received::Nothing | Received::Woken => ahead = ahead.and_then(pass),
        }
    }
}

/// Has the camera of that login open. One that cannot be opened now is tried again, and its fault told, at the start.
fn prepare(ahead: Option<Ahead>, setup: &Setup, open: OpenCamera, start: Start) -> Option<Ahead> {
    let since = Instant::now();
    match ahead {
        Some(ahead) if ahead.start == start => Some(Ahead { since, ..ahead }),
        // The old one is closed first: a device opens once.
        other => {
            drop(other);
            open(setup, start).ok().map(|camera| Ahead { start, camera, since })
        }
    }
}

/// Throws a picture away; closes a camera that has failed or waited too long.
fn pass(mut ahead: Ahead) -> Option<Ahead> {
    let lives = matches!(ahead.camera.next_frame(PICTURE_WAIT), Ok(_) | Err(CameraError::TimedOut));
    (lives && ahead.since.elapsed() < OPEN_LIMIT).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    use pose_camera::{CameraInfo, Frame, PixelFormat};

    static OPENED: AtomicU32 = AtomicU32::new(0);
    static OPEN: AtomicU32 = AtomicU32::new(0);

    struct Counted;

    impl Camera for Counted {
        fn next_frame(&mut self, _: Duration) -> Result<Frame, CameraError> {
            std::thread::sleep(Duration::from_millis(1));
            Err(CameraError::TimedOut)
        }

        fn describe(&self) -> CameraInfo {
            CameraInfo {
                name: "counted".into(),
                source: String::new(),
                format: PixelFormat::Rgb24,
                width: 1,
                height: 1,
                fps: 30.0,
                recorded: true,
                infrared: false,
                virtual_device: false,
                driver: String::new(),
                bus: String::new(),
            }
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            OPEN.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn open(_: &Setup, start: Start) -> Result<Box<dyn Camera>, CameraError> {
        if start.turn == 99 {
            return Err(CameraError::Missing { what: "none".into() });
        }
        if start.lid_closed {
            return Err(CameraError::LidClosed);
        }
        OPENED.fetch_add(1, Ordering::SeqCst);
        OPEN.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Counted))
    }

    fn turn(turn: u32) -> Start {
        Start { turn, ..Start::default() }
    }

    fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// One test, because the counters are shared.
    #[test]
    fn a_camera_opened_ahead_is_the_logins_own_and_closed_when_nobody_comes() {
        let say = |ours: &Channel, command: Command| ours.send(&command.encode(), true).unwrap();
        let open_now = || OPEN.load(Ordering::SeqCst);
        let opened = || OPENED.load(Ordering::SeqCst);
        let run = |talk: &dyn Fn(&Channel)| {
            let (ours, theirs) = Channel::pair().unwrap();
            // The worker ends when `ours` is gone, so that a failed expectation ends the test, too.
            std::thread::scope(move |scope| {
                let ours = ours;
                let worker = scope.spawn(move || wait_for_start(&theirs, &Setup::default(), open));
                talk(&ours);
                drop(ours);
                worker.join().unwrap().unwrap()
            })
        };

        // Opened before the start, kept by it, once.
        let camera = run(&|ours| {
            say(ours, Command::Prepare(turn(3)));
            until("the camera opens ahead", || open_now() == 1);
            say(ours, Command::Prepare(turn(3)));
            say(ours, Command::Start(turn(3)));
        });
        assert!(camera.unwrap().is_ok());
        assert_eq!((opened(), open_now()), (1, 0));

        // Closed again on request, and opened anew at the start.
        let camera = run(&|ours| {
            say(ours, Command::Prepare(turn(4)));
            until("the camera opens ahead", || open_now() == 1);
            say(ours, Command::Rest);
            until("the camera closes", || open_now() == 0);
            say(ours, Command::Start(turn(4)));
        });
        assert!(camera.unwrap().is_ok());
        assert_eq!(opened(), 3);

        // Another login's camera is not taken over.
        let camera = run(&|ours| {
            say(ours, Command::Prepare(turn(5)));
            say(ours, Command::Start(turn(6)));
        });
        assert!(camera.unwrap().is_ok());
        assert_eq!((opened(), open_now()), (5, 0));

        // Nor one that was opened before the lid was closed.
        let camera = run(&|ours| {
            say(ours, Command::Prepare(turn(6)));
            say(ours, Command::Start(Start { lid_closed: true, ..turn(6) }));
        });
        assert!(matches!(camera, Some(Err(CameraError::LidClosed))));
        assert_eq!(open_now(), 0);

        // A fault ahead is told at the start and not before.
        let camera = run(&|ours| {
            say(ours, Command::Prepare(turn(99)));
            say(ours, Command::Start(turn(99)));
        });
        assert!(matches!(camera, Some(Err(CameraError::Missing { .. }))));
        assert!(run(&|ours| say(ours, Command::Prepare(turn(7)))).is_none(), "the daemon has gone");
        assert_eq!(open_now(), 0);
    }
}
