//! `contrail serve`: logs, the banner, signals.

use crate::clock::{Clock, Ids};
use crate::config::{AuthMode, LogFormat, Settings};
use crate::guard::{ADMIN_TOKEN_FILE, READ_TOKEN_FILE};
use crate::server::{Server, bind};
use crate::transport::certificate::OWN_CERTIFICATE;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

pub(super) async fn serve(settings: Settings) -> Result<ExitCode, Box<dyn std::error::Error>> {
    start_logging(&settings)?;
    let listener = bind(&settings)?;
    let server = Server::build(settings, listener, Clock::system(), Ids::Random).await?;
    let stop = stop_signal()?;
    banner(&server);
    reload_on_hangup(&server)?;
    server.run(stop).await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Logs go to stderr; stdout is the banner's.
fn start_logging(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    // The S3 protocol layer logs every refusal as an error; who wants that names it.
    let level: Targets = format!("s3s=off,{}", settings.server.log_level).parse().map_err(|_| {
        format!("bad config: server.log_level: {:?} is no log level", settings.server.log_level)
    })?;
    let human = match settings.server.log_format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let layer = if human {
        fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
    };
    tracing_subscriber::registry().with(layer.with_filter(level)).try_init()?;
    Ok(())
}

fn banner(server: &Server) {
    let settings = &server.parts.settings;
    let url = &server.url;
    let clients = match (&settings.recorder.upstream, &settings.delivery.s3_endpoint) {
        (Some(_), _) => format!("AWS_ENDPOINT_URL={url}"),
        (None, None) => format!("AWS_ENDPOINT_URL_CLOUDTRAIL={url} AWS_ENDPOINT_URL_S3={url}"),
        (None, Some(_)) => format!("AWS_ENDPOINT_URL_CLOUDTRAIL={url}"),
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
    let text = format!(
        "Contrail {} listens on {url}\n  \
         data    {}\n  \
         era     {} (the other one: --era {})\n  \
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
            crate::config::Era::Y2015 => crate::config::Era::Today.name(),
            crate::config::Era::Today => crate::config::Era::Y2015.name(),
        },
        settings.account,
    );
    // Nobody may be reading; the server serves all the same.
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if !server.address.ip().is_loopback() {
        warn_of_what_is_open(server);
    }
    tracing::info!(address = %server.address, data = %data.display(), era = settings.era.name(), "listening");
}

/// Beyond loopback: what everybody who reaches the port can do.
fn warn_of_what_is_open(server: &Server) {
    let settings = &server.parts.settings;
    let address = server.address;
    if !server.has_tokens {
        tracing::warn!(
            %address,
            "open to the network: everybody who reaches this port can read, import and wipe everything under /_contrail/ \
             (auth.own_paths)"
        );
    }
    if settings.auth.mode != AuthMode::Signed {
        tracing::warn!(
            %address,
            mode = settings.auth.mode.name(),
            "open to the network: everybody who reaches this port can call AWS's APIs here (auth.mode)"
        );
    }
    if settings.recorder.is_on() && !settings.auth.proxy {
        tracing::warn!(%address, "open to the network: everybody who reaches this port can call the upstream through it (auth.proxy)");
    }
    if server.tls.is_none() {
        tracing::warn!(%address, "what goes over the network is not encrypted, tokens included (tls.enabled)");
    }
}

/// Reads the certificate again at each SIGHUP; without TLS there is nothing to read again, and the signal ends the process.
fn reload_on_hangup(server: &Server) -> std::io::Result<()> {
    #[cfg(unix)]
    if let Some(tls) = server.tls.clone() {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                match tls.reload() {
                    Ok(()) => tracing::info!("the certificate was read again"),
                    Err(error) => tracing::error!(%error, "the certificate before is kept"),
                }
            }
        });
    }
    Ok(())
}

/// Ready on Ctrl-C or SIGTERM.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without the signal there is no other way to stop but to kill, which is safe too.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
