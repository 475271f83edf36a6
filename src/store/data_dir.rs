//! The folder of the database, and the lock that lets one server at a time use it.

use crate::store::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// A data folder that this process alone uses; given back when it is dropped, also by a crash.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Makes the folder if need be and takes its lock.
    ///
    /// # Errors
    /// The folder cannot be made or written, or another server holds it (the error says where that one listens).
    pub fn lock(path: &Path) -> Result<DataDir, OpenError> {
        let unusable = |e: std::io::Error| OpenError::DataDir { path: path.to_owned(), cause: e };
        std::fs::create_dir_all(path).map_err(unusable)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join("contrail.lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
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

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join("contrail.db")
    }

    /// Where the embedded bucket store is.
    pub fn buckets(&self) -> PathBuf {
        self.path.join("buckets.db")
    }

    /// Writes into the lock file where this server listens, for `contrail import`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn announce(&mut self, address: &str) -> std::io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        writeln!(self.lock, "{address}")
    }
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
        drop(first);
        assert!(DataDir::lock(folder.path()).is_ok());
    }
}
