//! The command line: settings from flags, and the commands.

mod archive;
mod backup;
mod banner;
mod doctor;
mod events;
mod filters;
mod flags;
mod generated;
mod health;
mod import;
mod lines;
mod operate;
mod remote;
mod serve;
mod table;
mod tail;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use flags::{Behaviour, Flags, Place};
use std::error::Error;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Examples:
  contrail                                    serve on http://127.0.0.1:4700, keep everything in ./data
  contrail --era today --port 4701            today's CloudTrail, on another port
  contrail import logs/ --rebase now          import log files, as if they had just happened
  cat events.ndjson | contrail import -       import records from a pipe
  contrail health --wait 30s                  wait until a server answers
  contrail events --error --format ndjson     records of all calls that failed
  contrail tail --event-source s3.amazonaws.com

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
    place: Place,
    #[command(flatten)]
    behaviour: Behaviour,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (what happens without a command, too)
    Serve {
        #[command(flatten)]
        behaviour: Behaviour,
    },
    /// Import records from files, folders (*.json, *.ndjson, *.jsonl, also .gz) or, with -, from a pipe
    ///
    /// Records go into the server that holds the data folder, or straight into the folder when none runs. They may be
    /// NDJSON, a JSON array, CloudTrail's log files, or answers of lookup-events, packed or not. Records that are there already are ignored.
    Import(import::Import),
    /// Say whether a server answers; exit code 1 unless everything works
    Health(health::Health),
    /// Print a page about settings, data folder, server and environment, to read or to paste into a report
    ///
    /// Exit code 1 if something does not work. The page shows no secrets, and nothing is changed.
    Doctor(doctor::Doctor),
    /// Print what was recorded: a table of the newest events, whole records, or CSV
    ///
    /// A filter that is given twice takes either value; a ! in front leaves a value out; a * at the end takes all values
    /// that begin so.
    Events(events::Events),
    /// Print new events as they are recorded, until Ctrl-C
    ///
    /// A filter that is given twice takes either value; a ! in front leaves a value out; a * at the end takes all values
    /// that begin so.
    Tail(tail::Tail),
    /// Deliver everything that waits, now, and print the keys
    Flush(operate::Flush),
    /// Remove the trails and events of an account, or of all
    Reset(operate::Reset),
    /// Copy a data folder into one file, while its server runs
    ///
    /// The file holds the event history, the embedded buckets, tokens and the certificate, each database as it is at one
    /// moment. Keep it safe: it has the keys that sign digests.
    Backup(backup::Backup),
    /// Make a data folder from a backup, after checking it
    ///
    /// The folder must hold no database yet, and no server may use it.
    Restore(backup::Restore),
    /// Print a script that completes this command line in a shell
    Completions(generated::Completions),
    /// Print the manual page, or write one for each command into a folder
    Man(generated::Man),
}

/// A number of things, for people: `1 event`, `2 events`.
fn counted(number: impl Into<i128>, thing: &str) -> String {
    let number = number.into();
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// How a command ends.
type Ended = Result<ExitCode, Box<dyn Error>>;

/// Runs the command given on the command line. What goes wrong is one line on stderr and exit code 1.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(cli, &Flags::of(&matches)) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("contrail: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether an error means only that the reader has closed the pipe, as `head` does.
fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn run(cli: Cli, flags: &Flags<'_>) -> Ended {
    let settings = || flags.settings();
    match cli.command {
        None | Some(Command::Serve { .. }) => on_threads(serve::serve(settings()?)),
        Some(Command::Import(import)) => on_threads(import.run(settings()?)),
        Some(Command::Health(health)) => on_this_thread(health.run(settings()?)),
        Some(Command::Doctor(doctor)) => on_this_thread(doctor.run(flags)),
        Some(Command::Events(events)) => on_this_thread(events.run(settings()?)),
        Some(Command::Tail(tail)) => on_this_thread(tail.run(settings()?)),
        Some(Command::Flush(flush)) => on_this_thread(flush.run(settings()?)),
        Some(Command::Reset(reset)) => on_this_thread(reset.run(settings()?)),
        Some(Command::Backup(backup)) => on_this_thread(backup.run(settings()?)),
        Some(Command::Restore(restore)) => on_this_thread(restore.run(settings()?)),
        Some(Command::Completions(completions)) => completions.run(Cli::command()),
        Some(Command::Man(man)) => man.run(Cli::command()),
    }
}

/// Requests are answered on actix's threads and SQLite has its own; on this runtime run the writer, the workers and the
/// recorder of forwarded calls.
fn on_threads(command: impl Future<Output = Ended>) -> Ended {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(command)
}

/// For commands that ask a server something: a probe that runs every few seconds starts no threads.
fn on_this_thread(command: impl Future<Output = Ended>) -> Ended {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
