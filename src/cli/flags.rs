//! Settings that have a flag. What is not given comes from the file, the environment, or the built-in settings.

use crate::config::{Overrides, Settings, SettingsError};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use std::path::PathBuf;

/// Where a server is and what it keeps: every command has these.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server", next_display_order = 800)]
pub(super) struct Place {
    /// A file of settings (TOML)
    #[arg(long, global = true, env = "CONTRAIL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, global = true, env = "CONTRAIL_HOST")]
    host: Option<String>,
    /// Port to listen on; 0 takes a free one [default: 4700]
    #[arg(long, global = true, env = "CONTRAIL_PORT")]
    port: Option<String>,
    /// Folder of the database [default: data]
    #[arg(long, global = true, env = "CONTRAIL_DATA_DIR", value_name = "DIR")]
    data_dir: Option<String>,
}

/// How a server answers: commands that make or examine one have these.
#[derive(Debug, Args)]
#[command(next_help_heading = "Behaviour", next_display_order = 900)]
pub(super) struct Behaviour {
    /// Which version of CloudTrail's documented behaviour to follow [default: 2015]
    #[arg(long, env = "CONTRAIL_ERA", value_parser = ["2015", "today"])]
    era: Option<String>,
    #[command(flatten)]
    records: Records,
    /// An emulator to stand in front of, http://127.0.0.1:4566; its calls are recorded [default: none]
    #[arg(long, env = "CONTRAIL_UPSTREAM", value_name = "URL")]
    upstream: Option<String>,
    /// Record all data events, not only those that a trail takes
    #[arg(long, env = "CONTRAIL_DATA_EVENTS")]
    data_events: bool,
    /// Refuse calls for whose records there is no room, before they are forwarded
    #[arg(long, env = "CONTRAIL_STRICT")]
    strict: bool,
    /// What is logged: error, warn, info, debug, trace, or per module [default: info,actix_server=warn]
    #[arg(long, env = "CONTRAIL_LOG_LEVEL", value_name = "LEVEL")]
    log_level: Option<String>,
    /// How it is logged; auto is human on a terminal and JSON otherwise [default: auto]
    #[arg(long, env = "CONTRAIL_LOG_FORMAT", value_name = "FORMAT", value_parser = ["auto", "human", "json"])]
    log_format: Option<String>,
}

/// What records are made with: importing asks for these too.
#[derive(Debug, Args)]
pub(super) struct Records {
    /// Account of callers whose access key names no other [default: 000000000000]
    #[arg(long, env = "CONTRAIL_ACCOUNT", value_name = "12 DIGITS")]
    account: Option<String>,
    /// A table of AWS's operations, made from a newer botocore [default: built in]
    #[arg(long, env = "CONTRAIL_OPERATIONS", value_name = "FILE")]
    operations: Option<String>,
}

/// Which setting a flag is, by the flag's id.
const VALUES: [(&str, &str); 9] = [
    ("host", "server.host"),
    ("port", "server.port"),
    ("data_dir", "server.data_dir"),
    ("era", "era"),
    ("account", "account"),
    ("upstream", "recorder.upstream"),
    ("operations", "recorder.operations"),
    ("log_level", "server.log_level"),
    ("log_format", "server.log_format"),
];

/// The same for flags without a value.
const SWITCHES: [(&str, &str); 2] = [("data_events", "recorder.data_events"), ("strict", "recorder.strict")];

/// The flags of a command line: before the command and behind it.
pub(super) struct Flags<'a> {
    /// The innermost first.
    levels: Vec<&'a ArgMatches>,
}

impl<'a> Flags<'a> {
    pub(super) fn of(matches: &'a ArgMatches) -> Flags<'a> {
        let mut levels = vec![matches];
        while let Some((_, below)) = levels[0].subcommand() {
            levels.insert(0, below);
        }
        Flags { levels }
    }

    /// All settings as these flags have them.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub(super) fn settings(&self) -> Result<Settings, SettingsError> {
        Settings::load(self.config().as_deref(), self.overrides())
    }

    /// The file of settings that is named.
    pub(super) fn config(&self) -> Option<PathBuf> {
        self.levels.iter().find_map(|level| level.get_one::<PathBuf>("config").cloned())
    }

    /// Single settings, from flags and from the environment variables that stand for them.
    pub(super) fn overrides(&self) -> Overrides {
        let values = VALUES.iter().filter_map(|&(id, key)| Some((key, self.value::<String>(id)?)));
        let switches = SWITCHES.iter().filter(|(id, _)| self.value::<bool>(id) == Some(true));
        values.chain(switches.map(|&(_, key)| (key, "true".to_owned()))).collect()
    }

    /// What is given on the command line wins over the environment, wherever on the command line it stands.
    fn value<T: Clone + Send + Sync + 'static>(&self, id: &str) -> Option<T> {
        let from = |source: ValueSource| {
            self.levels.iter().find_map(|level| {
                // A filter of the same name, as `--account` of `events`, is another type or does not have this id.
                let value = level.try_get_one::<T>(id).ok().flatten()?;
                (level.value_source(id) == Some(source)).then(|| value.clone())
            })
        };
        from(ValueSource::CommandLine).or_else(|| from(ValueSource::EnvVariable))
    }

    /// Where a setting comes from that a flag, or the variable of a flag, has set.
    pub(super) fn source(&self, key: &str) -> Option<&'static str> {
        let (id, _) = VALUES.iter().chain(&SWITCHES).find(|(_, known)| *known == key)?;
        let sources = || {
            self.levels.iter().filter_map(|level| {
                level.try_contains_id(id).ok().filter(|is_there| *is_there)?;
                level.value_source(id)
            })
        };
        match sources().any(|source| source == ValueSource::CommandLine) {
            true => Some("flag"),
            false => sources().any(|source| source == ValueSource::EnvVariable).then_some("environment"),
        }
    }
}
