//! The official SDK, as it signs and as it is refused, over HTTP and over TLS.

use super::{Contrail, contrail};
use aws_sdk_cloudtrail::config::retry::RetryConfig;
use aws_sdk_cloudtrail::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudtrail::error::ProvideErrorMetadata;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use std::path::Path;

fn client(
    server: &Contrail,
    certificate: &Path,
    key: &str,
    secret: &str,
    token: Option<&str>,
) -> aws_sdk_cloudtrail::Client {
    let http = aws_smithy_http_client::Builder::new();
    let http = if server.url.starts_with("https") {
        let trust = TrustStore::empty().with_pem_certificate(std::fs::read(certificate).unwrap());
        let context = TlsContext::builder().with_trust_store(trust).build().unwrap();
        http.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https()
    } else {
        http.build_http()
    };
    let config = aws_sdk_cloudtrail::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(&server.url)
        .credentials_provider(Credentials::new(key, secret, token.map(str::to_owned), None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http)
        .build();
    aws_sdk_cloudtrail::Client::from_conf(config)
}

#[tokio::test]
async fn the_sdk_gets_in_with_good_keys_and_is_told_what_is_wrong_with_others() {
    for tls in ["false", "true"] {
        let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let credentials = files.path().join("credentials");
        let profile = |name: &str, more: &str| {
            format!("[{name}]\naws_access_key_id = {name}\naws_secret_access_key = secret-of-{name}\n{more}")
        };
        let text = profile("AKIAANA", "") + &profile("ASIACI", "aws_session_token = token//of+ci==\n");
        std::fs::write(&credentials, text).unwrap();
        let mut command = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
        command.env("CONTRAIL__AUTH__MODE", "signed").env("CONTRAIL__TLS__ENABLED", tls);
        command.env("CONTRAIL__AUTH__CREDENTIALS_FILE", &credentials);
        let server = Contrail::spawn(command);
        let code = async |key: &str, secret: &str, token: Option<&str>| {
            let client = client(&server, &folder.path().join("tls.crt"), key, secret, token);
            let answer = client.describe_trails().send().await;
            answer.err().map_or(String::new(), |error| error.code().unwrap_or("no code").to_owned())
        };
        assert_eq!(code("AKIAANA", "secret-of-AKIAANA", None).await, "");
        assert_eq!(code("ASIACI", "secret-of-ASIACI", Some("token//of+ci==")).await, "");
        assert_eq!(code("AKIAANA", "wrong", None).await, "InvalidSignatureException");
        assert_eq!(code("AKIABOB", "secret-of-AKIAANA", None).await, "UnrecognizedClientException");
        assert_eq!(code("ASIACI", "secret-of-ASIACI", None).await, "UnrecognizedClientException");
        server.stop();
    }
}
