//! `contrail backup` and `contrail restore`: a data folder in one file, taken while its server runs.

use super::archive::{self, Contents, Entry};
use super::{Ended, counted};
use crate::buckets;
use crate::clock::Clock;
use crate::config::Settings;
use crate::database_file::{self, DatabaseKind, Depth};
use crate::domain::timestamp::iso;
use crate::private_files;
use crate::store::{self, BUCKETS, DATABASE, DataDir};
use clap::Args;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The databases in the order in which they are copied: an object that was put between the two copies is put again by a
/// restored server, under the same name; the other way round it would be missing.
const DATABASES: [&str; 2] = [DATABASE, BUCKETS];

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where to put it (a tar archive); a file that is there is replaced once the backup is whole
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let (folder, clock) = (&settings.server.data_dir, Clock::system());
        if !folder.join(DATABASE).exists() {
            return Err(format!("there is no data folder {}", folder.display()).into());
        }
        // Beside the file: what is made there must have room on the same disk.
        let beside = beside(&self.file);
        let scratch =
            scratch(beside).map_err(|error| format!("cannot write to {}: {error}", beside.display()))?;
        let archive = scratch.path().join("archive");
        let mut writer = archive::Writer::create(&archive)?;
        let (mut events, mut trails) = (None, None);
        for name in DATABASES.into_iter().filter(|name| folder.join(name).exists()) {
            let copy = scratch.path().join(name);
            private_files::touch(&copy)?;
            let copied = database_file::copy(&folder.join(name), &copy).await;
            copied.map_err(|error| format!("cannot copy {}: {error}", folder.join(name).display()))?;
            if name == DATABASE
                && let Ok((figures, _)) = store::figures(&copy).await
            {
                (events, trails) = (Some(figures.events), Some(figures.trails));
            }
            writer.add(name, &copy)?;
            fs::remove_file(&copy)?;
        }
        for name in DataDir::kept_files().filter(|name| folder.join(name).exists()) {
            writer.add(name, &folder.join(name))?;
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let made = iso(clock.now());
        let contents =
            writer.finish(Contents { contrail: version, made, events, trails, files: Vec::new() })?;
        fs::rename(&archive, &self.file)
            .map_err(|error| format!("cannot write {}: {error}", self.file.display()))?;
        File::open(beside)?.sync_all()?;
        println!("{} has {}", self.file.display(), described(&contents));
        Ok(ExitCode::SUCCESS)
    }
}

impl Restore {
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let path = &settings.server.data_dir;
        let folder = DataDir::lock(path)?;
        if let Some(name) = DATABASES.into_iter().find(|name| path.join(name).exists()) {
            return Err(format!(
                "{} is there already: move it away, or name another folder with --data-dir",
                path.join(name).display()
            )
            .into());
        }
        let scratch = scratch(path)?;
        let unusable = |why: &dyn std::fmt::Display| format!("cannot restore {}: {why}", self.file.display());
        let contents =
            archive::unpack(&self.file, scratch.path(), &names()).map_err(|error| unusable(&error))?;
        for Entry { name, .. } in &contents.files {
            let Some(kind) = kind(name) else { continue };
            let found = database_file::examine(&scratch.path().join(name), kind, Depth::Whole).await;
            if let Some(problem) = found.problems.first() {
                return Err(unusable(&format!("{name} in it cannot be used: {problem}")).into());
            }
        }
        if !contents.files.iter().any(|file| file.name == DATABASE) {
            return Err(unusable(&format!("it has no {DATABASE}")).into());
        }
        // The database last: a folder without one is no data folder yet, should this end before its end.
        for name in names().into_iter().rev() {
            if contents.files.iter().any(|file| file.name == name) {
                fs::rename(scratch.path().join(name), path.join(name))?;
            }
        }
        File::open(path)?.sync_all()?;
        drop(folder);
        println!("{} has {}", path.display(), described(&contents));
        Ok(ExitCode::SUCCESS)
    }
}

/// The files that a backup may hold, the database first.
fn names() -> Vec<&'static str> {
    DATABASES.into_iter().chain(DataDir::kept_files()).collect()
}

fn kind(name: &str) -> Option<DatabaseKind> {
    match name {
        DATABASE => Some(store::database_kind()),
        BUCKETS => Some(buckets::database_kind()),
        _ => None,
    }
}

/// The folder in which a file is.
fn beside(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A folder for what is not finished, removed at the end.
fn scratch(beside: &Path) -> std::io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(".contrail-").tempdir_in(beside)
}

/// What a backup holds, for people.
fn described(contents: &Contents) -> String {
    let bytes: u64 = contents.files.iter().map(|file| file.bytes).sum();
    let of = |number: Option<i64>, thing: &str| number.map(|number| counted(number, thing) + ", ");
    let what = [of(contents.events, "event"), of(contents.trails, "trail")];
    let what: String = what.into_iter().flatten().collect();
    let files = counted(contents.files.len() as u64, "file");
    format!("{what}{bytes} bytes in {files}, as of {}", contents.made)
}
