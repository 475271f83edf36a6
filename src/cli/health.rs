//! `contrail health`: whether a server answers, for people, scripts and probes of containers.

use super::Ended;
use super::remote::{Purpose, Remote, Server};
use crate::clock::Clock;
use crate::config::{Period, Settings};
use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

/// The pause between two questions while it is waited for a server.
const PAUSE: Duration = Duration::from_millis(100);

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct Health {
    #[command(flatten)]
    server: Server,
    /// Ask again until everything works, for at most so long: 500ms, 30s, 2m
    #[arg(long, value_name = "TIME")]
    wait: Option<Period>,
}

/// What a server says of itself.
#[derive(Deserialize)]
struct Answer {
    services: Services,
    #[serde(default)]
    failing_workers: Vec<String>,
    version: String,
    era: String,
}

#[derive(Deserialize)]
struct Services {
    cloudtrail: String,
}

impl Health {
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let (clock, longest) = (Clock::system(), self.wait.map_or(Duration::ZERO, |wait| wait.0));
        loop {
            let asked = self.ask(&settings).await;
            let is_late = clock.elapsed() >= longest;
            match asked {
                Ok((state, code)) if code == ExitCode::SUCCESS || is_late => {
                    println!("{state}");
                    return Ok(code);
                }
                Err(error) if is_late => return Err(error),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// What the server says of itself in one line, and the exit code for that.
    async fn ask(&self, settings: &Settings) -> Result<(String, ExitCode), Box<dyn Error>> {
        // Each time anew: the server that is waited for may be about to take the data folder.
        let remote: Remote = self.server.connect(settings, Purpose::Read)?;
        let request = remote.request(Method::GET, "/_contrail/health").timeout(ANSWER);
        let response = remote.send(request).await?;
        let status = response.status();
        let answer: Answer = response.json().await.map_err(|_| remote.not_ours(status))?;
        let Answer { services: Services { cloudtrail: state }, failing_workers, version, era } = answer;
        let code = if state == "available" { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        let failing = match failing_workers.as_slice() {
            [] => String::new(),
            workers => format!("; failing workers: {}", workers.join(", ")),
        };
        Ok((format!("{state}: Contrail {version} at {}, era {era}{failing}", remote.url), code))
    }
}
