//! `[tls]`: whether connections are encrypted, and with which certificate.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[tls]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// Whether the port speaks TLS.
    pub enabled: bool,
    /// Whether plain HTTP is answered on the same port.
    pub plain_http: bool,
    /// A file with the certificate and those that vouch for it, in PEM ...
    pub cert: Option<PathBuf>,
    /// ... and one with its key. Without them the server makes a certificate of its own.
    pub key: Option<PathBuf>,
}

impl TlsSettings {
    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// The key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.cert.is_some() != self.key.is_some() {
            return Err("cert: cert and key go together".to_owned());
        }
        if self.cert.is_some() && !self.enabled {
            return Err("cert: means nothing while tls.enabled is false".to_owned());
        }
        if self.plain_http && !self.enabled {
            return Err("plain_http: means nothing while tls.enabled is false".to_owned());
        }
        Ok(())
    }
}
