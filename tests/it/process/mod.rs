//! The program as it is started: the real binary, on a port of its own, with a temporary data folder.

mod backup;
mod banner;
mod commands;
mod data_folder;
mod deliver;
mod disk_full;
mod doctor;
mod hangup;
mod import;
mod manual;
mod read_once;
mod restart;
mod sdk;
mod secrets;
mod service_manager;
mod settings;
mod shutdown;
mod tokens;

use crate::support::{Reply, call_at, http};
use contrail::clock::Clock;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long anything may take that a test waits for. Only a failing test waits that long.
const DEADLINE: Duration = Duration::from_secs(60);

/// The binary with some arguments, and nothing in its environment that means something to it.
fn contrail(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_contrail"));
    command.args(args);
    clear(&mut command);
    command
}

/// Takes our own variables and those of AWS out of a command's environment.
fn clear(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CONTRAIL_") || text.starts_with("AWS_") {
            command.env_remove(&name);
        }
    }
}

/// A running child, its output read line by line. Dropping it kills it.
struct Process {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// The lines of stderr that have been looked at.
    log: Vec<String>,
}

/// What a command wrote until it ended, and how it ended.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs a command to its end.
fn run(command: Command) -> Outcome {
    Process::spawn(command, b"").ended()
}

/// Runs a command to its end, with something on its stdin.
fn run_with_input(command: Command, input: &[u8]) -> Outcome {
    Process::spawn(command, input).ended()
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n') {
            // An error means that nobody listens any more.
            let _ = send.send(String::from_utf8_lossy(&line.unwrap()).into_owned());
        }
    });
    lines
}

impl Process {
    fn spawn(mut command: Command, input: &[u8]) -> Process {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (stdout, stderr) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        let input = input.to_owned();
        // A command that refuses to start reads nothing.
        std::thread::spawn(move || stdin.write_all(&input));
        Process { child, stdout, stderr, log: Vec::new() }
    }

    /// `kill -SIGNAL`
    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
    }

    /// Waits for a line on stderr that has `text` in it.
    fn logged(&mut self, text: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|e| panic!("{e} before {text:?} was logged: {:#?}", self.log));
            self.log.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until it has ended by itself.
    fn ended(mut self) -> Outcome {
        // Both streams end with the process.
        let clock = Clock::system();
        let left = || DEADLINE.saturating_sub(clock.elapsed());
        while let Ok(line) = self.stderr.recv_timeout(left()) {
            self.log.push(line);
        }
        let mut stdout = String::new();
        while let Ok(line) = self.stdout.recv_timeout(left()) {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        assert!(left() > Duration::ZERO, "it does not end; stdout: {stdout}, stderr: {:#?}", self.log);
        let code = self.child.wait().unwrap().code();
        let stderr = self.log.iter().map(|line| format!("{line}\n")).collect();
        Outcome { code, stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server in a process of its own.
struct Contrail {
    process: Process,
    url: String,
    /// What it wrote to stdout.
    banner: String,
}

impl Contrail {
    /// A server on a data folder, without a limit on lookups.
    fn start(folder: &Path) -> Contrail {
        Contrail::start_with(folder, &[])
    }

    /// The same with more arguments.
    fn start_with(folder: &Path, args: &[&str]) -> Contrail {
        let mut command = contrail(&["--port", "0", "--data-dir", folder.to_str().unwrap()]);
        command.args(args).env("CONTRAIL__LIMITS__LOOKUP_EVENTS_PER_SECOND", "0");
        Contrail::spawn(command)
    }

    /// A server that a command starts.
    fn spawn(command: Command) -> Contrail {
        let process = Process::spawn(command, b"");
        let mut banner = String::new();
        // The banner ends with its second empty line.
        while banner.matches("\n\n").count() < 2 {
            match process.stdout.recv_timeout(DEADLINE) {
                Ok(line) => banner = banner + &line + "\n",
                Err(_) => panic!("no banner: {banner:?} {:#?}", process.ended()),
            }
        }
        let url = banner.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("http"), "{banner}");
        Contrail { process, url, banner }
    }

    /// Its address and port.
    fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// SIGKILL; returns when it is gone.
    fn kill(self) {
        drop(self);
    }

    /// SIGTERM; returns when it has ended in good order.
    fn stop(self) {
        self.process.signal("TERM");
        let outcome = self.process.ended();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    }

    /// A call of the API as the default account in us-east-1.
    async fn call(&self, operation: &str, input: Value) -> Reply {
        call_at(&http(), &self.url, ("test", "us-east-1"), operation, input).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        Reply::read(http().get(format!("{}{path}", self.url)).send().await.unwrap()).await.unwrap()
    }

    /// Puts a body in.
    async fn import(&self, body: impl Into<reqwest::Body>) -> Reply {
        let request = http().post(format!("{}/_contrail/events", self.url)).body(body);
        Reply::read(request.send().await.unwrap()).await.unwrap()
    }

    /// How often each event is there, by its id.
    async fn event_ids(&self) -> BTreeMap<String, usize> {
        let mut ids = BTreeMap::new();
        for line in self.get("/_contrail/events").await.text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            *ids.entry(record["eventID"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        ids
    }
}

/// A second within every era's window, as records write it.
fn now() -> String {
    Clock::system().now().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A management event of today that changes something.
fn event(id: u32) -> Value {
    crate::support::record(id, &now(), "RunInstances")
}

/// Events with these numbers, a line each.
fn ndjson(ids: impl IntoIterator<Item = u32>) -> String {
    ids.into_iter().map(|id| event(id).to_string() + "\n").collect()
}

/// The id of the event with a number.
fn event_id(id: u32) -> String {
    event(id)["eventID"].as_str().unwrap().to_owned()
}

/// The database of a data folder, opened beside whoever else has it open.
async fn database(folder: &Path) -> sqlx::SqliteConnection {
    use sqlx::ConnectOptions;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("contrail.db"));
    options.connect().await.unwrap()
}
