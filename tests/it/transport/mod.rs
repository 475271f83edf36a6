//! Connections: how many there may be, and TLS.

mod limits;
mod tls;
