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

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        for (settings, why) in [
            (&[("tls.plain_http", "true")][..], "plain_http: means nothing while tls.enabled is false"),
            (&[("tls.enabled", "true"), ("tls.cert", "a")], "cert: cert and key go together"),
            (&[("tls.cert", "a"), ("tls.key", "b")], "cert: means nothing while tls.enabled is false"),
        ] {
            let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
            let error = Settings::builtin(settings).unwrap_err().to_string();
            assert!(error.ends_with(&format!("tls.{why}")), "{error}");
        }
    }
}
