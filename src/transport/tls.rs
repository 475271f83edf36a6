//! TLS: 1.2 and 1.3, by rustls, with a certificate that can change while the server runs.

use super::certificate::{Certificate, UnusableCertificate};
use super::stream::Protocol;
use crate::domain::tls::TlsSession;
use actix_web::rt::net::TcpStream;
use rustls::ProtocolVersion;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// HTTP/2 in TLS's negotiation of protocols.
const HTTP2: &[u8] = b"h2";

/// Encrypts connections, cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    certificate: Arc<Certificate>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// The key and certificate that the next connection gets.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// With a certificate, which is read.
    ///
    /// # Errors
    /// It, or its key, cannot be used.
    pub fn new(certificate: Certificate) -> Result<Tls, UnusableCertificate> {
        let current = Arc::new(Current(RwLock::new(certificate.read()?)));
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
        let versions = versions.map_err(|error| certificate.unusable(error.to_string()))?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
        let mut config = versions.with_no_client_auth().with_cert_resolver(resolver);
        // The first of these that a caller knows is spoken: HTTP/2 only with those that know nothing else, as it is what is
        // less used here, and upstreams are spoken to in HTTP/1.1 anyway.
        config.alpn_protocols = vec![b"http/1.1".to_vec(), HTTP2.to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Tls { acceptor, current, certificate: Arc::new(certificate) })
    }

    /// Reads the certificate again; the next connections get it. What is open goes on.
    ///
    /// # Errors
    /// It, or its key, cannot be used; the one before stays.
    pub fn reload(&self) -> Result<(), UnusableCertificate> {
        let read = self.certificate.read()?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// The encrypted stream, and what was agreed on.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Protocol, TlsSession)> {
        let accepted = tokio::time::timeout(HANDSHAKE, self.acceptor.accept(stream)).await;
        let stream = accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let (_, connection) = stream.get_ref();
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        };
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
        let key_exchange = connection.negotiated_key_exchange_group().and_then(|group| group.name().as_str());
        let session =
            TlsSession { version, cipher_suite: cipher_suite(suite.unwrap_or_default()), key_exchange };
        let protocol =
            if connection.alpn_protocol() == Some(HTTP2) { Protocol::Http2 } else { Protocol::Http1 };
        Ok((stream, protocol, session))
    }
}

/// A suite as AWS's records have it: those of TLS 1.3 by their names in the standard, older ones as OpenSSL calls them.
fn cipher_suite(name: &'static str) -> String {
    if let Some(suite) = name.strip_prefix("TLS13_") {
        return format!("TLS_{suite}");
    }
    let parts = name.strip_prefix("TLS_").and_then(|suite| suite.split_once("_WITH_"));
    let Some((key_exchange, cipher)) = parts else { return name.to_owned() };
    let cipher = cipher.replace("AES_128", "AES128").replace("AES_256", "AES256");
    // OpenSSL leaves out what ChaCha20's hash is.
    let cipher = cipher.replace("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305");
    format!("{key_exchange}-{cipher}").replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_have_the_names_of_records() {
        for (rustls, record) in [
            ("TLS13_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
            ("TLS13_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
            ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
            ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"),
        ] {
            assert_eq!(cipher_suite(rustls), record);
        }
    }
}
