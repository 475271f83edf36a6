//! The rules of the house, checked: floors import only downward, no file outgrows its room, the table of operations is
//! the folder of operations, and what the map in CONTRIBUTING.md names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rooms of each floor as the table in `src/lib.rs` has them, highest floor first.
fn floors() -> Vec<Vec<String>> {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.filter(|row| row.starts_with(|c: char| c.is_ascii_digit()));
    let rooms =
        |row: &str| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2).map(str::to_owned).collect();
    rows.map(rooms).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The modules of the crate that a file names, as `crate::name` or in `use crate::{name, …}`.
fn imports(text: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for part in text.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            None => {
                found.insert(part.chars().take_while(|c| is_word(*c)).collect());
            }
            Some(group) => {
                let (mut depth, mut word) = (0, String::new());
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            found.insert(
                                std::mem::take(&mut word).split("::").next().unwrap().trim().to_owned(),
                            );
                        }
                        c if depth == 0 => word.push(c),
                        _ => {}
                    }
                }
                found.insert(word.split("::").next().unwrap().trim().to_owned());
            }
        }
    }
    found
}

#[test]
fn imports_point_down() {
    let floors = floors();
    assert!(floors.len() > 5, "src/lib.rs has no map any more");
    // The smaller, the higher.
    let floor = |module: &str| floors.iter().position(|rooms| rooms.iter().any(|room| room == module));
    let src = root().join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in rust_files(&src) {
        let path = file.strip_prefix(&src).unwrap().to_string_lossy().replace(".rs", "");
        let module = path.split('/').next().unwrap();
        if matches!(module, "lib" | "main") {
            continue;
        }
        let own = floor(module).unwrap_or_else(|| panic!("src/{path}.rs stands on no floor"));
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            if import != module && floor(&import).is_some_and(|other| other <= own) {
                wrong.push(format!("src/{path}.rs imports {import}"));
            }
            seen += 1;
        }
    }
    assert!(seen > 50, "the search for imports finds nothing any more");
    assert!(wrong.is_empty(), "imports that point up or sideways: {wrong:#?}");
}

#[test]
fn the_files_of_a_room_import_each_other_in_no_circle() {
    for room in ["domain", "aws"] {
        assert_no_circle(room);
    }
}

fn assert_no_circle(room: &str) {
    let folder = root().join("src").join(room);
    let prefix = format!("crate::{room}::");
    // `selectors::basic` for selectors/basic.rs, `selectors` for selectors/mod.rs.
    let files: BTreeMap<String, PathBuf> = rust_files(&folder)
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(&folder).unwrap().with_extension("");
            let path = path.to_string_lossy().replace('/', "::");
            (path.strip_suffix("::mod").unwrap_or(&path).to_owned(), file)
        })
        .collect();
    let mut imports = BTreeMap::new();
    for (name, file) in &files {
        let text = fs::read_to_string(file).unwrap();
        let (code, tests) = match name.ends_with("tests") {
            true => ("", text.as_str()),
            false => text.split_once("#[cfg(test)]").unwrap_or((&text, "")),
        };
        let mut found = children_used(name, code, files.keys());
        let parent = name.rsplit_once("::").map_or(String::new(), |(parent, _)| format!("{parent}::"));
        // In tests it is the file itself that stands above.
        let text = code.replace("super::", &format!("{prefix}{parent}")) + tests;
        for rest in text.split(prefix.as_str()).skip(1) {
            let path: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect();
            let is_inside = |file: &&String| path == **file || path.starts_with(&format!("{file}::"));
            let file = files.keys().filter(is_inside).max_by_key(|file| file.len());
            found.extend(file.cloned());
            assert!(file.is_some(), "{name} imports several of {room} in one line, which is not followed");
        }
        imports.insert(name.clone(), found);
    }
    // What imports nothing any more is taken away, until nothing is left but circles.
    while let Some(name) = imports.iter().find(|(_, found)| found.is_empty()).map(|(name, _)| name.clone()) {
        imports.remove(&name);
        for found in imports.values_mut() {
            found.remove(&name);
        }
    }
    assert!(imports.is_empty(), "{imports:#?}");
}

/// The files below a `mod.rs` that it names without the way from the root: `search::Search`.
fn children_used<'a>(name: &str, text: &str, files: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    let is_used = |child: &str| {
        text.match_indices(&format!("{child}::")).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            before.is_none_or(|c| !c.is_alphanumeric() && !"_:".contains(c))
        })
    };
    let child = |file: &String| file.strip_prefix(name)?.strip_prefix("::").map(str::to_owned);
    let used = files.filter(|file| child(file).is_some_and(|child| is_used(&child)));
    used.cloned().collect()
}

#[test]
fn lower_floors_do_not_know_what_is_above_them() {
    for (folder, words) in [
        ("src/domain", &["sqlx", "actix"][..]),
        ("src/store", &["actix"]),
        ("src/aws", &["actix", "actix_web", "sqlx", "hyper"]),
        ("src/recorder", &["actix", "sqlx"]),
        ("src/api", &["actix", "sqlx"]),
        ("src/outbound", &["actix", "sqlx"]),
        ("src/delivery", &["actix", "sqlx"]),
        ("src/http", &["sqlx"]),
        ("src/console", &["sqlx"]),
    ] {
        for file in rust_files(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            for word in words {
                assert!(!text.contains(&format!("{word}::")), "{} knows {word}", file.display());
            }
        }
    }
}

#[test]
fn what_a_request_says_is_read_and_errors_are_written_in_one_room() {
    let words = ["Credential=", "X-Amz-Signature", "X-Amz-Credential", "AWSAccessKeyId", "<Error>"];
    let src = root().join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let path = file.strip_prefix(&src).unwrap();
        if path.starts_with("aws") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let found = words.iter().filter(|word| code.contains(**word));
        wrong.extend(found.map(|word| format!("src/{} has {word}", path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_outgrows_its_room() {
    for folder in ["src", "tests", "benches"] {
        for file in rust_files(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 500, "{} has {lines} lines", file.display());
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let is_tests = file.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("_tests"));
        assert!(is_tests || text.starts_with("//!"), "{} does not begin with //!", file.display());
    }
}

#[test]
fn an_operation_is_one_file_and_one_line_in_the_table() {
    let snake = |name: &&str| {
        let mut out = String::new();
        for (i, c) in name.chars().enumerate() {
            if c.is_uppercase() && i > 0 {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
        }
        out
    };
    let table: BTreeSet<String> = contrail::api::OPERATIONS.iter().map(snake).collect();
    let folder: BTreeSet<String> = rust_files(&root().join("src/api/ops"))
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "mod")
        .collect();
    assert_eq!(table, folder);
}

#[test]
fn the_files_that_the_map_names_are_there() {
    let map = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let mut named = 0;
    for word in map.split(|c: char| c.is_whitespace() || "`()|,;".contains(c)) {
        let word = word.trim_end_matches(['.', ':']);
        if ["src/", "tests/", "migrations/", "config/", "benches/"]
            .iter()
            .any(|start| word.starts_with(start))
        {
            named += 1;
            assert!(root().join(word).exists(), "CONTRIBUTING.md names {word}, which is not there");
        }
    }
    assert!(named >= 8, "CONTRIBUTING.md has no map any more");
}

/// Its time to use a key tells something of it (RUSTSEC-2023-0071).
#[test]
fn the_crate_that_makes_rsa_keys_does_not_sign_with_them() {
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        for name in ["Pkcs1v15Sign", "DecodePrivateKey", "pkcs1v15::"] {
            assert!(!text.contains(name), "{} has {name}", file.display());
        }
    }
}
