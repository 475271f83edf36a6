//! What TLS has agreed on for a connection, and how records say it (`tlsDetails`).

use serde::Serialize;

/// What TLS has agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSession {
    /// `TLSv1.3`
    pub version: &'static str,
    /// `TLS_AES_128_GCM_SHA256`
    pub cipher_suite: String,
    /// `X25519`
    pub key_exchange: Option<&'static str>,
}

/// `tlsDetails` of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsDetails {
    tls_version: &'static str,
    cipher_suite: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_provided_host_header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_exchange: Option<&'static str>,
}

impl TlsDetails {
    /// `TLS_AES_128_GCM_SHA256`
    pub fn cipher_suite(&self) -> &str {
        &self.cipher_suite
    }

    /// Of a call with this `Host` header.
    pub fn new(session: &TlsSession, host: Option<&str>) -> TlsDetails {
        TlsDetails {
            tls_version: session.version,
            cipher_suite: session.cipher_suite.clone(),
            client_provided_host_header: host.map(str::to_owned),
            key_exchange: session.key_exchange,
        }
    }
}
