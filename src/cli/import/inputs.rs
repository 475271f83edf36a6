//! What `contrail import` reads: files, all that hold records below a folder, stdin. Each is opened when its turn comes, as
//! there may be more of them than a process may have open.

use crate::recorder::intake::{IntakeOptions, Newest};
use std::collections::HashSet;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

/// Something to read, perhaps twice.
#[derive(Debug)]
pub(super) struct Input {
    from: From,
    /// Bytes.
    size: u64,
}

#[derive(Debug)]
enum From {
    File(PathBuf),
    /// What can be read once only, on disk.
    Kept {
        name: String,
        file: File,
    },
}

impl Input {
    /// What people know it by.
    pub(super) fn name(&self) -> String {
        match &self.from {
            From::File(path) => path.display().to_string(),
            From::Kept { name, .. } => name.clone(),
        }
    }

    /// Bytes, as of the moment when it was found.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// # Errors
    /// It cannot be read.
    pub(super) fn open(&self) -> io::Result<File> {
        match &self.from {
            From::File(path) => File::open(path),
            From::Kept { file, .. } => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                Ok(file)
            }
        }
    }

    fn keep(name: String, mut from: impl Read) -> io::Result<Input> {
        let mut file = tempfile::tempfile()?;
        let size = io::copy(&mut from, &mut file)?;
        Ok(Input { from: From::Kept { name, file }, size })
    }
}

/// Everything that is named by `paths`.
///
/// # Errors
/// One of them, or a folder below it, is not there or cannot be read.
pub(super) fn all(paths: &[PathBuf]) -> Result<Vec<Input>, Box<dyn Error>> {
    let mut inputs = Vec::new();
    for path in paths {
        let wrong = |error: io::Error| format!("cannot read {}: {error}", path.display());
        if path.as_os_str() == "-" {
            inputs.push(Input::keep("stdin".to_owned(), io::stdin().lock())?);
            continue;
        }
        let metadata = fs::metadata(path).map_err(wrong)?;
        if metadata.is_dir() {
            let mut found = Vec::new();
            find_files(path, &mut found, &mut HashSet::new()).map_err(wrong)?;
            found.sort_by(|(one, _), (other, _)| one.cmp(other));
            inputs.extend(found.into_iter().map(|(path, size)| Input { from: From::File(path), size }));
        } else if metadata.is_file() {
            // Nothing is imported if one of those that are named cannot be read.
            File::open(path).map_err(wrong)?;
            inputs.push(Input { from: From::File(path.clone()), size: metadata.len() });
        } else {
            // A pipe, as shells make them of `<(zcat …)`.
            let pipe = File::open(path).map_err(wrong)?;
            inputs.push(Input::keep(path.display().to_string(), pipe)?);
        }
    }
    Ok(inputs)
}

/// Files that can hold records, with their sizes, in a folder and all below it. Digest files hold none. Pipes and devices,
/// which may have no end, are passed over, and so is a folder that was seen already: a link may lead back up.
fn find_files(folder: &Path, found: &mut Vec<(PathBuf, u64)>, seen: &mut HashSet<PathBuf>) -> io::Result<()> {
    if !seen.insert(folder.canonicalize()?) {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Of a link, what it leads to; of one that leads nowhere nothing.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            if !path.ends_with("CloudTrail-Digest") {
                find_files(&path, found, seen)?;
            }
            continue;
        }
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        let holds_records = [".json", ".ndjson", ".jsonl"].iter().any(|ending| name.ends_with(ending));
        match holds_records {
            true if metadata.is_file() => found.push((path, metadata.len())),
            true => eprintln!("{} is no file; it is left out", path.display()),
            false => {}
        }
    }
    Ok(())
}

/// The newest time in all inputs, seconds since 1970.
///
/// # Errors
/// One cannot be read.
pub(super) fn newest(inputs: &[Input], options: &IntakeOptions) -> io::Result<Option<i64>> {
    let mut newest = None;
    let mut chunk = vec![0; 64 * 1024];
    for input in inputs {
        let mut search = Newest::new(options);
        let mut file = input.open()?;
        loop {
            match file.read(&mut chunk)? {
                0 => break,
                n => search.push(&chunk[..n]),
            }
        }
        newest = newest.max(search.finish());
    }
    Ok(newest)
}
