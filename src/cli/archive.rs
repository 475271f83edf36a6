//! The file of a backup: a tar archive of the files of a data folder, and a list of them at its end.
//!
//! Tar, so that it can be read without Contrail. The list comes last: an archive that was cut off has none.

use crate::private_files;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// The name of the list in the archive.
const LIST: &str = "backup.json";

/// Bytes of a list at most.
const MAX_LIST: u64 = 1024 * 1024;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contents {
    /// The version of Contrail that made it.
    pub(super) contrail: String,
    /// When, as ISO 8601.
    pub(super) made: String,
    /// Events in the database; missing for a database of an older version.
    pub(super) events: Option<i64>,
    /// Trails in the database.
    pub(super) trails: Option<i64>,
    pub(super) files: Vec<Entry>,
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    /// SHA-256, hexadecimal.
    pub(super) sha256: String,
}

/// Counts and hashes what passes.
struct Hashing<T> {
    inner: T,
    bytes: u64,
    hash: Sha256,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Hashing<T> {
        Hashing { inner, bytes: 0, hash: Sha256::new() }
    }

    fn entry(self, name: &str) -> Entry {
        let sha256 = crate::domain::text::hex(&self.hash.finalize());
        Entry { name: name.to_owned(), bytes: self.bytes, sha256 }
    }

    fn note(&mut self, passed: &[u8]) {
        self.bytes += passed.len() as u64;
        self.hash.update(passed);
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.note(&buffer[..n]);
        Ok(n)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.note(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// An archive that is being written.
pub(super) struct Writer {
    tar: tar::Builder<BufWriter<File>>,
    files: Vec<Entry>,
}

impl Writer {
    /// A new file at `path`, for its owner alone.
    pub(super) fn create(path: &Path) -> Result<Writer> {
        let file = private_files::options().write(true).create_new(true).open(path)?;
        Ok(Writer { tar: tar::Builder::new(BufWriter::new(file)), files: Vec::new() })
    }

    /// Adds a file under a name.
    pub(super) fn add(&mut self, name: &str, path: &Path) -> Result<()> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        // Exactly as many bytes as the head says: a file that grows meanwhile would make the archive unreadable.
        let mut from = Hashing::new(file.take(size));
        self.tar.append_data(&mut head(size), name, &mut from)?;
        if from.bytes != size {
            return Err(format!("{} has become shorter", path.display()).into());
        }
        self.files.push(from.entry(name));
        Ok(())
    }

    /// Writes the list and makes the archive durable. `contents` names no files yet.
    pub(super) fn finish(mut self, mut contents: Contents) -> Result<Contents> {
        contents.files = self.files;
        let list = serde_json::to_vec_pretty(&contents)?;
        self.tar.append_data(&mut head(list.len() as u64), LIST, list.as_slice())?;
        let file = self.tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(contents)
    }
}

/// Nothing of this machine: neither users nor times.
fn head(size: u64) -> tar::Header {
    let mut head = tar::Header::new_gnu();
    head.set_size(size);
    head.set_mode(0o600);
    head
}

/// Unpacks an archive into an empty folder, and checks that each file is what the list says.
///
/// # Errors
/// It is no backup, not whole, or holds a file whose name is not one of `names`.
pub(super) fn unpack(archive: &Path, folder: &Path, names: &[&str]) -> Result<Contents> {
    let mut tar = tar::Archive::new(BufReader::new(File::open(archive)?));
    let (mut found, mut list) = (Vec::new(), None);
    for entry in tar.entries()? {
        let entry = entry.map_err(|_| "it is not a backup, or it was cut off")?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if name == LIST {
            let mut text = String::new();
            entry.take(MAX_LIST).read_to_string(&mut text)?;
            list = Some(serde_json::from_str::<Contents>(&text)?);
            continue;
        }
        // A name from elsewhere could lead out of the folder.
        let known = names.iter().find(|known| **known == name);
        let known = known.ok_or_else(|| format!("{name:?} is no file of a data folder"))?;
        let file = private_files::options().write(true).create_new(true).open(folder.join(known))?;
        let (mut from, mut to) = (entry, Hashing::new(file));
        io::copy(&mut from, &mut to)?;
        to.inner.sync_all()?;
        found.push(to.entry(known));
    }
    let contents = list.ok_or("it was cut off: its list of files is missing")?;
    for file in &contents.files {
        if !found.contains(file) {
            return Err(format!("{} in it is damaged", file.name).into());
        }
    }
    if found.len() != contents.files.len() {
        return Err("it holds files that its list does not name".into());
    }
    fs::File::open(folder)?.sync_all()?;
    Ok(contents)
}
