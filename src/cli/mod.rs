//! The command line: settings from flags, and the commands.

mod banner;
mod import;
mod remote;
mod serve;

use crate::config::{Overrides, Settings};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  contrail                                    serve on http://127.0.0.1:4700, keep everything in ./data
  contrail --era today --port 4701            today's CloudTrail, on another port
  contrail import logs/ --rebase now          import log files, as if they had just happened
  cat events.ndjson | contrail import -       import records from a pipe

Every setting has a comment in config/default.toml and can be set in a file (--config), as
CONTRAIL__SECTION__KEY in the environment, and, where there is one, by a flag. Flags win.";

/// AWS CloudTrail for a sandbox: one binary on one SQLite file.
///
/// Answers CloudTrail's API for the AWS CLI, SDKs and tools that are pointed at it, records the calls, and keeps trails
/// and events over restarts.
#[derive(Debug, Parser)]
#[command(name = "contrail", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (what happens without a command, too)
    Serve,
    /// Import records from files, folders (*.json, *.ndjson, *.jsonl, also .gz) or, with -, from a pipe
    ///
    /// Records go into the server that holds the data folder, or straight into the folder when none runs. They may be
    /// NDJSON, a JSON array, CloudTrail's log files, or answers of lookup-events, packed or not. Records that are there already are ignored.
    Import(import::Import),
}

/// Settings that have a flag. What is not given comes from the file, the environment, or the built-in settings.
#[derive(Debug, Args)]
struct Flags {
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
    /// Which CloudTrail is documented behaviour: 2015 or today [default: 2015]
    #[arg(long, global = true, env = "CONTRAIL_ERA")]
    era: Option<String>,
    /// Account of callers whose access key is no account and not configured [default: 000000000000]
    #[arg(long, global = true, env = "CONTRAIL_ACCOUNT", value_name = "12 DIGITS")]
    account: Option<String>,
    /// An emulator to stand in front of, http://127.0.0.1:4566; its calls are recorded [default: none]
    #[arg(long, global = true, env = "CONTRAIL_UPSTREAM", value_name = "URL")]
    upstream: Option<String>,
    /// Record all data events, not only those that a trail takes
    #[arg(long, global = true, env = "CONTRAIL_DATA_EVENTS")]
    data_events: bool,
    /// Refuse calls for whose records there is no room, before they are forwarded
    #[arg(long, global = true, env = "CONTRAIL_STRICT")]
    strict: bool,
    /// A table of AWS's operations, made from a newer botocore [default: built in]
    #[arg(long, global = true, env = "CONTRAIL_OPERATIONS", value_name = "FILE")]
    operations: Option<String>,
    /// What is logged: error, warn, info, debug, trace, or per module [default: info,actix_server=warn]
    #[arg(long, global = true, env = "CONTRAIL_LOG_LEVEL", value_name = "LEVEL")]
    log_level: Option<String>,
    /// How it is logged: human, json, or auto (human on a terminal) [default: auto]
    #[arg(long, global = true, env = "CONTRAIL_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Flags {
    fn overrides(&self) -> Overrides {
        let given = [
            ("server.host", &self.host),
            ("server.port", &self.port),
            ("server.data_dir", &self.data_dir),
            ("era", &self.era),
            ("account", &self.account),
            ("recorder.upstream", &self.upstream),
            ("recorder.operations", &self.operations),
            ("server.log_level", &self.log_level),
            ("server.log_format", &self.log_format),
        ];
        let switched_on = [("recorder.data_events", self.data_events), ("recorder.strict", self.strict)];
        let given = given.into_iter().filter_map(|(key, value)| value.clone().map(|value| (key, value)));
        given
            .chain(switched_on.into_iter().filter(|(_, on)| *on).map(|(key, _)| (key, "true".into())))
            .collect()
    }
}

/// Runs the command given on the command line. What goes wrong is one line on stderr and exit code 1.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("contrail: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let settings = Settings::load(cli.flags.config.as_deref(), cli.flags.overrides())?;
    // Requests are answered on actix's threads and SQLite has its own; on this runtime run the writer, the workers and
    // the recorder of forwarded calls.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match cli.command {
        None | Some(Command::Serve) => runtime.block_on(serve::serve(settings)),
        Some(Command::Import(command)) => runtime.block_on(command.run(settings)),
    }
}
