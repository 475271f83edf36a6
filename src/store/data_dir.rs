//! The folder of the database, and the lock that lets one server at a time use it.

use crate::private_files;
use crate::store::OpenError;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file of the database in a data folder.
pub const DATABASE: &str = "contrail.db";

/// The file of the embedded bucket store in a data folder.
pub const BUCKETS: &str = "buckets.db";

/// The file that the server which uses a data folder has locked, with its address.
const LOCK: &str = "contrail.lock";

/// How often, and how long after each other, a lock is tried: a look for the server of a folder ([`DataDir::holder`]) takes it
/// for an instant.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(10);

/// The databases in a data folder, and what SQLite appends to their names.
const DATABASES: [&str; 2] = [DATABASE, BUCKETS];
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// What else stands there that other users may not read, beside the lock.
const PRIVATE_FILES: [&str; 3] = ["admin.token", "read.token", "tls.key"];

/// What they may read where the folder lets them.
const PUBLIC_FILES: [&str; 1] = ["tls.crt"];

/// A data folder that this process alone uses; given back when it is dropped, also by a crash.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the folder if need be, for its owner alone, and takes its lock.
    ///
    /// # Errors
    /// The folder cannot be made or written, or another server holds it (the error says where that one listens).
    pub fn lock(path: &Path) -> Result<DataDir, OpenError> {
        let unusable = |cause| unusable(path, cause);
        private_files::make_folder(path).map_err(unusable)?;
        let mut lock = private_files::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        let mut locked = lock.try_lock();
        for _ in 1..TRIES {
            if matches!(locked, Err(TryLockError::WouldBlock)) {
                std::thread::sleep(PAUSE);
                locked = lock.try_lock();
            }
        }
        match locked {
            Ok(()) => Ok(DataDir { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => {
                let mut address = String::new();
                // The address is a courtesy; without it the message is still right.
                let _ = lock.read_to_string(&mut address);
                Err(OpenError::InUse { path: path.to_owned(), address: address.trim().to_owned() })
            }
            Err(TryLockError::Error(e)) => Err(unusable(e)),
        }
    }

    /// Whether a folder that is there can be written; leaves nothing in it.
    ///
    /// # Errors
    /// It cannot, with what to do about it.
    pub fn check(path: &Path) -> Result<(), OpenError> {
        tempfile::tempfile_in(path).map(drop).map_err(|cause| unusable(path, cause))
    }

    /// Where the server listens that holds a folder; empty if it has not said so yet, `None` if there is no such server. Changes
    /// nothing.
    pub fn holder(path: &Path) -> Option<String> {
        let mut lock = File::open(path.join(LOCK)).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                let mut address = String::new();
                // What cannot be read says as little as what is not there.
                let _ = lock.read_to_string(&mut address);
                Some(address.trim().to_owned())
            }
            _ => None,
        }
    }

    /// The error of what cannot be done in it.
    pub(super) fn unusable(&self, cause: io::Error) -> OpenError {
        unusable(&self.path, cause)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the files that a backup holds beside the databases: tokens, and the certificate with its key.
    pub fn kept_files() -> impl Iterator<Item = &'static str> {
        PRIVATE_FILES.into_iter().chain(PUBLIC_FILES)
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where the embedded bucket store is.
    pub fn buckets(&self) -> PathBuf {
        self.path.join(BUCKETS)
    }

    /// Takes away what other users may do with the folder and its files, which older servers let them read. A folder in which
    /// other things stand as well, such as a project's, keeps its mode.
    pub(crate) fn close_to_others(&self) {
        let databases = DATABASES.iter().flat_map(|name| BESIDE.map(|end| format!("{name}{end}")));
        let names = databases.chain([LOCK].into_iter().chain(PRIVATE_FILES).map(str::to_owned));
        let mut paths: Vec<PathBuf> = names.map(|name| self.path.join(name)).collect();
        if self.holds_only_ours(&paths) {
            paths.push(self.path.clone());
        }
        match private_files::close(paths.iter().map(PathBuf::as_path)) {
            Ok(closed) if closed.is_empty() => {}
            Ok(closed) => {
                let closed: Vec<_> = closed.iter().map(|path| path.display().to_string()).collect();
                tracing::info!(closed = closed.join(", "), "other users can no longer read the data folder");
            }
            Err(error) => {
                let path = self.path.display();
                tracing::warn!(%path, %error, "the data folder cannot be closed to other users");
            }
        }
    }

    fn holds_only_ours(&self, ours: &[PathBuf]) -> bool {
        let is_ours = |path: &Path| {
            ours.iter().any(|known| known == path)
                || PUBLIC_FILES.iter().any(|name| self.path.join(name) == path)
        };
        let entries = std::fs::read_dir(&self.path);
        entries.is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| is_ours(&entry.path()))))
    }

    /// Writes into the lock file where this server listens, for `contrail import`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&mut self, address: &str) -> io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        writeln!(self.lock, "{address}")
    }
}

fn unusable(path: &Path, cause: io::Error) -> OpenError {
    OpenError::DataDir { path: path.to_owned(), advice: advice(path, &cause), cause }
}

/// What to do about a folder that this user may not write, to be said behind the cause; empty for other causes.
fn advice(path: &Path, cause: &io::Error) -> String {
    #[cfg(unix)]
    if cause.kind() == io::ErrorKind::PermissionDenied {
        use std::os::unix::fs::MetadataExt;
        let user = rustix::process::geteuid().as_raw();
        return match std::fs::metadata(path) {
            Ok(folder) if folder.uid() == user => {
                format!("; it belongs to user {user}, who runs this: chmod u+rwx {}", path.display())
            }
            Ok(folder) => format!(
                "; it belongs to user {}, and this runs as user {user}: chown -R {user} {}, or name another folder with \
                 --data-dir",
                folder.uid(),
                path.display()
            ),
            Err(_) => format!(
                "; user {user}, who runs this, cannot make it there: make it and chown it to {user}, or name another \
                 folder with --data-dir"
            ),
        };
    }
    let _ = (path, cause);
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_learns_where_the_first_one_listens() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = DataDir::lock(folder.path()).unwrap();
        first.announce("http://127.0.0.1:4700").unwrap();
        let Err(OpenError::InUse { address, .. }) = DataDir::lock(folder.path()) else {
            panic!("not refused")
        };
        assert_eq!(address, "http://127.0.0.1:4700");
        assert_eq!(DataDir::holder(folder.path()).as_deref(), Some("http://127.0.0.1:4700"));
        drop(first);
        assert_eq!(DataDir::holder(folder.path()), None, "what it wrote is still there");
        assert!(DataDir::lock(folder.path()).is_ok());
    }
}
