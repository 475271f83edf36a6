//! Bodies that are collected before they are forwarded, because their signature or what they name is looked at: short ones
//! in memory, others on disk, in the data folder. Memory is used for a long one only while it is looked at, and never at
//! the pace of its sender.

use super::{Broken, refusal};
use crate::error::ApiError;
use crate::transport::limits::neighbourhood;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::collections::HashMap;
use std::future::Future;
use std::io::{self, Read, Seek, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

/// The longest body; the largest that a service other than S3 takes is a Lambda package in Base64.
const MAX_BODY: usize = 80 * 1024 * 1024;

/// A body that grows beyond this goes to disk.
const MAX_IN_MEMORY: usize = 1024 * 1024;

/// What the bodies in memory may take together; what is more goes to disk earlier.
const ALL_IN_MEMORY: usize = 64 * 1024 * 1024;

/// What the bodies on disk may take together, and those of one peer.
const ALL_ON_DISK: usize = 4 * 1024 * 1024 * 1024;
const ON_DISK_OF_PEER: usize = 1024 * 1024 * 1024;

/// Long bodies that are looked at in memory at the same time.
const LOOKED_AT: usize = 2;

/// How long a body may take to arrive, however steadily it comes. 80 MB take so long at 280 KB a second.
const LONGEST: Duration = Duration::from_secs(300);

/// Bytes written to disk, or read from it, in one go.
const PIECE: usize = 256 * 1024;

/// Collects bodies, cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Collector {
    /// Where long bodies are kept.
    folder: Arc<PathBuf>,
    /// The longest pause in a body.
    longest_pause: Duration,
    used: Arc<Mutex<Used>>,
    looked_at: Arc<Semaphore>,
}

/// Bytes that are in use.
#[derive(Debug, Default)]
struct Used {
    memory: usize,
    disk: usize,
    disk_of_peers: HashMap<IpAddr, usize>,
}

/// What a body takes, given back when it is dropped.
#[derive(Debug)]
struct Room {
    used: Arc<Mutex<Used>>,
    peer: IpAddr,
    memory: usize,
    disk: usize,
}

/// A body that is here as a whole.
#[derive(Debug)]
pub(super) struct Collected {
    kept: Kept,
    length: usize,
    looked_at: Arc<Semaphore>,
    room: Room,
}

#[derive(Debug)]
enum Kept {
    Memory(Bytes),
    Disk(std::fs::File),
}

/// A body in memory, as long as it is looked at.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Collector {
    /// Nothing is collected yet; long bodies are kept in `folder`.
    pub(super) fn new(folder: PathBuf, longest_pause: Duration) -> Collector {
        let looked_at = Arc::new(Semaphore::new(LOOKED_AT));
        Collector { folder: Arc::new(folder), longest_pause, used: Arc::default(), looked_at }
    }

    /// The whole body of a request of `peer`; `None` if it is not known who that is.
    ///
    /// # Errors
    /// It does not arrive, is too large, or there is no room for it.
    pub(super) async fn collect(&self, body: Incoming, peer: Option<IpAddr>) -> Result<Collected, ApiError> {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), neighbourhood);
        let collected = tokio::time::timeout(LONGEST, self.read(body, peer)).await;
        collected.map_err(|_| refusal::timeout())?
    }

    async fn read(&self, mut body: Incoming, peer: IpAddr) -> Result<Collected, ApiError> {
        let mut room = Room { used: Arc::clone(&self.used), peer, memory: 0, disk: 0 };
        let (mut start, mut length, mut file) = (BytesMut::new(), 0, None);
        loop {
            let frame = tokio::time::timeout(self.longest_pause, body.frame()).await;
            let frame = match frame.map_err(|_| refusal::timeout())? {
                None => break,
                Some(frame) => frame.map_err(|_| refusal::timeout())?,
            };
            let Ok(data) = frame.into_data() else { continue };
            length += data.len();
            if length > MAX_BODY {
                return Err(refusal::too_large(MAX_BODY));
            }
            start.extend_from_slice(&data);
            let stays = file.is_none() && length <= MAX_IN_MEMORY && room.take_memory(data.len());
            // On disk in pieces of some size: each is another thread's work.
            if !stays && (file.is_none() || start.len() >= PIECE) {
                file = Some(self.append(file, start.split(), &mut room).await?);
            }
        }
        let kept = match file {
            None => Kept::Memory(start.freeze()),
            Some(file) => Kept::Disk(self.append(Some(file), start, &mut room).await?),
        };
        Ok(Collected { kept, length, looked_at: Arc::clone(&self.looked_at), room })
    }

    /// Writes a piece to the end of the file, which is made if there is none.
    async fn append(
        &self,
        file: Option<std::fs::File>,
        piece: BytesMut,
        room: &mut Room,
    ) -> Result<std::fs::File, ApiError> {
        if !room.take_disk(piece.len()) {
            return Err(refusal::no_room());
        }
        let folder = Arc::clone(&self.folder);
        let written = tokio::task::spawn_blocking(move || {
            let mut file = match file {
                Some(file) => file,
                // Without a name: it goes with the process, and no other can open it.
                None => tempfile::tempfile_in(&*folder)?,
            };
            file.write_all(&piece)?;
            Ok::<_, io::Error>(file)
        });
        let file = written.await.map_err(ApiError::internal)?.map_err(|error| {
            tracing::error!(%error, "a request's body cannot be kept on disk");
            refusal::no_room()
        })?;
        room.leave_memory();
        Ok(file)
    }
}

impl Room {
    /// Whether there is so much more in memory; then it is taken.
    fn take_memory(&mut self, bytes: usize) -> bool {
        let mut used = lock(&self.used);
        if used.memory + bytes > ALL_IN_MEMORY {
            return false;
        }
        used.memory += bytes;
        self.memory += bytes;
        true
    }

    fn leave_memory(&mut self) {
        lock(&self.used).memory -= std::mem::take(&mut self.memory);
    }

    /// The same on disk.
    fn take_disk(&mut self, bytes: usize) -> bool {
        let mut used = lock(&self.used);
        let of_peer = used.disk_of_peers.get(&self.peer).copied().unwrap_or_default() + bytes;
        if used.disk + bytes > ALL_ON_DISK || of_peer > ON_DISK_OF_PEER {
            return false;
        }
        used.disk += bytes;
        used.disk_of_peers.insert(self.peer, of_peer);
        self.disk += bytes;
        true
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut used = lock(&self.used);
        used.memory -= self.memory;
        used.disk -= self.disk;
        if let Some(of_peer) = used.disk_of_peers.get_mut(&self.peer) {
            *of_peer -= self.disk;
            if *of_peer == 0 {
                used.disk_of_peers.remove(&self.peer);
            }
        }
    }
}

/// Nothing panics while the lock is held.
fn lock(used: &Mutex<Used>) -> MutexGuard<'_, Used> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Collected {
    /// The body in memory. Of long ones only a few are there at the same time.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) async fn whole(&self) -> Result<Whole, ApiError> {
        let file = match &self.kept {
            Kept::Memory(bytes) => return Ok(Whole { bytes: bytes.clone(), _permit: None }),
            Kept::Disk(file) => file.try_clone().map_err(ApiError::internal)?,
        };
        let permit = Arc::clone(&self.looked_at).acquire_owned().await.map_err(ApiError::internal)?;
        let length = self.length;
        let read = tokio::task::spawn_blocking(move || {
            let (mut file, mut bytes) = (file, Vec::with_capacity(length));
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            Ok::<_, io::Error>(bytes.into())
        });
        let bytes = read.await.map_err(ApiError::internal)?.map_err(ApiError::internal)?;
        Ok(Whole { bytes, _permit: Some(permit) })
    }

    /// The body on its way to the upstream.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn into_body(self) -> io::Result<CollectedBody> {
        let left = self.length;
        let from = match self.kept {
            Kept::Memory(bytes) => From::Memory(bytes),
            Kept::Disk(mut file) => {
                file.rewind()?;
                From::Disk(read(file))
            }
        };
        Ok(CollectedBody { from, left, _room: self.room })
    }
}

/// The body of a request on its way to the upstream, with its room.
#[derive(Debug)]
pub(super) struct CollectedBody {
    from: From,
    left: usize,
    _room: Room,
}

#[derive(Debug)]
enum From {
    Memory(Bytes),
    Disk(Reading),
}

/// The next piece of a file, and the file.
type Reading = JoinHandle<io::Result<(Bytes, std::fs::File)>>;

fn read(mut file: std::fs::File) -> Reading {
    tokio::task::spawn_blocking(move || {
        let mut piece = Vec::with_capacity(PIECE);
        Read::by_ref(&mut file).take(PIECE as u64).read_to_end(&mut piece)?;
        Ok((piece.into(), file))
    })
}

impl Body for CollectedBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match &mut self.from {
            From::Memory(bytes) => std::mem::take(bytes),
            From::Disk(reading) => {
                let (piece, file) = ready!(Pin::new(&mut *reading).poll(context))??;
                *reading = read(file);
                piece
            }
        };
        if piece.is_empty() {
            return Poll::Ready(Some(Err("a body on disk has become shorter".into())));
        }
        self.left = self.left.saturating_sub(piece.len());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(used: &Arc<Mutex<Used>>, peer: &str) -> Room {
        Room { used: Arc::clone(used), peer: peer.parse().unwrap(), memory: 0, disk: 0 }
    }

    #[test]
    fn a_peer_that_takes_all_it_gets_leaves_room_for_the_others() {
        let used = Arc::<Mutex<Used>>::default();
        let mut greedy: Vec<_> = (0..20).map(|_| room(&used, "192.0.2.1")).collect();
        let taken = greedy.iter_mut().filter_map(|room| room.take_disk(MAX_BODY).then_some(())).count();
        assert_eq!(taken, ON_DISK_OF_PEER / MAX_BODY);
        let mut other = room(&used, "192.0.2.2");
        assert!(other.take_disk(MAX_BODY) && other.take_memory(ALL_IN_MEMORY));
        assert!(!room(&used, "192.0.2.3").take_memory(1), "it goes to disk instead");
        other.leave_memory();
        assert!(room(&used, "192.0.2.3").take_memory(1));
        drop((greedy, other));
        let left = lock(&used);
        assert_eq!((left.memory, left.disk, left.disk_of_peers.len()), (0, 0, 0));
    }
}
