//! What the documentation says is what is there: settings, operations, metrics, messages, links.

use contrail::api::{NOT_YET, OPERATIONS};
use contrail::config::DEFAULTS;
use contrail::metrics::{Metrics, TextFormat};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All pages, from the root.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(PathBuf::from).into();
    for file in fs::read_dir(root().join("docs")).unwrap() {
        let name = file.unwrap().file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            pages.push(Path::new("docs").join(name));
        }
    }
    pages.sort();
    assert!(pages.len() > 15, "{pages:?}");
    pages
}

/// What stands between backticks.
fn code(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A page without its blocks.
fn prose(page: &str) -> String {
    let mut is_block = false;
    let lines = page.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        !is_block && !is_fence
    });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings =
        page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn the_readme_is_short_and_names_every_page() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 150, "{} lines", readme.lines().count());
    let list = read("docs/README.md");
    for page in pages().iter().filter(|page| page.starts_with("docs")) {
        let name = page.file_name().unwrap().to_str().unwrap();
        if name != "README.md" {
            assert!(readme.contains(&format!("(docs/{name})")), "README.md does not name {name}");
            assert!(list.contains(&format!("({name})")), "docs/README.md does not name {name}");
        }
    }
}

#[test]
fn links_lead_to_pages_and_headings_that_are_there() {
    let mut seen = 0;
    for page in pages() {
        let text = prose(&read(page.to_str().unwrap()));
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            assert!(root().join(&target).exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let anchors = anchors(&prose(&read(target.to_str().unwrap())));
                assert!(anchors.contains(anchor), "{}: {link} is none of {anchors:?}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "links are not found any more: {seen}");
}

#[test]
fn the_table_of_the_api_has_every_operation() {
    let page = read("docs/api.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let name = |row: &&str| row.split('`').nth(1).unwrap().to_owned();
    let here: Vec<String> = rows.iter().map(name).collect();
    assert_eq!(here, OPERATIONS, "one row each, in this order");
    assert!(rows.iter().all(|row| row.contains("| yes")));
    assert_eq!(rows.iter().filter(|row| row.contains("yes, 2015")).count(), 8);
    for (subject, operations) in NOT_YET {
        let row = page.lines().find(|line| line.starts_with(&format!("| {subject} |"))).unwrap();
        assert_eq!(code(row), operations.iter().copied().collect(), "{subject}");
    }
    let readme = read("README.md");
    assert!(readme.contains(&format!("\n{} of CloudTrail's operations work", OPERATIONS.len())));
    for (subject, _) in NOT_YET {
        assert!(readme.contains(subject), "README.md does not say that there are no {subject}");
    }
}

/// A table for each section of `config/default.toml`, with its comments.
fn settings_tables() -> String {
    let (mut tables, mut section, mut is_open) = ("\n## General\n\n".to_owned(), String::new(), false);
    let mut comment = String::new();
    for line in DEFAULTS.lines() {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key =
            |key: &str| key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if let Some((key, value)) = bare.split_once(" = ").filter(|(key, _)| is_key(key)) {
            let (value, told) = value.split_once(" # ").unwrap_or((value, ""));
            let name = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            let value = match line == bare {
                true => format!("`{}`", value.trim()),
                false => format!("none, e.g. `{}`", value.trim()),
            };
            if !is_open {
                tables += "| setting | built in | what |\n|--|--|--|\n";
                is_open = true;
            }
            let text = std::mem::take(&mut comment) + told.trim();
            let text = if text.is_empty() { "as the line above" } else { text.trim() };
            tables += &format!("| `{name}` | {value} | {} |\n", text.replace('|', "\\|"));
        } else if let Some(name) = bare.strip_prefix('[').filter(|_| bare.ends_with(']')) {
            section = name.trim_matches(['[', ']']).to_owned();
            tables += &format!("\n## {}\n\n", section.replace('.', " "));
            let lead = std::mem::take(&mut comment);
            if !lead.is_empty() {
                tables += &format!("{}\n\n", lead.trim());
            }
            is_open = false;
        } else if let Some(text) = line.strip_prefix('#') {
            // The values of a setting, a line each.
            comment += if text.starts_with("   \"") { "<br>" } else { " " };
            comment += &text.split_whitespace().collect::<Vec<_>>().join(" ");
        } else {
            comment.clear();
        }
    }
    tables
}

#[test]
fn the_page_of_settings_is_made_from_the_built_in_ones() {
    let page = read("docs/configuration.md");
    let mark = "UPDATE_DOCS=1 cargo test --test it docs -->\n";
    let by_hand = &page[..page.find(mark).unwrap() + mark.len()];
    let made = format!("{by_hand}{}", settings_tables());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join("docs/configuration.md"), &made).unwrap();
    }
    assert!(
        read("docs/configuration.md") == made,
        "docs/configuration.md is old: UPDATE_DOCS=1 cargo test --test it docs"
    );
    assert!(made.matches("\n| `").count() > 50, "{made}");
}

#[test]
fn every_metric_is_described_and_no_other() {
    let page = read("docs/monitoring.md");
    let is_metric = |word: &&str| word.starts_with("contrail_") || word.starts_with("process_");
    let text = prose(&page);
    let told: BTreeSet<&str> =
        code(&text).into_iter().filter(is_metric).filter(|word| !word.contains(' ')).collect();
    let metrics = Metrics::default();
    metrics.describe("0", "2015", 0);
    let text = metrics.render(TextFormat::Plain).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split(' ').next().unwrap());
    for name in names {
        assert!(told.contains(name), "{name} is not in docs/monitoring.md");
    }
    // What has no member yet, as nothing was called, is not shown; it stands in the source all the same.
    let source: String =
        ["src/metrics.rs", "src/metrics/forwarded.rs", "src/metrics/machine.rs"].map(read).concat();
    for name in told {
        let bare = name.trim_start_matches("contrail_").trim_end_matches("_total");
        let registered = bare.trim_end_matches("_seconds");
        assert!(
            source.contains(&format!("\"{bare}\"")) || source.contains(&format!("\"{registered}\"")),
            "there is no {name}"
        );
    }
    for name in source.split("register(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')) {
        let name = name.split('"').next().unwrap();
        assert!(page.contains(name), "{name} is not in docs/monitoring.md");
    }
}

/// The string literals of a piece of code, with continued lines joined.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find('"') {
        let mut text = String::new();
        let mut chars = rest[start + 1..].char_indices();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = start + 1 + at + 1;
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, '\n')) => {
                        // A line that goes on: its indentation is no part of the text.
                        while chars.clone().next().is_some_and(|(_, c)| c.is_whitespace()) {
                            chars.next();
                        }
                    }
                    Some((_, c)) => text.push(c),
                    None => {}
                },
                c => text.push(c),
            }
        }
        found.push(text);
        rest = &rest[end.min(rest.len())..];
    }
    found
}

fn sources() -> Vec<String> {
    let (mut files, mut folders) = (Vec::new(), vec![root().join("src")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                None => folders.push(path),
                Some("rs") => files
                    .push(fs::read_to_string(path).unwrap().split("#[cfg(test)]").next().unwrap().to_owned()),
                Some(_) => {}
            }
        }
    }
    files
}

/// Each of them stands in a log, and a reader wonders what it means.
#[test]
fn every_warning_and_error_of_the_log_has_its_cause_and_cure() {
    let page = read("docs/troubleshooting.md");
    let mut seen = 0;
    for source in sources() {
        for kind in ["tracing::warn!(", "tracing::error!("] {
            for call in source.split(kind).skip(1) {
                let message = literals(call.split(");").next().unwrap()).pop().unwrap_or_default();
                // What stands in braces is another each time.
                let fixed = message.split('{').next().unwrap().trim_end();
                assert!(!fixed.is_empty(), "a message without words: {}", &call[..call.len().min(200)]);
                assert!(page.contains(fixed), "docs/troubleshooting.md lacks: {fixed}");
                seen += 1;
            }
        }
    }
    assert!(seen > 40, "messages are not found any more: {seen}");
}

#[test]
fn every_refusal_at_the_start_has_its_cause_and_cure() {
    let page = read("docs/troubleshooting.md");
    let mut seen = 0;
    for (file, kinds) in [
        ("src/server.rs", vec!["StartError"]),
        ("src/store/open.rs", vec!["OpenError"]),
        ("src/guard/tokens.rs", vec!["UnusableToken"]),
        ("src/aws/catalog/mod.rs", vec!["UnusableTable"]),
        ("src/transport/tls.rs", vec![]),
    ] {
        let text = read(file);
        for kind in kinds {
            let at = text.find(&format!(" {kind} {{")).unwrap();
            // The attribute of a struct stands above it, those of an enum within it.
            let body = &text[text[..at].rfind("#[derive").unwrap()..];
            let body = body.split("\n}\n").next().unwrap();
            for message in body.split("#[error(").skip(1) {
                let Some(message) = literals(message).into_iter().next() else { continue };
                let message = message.replace("{MIN_LENGTH}", "16");
                let message = message.split(": restore a copy of contrail.db").next().unwrap();
                for piece in
                    message.split(['{', '}']).step_by(2).map(str::trim).filter(|piece| piece.len() > 12)
                {
                    assert!(
                        page.contains(piece.trim_matches([':', ' '])),
                        "docs/troubleshooting.md lacks: {piece}"
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 15, "refusals are not found any more: {seen}");
}
