//! As much of HTTP/1.1 as the page needs: one request, one response, then the connection closes.

use std::io::{self, BufRead, BufReader, Read, Write};

/// Longest accepted request head, bytes.
const MAX_HEAD: u64 = 8192;
/// The page sends no bodies; what comes with one is not waited for.
const MAX_HEADERS: usize = 64;

/// Methods the page uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
}

/// A request's head.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path without its query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// Reads one head; `None` for anything that is not a request of this page.
    pub(crate) fn read(input: &mut impl Read) -> Option<Self> {
        let mut lines = BufReader::new(input.take(MAX_HEAD)).lines();
        let first = lines.next()?.ok()?;
        let mut words = first.split(' ');
        let method = match words.next()? {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => return None,
        };
        let target = words.next()?;
        if words.next() != Some("HTTP/1.1") || words.next().is_some() || !target.starts_with('/') {
            return None;
        }
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        for line in lines {
            let line = line.ok()?;
            if line.is_empty() {
                return Some(Self { method, path, headers });
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            if headers.len() > MAX_HEADERS {
                return None;
            }
        }
        // The head ended before its empty line: cut short or too long.
        None
    }

    /// A header that was sent exactly once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// What goes back.
pub(crate) struct Response {
    status: &'static str,
    kind: &'static str,
    extra: String,
    body: Vec<u8>,
}

impl Response {
    /// A body of this media type.
    pub(crate) fn ok(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: "200 OK", kind, extra: String::new(), body: body.into() }
    }

    /// Nothing to show (yet).
    pub(crate) fn empty() -> Self {
        Self { status: "204 No Content", kind: "text/plain", extra: String::new(), body: Vec::new() }
    }

    /// Sends the browser to the page, with its cookie.
    pub(crate) fn admit(cookie: &str) -> Self {
        let extra = format!("Location: /\r\nSet-Cookie: {cookie}\r\n");
        Self { status: "303 See Other", kind: "text/plain", extra, body: Vec::new() }
    }

    /// Refused, with the reason in words.
    pub(crate) fn refuse(why: &str) -> Self {
        Self { status: "403 Forbidden", kind: "text/plain", extra: String::new(), body: why.into() }
    }

    /// No such path.
    pub(crate) fn missing() -> Self {
        Self { status: "404 Not Found", kind: "text/plain", extra: String::new(), body: Vec::new() }
    }

    /// Writes it. Nothing is cached, framed, sniffed or loaded from elsewhere.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write!(
            out,
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Connection: close\r\nCache-Control: no-store\r\n\
             Content-Security-Policy: default-src 'none'; img-src blob:; script-src 'self'; style-src 'self'; \
             connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n\
             X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\n\r\n",
            self.status,
            self.kind,
            self.body.len(),
            self.extra
        )?;
        out.write_all(&self.body)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_of_this_page_is_none() {
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(10_000));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(100));
        for text in [
            "",
            "GET / HTTP/1.1\r\nHost: x\r\n",
            "PUT / HTTP/1.1\r\n\r\n",
            "GET http://elsewhere/ HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1 extra\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "\x16\x03\x01 TLS",
            &long,
            &many,
        ] {
            assert!(Request::read(&mut text.as_bytes()).is_none(), "{text:.40}");
        }
    }

    #[test]
    fn a_header_sent_twice_counts_as_missing() {
        let text = "GET /a?b=c HTTP/1.1\r\nHost: one\r\nHOST: two\r\nCookie:  k=v \r\n\r\n";
        let request = Request::read(&mut text.as_bytes()).expect("request");
        assert_eq!((request.path.as_str(), request.method), ("/a", Method::Get));
        assert_eq!(request.header("host"), None);
        assert_eq!(request.header("cookie"), Some("k=v"));
    }
}
