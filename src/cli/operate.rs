//! `contrail flush` and `contrail reset`: what changes something at a running server.

use super::remote::{Purpose, Server};
use super::{Ended, counted};
use crate::config::Settings;
use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Flush {
    #[command(flatten)]
    server: Server,
}

/// What a flush has done.
#[derive(Deserialize)]
struct Flushed {
    log_files: Vec<Object>,
    digests: Vec<Object>,
    failures: Vec<String>,
}

#[derive(Deserialize)]
struct Object {
    bucket: String,
    key: String,
}

impl Flush {
    /// Fails if something could not be delivered.
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let remote = self.server.connect(&settings, Purpose::Change)?;
        let response = remote.answer(remote.request(Method::POST, "/_contrail/flush")).await?;
        let status = response.status();
        let flushed: Flushed = response.json().await.map_err(|_| remote.not_ours(status))?;
        let mut out = std::io::stdout().lock();
        for Object { bucket, key } in flushed.log_files.iter().chain(&flushed.digests) {
            writeln!(out, "s3://{bucket}/{key}")?;
        }
        for failure in &flushed.failures {
            eprintln!("{failure}");
        }
        if !flushed.failures.is_empty() {
            return Ok(ExitCode::FAILURE);
        }
        if flushed.log_files.is_empty() && flushed.digests.is_empty() {
            eprintln!("nothing waited to be delivered");
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(super) struct Reset {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    what: What,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The account whose trails and events are removed
    #[arg(long = "account", id = "reset_account", value_name = "12 DIGITS")]
    account: Option<String>,
    /// Remove the trails and events of all accounts
    #[arg(long)]
    everything: bool,
}

/// What a reset has removed.
#[derive(Deserialize)]
struct Removed {
    trails: u64,
    events: u64,
}

impl Reset {
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let remote = self.server.connect(&settings, Purpose::Change)?;
        let (whose, query) = match &self.what.account {
            Some(account) => (format!("of account {account}"), ("account", account.as_str())),
            None => ("of all accounts".to_owned(), ("everything", "yes")),
        };
        if !self.yes && !is_agreed(&format!("Remove all trails and events {whose} at {}?", remote.url))? {
            return Err("nothing was removed".into());
        }
        let request = remote.request(Method::POST, "/_contrail/reset").query(&[query]);
        let response = remote.answer(request).await?;
        let status = response.status();
        let Removed { trails, events } = response.json().await.map_err(|_| remote.not_ours(status))?;
        println!("{} and {} {whose} were removed", counted(trails, "trail"), counted(events, "event"));
        Ok(ExitCode::SUCCESS)
    }
}

/// Asks for a yes at the terminal.
///
/// # Errors
/// There is no terminal.
fn is_agreed(question: &str) -> Result<bool, Box<dyn std::error::Error>> {
    if !std::io::stdin().is_terminal() {
        return Err("there is nobody to ask: say --yes".into());
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
