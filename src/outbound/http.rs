//! HTTP clients: whom they take for what they say they are.

use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    WantsVerifier,
};
use std::path::Path;
use std::sync::Arc;

/// Takes one certificate, whatever names it is for: that of the server which holds the data folder.
#[derive(Debug)]
struct Pinned {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match *end_entity == self.certificate {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Which servers a client takes for what they say they are.
#[derive(Debug)]
pub enum Trusted {
    /// None: it speaks plain HTTP.
    Nobody,
    /// Those that the system's certificates vouch for, or those in the file that `SSL_CERT_FILE` names.
    BySystem,
    /// The one with this certificate.
    Only(CertificateDer<'static>),
}

/// Certificates in PEM that are trusted beside the system's, from the file that AWS's tools take them from (AWS_CA_BUNDLE).
///
/// # Errors
/// The file cannot be read, or what is in it is not all certificates.
pub(super) fn bundle(path: &Path) -> Result<Vec<u8>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    match roots.is_empty() {
        true => Err("there is no certificate in it".to_owned()),
        false => Ok(pem),
    }
}

/// TLS of clients that trust those that the system's certificates vouch for, and those in a file ([`bundle`]).
///
/// # Errors
/// The file cannot be used, or no certificate is trusted at all.
pub fn system_tls(more: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = more {
        let pem = bundle(path)?;
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
    }
    if roots.is_empty() {
        return Err("no certificate is trusted on this machine".to_owned());
    }
    Ok(builder(Arc::new(ring::default_provider()))?.with_root_certificates(roots).with_no_client_auth())
}

/// TLS of clients that trust no server: those that only speak plain HTTP.
///
/// # Errors
/// TLS cannot be set up at all.
pub fn trust_nothing() -> Result<ClientConfig, String> {
    let builder = builder(Arc::new(ring::default_provider()))?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder(provider: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, String> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    builder.map_err(|error| error.to_string())
}

/// A client, to be built.
///
/// # Errors
/// There is no certificate that could be trusted.
pub fn client(trusted: Trusted) -> Result<reqwest::ClientBuilder, String> {
    let provider = Arc::new(ring::default_provider());
    let config = match trusted {
        Trusted::Nobody => trust_nothing()?,
        Trusted::BySystem => system_tls(None)?,
        Trusted::Only(certificate) => {
            let verifier = Arc::new(Pinned { certificate, provider: Arc::clone(&provider) });
            builder(provider)?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
        }
    };
    Ok(reqwest::Client::builder().tls_backend_preconfigured(config))
}
