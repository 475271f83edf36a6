//! What is known of AWS's operations: what records do not say, and a table from a file.

use crate::support::{TestServer, record};
use contrail::aws::catalog::Catalog;
use contrail::domain::event_facts::KnownEvents;
use serde_json::{Value, json};
use std::fmt::Write;

/// A record of version 1.05, which does not say what kind of event it is.
fn old_record(number: u32, source: &str, name: &str) -> Value {
    let mut record = record(number, "2026-11-22T05:00:00Z", name);
    record["eventVersion"] = "1.05".into();
    record["eventSource"] = format!("{source}.amazonaws.com").into();
    let members = record.as_object_mut().unwrap();
    members.retain(|name, _| !["readOnly", "managementEvent", "eventCategory"].contains(&name.as_str()));
    record
}

/// The names that a lookup by ReadOnly finds.
async fn by_read_only(server: &TestServer, value: &str) -> Vec<String> {
    let asked = json!({"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": value}], "MaxResults": 50});
    let found = server.ok("LookupEvents", asked).await;
    let mut names: Vec<String> = found["Events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["EventSource"] != "cloudtrail.amazonaws.com")
        .map(|event| event["EventName"].as_str().unwrap().to_owned())
        .collect();
    names.sort_unstable();
    names
}

const READS: [(&str, &str); 9] = [
    ("sts", "AssumeRole"),
    ("sts", "AssumeRoleWithWebIdentity"),
    ("kms", "Decrypt"),
    ("kms", "Encrypt"),
    ("kms", "GenerateDataKey"),
    ("lambda", "GetFunction20150331v2"),
    ("s3", "GetBucketPublicAccessBlock"),
    ("monitoring", "DescribeAlarms"),
    ("notyetknown", "ListThings"),
];
const WRITES: [(&str, &str); 7] = [
    ("sts", "GetFederationToken"),
    ("sts", "GetSessionToken"),
    ("lambda", "CreateFunction20150331"),
    ("cloudfront", "CreateDistribution2020_05_31"),
    ("signin", "CheckMfa"),
    ("signin", "ConsoleLogin"),
    ("notyetknown", "MakeThing"),
];
const DATA: [(&str, &str); 8] = [
    ("s3", "GetObject"),
    ("s3", "PutObject"),
    ("s3", "ListObjects"),
    ("s3", "PostObject"),
    ("lambda", "Invoke"),
    ("dynamodb", "GetRecords"),
    ("dynamodb", "PutItem"),
    ("monitoring", "PutMetricData"),
];

#[tokio::test]
async fn what_a_record_does_not_say_is_known_of_its_operation() {
    let server = TestServer::with(&[("era", "today"), ("limits.lookup_events_per_second", "0")]).await;
    let records: Vec<Value> = (1..)
        .zip(READS.iter().chain(&WRITES).chain(&DATA))
        .map(|(number, (source, name))| old_record(number, source, name))
        .collect();
    server.import(&records).await;
    let sorted = |events: &[(&str, &str)]| {
        let mut names: Vec<String> = events.iter().map(|(_, name)| (*name).to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(by_read_only(&server, "true").await, sorted(&READS));
    assert_eq!(by_read_only(&server, "false").await, sorted(&WRITES));
    // Data events are in no lookup, and kept all the same.
    let kept = server.get("/_contrail/events?event_name=GetObject").await;
    assert_eq!(kept.text.lines().count(), 1);
}

#[tokio::test]
async fn data_events_that_do_not_say_so_are_delivered_only_where_a_selector_wants_them() {
    let server = TestServer::start().await;
    let selectors = json!([{"ReadWriteType": "All", "IncludeManagementEvents": false,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b-1/"]}]}]);
    for name in ["management", "objects"] {
        server.ok("CreateTrail", json!({"Name": name, "S3BucketName": format!("{name}-logs")})).await;
    }
    server.ok("PutEventSelectors", json!({"TrailName": "objects", "EventSelectors": selectors})).await;
    for name in ["management", "objects"] {
        server.ok("StartLogging", json!({"Name": name})).await;
    }
    server.flush().await;
    let mut put = old_record(1, "s3", "PutObject");
    put["resources"] = json!([{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b-1/key"}]);
    server.import(&[put, old_record(2, "s3", "CreateBucket")]).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let mut taken = database
        .prepare(
            "SELECT t.name, e.event_name FROM pending_events p JOIN destinations d ON d.id = p.destination \
             JOIN trails t ON t.id = d.trail_id JOIN events e ON e.key = p.event_key ORDER BY t.name",
        )
        .unwrap();
    let taken = taken.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let taken: Vec<(String, String)> = taken.collect::<Result<_, _>>().unwrap();
    let wanted = [("management", "CreateBucket"), ("objects", "PutObject")];
    assert_eq!(taken, wanted.map(|(trail, event)| (trail.to_owned(), event.to_owned())));
}

#[tokio::test]
async fn a_newer_table_can_be_named_and_what_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("operations.tsv");
    let mut table = String::from("#\tbotocore 99.0.0\t2031-01-02\n");
    writeln!(table, "S\tnotyetknown\tnotyetknown\tnotyetknown\tjson\t2030-01-01\tNotYet\t\t\t\t").unwrap();
    writeln!(table, "T\t\t\t\t\t\t\t").unwrap();
    writeln!(table, "D\tAWS::NotYet::Thing\tPeekThing\nO\tGetRidOfThing\nR\tPeekThing").unwrap();
    std::fs::write(&file, &table).unwrap();
    let catalog = Catalog::open(Some(&file)).unwrap();
    assert_eq!(catalog.origin(), ("botocore 99.0.0", "2031-01-02"));
    let path = file.to_str().unwrap();
    let server = TestServer::with(&[
        ("era", "today"),
        ("limits.lookup_events_per_second", "0"),
        ("recorder.operations", path),
    ])
    .await;
    let names = ["GetRidOfThing", "PeekThing", "GetElse"];
    let records: Vec<Value> =
        (1..).zip(names).map(|(number, name)| old_record(number, "notyetknown", name)).collect();
    server.import(&records).await;
    assert_eq!(by_read_only(&server, "false").await, ["GetRidOfThing"]);
    assert_eq!(by_read_only(&server, "true").await, ["GetElse"]);

    let refused = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Catalog::open(Some(&file)).unwrap_err().to_string()
    };
    let wrong = refused(&format!("{table}O\tBroken\tGET\n"));
    assert!(
        wrong.ends_with("operations.tsv: line 7: an operation has a name alone, or five cells more"),
        "{wrong}"
    );
    assert!(refused("S\tfew\tcells\n").ends_with("line 1: a service has ten cells"));
    assert!(refused("O\tCreateUser\n").ends_with("line 1: it does not belong to a service"));
    assert!(refused("{}").ends_with("line 1: it does not belong to a service"));
    assert!(refused("").ends_with("it has no services: not a table of operations"));
    let missing = Catalog::open(Some(&folder.path().join("none"))).unwrap_err().to_string();
    assert!(missing.starts_with("cannot use the table of operations"), "{missing}");
}

#[test]
fn names_that_services_share_do_not_get_in_each_others_way() {
    let catalog = Catalog::embedded();
    let of = |source: &str, name: &str| catalog.known(&format!("{source}.amazonaws.com"), name);
    assert!(of("s3", "GetObject").is_some() && of("s3", "GetAccountPublicAccessBlock").is_some());
    assert_eq!(of("elasticfilesystem", "GetObject"), None);
    assert_eq!(of("s3", "GetPublicAccessBlock"), None, "records have another name");
}

#[test]
fn it_is_known_which_members_records_hide_and_which_they_leave_out() {
    let catalog = Catalog::embedded();
    let operation = |service: &str, name: &str| {
        let services = catalog.signing_as(service);
        services.iter().find_map(|service| service.operations().get(name)).unwrap().clone()
    };
    assert_eq!(
        operation("sqs", "SendMessage").secret,
        ["MessageBody", "MessageAttributes", "MessageSystemAttributes"]
    );
    assert_eq!(operation("ssm", "PutParameter").secret, ["Value"], "as the model says");
    assert_eq!(operation("secretsmanager", "CreateSecret").dropped, ["SecretString", "SecretBinary"]);
    let invoke = operation("lambda", "Invoke");
    assert_eq!(invoke.dropped, ["Payload"]);
    assert!(!invoke.secret.contains(&"Payload".to_owned()), "what is not there need not be hidden");
    let anywhere = |service: &str, member: &str| catalog.signing_as(service)[0].sensitive().contains(member);
    assert!(anywhere("iam", "SecretAccessKey") && anywhere("rds", "MasterUserPassword"));
    assert!(!anywhere("iam", "UserName"));
}

#[test]
fn a_catalog_is_shown_in_a_few_words() {
    let catalog = Catalog::embedded();
    assert!(!catalog.services().is_empty());
    let shown = format!("{catalog:?} {:?}", catalog.signing_as("iam"));
    assert!(shown.len() < 200, "{} characters", shown.len());
}
