//! Signs requests, by the description of Signature Version 4 and without the library that the server checks them with, and
//! sends them as they are, altered or not.

use crate::support::Reply;
use crate::support::tls::{Trust, send_over};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::body::Bytes;
use sha2::{Digest, Sha256};

/// An access key with its secret.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) token: Option<&'static str>,
}

/// A request before, or after, it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// What is signed as the body's hash; without it the body's own.
    pub(crate) payload_hash: Option<String>,
    /// Headers that are sent and not signed.
    pub(crate) unsigned: Vec<String>,
    pub(crate) time: DateTime<Utc>,
    pub(crate) region: String,
    pub(crate) service: String,
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Everything but A-Z a-z 0-9 - . _ ~ as %XX.
pub(crate) fn encoded(text: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: &u8| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    text.iter().map(one).collect()
}

impl Request {
    /// A request to `host` that is signed at `time`.
    pub(crate) fn new(service: &str, method: &str, path: &str, host: &str, time: DateTime<Utc>) -> Request {
        Request {
            method: method.into(),
            path: path.into(),
            query: String::new(),
            headers: vec![("host".into(), host.into())],
            body: Vec::new(),
            payload_hash: None,
            unsigned: Vec::new(),
            time,
            region: "us-east-1".into(),
            service: service.into(),
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.headers.retain(|(known, _)| known != name);
        self.add(name, value);
    }

    pub(crate) fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name).unwrap();
        String::from_utf8(value.clone()).unwrap()
    }

    /// Replaces a part of the `Authorization` header.
    pub(crate) fn alter_authorization(&mut self, from: &str, to: &str) {
        let value = self.header("authorization");
        assert!(value.contains(from), "{from} is not in {value}");
        self.set("authorization", value.replacen(from, to, 1));
    }

    pub(crate) fn date(&self) -> String {
        self.time.format("%Y%m%dT%H%M%SZ").to_string()
    }

    pub(crate) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", &self.date()[..8], self.region, self.service)
    }

    /// The key of signatures of the request's day.
    pub(crate) fn signing_key(&self, key: &Key) -> Vec<u8> {
        let start = format!("AWS4{}", key.secret).into_bytes();
        [&self.date()[..8], &self.region, &self.service, "aws4_request"]
            .iter()
            .fold(start, |key, part| hmac(&key, part))
    }

    fn signed_headers(&self) -> Vec<String> {
        let names = self.headers.iter().map(|(name, _)| name.to_lowercase());
        let mut names: Vec<_> = names.filter(|name| !self.unsigned.contains(name)).collect();
        names.sort();
        names.dedup();
        names
    }

    fn signature(&self, key: &Key) -> String {
        let path = match self.service.as_str() {
            "s3" => self.path.clone(),
            _ => normal_path(&self.path)
                .split('/')
                .map(|part| encoded(part.as_bytes()))
                .collect::<Vec<_>>()
                .join("/"),
        };
        let mut query: Vec<_> = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (pair.to_owned(), String::new()),
            })
            .collect();
        query.sort();
        let query: Vec<_> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut canonical = format!("{}\n{path}\n{}\n", self.method, query.join("&"));
        for name in self.signed_headers() {
            let values = self.headers.iter().filter(|(known, _)| known.to_lowercase() == name);
            let values: Vec<_> =
                values.map(|(_, value)| one_blank(&String::from_utf8_lossy(value))).collect();
            canonical.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        let hash = self.payload_hash.clone().unwrap_or_else(|| sha256(&self.body));
        canonical.push_str(&format!("\n{}\n{hash}", self.signed_headers().join(";")));
        let signed = format!("AWS4-HMAC-SHA256\n{}\n{}\n{}", self.date(), self.scope(), sha256(canonical));
        hex(&hmac(&self.signing_key(key), &signed))
    }

    /// The signature of the part of a body that comes after what `previous` signs.
    pub(crate) fn signature_after(&self, key: &Key, algorithm: &str, previous: &str, hashes: &str) -> String {
        let signed = format!("{algorithm}\n{}\n{}\n{previous}\n{hashes}", self.date(), self.scope());
        hex(&hmac(&self.signing_key(key), &signed))
    }

    /// Signs in the `Authorization` header.
    pub(crate) fn sign(&mut self, key: &Key) {
        if !self.headers.iter().any(|(name, _)| name == "date") {
            self.set("x-amz-date", self.date());
        }
        if let Some(token) = key.token {
            self.set("x-amz-security-token", token);
        }
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
            key.id,
            self.scope(),
            self.signed_headers().join(";"),
            self.signature(key)
        );
        self.set("authorization", value);
    }

    /// The signature in the `Authorization` header.
    pub(crate) fn seed(&self) -> String {
        self.header("authorization").rsplit('=').next().unwrap().to_owned()
    }

    /// Signs in the URL, for so many seconds.
    pub(crate) fn presign(&mut self, key: &Key, seconds: u32) {
        let mut query: Vec<_> = self.query.split('&').filter(|p| !p.is_empty()).map(str::to_owned).collect();
        query.extend([
            "X-Amz-Algorithm=AWS4-HMAC-SHA256".to_owned(),
            format!("X-Amz-Credential={}", encoded(format!("{}/{}", key.id, self.scope()).as_bytes())),
            format!("X-Amz-Date={}", self.date()),
            format!("X-Amz-Expires={seconds}"),
            format!("X-Amz-SignedHeaders={}", encoded(self.signed_headers().join(";").as_bytes())),
        ]);
        query.extend(key.token.map(|token| format!("X-Amz-Security-Token={}", encoded(token.as_bytes()))));
        self.query = query.join("&");
        self.query = format!("{}&X-Amz-Signature={}", self.query, self.signature(key));
    }

    /// Sends it as it is.
    pub(crate) async fn send(&self, url: &str) -> Reply {
        let stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
        send_over(stream, self.to_http()).await
    }

    /// The same over TLS, to a server that this client trusts.
    pub(crate) async fn send_over_tls(&self, url: &str, trust: &Trust) -> Reply {
        send_over(trust.connect(url).await.unwrap(), self.to_http()).await
    }

    fn to_http(&self) -> http::Request<Full<Bytes>> {
        let target = match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        };
        let mut request = http::Request::builder().method(self.method.as_str()).uri(target);
        for (name, value) in &self.headers {
            request = request.header(name.as_str(), http::HeaderValue::from_bytes(value).unwrap());
        }
        request.body(Full::new(Bytes::from(self.body.clone()))).unwrap()
    }
}

/// Without empty parts, `.` and `..`.
fn normal_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let is_folder = matches!(path.rsplit('/').next(), Some("" | "." | ".."));
    let end = if is_folder && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

/// Trimmed, and one blank for many.
fn one_blank(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
