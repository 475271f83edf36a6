//! `contrail doctor`: one page that says whether this machine, these settings and this data folder work, to be read, or pasted
//! into a report. It changes nothing and shows no secrets.

mod checks;
mod settings;

use super::Ended;
use super::flags::{Behaviour, Flags};
use crate::clock::Clock;
use crate::database_file::Depth;
use crate::domain::timestamp::iso;
use checks::Checks;
use clap::Args;
use clap::builder::styling::{AnsiColor, Style};
use std::fmt;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

/// How long a database is looked at, unless all of it is to be.
const QUICK: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Read databases from end to end, however long that takes
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    _behaviour: Behaviour,
}

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    /// It may be meant so.
    Warning,
    /// It does not work.
    Fails,
}

/// A line of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    verdict: Verdict,
    /// What was looked at, in a word or two.
    subject: &'static str,
    text: String,
}

impl Finding {
    fn ok(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Ok, subject, text: text.into() }
    }

    fn warning(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Warning, subject, text: text.into() }
    }

    fn fails(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Fails, subject, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, style) = match self.verdict {
            Verdict::Ok => ("ok", Style::new()),
            Verdict::Warning => ("warning", AnsiColor::Yellow.on_default()),
            Verdict::Fails => ("FAILS", AnsiColor::Red.on_default().bold()),
        };
        write!(f, "  {style}{word:7}{style:#}  {:11}  {}", self.subject, self.text)
    }
}

impl Doctor {
    /// Exit code 1 if something does not work; warnings are no failures.
    pub(super) async fn run(self, flags: &Flags<'_>) -> Ended {
        let (mut out, clock) = (anstream::stdout(), Clock::system());
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        writeln!(out, "Contrail {} on {os} {arch}, {}\n", env!("CARGO_PKG_VERSION"), iso(clock.now()))?;
        let findings = match flags.settings() {
            Ok(settings) => {
                writeln!(out, "settings, but for those that are built in:")?;
                for line in settings::lines(&settings, flags) {
                    writeln!(out, "  {line}")?;
                }
                writeln!(out)?;
                let depth = if self.whole { Depth::Whole } else { Depth::Quick(QUICK) };
                Checks { settings: &settings, clock, depth }.all().await
            }
            Err(error) => vec![Finding::fails("settings", error.to_string())],
        };
        for finding in &findings {
            writeln!(out, "{finding}")?;
        }
        let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
        let (fail, warn) = (count(Verdict::Fails), count(Verdict::Warning));
        writeln!(out, "\n{fail} of {} checks fail, {warn} warn", findings.len())?;
        Ok(if fail == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
