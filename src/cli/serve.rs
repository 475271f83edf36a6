//! `contrail serve`: logs, signals, and messages to a service manager.

use super::{Ended, banner};
use crate::clock::{Clock, Ids};
use crate::config::{AuthMode, LogFormat, Settings};
use crate::server::{Server, bind};
use crate::transport::tls::Tls;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

pub(super) async fn serve(settings: Settings) -> Ended {
    start_logging(&settings)?;
    let listener = bind(&settings)?;
    let server = Server::build(settings, listener, Clock::system(), Ids::Random).await?;
    let stop = stop_signal()?;
    reload_on_hangup(&server)?;
    banner::print(&server);
    log_start(&server);
    tell_service_manager(Moment::Ready);
    let stop = async {
        stop.await;
        tell_service_manager(Moment::Stopping);
    };
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

/// The first lines of the log.
fn log_start(server: &Server) {
    if !server.address.ip().is_loopback() {
        warn_of_what_is_open(server);
    }
    let settings = &server.parts.settings;
    let data = std::path::absolute(&settings.server.data_dir).unwrap_or(settings.server.data_dir.clone());
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
    if server.tls.is_none() || settings.tls.plain_http {
        tracing::warn!(
            %address,
            "what goes over the network is not encrypted, or need not be, tokens included (tls.enabled, tls.plain_http)"
        );
    }
}

/// Reads the certificate again at each SIGHUP. Without TLS there is nothing to read again; the signal, which a closing terminal
/// and a rotation of logs send too, must not end the process all the same.
fn reload_on_hangup(server: &Server) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (tls, mut hangup) = (server.tls.clone(), signal(SignalKind::hangup())?);
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                match tls.as_ref().map(Tls::reload) {
                    None => tracing::info!("there is nothing to read again, as there is no TLS"),
                    Some(Ok(())) => tracing::info!("the certificate was read again"),
                    Some(Err(error)) => tracing::error!(%error, "the certificate before is kept"),
                }
            }
        });
    }
    #[cfg(not(unix))]
    let _ = server;
    Ok(())
}

/// What a service manager such as systemd waits for.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Calls are answered.
    Ready,
    /// No more calls are taken.
    Stopping,
}

/// Says so at the socket that `NOTIFY_SOCKET` names, if it does (`Type=notify`).
fn tell_service_manager(moment: Moment) {
    #[cfg(unix)]
    {
        let state = match moment {
            Moment::Ready => sd_notify::NotifyState::Ready,
            Moment::Stopping => sd_notify::NotifyState::Stopping,
        };
        if let Err(error) = sd_notify::notify(&[state]) {
            tracing::warn!(%error, ?moment, "the service manager cannot be told (NOTIFY_SOCKET)");
        }
    }
    #[cfg(not(unix))]
    let _ = moment;
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
