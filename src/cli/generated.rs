//! What is made from the command line's own description: completions and manual pages.

use super::Ended;
use clap::{Args, Command};
use clap_complete::Shell;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The date of this version, as in CHANGELOG.md; the day of the build would make two builds of the same source differ.
const RELEASED: &str = "2026-11-30";

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, mut command: Command) -> Ended {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "contrail", &mut script);
        std::io::stdout().lock().write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// A folder for contrail.1 and a page for each command, contrail-serve.1 and so on
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self, mut command: Command) -> Ended {
        // Names of commands become `contrail-serve`, and their usage `contrail serve`.
        command.build();
        let Some(folder) = self.dir else {
            std::io::stdout().lock().write_all(&page(command)?)?;
            return Ok(ExitCode::SUCCESS);
        };
        std::fs::create_dir_all(&folder)?;
        let names = command.get_subcommands().map(|below| below.get_name().to_owned()).collect::<Vec<_>>();
        for name in names.iter().filter(|name| *name != "help") {
            let below = command.find_subcommand(name).cloned().unwrap_or_default();
            std::fs::write(folder.join(format!("contrail-{name}.1")), page(below)?)?;
        }
        std::fs::write(folder.join("contrail.1"), page(command)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A page in section 1, in the macros of `man`.
fn page(command: Command) -> std::io::Result<Vec<u8>> {
    let title = command.get_display_name().unwrap_or(command.get_name()).to_uppercase();
    let source = format!("contrail {}", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command).title(title).date(RELEASED).source(source).manual("Contrail");
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok(without_double_breaks(&String::from_utf8_lossy(&page)).into_bytes())
}

/// A page without the line breaks that stand beside an empty line: they mean nothing, and `mandoc -T lint` says so.
fn without_double_breaks(page: &str) -> String {
    let lines: Vec<_> = page.lines().collect();
    let is_space = |at: Option<usize>| at.and_then(|at| lines.get(at)).is_some_and(|line| line.is_empty());
    let is_double = |at: usize| lines[at] == ".br" && (is_space(at.checked_sub(1)) || is_space(Some(at + 1)));
    (0..lines.len()).filter(|at| !is_double(*at)).fold(String::new(), |page, at| page + lines[at] + "\n")
}
