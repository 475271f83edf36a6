//! Manual pages and completions: made from the command line, and right for the programs that read them.

use super::{Outcome, contrail, run, run_with_input};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The commands, as `contrail --help` lists them.
fn commands() -> Vec<String> {
    let help = printed(&["--help"]);
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // Names stand two spaces in; what continues a description further.
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

fn printed(args: &[&str]) -> String {
    let outcome = run(contrail(args));
    assert_eq!(outcome.code, Some(0), "{args:?}: {outcome:?}");
    outcome.stdout
}

/// Flags and environment variables that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = text.split(|c| !is_part(c)).map(|word| word.trim_end_matches('-'));
    let words = words.filter(|word| {
        let is_flag = word.strip_prefix("--").is_some_and(|name| !name.is_empty());
        is_flag || word.strip_prefix("CONTRAIL_").is_some_and(|name| !name.starts_with('_'))
    });
    words.map(str::to_owned).collect()
}

/// A page as text.
fn page(folder: &Path, name: &str) -> String {
    let roff = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    roff.replace("\\-", "-").replace("\\fB", "").replace("\\fI", "").replace("\\fR", "")
}

/// A program of this machine with something on its stdin; `None` if it is not there.
fn other(program: &str, args: &[&str], input: &[u8]) -> Option<Outcome> {
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!("skipped: there is no {program}");
        return None;
    }
    let mut command = Command::new(program);
    command.args(args);
    Some(run_with_input(command, input))
}

#[test]
fn every_command_has_a_page_with_every_flag_and_variable_of_its_help() {
    let folder = tempfile::tempdir().unwrap();
    printed(&["man", "--dir", folder.path().to_str().unwrap()]);
    let commands = commands();
    assert!(commands.len() > 5, "{commands:?}");
    let whole = printed(&["--help"]);
    let mut pages = vec![("contrail.1".to_owned(), whole)];
    for command in commands {
        pages.push((format!("contrail-{command}.1"), printed(&[&command, "--help"])));
    }
    for (name, help) in &pages {
        let page = named(&page(folder.path(), name));
        let missing: Vec<_> = named(help).into_iter().filter(|word| !page.contains(word)).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), pages.len(), "pages of no command");
    assert_eq!(printed(&["man"]), std::fs::read_to_string(folder.path().join("contrail.1")).unwrap());
}

#[test]
fn the_documentation_has_every_command_flag_and_variable() {
    let read = |page: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).unwrap()
    };
    let (page, settings) = (read("commands.md"), read("configuration.md"));
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `contrail")).collect();
    let told: BTreeSet<&str> = rows.iter().flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    let commands = commands();
    for command in &commands {
        assert!(told.contains(format!("contrail {command}").as_str()), "docs/commands.md lacks {command}");
    }
    assert_eq!(rows.len(), commands.len(), "docs/commands.md has commands that are not there");
    for word in named(&printed(&["--help"])) {
        let is_of_all =
            ["--help", "--version", "--error", "--format", "--rebase", "--wait", "--event-source"];
        assert!(
            is_of_all.contains(&word.as_str()) || settings.contains(&format!("`{word}`")),
            "docs/configuration.md lacks {word}"
        );
    }
}

#[test]
fn mandoc_has_nothing_to_say_against_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    printed(&["man", "--dir", folder.path().to_str().unwrap()]);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let page = std::fs::read(file.unwrap().path()).unwrap();
        let Some(outcome) = other("mandoc", &["-T", "lint", "-W", "warning"], &page) else { return };
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
        assert_eq!(outcome.code, Some(0));
    }
}

#[test]
fn shells_can_read_their_completions_and_values_are_among_them() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell]);
        for word in ["today", "ndjson", "event-name"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        let Some(outcome) = other(shell, &["-n", "/dev/stdin"], script.as_bytes()) else { continue };
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{shell}");
    }
}

#[test]
fn pages_bear_the_date_of_the_newest_entry_in_the_changelog() {
    let changelog = Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md");
    let changelog = std::fs::read_to_string(changelog).unwrap();
    let mut entries = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let entry = entries.find(|entry| *entry != "Unreleased").unwrap();
    let (version, date) = entry.split_once(", ").unwrap();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let title = format!(".TH CONTRAIL 1 {date} \"contrail {version}\" Contrail\n");
    let page = printed(&["man"]);
    assert!(page.contains(&title), "{title} is not in {page}");
}
