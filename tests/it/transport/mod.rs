//! Connections: how many there may be, TLS, and HTTP/2.

mod http2;
mod limits;
mod tls;
