//! What the read API lists and counts is what the records alone say: filters, facets and histogram against counts made here
//! from the records, on random ones with empty, missing and odd members.
//!
//! `CONTRAIL_TEST_RECORDS=FILE` (NDJSON, each with a readOnly of its own) tries it on other records.

use crate::console::ask;
use crate::support::{ACCOUNT, TestServer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const RECORDS: usize = 10_000;
const QUESTIONS: usize = 50;

/// 2026-11-22T05:00:00Z, and the seconds that follow in which there are events.
const START: i64 = 1_795_323_600;
const SECONDS: i64 = 3 * 3600;

/// The fields of the read API, in the order of [`Said::fields`].
const FIELDS: [&str; 9] = [
    "event_name",
    "event_source",
    "username",
    "error_code",
    "access_key",
    "source_ip",
    "region",
    "account",
    "actor_type",
];

/// What a record says, read here without the server's code.
#[derive(Debug, Clone)]
struct Said {
    id: String,
    time: i64,
    fields: [Option<String>; 9],
    read_only: bool,
    resources: BTreeSet<String>,
}

/// A text that says something; as the columns show it.
fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(|text| text.replace('\0', "\\u0000"))
}

impl Said {
    fn by(record: &Value) -> Said {
        let who = &record["userIdentity"];
        let kind = text(&who["type"]);
        let behind_slash = || text(&who["arn"])?.rsplit_once('/').and_then(|(_, name)| text(&json!(name)));
        let name = match kind.as_deref() {
            Some("Root") => Some("root".to_owned()),
            Some("AssumedRole" | "FederatedUser") => behind_slash(),
            Some("AWSService" | "AWSAccount") => None,
            _ => text(&who["userName"]),
        };
        let last =
            |member: &str| text(&who[member])?.rsplit(['/', ':']).next().and_then(|part| text(&json!(part)));
        let actor = name
            .or_else(|| text(&who["invokedBy"]))
            .or_else(|| last("arn"))
            .or_else(|| last("principalId"))
            .or_else(|| text(&who["accountId"]));
        let event_name = text(&record["eventName"]).unwrap();
        let has_failed = text(&record["errorMessage"]).is_some()
            || record["responseElements"][&event_name].as_str() == Some("Failure");
        let error = text(&record["errorCode"]).or(has_failed.then(|| "Failure".to_owned()));
        let is_id = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        let account = text(&record["recipientAccountId"]);
        let account = account.or_else(|| text(&who["accountId"]).filter(is_id));
        let is_data =
            record["managementEvent"] == false || text(&record["eventCategory"]) == Some("Data".into());
        let mut resources = BTreeSet::new();
        if is_data {
            let own = record["resources"].as_array().into_iter().flatten();
            resources.extend(own.filter_map(|own| text(&own["ARN"])));
            resources.extend(text(&record["requestParameters"]["bucketName"]));
        }
        Said {
            id: text(&record["requestID"]).unwrap_or_default(),
            time: chrono::DateTime::parse_from_rfc3339(record["eventTime"].as_str().unwrap())
                .unwrap()
                .timestamp(),
            read_only: record["readOnly"].as_bool().unwrap_or_else(|| event_name.starts_with("Get")),
            fields: [
                Some(event_name),
                text(&record["eventSource"]),
                actor,
                error,
                text(&who["accessKeyId"]),
                text(&record["sourceIPAddress"]),
                text(&record["awsRegion"]),
                Some(account.unwrap_or_else(|| ACCOUNT.to_owned())),
                kind,
            ],
            resources,
        }
    }

    fn failed(&self) -> bool {
        self.fields[3].is_some()
    }
}

/// A filter, as it is asked for and as it is tested here.
#[derive(Debug, Clone, Default)]
struct Filter {
    /// Field, value, whether the value is a beginning, whether it is left out.
    values: Vec<(usize, String, bool, bool)>,
    resource: Option<(String, bool)>,
    failed: Option<bool>,
    read_only: Option<bool>,
    time: Option<(i64, i64)>,
}

impl Filter {
    /// One that some of the events pass: it is made from one of them.
    fn of(said: &Said, dice: &[u8; 8]) -> Filter {
        let mut filter = Filter::default();
        for (place, value) in said.fields.iter().enumerate() {
            let Some(value) = value.as_ref().filter(|_| dice[place % 8].is_multiple_of(5)) else { continue };
            let beginning: String = value.chars().take(1 + usize::from(dice[7] % 6)).collect();
            let (is_beginning, leave_out) = (dice[6].is_multiple_of(3), dice[place % 8] % 2 == 1);
            // Accounts and regions are checked, and an escape is cut in no half.
            let is_beginning = is_beginning && ![6, 7].contains(&place) && !value.contains('\\');
            let value = if is_beginning { beginning } else { value.clone() };
            filter.values.push((place, value, is_beginning, leave_out));
        }
        filter.resource = said
            .resources
            .first()
            .filter(|_| dice[0].is_multiple_of(3))
            .map(|name| (name.clone(), dice[1].is_multiple_of(4)));
        filter.failed = dice[2].is_multiple_of(4).then_some(dice[2].is_multiple_of(8));
        filter.read_only = dice[3].is_multiple_of(4).then_some(dice[3].is_multiple_of(8));
        filter.time =
            dice[4].is_multiple_of(3).then(|| (said.time - i64::from(dice[5]) * 20, said.time + 1800));
        filter
    }

    /// Whether an event passes; what is said of the field `but` does not count.
    fn passes(&self, said: &Said, but: Option<usize>) -> bool {
        let fits = |place: usize, value: &str, is_beginning: bool| match &said.fields[place] {
            None => false,
            Some(own) if is_beginning => own.starts_with(value),
            Some(own) => own == value,
        };
        self.values
            .iter()
            .filter(|(place, ..)| Some(*place) != but)
            .all(|(place, value, is_beginning, leave_out)| fits(*place, value, *is_beginning) != *leave_out)
            && self.resource.as_ref().is_none_or(|(name, out)| said.resources.contains(name) != *out)
            && self.failed.is_none_or(|failed| said.failed() == failed)
            && self.read_only.is_none_or(|read_only| said.read_only == read_only)
            && self.time.is_none_or(|(from, to)| (from..=to).contains(&said.time))
    }

    fn query(&self) -> String {
        let mut query: Vec<(&str, String)> = Vec::new();
        let out = |leave_out: bool| if leave_out { "!" } else { "" };
        for (place, value, is_beginning, leave_out) in &self.values {
            let mut value = value.clone();
            if value.starts_with('!') && !leave_out {
                value.insert(0, '\\');
            }
            match (is_beginning, value.strip_suffix('*')) {
                (true, _) => value.push('*'),
                (false, Some(start)) => value = format!("{start}\\*"),
                (false, None) => {}
            }
            query.push((FIELDS[*place], out(*leave_out).to_owned() + &value));
        }
        if let Some((name, leave_out)) = &self.resource {
            query.push(("resource", out(*leave_out).to_owned() + name));
        }
        query.extend(self.failed.map(|failed| ("error", failed.to_string())));
        query.extend(self.read_only.map(|read_only| ("read_only", read_only.to_string())));
        let (from, to) = self.time.unwrap_or((0, 4_000_000_000));
        query.extend([("from", from.to_string()), ("to", to.to_string())]);
        let part = |(name, value): &(&str, String)| {
            format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
        };
        query.iter().map(part).collect::<Vec<_>>().join("&")
    }
}

/// A member's value: missing, null, empty, one of a few, or odd.
fn member(usual: &'static [&'static str]) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(Value::Null)),
        2 => Just(Some(json!(""))),
        8 => prop::sample::select(usual).prop_map(|text| Some(json!(text))),
        1 => prop::sample::select(&["!x", "x*", "*", "a\0b", "\u{202e}txet", "ünï cödé", " ", "a/b:c", "%00", "'\""][..])
            .prop_map(|text| Some(json!(text))),
    ]
}

fn object(members: Vec<(&'static str, Option<Value>)>) -> Value {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn identities() -> impl Strategy<Value = Option<Value>> {
    let arns =
        &["arn:aws:iam::111122223333:user/eve", "arn:aws:sts::111122223333:assumed-role/r/ci", "a/"][..];
    let known = (
        member(&["IAMUser", "AssumedRole", "Root", "AWSService", "AWSAccount", "FederatedUser"]),
        member(&["AIDAX", "AROAX:ci", "x:"]),
        member(arns),
        member(&["111122223333", "anonymous"]),
        member(&["AKIA1", "AKIA2", "ASIA3"]),
        member(&["eve", "ana"]),
        member(&["ec2.amazonaws.com"]),
    );
    let known = known.prop_map(|(kind, principal, arn, account, key, name, invoked_by)| {
        Some(object(vec![
            ("type", kind),
            ("principalId", principal),
            ("arn", arn),
            ("accountId", account),
            ("accessKeyId", key),
            ("userName", name),
            ("invokedBy", invoked_by),
        ]))
    });
    prop_oneof![1 => Just(None), 1 => Just(Some(Value::Null)), 12 => known]
}

fn records() -> impl Strategy<Value = Value> {
    let call = (
        0..SECONDS,
        prop::sample::select(&["GetThing", "GetOther", "PutThing", "DeleteThing"][..]),
        prop::sample::select(&["things.amazonaws.com", "others.amazonaws.com", "odd"][..]),
        prop::sample::select(&["us-east-1", "eu-west-1"][..]),
        prop::sample::select(vec![None, Some(Value::Null), Some(json!("")), Some(json!("111122223333"))]),
        prop::sample::select(vec![None, Some(json!(true)), Some(json!(false))]),
        any::<[bool; 3]>(),
    );
    let about = (
        identities(),
        member(&["192.0.2.1", "198.51.100.7", "ec2.amazonaws.com"]),
        member(&["AccessDenied", "NoSuchBucket"]),
        prop_oneof![6 => Just(None), 1 => member(&["no"])],
        prop::sample::select(vec![None, Some(json!("")), Some(json!("Management"))]),
    );
    (call, about).prop_map(|(call, about)| {
        let (seconds, name, source, region, account, read_only, [is_data, has_own, failed]) = call;
        let (identity, ip, code, message, category) = about;
        let time = chrono::DateTime::from_timestamp(START + seconds, 0).unwrap();
        let mut record = object(vec![
            ("eventVersion", Some(json!("1.08"))),
            ("userIdentity", identity),
            ("eventTime", Some(json!(time.format("%Y-%m-%dT%H:%M:%SZ").to_string()))),
            ("eventSource", Some(json!(source))),
            ("eventName", Some(json!(name))),
            ("awsRegion", Some(json!(region))),
            ("sourceIPAddress", ip),
            ("errorCode", code),
            ("errorMessage", message),
            ("recipientAccountId", account),
            ("readOnly", read_only),
            ("eventCategory", category),
        ]);
        if is_data && has_own {
            let key = seconds % 40;
            record["eventSource"] = json!("s3.amazonaws.com");
            record["managementEvent"] = json!(false);
            record["eventCategory"] = json!("Data");
            record["requestParameters"] = json!({"bucketName": format!("b-{}", key % 3)});
            record["resources"] = json!([
                {"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::b-{}/k-{key}", key % 3)},
                {"type": "AWS::S3::Bucket", "ARN": ""},
                {"ARNPrefix": "arn:aws:s3:::"}
            ]);
        } else if failed && is_data {
            record["responseElements"] = json!({name: "Failure"});
        }
        record
    })
}

/// The records, each known by its request's id.
fn all_records(runner: &mut TestRunner) -> Vec<Value> {
    if let Ok(file) = std::env::var("CONTRAIL_TEST_RECORDS") {
        let text = std::fs::read_to_string(file).unwrap();
        let mut records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        records.retain(|record| record["readOnly"].is_boolean() && record["eventName"].is_string());
        return numbered(records);
    }
    numbered(prop::collection::vec(records(), RECORDS).new_tree(runner).unwrap().current())
}

fn numbered(mut records: Vec<Value>) -> Vec<Value> {
    for (number, record) in records.iter_mut().enumerate() {
        record["requestID"] = json!(format!("request-{number}"));
        record["eventID"] = json!(if number % 7 == 0 { String::new() } else { format!("event-{number}") });
    }
    records
}

/// What facets answer for these: the 50 most frequent values, and how many there are.
fn facet<'a>(values: impl Iterator<Item = &'a str>) -> Value {
    let mut counts = BTreeMap::<&str, i64>::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let distinct = counts.len();
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(value, count)| (-count, *value));
    counts.truncate(50);
    json!({"values": counts, "distinct": distinct})
}

#[tokio::test]
async fn lists_counts_and_facets_say_what_the_records_say() {
    let server = TestServer::start().await;
    let mut runner = TestRunner::deterministic();
    let records = all_records(&mut runner);
    for piece in records.chunks(1000) {
        server.import(piece).await;
    }
    let said: Vec<Said> = records.iter().map(Said::by).collect();
    let dice = prop::collection::vec((0..said.len(), any::<[u8; 8]>()), QUESTIONS);
    let mut filters = vec![Filter::default()];
    filters.extend(
        dice.new_tree(&mut runner).unwrap().current().iter().map(|(at, dice)| Filter::of(&said[*at], dice)),
    );
    for filter in &filters {
        let query = filter.query();
        let passing: Vec<&Said> = said.iter().filter(|said| filter.passes(said, None)).collect();

        let exported = server.get(&format!("/_contrail/events?{query}")).await;
        assert_eq!(exported.status, 200, "{query}: {}", exported.text);
        let exported: BTreeSet<String> = exported
            .text
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).unwrap()["requestID"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(exported, passing.iter().map(|said| said.id.clone()).collect(), "{query}");

        let histogram = ask(&server, &format!("events/histogram?{query}&buckets=400")).await;
        let step = histogram["step"].as_i64().unwrap();
        let mut buckets = BTreeMap::<i64, [i64; 3]>::new();
        for said in &passing {
            let kind = if said.failed() { 2 } else { usize::from(!said.read_only) };
            buckets.entry((said.time - histogram["from"].as_i64().unwrap()) / step).or_default()[kind] += 1;
        }
        let counted = histogram["buckets"].as_array().unwrap().iter().zip(0i64..);
        let counted = counted.map(|(bucket, at)| (at, serde_json::from_value(bucket.clone()).unwrap()));
        let counted: BTreeMap<i64, [i64; 3]> = counted.filter(|(_, bucket)| *bucket != [0; 3]).collect();
        assert_eq!(counted, buckets, "{query}");
        assert_eq!(histogram["total"], passing.len(), "{query}");

        let facets = ask(&server, &format!("events/facets?{query}&limit=50")).await;
        for (place, field) in FIELDS.iter().enumerate() {
            let without_own = said.iter().filter(|said| filter.passes(said, Some(place)));
            let values = facet(without_own.filter_map(|said| said.fields[place].as_deref()));
            assert_eq!(facets["facets"][field], values, "{field} of {query}");
        }
    }
}
