//! Files and folders that only their owner may read: the history, buckets, and the keys beside them.
//!
//! Modes are set per file. The process's umask, which could do it for all at once, is not ours alone: servers also run
//! inside of tests. Where files have no modes (Windows) nothing is done.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The bits of a mode that are about users other than the owner.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Options that make a file for its owner alone. One that is there keeps its mode.
pub fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes an empty file, unless there is one.
///
/// # Errors
/// It cannot be made.
pub fn touch(path: &Path) -> io::Result<()> {
    let made: io::Result<File> = options().write(true).create_new(true).open(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder for its owner alone, and those above it as usual. One that is there is left as it is.
///
/// # Errors
/// It cannot be made, or is no folder.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        fs::create_dir_all(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Takes away what other users may do with files and folders from before; those that are not there are passed over.
/// Returns which were changed.
///
/// # Errors
/// The mode of one cannot be changed: it belongs to another user.
pub fn close<'a>(paths: impl IntoIterator<Item = &'a Path>) -> io::Result<Vec<PathBuf>> {
    let mut closed = Vec::new();
    #[cfg(unix)]
    for path in paths {
        use std::os::unix::fs::PermissionsExt;
        let Ok(metadata) = fs::metadata(path) else { continue };
        let mode = metadata.permissions().mode();
        if mode & OTHERS != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(mode & !OTHERS))?;
            closed.push(path.to_owned());
        }
    }
    #[cfg(not(unix))]
    drop(paths);
    Ok(closed)
}
