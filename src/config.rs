//! Settings: `config/default.toml` (embedded) < a file < the environment < flags.
//!
//! A key that nobody reads, or a value that means nothing, is refused with the key's name.

mod auth;
mod console;
mod delivery;
mod recorder;
mod shown;
mod tls;

pub use auth::{AuthMode, AuthSettings, IdentitySetting, OwnPathsAccess};
pub use console::ConsoleSettings;
pub use delivery::{BucketPolicies, DeliverySettings, Endpoint};
pub use recorder::RecorderSettings;
pub use shown::host_of;
pub use tls::TlsSettings;

use crate::domain::account_id::AccountId;
use crate::domain::selectors::data_types::ResourceType;
use chrono::TimeDelta;
use config::{Config, Environment, File, FileFormat};
use serde::{Deserialize, Deserializer, Serialize};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The built-in settings, every key with a comment.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// Which CloudTrail is documented behaviour; single settings can still differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub enum Era {
    /// The API as published in 2015.
    #[serde(rename = "2015")]
    Y2015,
    /// The API as it is now.
    #[serde(rename = "today")]
    Today,
}

impl TryFrom<String> for Era {
    type Error = String;
    fn try_from(text: String) -> Result<Era, String> {
        one_of(&text, &[("2015", Era::Y2015), ("today", Era::Today)])
    }
}

/// The longest time in days: a century. Further back there is nothing, and dates come to an end.
const MAX_DAYS: u32 = 36_500;

/// The most of anything that is counted.
const MAX_COUNT: usize = 1 << 40;

/// The most threads that answer requests.
const MAX_WORKERS: usize = 1024;

/// The value that `text` names, or which names there are.
fn one_of<T: Copy>(text: &str, values: &[(&str, T)]) -> Result<T, String> {
    let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
    let found = values.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| format!("{text:?} is none of {}", names.join(", ")))
}

impl Era {
    /// As it is written in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Era::Y2015 => "2015",
            Era::Today => "today",
        }
    }
}

/// All settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which CloudTrail is documented behaviour.
    pub era: Era,
    /// The account of callers whose key says nothing else: 12 digits.
    pub account: AccountId,
    /// `[server]`
    pub server: ServerSettings,
    /// `[history]`
    pub history: HistorySettings,
    /// `[limits]`
    pub limits: LimitsSettings,
    /// `[intake]`
    pub intake: IntakeSettings,
    /// `[trails]`
    pub trails: TrailsSettings,
    /// `[delivery]`
    pub delivery: DeliverySettings,
    /// `[recorder]`
    pub recorder: RecorderSettings,
    /// `[console]`
    pub console: ConsoleSettings,
    /// `[tls]`
    pub tls: TlsSettings,
    /// `[auth]`
    pub auth: AuthSettings,
    /// `[[identities]]`
    #[serde(default)]
    pub identities: Vec<IdentitySetting>,
}

/// `[server]`: where it listens, what it keeps, what it says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Folder of the database.
    pub data_dir: PathBuf,
    /// Threads that answer requests; 0 means one per core.
    pub workers: usize,
    /// The longest that the body of an AWS call may take to arrive.
    pub body_timeout: Period,
    /// The longest pause inside a body that is imported at `/_contrail/events`.
    pub chunk_timeout: Period,
    /// How long a caller may take nothing of an answer.
    pub write_timeout: Period,
    /// More host names under which `/_contrail` may be called.
    #[serde(deserialize_with = "list")]
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed, at every door.
    #[serde(deserialize_with = "addresses")]
    pub trusted_proxies: Vec<IpAddr>,
    /// What is logged, as `tracing`'s targets write it.
    pub log_level: String,
    /// How it is logged.
    pub log_format: LogFormat,
}

/// A length of time as settings write it: `"500ms"`, `"2s"`, `"5m"`, `"1h"`, `"7d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub std::time::Duration);

impl Period {
    /// The longest: what is added to a time stays one.
    const MAX: Period = Period(std::time::Duration::from_secs(MAX_DAYS as u64 * 86_400));
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Period, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let unit = match &text[digits..] {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            "d" => Some(86_400_000),
            _ => None,
        };
        let millis = text[..digits].parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
        match millis.map(|millis| Period(std::time::Duration::from_millis(millis))) {
            Some(period) if period <= Period::MAX => Ok(period),
            Some(_) => Err(format!("{text:?} is longer than \"{MAX_DAYS}d\"")),
            None => Err(format!("{text:?} is not a period like \"2s\" or \"5m\"")),
        }
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Period, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", rename_all = "kebab-case")]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// One readable line an entry.
    Human,
    /// One JSON object an entry.
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = String;
    fn try_from(text: String) -> Result<LogFormat, String> {
        one_of(&text, &[("auto", LogFormat::Auto), ("human", LogFormat::Human), ("json", LogFormat::Json)])
    }
}

/// `[history]`: what lookups show and how long events are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistorySettings {
    window_days: Option<u32>,
    default_page_size: Option<u32>,
    retention_days: u32,
}

/// `[limits]`: rates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsSettings {
    lookup_events_per_second: Option<u32>,
    lookup_events_scope: Option<LimitScope>,
    /// Connections that may be open, in all ...
    pub connections: usize,
    /// ... and of one peer.
    pub connections_per_peer: usize,
    /// Bodies that may be imported at the same time.
    pub imports: usize,
}

/// What the LookupEvents limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", rename_all = "kebab-case")]
pub enum LimitScope {
    /// All calls of an account.
    Account,
    /// The calls of an account in one region.
    AccountRegion,
}

impl TryFrom<String> for LimitScope {
    type Error = String;
    fn try_from(text: String) -> Result<LimitScope, String> {
        one_of(&text, &[("account", LimitScope::Account), ("account-region", LimitScope::AccountRegion)])
    }
}

/// `[intake]`: bounds on what is imported.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeSettings {
    /// Bytes that one gzip body may unpack to.
    pub max_unpacked_bytes: u64,
}

/// `[trails]`: what trails may be set to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrailsSettings {
    /// Types of resources with data events, beside those that AWS's list has.
    #[serde(deserialize_with = "resource_types")]
    pub data_types: Vec<ResourceType>,
}

/// Why settings were refused: one line that names the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

/// Single settings from the command line, as (key, value): they win over everything else.
pub type Overrides = Vec<(&'static str, String)>;

impl Settings {
    /// Reads the built-in settings, `file` (if given), `CONTRAIL__…` variables and `overrides`, in this order.
    ///
    /// # Errors
    /// A missing or malformed file, an unknown key, a value of the wrong type or out of range.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Settings, SettingsError> {
        let environment = Environment::with_prefix("CONTRAIL").prefix_separator("__").separator("__");
        Settings::from_sources(file, environment, overrides)
    }

    /// The built-in settings with `overrides`, whatever the environment says. For tests and embedding.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn builtin(overrides: Overrides) -> Result<Settings, SettingsError> {
        let nothing = Environment::default().source(Some(Default::default()));
        Settings::from_sources(None, nothing, overrides)
    }

    fn from_sources(
        file: Option<&Path>,
        environment: Environment,
        overrides: Overrides,
    ) -> Result<Settings, SettingsError> {
        let one_line = |e: &dyn std::fmt::Display| e.to_string().lines().collect::<Vec<_>>().join(" ");
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|e| SettingsError(format!("cannot read the config file {}: {e}", path.display())))?;
            let file = File::from_str(&text, FileFormat::Toml);
            // Read by itself first: an error of all sources together does not say that it is the file's.
            let alone = Config::builder().add_source(file.clone()).build();
            alone.map_err(|e| SettingsError(format!("bad config: {}: {}", path.display(), one_line(&e))))?;
            builder = builder.add_source(file);
        }
        builder = builder.add_source(environment);
        for (key, value) in overrides {
            builder = builder.set_override(key, value).map_err(|e| SettingsError(one_line(&e)))?;
        }
        let config = builder.build().map_err(|e| SettingsError(format!("bad config: {}", one_line(&e))))?;
        let mut settings: Settings = serde_path_to_error::deserialize(config).map_err(|e| {
            let (path, cause) = (e.path().to_string(), one_line(e.inner()));
            // The inner error often names the key already; say it once.
            if cause.contains(&format!("`{path}`")) || path == "." {
                SettingsError(format!("bad config: {cause}"))
            } else {
                SettingsError(format!("bad config: {path}: {cause}"))
            }
        })?;
        settings.recorder.check().map_err(|why| SettingsError(format!("bad config: recorder.{why}")))?;
        settings.delivery.check().map_err(|why| SettingsError(format!("bad config: delivery.{why}")))?;
        settings.tls.check().map_err(|why| SettingsError(format!("bad config: tls.{why}")))?;
        settings.deliver_upstream();
        let Settings { server, recorder, .. } = &mut settings;
        server.trusted_proxies.append(&mut recorder.trusted_proxies);
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let bad = |key: &str, why: &str| Err(SettingsError(format!("bad config: {key}: {why}")));
        if self.history.default_page_size.is_some_and(|n| !(1..=50).contains(&n)) {
            return bad("history.default_page_size", "must be 1 to 50");
        }
        // The log's own parser takes a word that is no level for the name of a module.
        let is_level = |part: &str| {
            let level = part.split_once('=').map_or(part, |(_, level)| level);
            level.parse::<tracing::level_filters::LevelFilter>().is_ok()
        };
        if !self.server.log_level.split(',').all(is_level) {
            return bad("server.log_level", &format!("{:?} is no log level", self.server.log_level));
        }
        for (key, days) in [
            ("history.window_days", self.history.window_days.unwrap_or(0)),
            ("history.retention_days", self.history.retention_days),
            ("delivery.digest_key_days", self.delivery.digest_key_days),
        ] {
            if days > MAX_DAYS {
                return bad(key, &format!("must be at most {MAX_DAYS}"));
            }
        }
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        // What is counted by semaphores and channels, of which the largest in use takes an eighth of all numbers.
        for (key, number) in [
            ("console.search_records", size(self.console.search_records)),
            ("console.facet_events", size(self.console.facet_events)),
            ("limits.imports", self.limits.imports),
            ("recorder.queue_calls", self.recorder.queue_calls),
            ("recorder.queue_bytes", self.recorder.queue_bytes),
        ] {
            if !(1..=MAX_COUNT).contains(&number) {
                return bad(key, &format!("must be 1 to {MAX_COUNT}"));
            }
        }
        if self.server.workers > MAX_WORKERS {
            return bad("server.workers", &format!("must be at most {MAX_WORKERS}"));
        }
        for (key, period) in [
            ("server.body_timeout", self.server.body_timeout),
            ("server.chunk_timeout", self.server.chunk_timeout),
            ("server.write_timeout", self.server.write_timeout),
        ] {
            if period.0.is_zero() {
                return bad(key, "must be longer than nothing");
            }
        }
        if self.auth.proxy && self.auth.mode == AuthMode::Off {
            return bad("auth.proxy", "means nothing while auth.mode is \"off\"");
        }
        for (at, identity) in self.identities.iter().enumerate() {
            if let Err(why) = identity.check(self.auth.mode) {
                return bad("identities", &why);
            }
            // The policy of the first would be lost.
            let other = self.identities[..at].iter().find(|other| other.access_key == identity.access_key);
            if let Some(other) = other {
                let (key, one, two) = (&identity.access_key, other.holder(), identity.holder());
                return bad("identities", &format!("{key} is both {one} and {two}"));
            }
        }
        Ok(())
    }

    /// How far lookups reach back; `None` without limit.
    pub fn lookup_window(&self) -> Option<TimeDelta> {
        days(self.history.window_days.unwrap_or(match self.era {
            Era::Y2015 => 7,
            Era::Today => 90,
        }))
    }

    /// Events on a page of LookupEvents when the call does not say.
    pub fn default_page_size(&self) -> u32 {
        self.history.default_page_size.unwrap_or(match self.era {
            Era::Y2015 => 10,
            Era::Today => 50,
        })
    }

    /// How long events are kept after they were stored; `None` for ever.
    pub fn retention(&self) -> Option<TimeDelta> {
        days(self.history.retention_days)
    }

    /// LookupEvents calls a second; `None` without limit.
    pub fn lookup_rate(&self) -> Option<std::num::NonZeroU32> {
        std::num::NonZeroU32::new(self.limits.lookup_events_per_second.unwrap_or(match self.era {
            Era::Y2015 => 1,
            Era::Today => 2,
        }))
    }

    /// What that rate counts.
    pub fn lookup_scope(&self) -> LimitScope {
        self.limits.lookup_events_scope.unwrap_or(match self.era {
            Era::Y2015 => LimitScope::Account,
            Era::Today => LimitScope::AccountRegion,
        })
    }
}

fn days(n: u32) -> Option<TimeDelta> {
    (n > 0).then(|| TimeDelta::days(i64::from(n)))
}

/// A list, or its items in one string with commas between: the form that fits an environment variable.
fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        List(Vec<String>),
        Line(String),
    }
    Ok(match Form::deserialize(from)? {
        Form::List(items) => items,
        Form::Line(line) => line.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect(),
    })
}

/// A list of addresses, in the same forms.
fn addresses<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpAddr>, D::Error> {
    let parse = |text: String| {
        text.parse::<IpAddr>().map_err(|_| serde::de::Error::custom(format!("{text:?} is no address")))
    };
    list(from)?.into_iter().map(parse).collect()
}

/// A list of types of resources, in the same forms.
fn resource_types<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ResourceType>, D::Error> {
    let parse = |text: String| ResourceType::try_from(text).map_err(serde::de::Error::custom);
    list(from)?.into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests;
