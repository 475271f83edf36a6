//! What `contrail serve` writes to stdout as it starts.

use crate::config::{AuthMode, Era};
use crate::guard::{ADMIN_TOKEN_FILE, READ_TOKEN_FILE};
use crate::server::Server;
use crate::transport::certificate::OWN_CERTIFICATE;
use std::io::Write;

/// Tells the person who started a server where it is and what to paste; on stdout.
pub(super) fn print(server: &Server) {
    let settings = &server.parts.settings;
    let url = &server.url;
    let clients = match (settings.recorder.is_on(), &settings.delivery.s3_endpoint) {
        (true, _) => format!("AWS_ENDPOINT_URL={url}"),
        (false, None) => format!("AWS_ENDPOINT_URL_CLOUDTRAIL={url} AWS_ENDPOINT_URL_S3={url}"),
        (false, Some(_)) => format!("AWS_ENDPOINT_URL_CLOUDTRAIL={url}"),
    };
    let mut upstreams: Vec<_> = settings.recorder.urls().collect();
    upstreams.sort_unstable();
    upstreams.dedup();
    let front = match upstreams.as_slice() {
        [] => String::new(),
        upstreams => format!("  forwards to {}\n", upstreams.join(", ")),
    };
    let console =
        if settings.console.enabled { format!("  console {url}/_contrail/\n") } else { String::new() };
    let (key, secret) = match settings.auth.mode {
        AuthMode::Off => ("test", "test"),
        AuthMode::Known => ("<yours>", "test"),
        AuthMode::Signed => ("<yours>", "<yours>"),
    };
    let tokens = match server.has_tokens {
        true => format!(
            "  tokens  {ADMIN_TOKEN_FILE}, {READ_TOKEN_FILE} in the data folder, or the environment's\n"
        ),
        false => String::new(),
    };
    let data = std::path::absolute(&settings.server.data_dir).unwrap_or(settings.server.data_dir.clone());
    let trust = match &server.tls {
        Some(_) if settings.tls.cert.is_none() => {
            format!("  export AWS_CA_BUNDLE={}\n", data.join(OWN_CERTIFICATE).display())
        }
        _ => String::new(),
    };
    // The first lookup of a newcomer finds nothing otherwise, and says nothing of why.
    let lookups = match settings.era {
        Era::Y2015 if !server.parts.store.is_any_trail_logging() => {
            "  lookups list nothing yet: no trail is logging (--era today lists calls without one)\n"
        }
        _ => "",
    };
    let text = format!(
        "Contrail {} listens on {url}\n  \
         data    {}\n  \
         era     {} (the other one: --era {})\n\
         {lookups}  \
         account {}\n\
         {front}{console}{tokens}\n\
         To use it, paste into another terminal:\n  \
         export {clients}\n  \
         export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION=us-east-1\n\
         {trust}\n",
        env!("CARGO_PKG_VERSION"),
        data.display(),
        settings.era.name(),
        match settings.era {
            Era::Y2015 => Era::Today.name(),
            Era::Today => Era::Y2015.name(),
        },
        settings.account,
    );
    // An error means that stdout is closed; the server runs all the same.
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
