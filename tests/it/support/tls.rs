//! A client that speaks TLS, and trusts one certificate.

use crate::support::Reply;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom a client trusts, and how it speaks.
#[derive(Clone)]
pub(crate) struct Trust(TlsConnector);

impl Trust {
    /// A client that trusts the certificate in a file.
    pub(crate) fn in_file(path: &Path) -> Trust {
        Trust::speaking(path, &[&rustls::version::TLS13, &rustls::version::TLS12])
    }

    /// The same with some versions only.
    pub(crate) fn speaking(path: &Path, versions: &[&'static SupportedProtocolVersion]) -> Trust {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        Trust(TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth())))
    }

    /// The same client, which knows these protocols.
    pub(crate) fn knowing(&self, protocols: &[&str]) -> Trust {
        let mut config = (**self.0.config()).clone();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Trust(TlsConnector::from(Arc::new(config)))
    }

    /// A connection to `https://address:port`.
    pub(crate) async fn connect(&self, url: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let address = url.trim_start_matches("https://");
        let (host, _) = address.rsplit_once(':').unwrap();
        self.connect_as(address, host).await
    }

    /// The same with another name for the server.
    pub(crate) async fn connect_as(
        &self,
        address: &str,
        name: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        self.0.connect(name, TcpStream::connect(address).await?).await
    }
}

/// A certificate for `name` and its key, in files of a folder.
pub(crate) fn certificate(folder: &Path, name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let write = |ending: &str, text: String| {
        let path = folder.join(format!("server.{ending}"));
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    (write("crt", made.cert.pem()), write("key", made.signing_key.serialize_pem()))
}

/// Sends a request over a connection.
pub(crate) async fn send_over<S>(stream: S, request: http::Request<Full<Bytes>>) -> Reply
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    Reply { status: parts.status.as_u16(), headers: parts.headers, text }
}
