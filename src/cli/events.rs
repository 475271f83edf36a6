//! `contrail events`: what a server has recorded, by the filters of the read API.

use super::Ended;
use super::filters::Filters;
use super::lines::Lines;
use super::remote::{Purpose, Server};
use super::table::{Row, head};
use crate::config::Settings;
use clap::{Args, ValueEnum};
use reqwest::Method;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

/// Events of a table, unless the command says otherwise: what a screen shows.
const TABLE_ROWS: u64 = 50;

#[derive(Debug, Args)]
pub(super) struct Events {
    #[command(flatten)]
    server: Server,
    /// Events at most [default: 50 of a table, all otherwise]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    /// Which events come first
    #[arg(long, value_enum, default_value_t = Order::Newest)]
    order: Order,
    /// How they are printed: a table for people, whole records (a line of JSON each), or CSV
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    filters: Filters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    Newest,
    Oldest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Ndjson,
    Csv,
}

impl Events {
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let remote = self.server.connect(&settings, Purpose::Read)?;
        let limit = self.limit.or((self.format == Format::Table).then_some(TABLE_ROWS));
        let order = match self.order {
            Order::Newest => "desc",
            Order::Oldest => "asc",
        };
        let format = match self.format {
            Format::Table => "rows",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
        };
        let mut request = remote.request(Method::GET, "/_contrail/events");
        request = request.query(&self.filters.parameters()).query(&[("order", order), ("format", format)]);
        // One more tells whether there are more.
        let asked = limit.map(|limit| limit.saturating_add(u64::from(self.format == Format::Table)));
        if let Some(asked) = asked {
            request = request.query(&[("limit", asked)]);
        }
        let mut response = remote.answer(request).await?;
        if self.format != Format::Table {
            let mut out = std::io::stdout().lock();
            while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url())? {
                out.write_all(&chunk)?;
            }
            out.flush()?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut out = BufWriter::new(anstream::stdout().lock());
        let (mut lines, mut shown) = (Lines::of(response), 0);
        while let Some(line) = lines.next().await? {
            if limit == Some(shown) {
                out.flush()?;
                eprintln!("there are more: --limit {}", shown.saturating_mul(10).max(TABLE_ROWS));
                break;
            }
            let row: Row = serde_json::from_str(&line)?;
            if shown == 0 {
                writeln!(out, "{}", head())?;
            }
            writeln!(out, "{}", row.line())?;
            shown += 1;
        }
        out.flush()?;
        if shown == 0 && limit != Some(0) {
            eprintln!("no event was found");
        }
        Ok(ExitCode::SUCCESS)
    }
}
