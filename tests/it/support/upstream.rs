//! A server to stand in front of. It keeps every request byte for byte and gives the answers that a test has set.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The server, running until the test ends.
pub(crate) struct Upstream {
    /// Base URL.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Request line and headers, without the empty line.
    pub(crate) head: String,
    /// Not chunked any more.
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    /// `PUT /a?b=c HTTP/1.1`
    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

impl Upstream {
    pub(crate) async fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, answers) = (Arc::default(), Arc::default());
        let upstream = Upstream { url, seen: Arc::clone(&seen), answers: Arc::clone(&answers) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&answers)));
            }
        });
        upstream
    }

    /// The next answer, raw; without one it is an empty JSON object. After a 101 all that comes is sent back.
    pub(crate) fn will_answer(&self, raw: impl Into<Vec<u8>>) {
        self.answers.lock().unwrap().push_back(raw.into());
    }

    /// The next answer: a status line's rest, a content type, a body.
    pub(crate) fn will_say(&self, status: &str, content_type: &str, body: &str) {
        let length = body.len();
        self.will_answer(format!(
            "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
    }

    /// What has arrived so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>, answers: Arc<Mutex<VecDeque<Vec<u8>>>>) {
    let mut buffer = Vec::new();
    loop {
        let Some(end) = until(&mut stream, &mut buffer, b"\r\n\r\n").await else { return };
        let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
        buffer.drain(..end + 4);
        let mut request = Seen { head, body: Vec::new() };
        if let Some(length) = request.header("content-length") {
            let length: usize = length.parse().unwrap();
            if !fill(&mut stream, &mut buffer, length).await {
                return;
            }
            request.body = buffer.drain(..length).collect();
        } else if request.header("transfer-encoding") == Some("chunked") {
            loop {
                let Some(end) = until(&mut stream, &mut buffer, b"\r\n").await else { return };
                let line = String::from_utf8(buffer.drain(..end + 2).collect()).unwrap();
                let length = usize::from_str_radix(line.trim(), 16).unwrap();
                if !fill(&mut stream, &mut buffer, length + 2).await {
                    return;
                }
                request.body.extend(buffer.drain(..length + 2).take(length));
                if length == 0 {
                    break;
                }
            }
        }
        seen.lock().unwrap().push(request);
        let answer = answers.lock().unwrap().pop_front();
        let empty = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        let answer = answer.as_deref().unwrap_or(empty);
        if stream.write_all(answer).await.is_err() {
            return;
        }
        if answer.starts_with(b"HTTP/1.1 101") {
            let (mut reader, mut writer) = stream.split();
            // Until the other side is gone.
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
            return;
        }
    }
}

/// Reads until `mark` is there; where it begins.
async fn until(stream: &mut TcpStream, buffer: &mut Vec<u8>, mark: &[u8]) -> Option<usize> {
    loop {
        if let Some(at) = buffer.windows(mark.len()).position(|window| window == mark) {
            return Some(at);
        }
        if stream.read_buf(buffer).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// Reads until `length` bytes are there.
async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>, length: usize) -> bool {
    while buffer.len() < length {
        if stream.read_buf(buffer).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}
