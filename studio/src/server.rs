//! Connections: a thread each, bounded in number and time; paths to what the page needs.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::access::{Access, Leave};
use crate::http::{Method, Request, Response};
use crate::stage::{Stage, Wish};

/// A browser opens six at a time; more are somebody else's.
const MOST_CONNECTIONS: usize = 16;
/// A request and its response are small and local.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves the page until the process ends.
///
/// # Errors
/// The listener broke.
pub fn serve(listener: &TcpListener, access: Access, stage: &Stage) -> io::Result<()> {
    let access = Arc::new(access);
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(connection) => connection,
            Err(e) if matches!(e.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {
                continue;
            }
            Err(e) => return Err(e),
        };
        if open.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            open.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let (access, stage, counter) = (Arc::clone(&access), stage.clone(), Arc::clone(&open));
        let started = thread::Builder::new().spawn(move || {
            // A browser that went away in the middle needs no answer.
            let _ = answer(stream, peer, &access, &stage);
            counter.fetch_sub(1, Ordering::SeqCst);
        });
        if started.is_err() {
            open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn answer(mut stream: TcpStream, peer: SocketAddr, access: &Access, stage: &Stage) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if !access.knows(peer) {
        return Response::refuse("this page belongs to another user").write(&mut stream);
    }
    let Some(request) = Request::read(&mut stream) else { return Ok(()) };
    let response = match access.judge(&request) {
        Leave::Admit(cookie) => Response::admit(&cookie),
        Leave::Refuse(why) => Response::refuse(why),
        Leave::Serve => route(&request, stage),
    };
    response.write(&mut stream)
}

fn route(request: &Request, stage: &Stage) -> Response {
    match (request.method, request.path.as_str()) {
        (Method::Get, "/") => Response::ok("text/html; charset=utf-8", include_str!("page/index.html")),
        (Method::Get, "/studio.css") => {
            Response::ok("text/css; charset=utf-8", include_str!("page/studio.css"))
        }
        (Method::Get, "/studio.js") => {
            Response::ok("text/javascript; charset=utf-8", include_str!("page/studio.js"))
        }
        (Method::Get, "/view") => Response::ok("application/json", stage.json()),
        (Method::Get, "/picture") => stage
            .picture()
            .map_or_else(Response::empty, |shown| Response::ok(shown.kind, shown.bytes.clone())),
        (Method::Post, path) => match wish(path) {
            Some(wish) => {
                stage.ask(wish);
                Response::empty()
            }
            None => Response::missing(),
        },
        _ => Response::missing(),
    }
}

fn wish(path: &str) -> Option<Wish> {
    match path {
        "/rest" => Some(Wish::Rest),
        "/look" => Some(Wish::Look),
        "/practise" => Some(Wish::Practise),
        "/try" => Some(Wish::Try),
        "/enrol" => Some(Wish::Enrol),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::LISTEN;
    use std::io::{Read, Write};
    use std::os::unix::fs::MetadataExt;

    fn say(to: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(to).expect("connects");
        stream.write_all(text.as_bytes()).expect("writes");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("reads");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn the_page_is_served_to_its_user_after_the_first_visit_only() {
        let listener = TcpListener::bind(LISTEN).expect("listens");
        let here = listener.local_addr().expect("address");
        let uid = std::fs::metadata("/proc/self").expect("me").uid();
        let access = Access::new(here, uid).expect("randomness");
        let path = access.url().expect("unused").replace(&format!("http://{here}"), "");
        thread::spawn(move || serve(&listener, access, &Stage::default()));
        let get = |path: &str, cookie: &str| {
            say(here, &format!("GET {path} HTTP/1.1\r\nHost: {here}\r\n{cookie}\r\n"))
        };
        assert!(get("/", "").starts_with("HTTP/1.1 403"));
        assert!(get("/view", "").starts_with("HTTP/1.1 403"));
        let admitted = get(&path, "");
        assert!(admitted.starts_with("HTTP/1.1 303"), "{admitted}");
        let cookie = admitted.lines().find_map(|l| l.strip_prefix("Set-Cookie: ")).expect("cookie");
        let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().expect("pair"));
        for page in ["/", "/studio.css", "/studio.js", "/view"] {
            let answer = get(page, &cookie);
            assert!(
                answer.starts_with("HTTP/1.1 200") && answer.contains("default-src 'none'"),
                "{page}: {answer}"
            );
        }
        assert!(get("/picture", &cookie).starts_with("HTTP/1.1 204"), "the camera is off");
        assert!(get("/../../etc/passwd", &cookie).starts_with("HTTP/1.1 404"));
        let post =
            |origin: &str| say(here, &format!("POST /look HTTP/1.1\r\nHost: {here}\r\n{cookie}{origin}\r\n"));
        assert!(post("").starts_with("HTTP/1.1 403"));
        assert!(post(&format!("Origin: http://{here}\r\n")).starts_with("HTTP/1.1 204"));
        assert!(get("/view", &cookie).contains("\"wish\":\"look\""));
    }
}
