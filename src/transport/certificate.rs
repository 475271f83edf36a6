//! The server's certificate and its key: from files, or made by the server itself and kept in the data folder.

use crate::config::TlsSettings;
use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, pki_types};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a certificate of our own is valid; some clients take none that is valid for longer.
const VALID: TimeDelta = TimeDelta::days(397);

/// It is made anew when it is valid for less than that.
const RENEWED: TimeDelta = TimeDelta::days(30);

/// The file in the data folder that a certificate of our own is in, for clients to trust.
pub const OWN_CERTIFICATE: &str = "tls.crt";
const OWN_KEY: &str = "tls.key";

/// Why a certificate cannot be used: one line for the person who started the server.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the certificate {} with the key {}: {why}", certificate.display(), key.display())]
pub struct UnusableCertificate {
    certificate: PathBuf,
    key: PathBuf,
    why: String,
}

/// Where a certificate and its key are.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    /// What it has to be valid for, where it is our own.
    own: Option<Vec<String>>,
}

impl Certificate {
    /// As the settings have it; without files it is one of our own in `folder`, for `names` (host names and addresses).
    pub fn of(settings: &TlsSettings, folder: &Path, names: Vec<String>) -> Certificate {
        match (&settings.cert, &settings.key) {
            (Some(certificate), Some(key)) => {
                Certificate { certificate: certificate.clone(), key: key.clone(), own: None }
            }
            _ => Certificate {
                certificate: folder.join(OWN_CERTIFICATE),
                key: folder.join(OWN_KEY),
                own: Some(names),
            },
        }
    }

    /// The certificate that stands first in its file: the server's own.
    ///
    /// # Errors
    /// There is none.
    pub fn first(&self) -> Result<CertificateDer<'static>, UnusableCertificate> {
        CertificateDer::from_pem_file(&self.certificate).map_err(|error| self.unusable(error.to_string()))
    }

    pub(super) fn unusable(&self, why: impl Into<String>) -> UnusableCertificate {
        UnusableCertificate { certificate: self.certificate.clone(), key: self.key.clone(), why: why.into() }
    }

    /// The certificate and its key. One of our own is made where it is missing, over soon, or not for all of its names.
    pub(super) fn read(&self) -> Result<Arc<CertifiedKey>, UnusableCertificate> {
        if let Some(names) = &self.own {
            // Certificates are for the world's time, whatever a test's clock says.
            let now = crate::clock::Clock::system().now();
            if !self.is_good_for(names, now + RENEWED) {
                self.make(names, now)?;
                tracing::info!(certificate = %self.certificate.display(), ?names, "a certificate was made");
            }
        }
        let unusable = |error: &dyn std::fmt::Display| self.unusable(error.to_string());
        let chain =
            CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| unusable(&error))?;
        if chain.is_empty() {
            return Err(self.unusable("there is no certificate in the file"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| unusable(&error))?;
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
        key.map(Arc::new).map_err(|error| unusable(&error))
    }

    /// Whether a client that trusts the certificate would take it for all names at that time.
    fn is_good_for(&self, names: &[String], time: DateTime<Utc>) -> bool {
        let Ok(certificate) = CertificateDer::from_pem_file(&self.certificate) else { return false };
        if !self.key.exists() {
            return false;
        }
        let mut roots = RootCertStore::empty();
        let provider = Arc::new(ring::default_provider());
        let verifier = roots.add(certificate.clone()).ok().and_then(|()| {
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
        });
        let Some(verifier) = verifier else { return false };
        let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        names.iter().all(|name| {
            let name = name.replacen('*', "any", 1);
            let name: Result<ServerName<'_>, pki_types::InvalidDnsNameError> = name.as_str().try_into();
            name.is_ok_and(|name| verifier.verify_server_cert(&certificate, &[], &name, &[], time).is_ok())
        })
    }

    fn make(&self, names: &[String], now: DateTime<Utc>) -> Result<(), UnusableCertificate> {
        let unusable = |error: &dyn std::fmt::Display| self.unusable(error.to_string());
        let mut parameters = CertificateParams::new(names.to_vec()).map_err(|error| unusable(&error))?;
        parameters.distinguished_name.push(DnType::CommonName, "Contrail");
        let day = |time: DateTime<Utc>| {
            use chrono::Datelike;
            let month = u8::try_from(time.month()).unwrap_or(1);
            rcgen::date_time_ymd(time.year(), month, u8::try_from(time.day()).unwrap_or(1))
        };
        // Clocks of clients may be a little behind.
        parameters.not_before = day(now - TimeDelta::days(1));
        parameters.not_after = day(now - TimeDelta::days(1) + VALID);
        let key = KeyPair::generate().map_err(|error| unusable(&error))?;
        let certificate = parameters.self_signed(&key).map_err(|error| unusable(&error))?;
        write(&self.key, &key.serialize_pem(), 0o600).map_err(|error| unusable(&error))?;
        write(&self.certificate, &certificate.pem(), 0o644).map_err(|error| unusable(&error))
    }
}

/// Writes a file beside its place and moves it there: whoever reads it finds the old one or the new one.
fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
