//! `contrail import`: files into the server that holds the data folder, or into the folder itself when none runs.

mod inputs;

use super::Ended;
use super::flags::Records;
use super::remote::{Purpose, Remote};
use crate::aws::catalog::Catalog;
use crate::clock::Clock;
use crate::config::Settings;
use crate::metrics::Metrics;
use crate::recorder::arrivals::Arrivals;
use crate::recorder::commit::Committer;
use crate::recorder::corrections::{self, Progress};
use crate::recorder::intake::{Intake, IntakeOptions, IntakeReport};
use crate::recorder::writer::Writer;
use crate::store::{DataDir, EventBusTakes, OpenError, Store};
use clap::Args;
use futures_util::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use inputs::Input;
use reqwest::Method;
use serde::Deserialize;
use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rejected records that are shown for each file.
const SHOWN: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Import {
    /// Files, folders, or - for stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Move all records in time, so that the newest one is now
    #[arg(long, value_name = "now", value_parser = ["now"])]
    rebase: Option<String>,
    /// A server to put them into, instead of the one that holds the data folder
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    _records: Records,
}

/// Where the records go.
enum Target {
    Server(Remote),
    Folder { writer: Writer, metrics: Metrics },
}

impl Import {
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let inputs = inputs::all(&self.paths)?;
        let max_unpacked_bytes = settings.intake.max_unpacked_bytes;
        let clock = Clock::system();
        let catalog = Catalog::open(settings.recorder.operations.as_deref())?;
        let mut options =
            IntakeOptions { account: settings.account.clone(), shift: 0, max_unpacked_bytes, catalog };
        if self.rebase.is_some() {
            let newest = inputs::newest(&inputs, &options)?;
            options.shift = newest.map_or(0, |newest| clock.now().timestamp() - newest);
        }
        if let Some(url) = self.url {
            return import_all(inputs, &Target::Server(Remote::named(&url, Purpose::Change)?), &options)
                .await;
        }
        match DataDir::lock(&settings.server.data_dir) {
            Err(OpenError::InUse { address, .. }) if !address.is_empty() => {
                let remote = Remote::of_folder(&address, &settings, Purpose::Change)?;
                import_all(inputs, &Target::Server(remote), &options).await
            }
            Err(error) => Err(error.into()),
            Ok(folder) => {
                let store = Store::open(&folder).await?;
                corrections::run(&store, &options.catalog, |Progress { done, total }| {
                    eprintln!("older events are being read again: {done} of {total}");
                })
                .await?;
                let metrics = Metrics::default();
                // Nobody can follow what is stored here.
                let arrivals = Arrivals::new(clock.now().timestamp_micros());
                let event_bus = EventBusTakes::of(&settings.delivery);
                let committer = Committer { arrivals, event_bus, clock };
                let (writer, task) = Writer::start(store.clone(), committer, metrics.clone());
                let result = import_all(inputs, &Target::Folder { writer, metrics }, &options).await;
                task.stop().await;
                store.close().await;
                result
            }
        }
    }
}

async fn import_all(inputs: Vec<Input>, target: &Target, options: &IntakeOptions) -> Ended {
    let bar = ProgressBar::new(inputs.iter().map(Input::size).sum());
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}")?;
    bar.set_style(style);
    let mut total = IntakeReport::default();
    let mut failed = false;
    for input in inputs {
        let name = input.name();
        bar.set_message(name.clone());
        let (report, error) = match (input.open(), target) {
            (Err(error), _) => (IntakeReport::default(), Some(error.to_string())),
            (Ok(file), Target::Server(remote)) => send(file, remote, options, &bar).await?,
            (Ok(file), Target::Folder { writer, metrics }) => {
                let intake = Intake::new(writer.clone(), metrics.clone(), options.clone());
                read_in(file, intake, &bar).await
            }
        };
        bar.suspend(|| {
            for rejection in report.rejected.iter().take(SHOWN) {
                eprintln!("{name}: record {}: {}", rejection.index, rejection.reason);
            }
            if report.rejected_count > SHOWN as u64 {
                eprintln!("{name}: {} more records were refused", report.rejected_count - SHOWN as u64);
            }
            if let Some(error) = &error {
                eprintln!("{name}: {error}");
            }
        });
        failed |= error.is_some();
        total.accepted += report.accepted;
        total.duplicates += report.duplicates;
        total.rejected_count += report.rejected_count;
    }
    bar.finish_and_clear();
    println!(
        "{} accepted, {} duplicates, {} rejected",
        total.accepted, total.duplicates, total.rejected_count
    );
    let nothing_came_of_it = total.accepted + total.duplicates == 0 && total.rejected_count > 0;
    Ok(if failed || nothing_came_of_it { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What a server answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    report: Option<IntakeReport>,
    error: Option<String>,
}

async fn send(
    file: File,
    remote: &Remote,
    options: &IntakeOptions,
    bar: &ProgressBar,
) -> Result<(IntakeReport, Option<String>), Box<dyn Error>> {
    let bar = bar.clone();
    let file = tokio::fs::File::from_std(file);
    let body = futures_util::stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; 64 * 1024];
        let n = tokio::io::AsyncReadExt::read(&mut file, &mut chunk).await?;
        chunk.truncate(n);
        Ok::<_, std::io::Error>((n > 0).then_some((chunk, file)))
    });
    let body = body.inspect_ok(move |chunk| bar.inc(chunk.len() as u64));
    let request = remote
        .request(Method::POST, "/_contrail/events")
        .query(&[("shift", options.shift)])
        .header("content-type", "application/octet-stream")
        .body(reqwest::Body::wrap_stream(body));
    let response = remote.send(request).await?;
    let status = response.status();
    let answer: Answer = response.json().await.map_err(|_| remote.not_ours(status))?;
    Ok((answer.report.unwrap_or_default(), answer.error))
}

async fn read_in(mut file: File, mut intake: Intake, bar: &ProgressBar) -> (IntakeReport, Option<String>) {
    let mut chunk = vec![0; 64 * 1024];
    let early = loop {
        match file.read(&mut chunk) {
            Ok(0) => break None,
            Ok(n) => {
                bar.inc(n as u64);
                if let Err(error) = intake.push(&chunk[..n]).await {
                    break Some(error.to_string());
                }
            }
            Err(error) => break Some(error.to_string()),
        }
    };
    let (report, end) = intake.finish().await;
    (report, early.or(end.err().map(|error| error.to_string())))
}
