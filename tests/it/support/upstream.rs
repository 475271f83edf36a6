//! A server to stand in front of. It keeps every request byte for byte and gives the answers that a test has set.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The server, running until the test ends.
pub(crate) struct Upstream {
    /// Base URL.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
    hung_up: Arc<Notify>,
    serving: JoinSet<()>,
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
        let address = "127.0.0.1:0".parse().unwrap();
        let mut upstream = Upstream {
            url: String::new(),
            seen: Arc::default(),
            answers: Arc::default(),
            hung_up: Arc::default(),
            serving: JoinSet::new(),
        };
        upstream.listen(address).await;
        upstream
    }

    async fn listen(&mut self, address: SocketAddr) {
        let listener = TcpListener::bind(address).await.unwrap();
        self.url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, answers) = (Arc::clone(&self.seen), Arc::clone(&self.answers));
        let hung_up = Arc::clone(&self.hung_up);
        self.serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
                connections.spawn(serve(stream, seen, answers, Arc::clone(&hung_up)));
            }
        });
    }

    /// Closes the port and all connections.
    pub(crate) async fn stop(&mut self) {
        self.serving.shutdown().await;
    }

    /// Is there again, where it was.
    pub(crate) async fn come_back(&mut self) {
        let address = self.url.trim_start_matches("http://").parse().unwrap();
        self.listen(address).await;
    }

    /// Waits until a caller that got no answer has gone away.
    pub(crate) async fn hung_up(&self) {
        self.hung_up.notified().await;
    }

    /// The next answer, raw; without one it is an empty JSON object. After a 101 all that comes is sent back, and an empty
    /// answer never comes.
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

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
    hung_up: Arc<Notify>,
) {
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
        if answer.is_empty() {
            while stream.read_buf(&mut buffer).await.unwrap_or(0) > 0 {}
            hung_up.notify_one();
            return;
        }
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
