//! `contrail health`: whether a server answers, for people, scripts and probes of containers.

use super::Ended;
use super::remote::{Purpose, Remote, Server};
use crate::clock::Clock;
use crate::config::{Period, Settings};
use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use std::error::Error;
use std::fmt;
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
pub(super) struct State {
    url: String,
    answer: Answer,
}

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

impl State {
    /// Whether everything works.
    pub(super) fn is_available(&self) -> bool {
        self.answer.services.cloudtrail == "available"
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answer { services: Services { cloudtrail: state }, failing_workers, version, era } = &self.answer;
        write!(f, "{state}: Contrail {version} at {}, era {era}", self.url)?;
        match failing_workers.as_slice() {
            [] => Ok(()),
            workers => write!(f, "; failing workers: {}", workers.join(", ")),
        }
    }
}

/// Asks a server how it is.
///
/// # Errors
/// It cannot be reached, or is no Contrail.
pub(super) async fn state_of(remote: &Remote) -> Result<State, Box<dyn Error>> {
    let request = remote.request(Method::GET, "/_contrail/health").timeout(ANSWER);
    let response = remote.send(request).await?;
    let status = response.status();
    let answer = response.json().await.map_err(|_| remote.not_ours(status))?;
    Ok(State { url: remote.url.clone(), answer })
}

impl Health {
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let (clock, longest) = (Clock::system(), self.wait.map_or(Duration::ZERO, |wait| wait.0));
        loop {
            let asked = self.ask(&settings).await;
            let is_late = clock.elapsed() >= longest;
            match asked {
                Ok(state) if state.is_available() || is_late => {
                    println!("{state}");
                    return Ok(if state.is_available() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
                }
                Err(error) if is_late => return Err(error),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn ask(&self, settings: &Settings) -> Result<State, Box<dyn Error>> {
        // Each time anew: the server that is waited for may be about to take the data folder.
        state_of(&self.server.connect(settings, Purpose::Read)?).await
    }
}
