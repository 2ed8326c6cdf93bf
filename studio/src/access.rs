//! Who may speak to the page. Each check stands alone; all must pass.
//!
//! - The address is loopback only, and the TCP connection's other end belongs to the user who started this (or root).
//! - `Host` is this address: a name that an attacker points at loopback (DNS rebinding) is refused.
//! - The first visit carries a random secret in its path and gets a cookie for it; the secret works once, so that one
//!   read out of a history or a log opens nothing.
//! - What changes something must come from the page itself (`Origin`).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Mutex;

use subtle::ConstantTimeEq;

use crate::http::{Method, Request};

/// Hexadecimal digits of a secret: 256 bits.
const DIGITS: usize = 64;

/// The rules of one run.
#[derive(Debug)]
pub struct Access {
    address: SocketAddr,
    uid: u32,
    /// The path's secret, until it was used.
    once: Mutex<Option<String>>,
    cookie: String,
}

/// What a request may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The first visit: set this cookie and send the browser to `/`.
    Admit(String),
    /// A request of the page.
    Serve,
    /// Nothing.
    Refuse(&'static str),
}

impl Access {
    /// Rules for a page at `address`, for the user `uid`.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new(address: SocketAddr, uid: u32) -> Result<Self, getrandom::Error> {
        Ok(Self { address, uid, once: Mutex::new(Some(secret()?)), cookie: secret()? })
    }

    /// The address to open, with its secret; `None` once it was used.
    pub fn url(&self) -> Option<String> {
        let once = self.once.lock().ok()?;
        Some(format!("http://{}/{}", self.address, once.as_deref()?))
    }

    /// Whether the other end of a connection belongs to the right user.
    pub(crate) fn knows(&self, peer: SocketAddr) -> bool {
        let table = fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
        owner(&table, peer, self.address).is_some_and(|uid| uid == self.uid || uid == 0)
    }

    /// Judges a request.
    pub(crate) fn judge(&self, request: &Request) -> Leave {
        let here = self.address.to_string();
        if request.header("host") != Some(here.as_str()) {
            return Leave::Refuse("wrong host");
        }
        if request.method == Method::Get && self.is_first_visit(&request.path) {
            return Leave::Admit(format!("studio={}; HttpOnly; SameSite=Strict; Path=/", self.cookie));
        }
        let cookie = request
            .header("cookie")
            .and_then(|all| all.split(';').find_map(|pair| pair.trim().strip_prefix("studio=")));
        if !cookie.is_some_and(|given| same(given, &self.cookie)) {
            return Leave::Refuse("open the address that posectl printed");
        }
        let origin = format!("http://{here}");
        if request.method == Method::Post && request.header("origin") != Some(origin.as_str()) {
            return Leave::Refuse("wrong origin");
        }
        Leave::Serve
    }

    fn is_first_visit(&self, path: &str) -> bool {
        let Ok(mut once) = self.once.lock() else { return false };
        let right =
            once.as_deref().is_some_and(|secret| same(path.strip_prefix('/').unwrap_or_default(), secret));
        if right {
            *once = None;
        }
        right
    }
}

fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; DIGITS / 2];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn same(given: &str, expected: &str) -> bool {
    bool::from(given.as_bytes().ct_eq(expected.as_bytes()))
}

/// An open connection in the kernel's table. One that its program has closed belongs to nobody, which kernels before 6.17
/// show as root; what was sent on it can still be read.
const ESTABLISHED: &str = "01";

/// The user who owns the open socket from `from` to `to`, by the kernel's table (proc_pid_net_tcp: columns local address,
/// remote address, state, queues, timer, retransmissions, uid).
fn owner(table: &str, from: SocketAddr, to: SocketAddr) -> Option<u32> {
    let (SocketAddr::V4(from), SocketAddr::V4(to)) = (from, to) else { return None };
    let (from, to) = (in_table(from), in_table(to));
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let open = columns.next()? == from && columns.next()? == to && columns.next()? == ESTABLISHED;
        if open { columns.nth(3)?.parse().ok() } else { None }
    })
}

/// Address and port as the kernel prints them: the address as a number in the machine's own byte order.
fn in_table(address: SocketAddrV4) -> String {
    format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port())
}

/// The only address ever listened on; the port is the system's choice.
pub const LISTEN: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn access() -> Access {
        Access::new("127.0.0.1:4711".parse().expect("address"), 1000).expect("randomness")
    }

    fn request(text: &str) -> Request {
        Request::read(&mut text.as_bytes()).expect("request")
    }

    fn get(path: &str, headers: &str) -> Request {
        request(&format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n{headers}\r\n"))
    }

    fn secret_path(access: &Access) -> String {
        access.url().expect("unused").trim_start_matches("http://127.0.0.1:4711").to_owned()
    }

    #[test]
    fn the_secret_admits_once_and_its_cookie_serves() {
        let access = access();
        let path = secret_path(&access);
        let Leave::Admit(cookie) = access.judge(&get(&path, "")) else { panic!("not admitted") };
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        assert!(matches!(access.judge(&get(&path, "")), Leave::Refuse(_)), "a second use");
        let pair = cookie.split(';').next().expect("pair");
        assert_eq!(access.judge(&get("/", &format!("Cookie: other=1; {pair}\r\n"))), Leave::Serve);
    }

    #[test]
    fn without_the_cookie_or_with_another_host_nothing_is_served() {
        let access = access();
        assert!(matches!(access.judge(&get("/", "")), Leave::Refuse(_)));
        assert!(matches!(access.judge(&get("/", "Cookie: studio=\r\n")), Leave::Refuse(_)));
        let path = secret_path(&access);
        for host in ["evil.example:4711", "127.0.0.1", "localhost:4711"] {
            let rebound = request(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            assert!(matches!(access.judge(&rebound), Leave::Refuse(_)), "{host}");
        }
        assert!(access.url().is_some(), "a refused visit must not use the secret up");
    }

    #[test]
    fn a_change_must_come_from_the_page_itself() {
        let access = access();
        let cookie = format!("Cookie: studio={}\r\n", access.cookie);
        let post = |origin: &str| {
            let head = "POST /enrol HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n";
            access.judge(&request(&format!("{head}{cookie}{origin}Content-Length: 0\r\n\r\n")))
        };
        assert_eq!(post("Origin: http://127.0.0.1:4711\r\n"), Leave::Serve);
        for origin in
            ["", "Origin: null\r\n", "Origin: http://127.0.0.1:4712\r\n", "Origin: https://evil.example\r\n"]
        {
            assert!(matches!(post(origin), Leave::Refuse(_)), "{origin}");
        }
    }

    #[test]
    fn the_kernel_names_the_user_of_the_other_end() {
        let listener = TcpListener::bind(LISTEN).expect("listens");
        let here = listener.local_addr().expect("address");
        let stream = TcpStream::connect(here).expect("connects");
        let peer = stream.local_addr().expect("address");
        let table = fs::read_to_string("/proc/self/net/tcp").expect("table");
        let me =
            fs::metadata("/proc/self").map(|meta| std::os::unix::fs::MetadataExt::uid(&meta)).expect("me");
        assert_eq!(owner(&table, peer, here), Some(me));
        let other = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        assert_eq!(owner(&table, other, here), None);
        let stranger = Access::new(here, me.wrapping_add(1)).expect("randomness");
        assert_eq!(stranger.knows(peer), me == 0);
        assert!(!stranger.knows(other));
    }

    /// Otherwise any user of the machine could send a request that counts as root's.
    #[test]
    fn a_connection_closed_before_it_is_looked_at_is_nobodys() {
        let listener = TcpListener::bind(LISTEN).expect("listens");
        let here = listener.local_addr().expect("address");
        let stream = TcpStream::connect(here).expect("connects");
        let peer = stream.local_addr().expect("address");
        drop(stream);
        let table = fs::read_to_string("/proc/self/net/tcp").expect("table");
        assert_eq!(owner(&table, peer, here), None);
    }
}
