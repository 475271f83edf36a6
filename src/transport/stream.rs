//! The bytes of a connection, plain or encrypted, and what is known of it.

use crate::domain::tls::TlsSession;
use actix_web::rt::net::TcpStream;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

/// The bytes of a connection.
#[derive(Debug)]
pub enum Stream {
    /// Plain HTTP.
    Plain(TcpStream),
    /// HTTP over TLS.
    Tls(Box<TlsStream<TcpStream>>),
    /// From the proxy in front, in memory.
    Memory(DuplexStream),
}

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 and older.
    Http1,
    /// HTTP/2.
    Http2,
}

/// A connection that is served.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    /// Who is at its other end.
    pub peer: SocketAddr,
    /// What TLS has agreed on; `None` for plain HTTP.
    pub tls: Option<TlsSession>,
    /// What is spoken on it.
    pub protocol: Protocol,
    stall: Option<Stall>,
}

/// Watches that the other end takes what is written. Else an answer that is not read, and all that it holds, would stay as
/// long as the other end likes: neither actix nor hyper bounds that.
#[derive(Debug)]
struct Stall {
    longest: Duration,
    /// Runs while nothing is taken.
    since: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.since = None;
            return written;
        }
        let longest = self.longest;
        let since = self.since.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        since.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(io::ErrorKind::TimedOut, "the other end takes nothing of what is written"))
        })
    }
}

impl Connection {
    /// A connection of `peer`, on which HTTP/1.1 is spoken.
    pub fn new(stream: Stream, peer: SocketAddr, tls: Option<TlsSession>) -> Connection {
        Connection { stream, peer, tls, protocol: Protocol::Http1, stall: None }
    }

    /// The same, on which `protocol` is spoken.
    pub fn with_protocol(self, protocol: Protocol) -> Connection {
        Connection { protocol, ..self }
    }

    /// The same, which ends when nothing that is written is taken for so long.
    pub fn with_write_timeout(self, longest: Duration) -> Connection {
        Connection { stall: Some(Stall { longest, since: None }), ..self }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut self.stall {
            Some(stall) => stall.watch(cx, written),
            None => written,
        }
    }
}

/// Does the same to whichever stream it is.
macro_rules! each {
    ($connection:expr, $stream:ident => $do:expr) => {
        match &mut $connection.stream {
            Stream::Plain($stream) => $do,
            Stream::Tls($stream) => $do,
            Stream::Memory($stream) => $do,
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = each!(this, stream => Pin::new(stream).poll_write(cx, buf));
        this.watch(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = each!(this, stream => Pin::new(stream).poll_write_vectored(cx, bufs));
        this.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
            Stream::Memory(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let written = each!(this, stream => Pin::new(stream).poll_flush(cx));
        this.watch(cx, written)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let written = each!(this, stream => Pin::new(stream).poll_shutdown(cx));
        this.watch(cx, written)
    }
}
