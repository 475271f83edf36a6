//! What the benchmarks share: a real server as a child process, a plain client, figures, and (in the two modules) the
//! synthetic records and the raw SQLite baseline. Reads `/proc`: Linux only.

pub(crate) mod baseline;
pub(crate) mod records;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How many events: the first number among the arguments, else `CONTRAIL_BENCH_EVENTS`, else `usual`.
/// Without `--bench`, that is under `cargo test --all-targets`, only a few, to see that the benchmark runs.
pub(crate) fn events(usual: usize) -> usize {
    if !std::env::args().any(|arg| arg == "--bench") {
        return 2000;
    }
    let asked = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    asked.or_else(|| std::env::var("CONTRAIL_BENCH_EVENTS").ok()?.parse().ok()).unwrap_or(usual)
}

/// A running `contrail`; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// From starting the process to its first answer.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts the release binary on a free port, without limits, and waits for its first answer.
    pub(crate) fn start(folder: &std::path::Path, era: &str) -> Server {
        Server::start_with(folder, &[("CONTRAIL__ERA", era)])
    }

    /// The same with settings, as environment variables.
    pub(crate) fn start_with(folder: &std::path::Path, settings: &[(&str, &str)]) -> Server {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let port = free.port();
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_contrail"))
            .env("CONTRAIL__SERVER__DATA_DIR", folder)
            .env("CONTRAIL__SERVER__PORT", port.to_string())
            .env("CONTRAIL__SERVER__LOG_LEVEL", "warn")
            .env("CONTRAIL__LIMITS__LOOKUP_EVENTS_PER_SECOND", "0")
            .env("CONTRAIL__HISTORY__WINDOW_DAYS", "0")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut server = Server { child, port, started_in: Duration::ZERO };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server does not answer");
            assert!(server.child.try_wait().expect("its state").is_none(), "the server has ended");
            std::thread::sleep(Duration::from_micros(200));
        }
        server.connect().send(&request("GET /_contrail/health", b""), 200);
        server.started_in = began.elapsed();
        server
    }

    pub(crate) fn connect(&self) -> Connection {
        connect(self.port)
    }

    /// Ends it in order, as SIGTERM does.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().is_ok_and(|s| s.success()));
        self.child.wait().expect("it ends");
    }

    /// CPU microseconds that it has used, user and system, in steps of 10 ms.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("/proc");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |i: usize| fields[i].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) * 10_000.0
    }

    /// Resident memory now and at most: "12.3 MiB, at most 14.5".
    pub(crate) fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("/proc");
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of status");
            line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
        };
        format!("{:.1} MiB, at most {:.1}", mib("VmRSS:"), mib("VmHWM:"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A keep-alive connection, used for one request after the other.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Connection {
    /// Sends a whole request and returns the body of the answer, which must have this status.
    pub(crate) fn send(&mut self, request: &[u8], status: u16) -> &[u8] {
        self.stream.get_mut().write_all(request).expect("sent");
        let (mut line, mut length, mut first) = (String::new(), 0, String::new());
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("an answer");
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().expect("a length");
                }
                Some(_) => {}
                None if line.starts_with("HTTP/") => first.clone_from(&line),
                None => break,
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("a whole body");
        let good = first.split(' ').nth(1) == Some(status.to_string().as_str());
        assert!(good, "{first}{}", String::from_utf8_lossy(&self.body));
        &self.body
    }
}

/// A connection to a server on this machine.
pub(crate) fn connect(port: u16) -> Connection {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_nodelay(true).expect("nodelay");
    Connection { stream: BufReader::with_capacity(128 * 1024, stream), body: Vec::new() }
}

/// The bytes of a request.
pub(crate) fn request(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("{head} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n", body.len());
    [head.as_bytes(), b"\r\n", body].concat()
}

/// A call that is read, refused and answered, and does nothing else: the price of a round trip.
pub(crate) fn nothing() -> Vec<u8> {
    call("NoSuchOperation", "{}")
}

/// A request that puts records in.
pub(crate) fn import(ndjson: &[u8]) -> Vec<u8> {
    request("POST /_contrail/events", ndjson)
}

/// An AWS call by the account that owns the records.
pub(crate) fn call(operation: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: CloudTrail_20131101.{operation}\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential={}/20231114/{}/cloudtrail/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len(),
        records::ACCOUNT,
        records::REGION,
    );
    head.into_bytes()
}

/// The p-th part (0 to 1) of the sorted `values`.
pub(crate) fn part(values: &mut [f64], p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(((values.len() as f64 * p) as usize).min(values.len() - 1)).copied().unwrap_or_default()
}

/// A line of a table: a wide first column, the others to the right.
pub(crate) fn line(cells: &[&str]) {
    let (first, rest) = cells.split_first().expect("cells");
    println!("{first:<44}{}", rest.iter().map(|cell| format!("{cell:>16}")).collect::<String>());
}
