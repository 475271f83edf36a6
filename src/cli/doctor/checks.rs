//! What is looked at, one after the other.

use super::Finding;
use crate::auth::Auth;
use crate::aws::catalog::Catalog;
use crate::buckets;
use crate::callers::Callers;
use crate::cli::counted;
use crate::cli::health;
use crate::cli::remote::{Purpose, Remote, url_of};
use crate::clock::Clock;
use crate::config::{Settings, host_of};
use crate::database_file::{self, Depth, Schema, Soundness};
use crate::metrics::free_bytes;
use crate::proxy::upstream_tls;
use crate::server::bind;
use crate::store::{self, BUCKETS, DATABASE, DataDir};
use crate::transport::certificate::Certificate;
use crate::transport::tls::Tls;
use chrono::{DateTime, Utc};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Free bytes: with fewer than the first number doctor warns, with fewer than the second it fails, as a commit and its log
/// need room.
const LITTLE_SPACE: u64 = 1 << 30;
const NO_SPACE: u64 = 32 << 20;

/// How far the newest event may be ahead of the clock.
const CLOCK_SLACK: i64 = 60;

/// How long a server may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// What the checks know.
pub(super) struct Checks<'a> {
    pub(super) settings: &'a Settings,
    pub(super) clock: Clock,
    /// How closely databases are looked at.
    pub(super) depth: Depth,
}

impl Checks<'_> {
    pub(super) async fn all(&self) -> Vec<Finding> {
        let mut findings = vec![self.named_files().await, self.data_folder()];
        findings.extend(self.space());
        findings.extend(self.databases().await);
        let (server, url) = self.server().await;
        findings.push(server);
        findings.extend(environment(&url));
        findings
    }

    /// The files that settings name, read as a start reads them.
    async fn named_files(&self) -> Finding {
        let settings = self.settings;
        let read: Result<(), String> = async {
            Catalog::open(settings.recorder.operations.as_deref()).map_err(|error| error.to_string())?;
            let callers = Arc::new(Callers::open(settings).map_err(|error| error.to_string())?);
            let auth = Auth::open(settings, callers, self.clock.clone()).await;
            auth.map_err(|error| error.to_string())?;
            // Without files the start makes a certificate; a look does not.
            if settings.tls.enabled && settings.tls.cert.is_some() {
                let certificate = Certificate::of(&settings.tls, &settings.server.data_dir, Vec::new());
                Tls::new(certificate).map_err(|error| error.to_string())?;
            }
            upstream_tls(&settings.recorder).map_err(|error| error.to_string())?;
            Ok(())
        }
        .await;
        match read {
            Ok(()) => Finding::ok("settings", "can be used, with the files that they name"),
            Err(error) => Finding::fails("settings", error),
        }
    }

    fn data_folder(&self) -> Finding {
        let folder = &self.settings.server.data_dir;
        let path = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        if !folder.exists() {
            return Finding::ok("data folder", format!("{} is made at the first start", path.display()));
        }
        match DataDir::check(folder) {
            Ok(()) => Finding::ok("data folder", format!("{}{}", path.display(), owner(folder))),
            Err(error) => Finding::fails("data folder", error.to_string()),
        }
    }

    fn space(&self) -> Option<Finding> {
        let folder = &self.settings.server.data_dir;
        let free = free_bytes(folder).or_else(|| free_bytes(Path::new(".")))?;
        let text = format!("{} MB are free", free / 1_000_000);
        Some(match free {
            ..NO_SPACE => Finding::fails("space", format!("{text}: events cannot be stored")),
            NO_SPACE..LITTLE_SPACE => Finding::warning("space", text),
            _ => Finding::ok("space", text),
        })
    }

    async fn databases(&self) -> Vec<Finding> {
        let folder = &self.settings.server.data_dir;
        let mut findings = Vec::new();
        let path = folder.join(DATABASE);
        if path.exists() {
            let found = database_file::examine(&path, store::database_kind(), self.depth).await;
            findings.extend(sound("database", &path, &found));
            match found.schema {
                _ if !found.problems.is_empty() => {}
                Schema::Older => {
                    let text = "it was written by an older contrail; the next start brings it up to date";
                    findings.push(Finding::ok("database", text));
                }
                Schema::Known => findings.extend(self.figures(&path).await),
            }
        }
        let path = folder.join(BUCKETS);
        if path.exists() {
            let found = database_file::examine(&path, buckets::database_kind(), self.depth).await;
            findings.extend(sound("buckets", &path, &found));
        }
        findings
    }

    /// What the database says of the clock and of deliveries.
    async fn figures(&self, path: &Path) -> Vec<Finding> {
        let (figures, failing) = match store::figures(path).await {
            Ok(found) => found,
            Err(error) => return vec![Finding::fails("database", format!("{}: {error}", path.display()))],
        };
        let mut findings = vec![Finding::ok(
            "events",
            format!(
                "{}; {}, {} of them logging; {} to deliver",
                counted(figures.events, "event"),
                counted(figures.trails, "trail"),
                figures.logging_trails,
                counted(figures.pending_events, "event"),
            ),
        )];
        let newest = figures.newest_stored_at.and_then(DateTime::<Utc>::from_timestamp_millis);
        let ahead = newest.map_or(0, |newest| (newest - self.clock.now()).num_seconds());
        findings.push(match ahead > CLOCK_SLACK {
            true => Finding::fails(
                "clock",
                format!(
                    "the newest event was stored {ahead} s after what the clock says is now: it was set back"
                ),
            ),
            false => Finding::ok("clock", "is not behind the events"),
        });
        for destination in failing {
            let of = match destination.trail.as_str() {
                "" => format!("account {}", destination.account),
                trail => format!("trail {trail} of account {}", destination.account),
            };
            let error = destination.error.map_or(String::new(), |error| format!(", last {error}"));
            let kind = destination.kind.replace('_', " ");
            findings.push(Finding::fails(
                "delivery",
                format!(
                    "{kind} of {of}, {}: {} in a row{error}",
                    destination.region,
                    counted(destination.failures, "failure")
                ),
            ));
        }
        findings
    }

    /// The server of the data folder, or whether one could be started; and the URL at which it is or would be.
    async fn server(&self) -> (Finding, String) {
        let settings = self.settings;
        let Some(url) = DataDir::holder(&settings.server.data_dir) else {
            let url = url_of(settings).unwrap_or_default();
            let finding = match bind(settings) {
                Ok(_) => Finding::ok("server", format!("none runs on this data folder; {url} is free")),
                Err(error) => Finding::fails("server", format!("none runs on this data folder, and {error}")),
            };
            return (finding, url);
        };
        let asked = async {
            let remote = Remote::of_folder(&url, settings, Purpose::Read)?;
            let state = tokio::time::timeout(ANSWER, health::state_of(&remote)).await;
            state.map_err(|_| "it does not answer".to_owned())?.map_err(|error| error.to_string())
        };
        let finding = match asked.await {
            Ok(state) if state.is_available() => Finding::ok("server", state.to_string()),
            Ok(state) => Finding::fails("server", state.to_string()),
            Err(error) => Finding::fails("server", format!("the one that uses this data folder: {error}")),
        };
        (finding, url)
    }
}

/// Whether a database can be used.
fn sound(subject: &'static str, path: &Path, found: &Soundness) -> Vec<Finding> {
    let name = path.display();
    if found.problems.is_empty() {
        let size = std::fs::metadata(path).map_or(0, |file| file.len()) / 1_000_000;
        return vec![Finding::ok(
            subject,
            match found.is_whole {
                true => format!("{name} is sound, {size} MB"),
                false => {
                    format!("{name} has no damage as far as it was read, {size} MB; --whole reads all of it")
                }
            },
        )];
    }
    found.problems.iter().map(|problem| Finding::fails(subject, format!("{name}: {problem}"))).collect()
}

/// Whose a folder is, and who may read it.
fn owner(folder: &Path) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(folder);
        found.map_or(String::new(), |found| {
            format!(", of user {}, mode {:o}", found.uid(), found.mode() & 0o777)
        })
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        String::new()
    }
}

/// Where AWS's clients in this shell would go. `url` is where the server is.
fn environment(url: &str) -> Vec<Finding> {
    let mut named: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"))
        .collect();
    named.sort_unstable();
    if named.is_empty() {
        let text = "no AWS_ENDPOINT_URL is set in this shell: AWS's clients need an endpoint from elsewhere";
        return vec![Finding::ok("environment", text)];
    }
    let here = place(url);
    let finding = |(name, value): (String, String)| match place(&value) {
        None => Finding::warning("environment", format!("{name} is no URL")),
        there if there == here => Finding::ok("environment", format!("{name} leads to this server")),
        Some(_) => {
            Finding::warning("environment", format!("{name} leads elsewhere: {}, not {url}", host_of(&value)))
        }
    };
    named.into_iter().map(finding).collect()
}

/// Host and port of a URL; names for this machine are one.
fn place(url: &str) -> Option<(String, u16)> {
    let url: http::Uri = url.parse().ok()?;
    let host = url.host()?.to_lowercase();
    let is_here =
        host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host.starts_with("127.");
    let port = url.port_u16().unwrap_or(if url.scheme_str() == Some("https") { 443 } else { 80 });
    Some((if is_here { "localhost".to_owned() } else { host }, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_this_machine_are_one_place() {
        assert_eq!(place("http://LOCALHOST:4700"), place("http://127.0.0.1:4700/"));
        assert_eq!(place("http://[::1]:4700"), place("http://x.localhost:4700"));
        assert_ne!(place("http://localhost:4566"), place("http://localhost:4700"));
        assert_ne!(place("http://moto:4700"), place("http://localhost:4700"));
        assert_eq!(place("https://trail.test"), place("https://trail.test:443/x"));
    }
}
