//! Which events a command shows: the filters of the read API as flags.

use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "Filters", next_display_order = 100)]
pub(super) struct Filters {
    /// The first time, as 2026-11-30T12:00:00Z or seconds since 1970
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The last time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The account, 12 digits
    #[arg(long = "account", id = "event_account", value_name = "ACCOUNT")]
    account: Vec<String>,
    /// The region
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// What was called: CreateTrail
    #[arg(long, value_name = "NAME")]
    event_name: Vec<String>,
    /// The service: s3.amazonaws.com
    #[arg(long, value_name = "SOURCE")]
    event_source: Vec<String>,
    /// Who called, as lookups show it
    #[arg(long, value_name = "NAME")]
    username: Vec<String>,
    /// What kind of caller: Root, IAMUser, AssumedRole
    #[arg(long, value_name = "TYPE")]
    actor_type: Vec<String>,
    /// The access key that was used
    #[arg(long, value_name = "KEY")]
    access_key: Vec<String>,
    /// Where the call came from
    #[arg(long, value_name = "ADDRESS")]
    source_ip: Vec<String>,
    /// The error code: AccessDenied
    #[arg(long, value_name = "CODE")]
    error_code: Vec<String>,
    /// The name or ARN of a resource that the call was about
    #[arg(long, value_name = "NAME")]
    resource: Vec<String>,
    /// Only calls that read, or with =false only those that change something
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    read_only: Option<String>,
    /// Only calls that failed; with =false only those that did not; with =CODE those that failed so
    #[arg(long, value_name = "true|false|CODE", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    error: Option<String>,
    /// A text that stands anywhere in the record
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
}

impl Filters {
    /// The parameters of a query to the read API.
    pub(super) fn parameters(&self) -> Vec<(&'static str, &str)> {
        let Filters { from, to, read_only, error, q, .. } = self;
        let single = [("from", from), ("to", to), ("read_only", read_only), ("error", error), ("q", q)];
        let several = [
            ("account", &self.account),
            ("region", &self.region),
            ("event_name", &self.event_name),
            ("event_source", &self.event_source),
            ("username", &self.username),
            ("actor_type", &self.actor_type),
            ("access_key", &self.access_key),
            ("source_ip", &self.source_ip),
            ("error_code", &self.error_code),
            ("resource", &self.resource),
        ];
        let single = single.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let several = several
            .into_iter()
            .flat_map(|(name, values)| values.iter().map(move |value| (name, value.as_str())));
        single.chain(several).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event_filter::{EventFilter, Field};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filters: Filters,
    }

    #[test]
    fn every_filter_of_the_read_api_is_a_flag() {
        let names = ["from", "to", "read_only", "error", "q", "resource"];
        for name in names.into_iter().chain(Field::ALL.map(|(_, name)| name)) {
            let value = match name {
                "account" => "111122223333",
                "from" | "to" => "0",
                "region" => "us-east-1",
                _ => "true",
            };
            let flag = format!("--{}={value}", name.replace('_', "-"));
            let line = Line::try_parse_from(["events", &flag]).unwrap_or_else(|e| panic!("{flag}: {e}"));
            assert_eq!(line.filters.parameters(), [(name, value)], "{flag}");
            assert_eq!(EventFilter::default().take(name, value), Ok(true), "{name}");
        }
    }

    #[test]
    fn a_filter_may_be_given_twice_and_a_switch_needs_no_value() {
        let line = ["tail", "--event-name", "A", "--event-name", "!B", "--error", "--read-only=false"];
        let line = Line::parse_from(line);
        let want = [("read_only", "false"), ("error", "true"), ("event_name", "A"), ("event_name", "!B")];
        assert_eq!(line.filters.parameters(), want);
    }
}
