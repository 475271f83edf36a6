use super::*;
use crate::domain::event_facts::NamesOnly;
use serde_json::{Value, json};

fn nobody() -> AccountId {
    AccountId::parse("000000000000").unwrap()
}

fn record() -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "accountId": "444455556666", "accessKeyId": "AKIAX", "userName": "ana"},
        "eventTime": "2026-11-22T05:30:00Z", "eventSource": "iam.amazonaws.com", "eventName": "CreateUser",
        "awsRegion": "us-east-1", "requestParameters": {"userName": "eve"},
        "responseElements": {"user": {"userName": "eve", "arn": "arn:aws:iam::111122223333:user/eve"}},
        "eventID": "5b3b9a0c-0000-4000-8000-000000000001", "readOnly": false, "managementEvent": true,
        "recipientAccountId": "111122223333", "eventCategory": "Management"
    })
}

fn read(value: &Value) -> Result<Event, String> {
    Event::from_record(&value.to_string(), &nobody(), 0, &NamesOnly)
}

fn changed(change: impl FnOnce(&mut Value)) -> Result<Event, String> {
    let mut value = record();
    change(&mut value);
    read(&value)
}

fn without(member: &str) -> Result<Event, String> {
    changed(|r| {
        r.as_object_mut().unwrap().remove(member);
    })
}

#[test]
fn columns_come_from_the_record_and_the_record_stays_as_it_is() {
    let event = read(&record()).unwrap();
    assert_eq!(event.record, record().to_string());
    assert_eq!((event.account.as_str(), event.region.as_str()), ("111122223333", "us-east-1"));
    assert_eq!((event.event_time, event.listing), (1_795_325_400, Listing::Write));
    assert_eq!((event.username.as_deref(), event.access_key_id.as_deref()), (Some("ana"), Some("AKIAX")));
    let names: Vec<_> =
        event.resources.all().iter().map(|resource| resource.resource_name.as_str()).collect();
    assert_eq!(names, ["eve", "arn:aws:iam::111122223333:user/eve"]);
}

#[test]
fn the_account_is_the_recipients_else_the_callers_own_else_the_senders() {
    let no_recipient = without("recipientAccountId").unwrap();
    assert_eq!(no_recipient.account, "444455556666");
    let neither = changed(|r| {
        r["recipientAccountId"] = Value::Null;
        r["userIdentity"] = Value::Null;
    });
    assert_eq!(neither.unwrap().account, "000000000000");
}

#[test]
fn each_kind_of_event_has_its_list() {
    let listing = |category: Value, management: Value, read_only: Value| {
        changed(|r| {
            r["eventCategory"] = category;
            r["managementEvent"] = management;
            r["readOnly"] = read_only;
        })
        .unwrap()
        .listing
    };
    assert_eq!(listing(json!("Management"), json!(true), json!(true)), Listing::Read);
    assert_eq!(listing(json!("Data"), json!(false), json!(false)), Listing::Data);
    assert_eq!(listing(json!("NetworkActivity"), Value::Null, Value::Null), Listing::Data);
    assert_eq!(listing(Value::Null, json!(false), json!(true)), Listing::Data);
    assert_eq!(listing(Value::Null, Value::Null, Value::Null), Listing::Write);
    let insight = changed(|r| {
        r["eventCategory"] = json!("Insight");
        r["eventName"] = Value::Null;
        r["eventSource"] = Value::Null;
        r["insightDetails"] = json!({"eventSource": "ssm.amazonaws.com", "eventName": "UpdateThing"});
    })
    .unwrap();
    assert_eq!((insight.listing, insight.event_name.as_str()), (Listing::Insight, "UpdateThing"));
}

#[test]
fn who_called_is_named_as_lookups_name_them() {
    let name = |identity: Value| changed(|r| r["userIdentity"] = identity).unwrap().username;
    assert_eq!(name(json!({"type": "Root", "userName": "my-alias"})).as_deref(), Some("root"));
    let role = json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/deployer/ci-7"});
    assert_eq!(name(role).as_deref(), Some("ci-7"));
    assert_eq!(name(json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"})), None);
    assert_eq!(name(json!({"type": "WebIdentityUser", "userName": "sub"})).as_deref(), Some("sub"));
}

#[test]
fn a_record_of_an_anonymous_caller_belongs_to_the_account_that_imported_it() {
    for id in [json!("ANONYMOUS_PRINCIPAL"), json!("anonymous"), json!(""), json!("*"), Value::Null] {
        let event = changed(|r| {
            r["userIdentity"] = json!({"type": "AWSAccount", "principalId": "", "accountId": id});
            r.as_object_mut().unwrap().remove("recipientAccountId");
        });
        assert_eq!(event.unwrap().account, "000000000000", "{id}");
    }
    assert_eq!(without("recipientAccountId").unwrap().account, "444455556666");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    assert_eq!(without("eventTime").unwrap_err(), "eventTime is missing");
    assert_eq!(without("awsRegion").unwrap_err(), "awsRegion is missing");
    assert_eq!(without("eventName").unwrap_err(), "eventName is missing");
    assert_eq!(without("eventSource").unwrap_err(), "eventSource is missing");
    let wrong = |member: &str, value: Value| changed(|r| r[member] = value).unwrap_err();
    assert!(wrong("eventTime", json!("yesterday")).contains("not an ISO 8601 time"));
    assert!(wrong("eventTime", json!("2300-01-01T00:00:00Z")).contains("out of range"));
    assert!(wrong("awsRegion", json!("US East")).contains("not a region's name"));
    assert!(wrong("recipientAccountId", json!("42")).contains("not 12 digits"));
    assert!(wrong("recipientAccountId", json!("abcdefghijkl")).contains("not 12 digits"));
    assert!(wrong("readOnly", json!("maybe")).contains("expected a boolean"));
    assert!(
        Event::from_record("{\"a\":", &nobody(), 0, &NamesOnly).unwrap_err().starts_with("not valid JSON")
    );
    assert!(Event::from_record("[]", &nobody(), 0, &NamesOnly).is_err());
}

#[test]
fn a_record_without_an_id_gets_the_same_one_each_time() {
    let (one, two) = (without("eventID").unwrap(), without("eventID").unwrap());
    assert_eq!(one.event_id, two.event_id);
    assert_eq!(one.event_id.len(), 36);
    assert_ne!(one.event_id, read(&record()).unwrap().event_id);
}

#[test]
fn a_shift_moves_the_time_and_nothing_else() {
    let before = record().to_string();
    let event = Event::from_record(&before, &nobody(), 3600, &NamesOnly).unwrap();
    assert_eq!(event.event_time, 1_795_325_400 + 3600);
    assert_eq!(event.record, before.replace("05:30:00Z", "06:30:00Z"));
}

#[test]
fn nul_stays_out_of_the_columns() {
    let event = changed(|r| r["userIdentity"]["userName"] = json!("a\0b")).unwrap();
    assert_eq!(event.username.as_deref(), Some("a\\u0000b"));
    assert!(event.record.contains("a\\u0000b"));
}

#[test]
fn a_refused_call_lists_what_was_asked_for_and_never_the_records_own_resources() {
    let refused = changed(|r| {
        r["errorCode"] = json!("AccessDenied");
        r["responseElements"] = Value::Null;
        r["resources"] = json!([{"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}, {"ARNPrefix": "x"}]);
    })
    .unwrap();
    assert_eq!(refused.resources.all().len(), 1);
    assert_eq!(refused.resources.all()[0].resource_name, "eve");
    assert_eq!(refused.error_code.as_deref(), Some("AccessDenied"));
    assert_eq!(refused.selector_fields.resources.len(), 1, "which selectors look at");
}

/// Knows one operation.
struct OnlyInvoke;

impl KnownEvents for OnlyInvoke {
    fn known(&self, event_source: &str, event_name: &str) -> Option<EventFacts> {
        let is_known = (event_source, event_name) == ("iam.amazonaws.com", "GetInvoked");
        is_known.then_some(EventFacts { read_only: false, category: Category::Data })
    }
}

#[test]
fn what_a_record_does_not_say_is_known_of_its_operation_or_guessed_by_its_name() {
    let facts = |name: &str, stated: Value| {
        let mut value = record();
        let members = value.as_object_mut().unwrap();
        members.retain(|name, _| !["readOnly", "managementEvent", "eventCategory"].contains(&name.as_str()));
        members.insert("eventName".to_owned(), json!(name));
        members.extend(stated.as_object().unwrap().clone());
        let event = Event::from_record(&value.to_string(), &nobody(), 0, &OnlyInvoke).unwrap();
        (event.read_only, event.listing)
    };
    assert_eq!(facts("GetInvoked", json!({})), (false, Listing::Data));
    assert_eq!(facts("GetElse", json!({})), (true, Listing::Read));
    assert_eq!(facts("PutElse", json!({})), (false, Listing::Write));
    // What the record says outranks it.
    assert_eq!(facts("GetInvoked", json!({"readOnly": true})), (true, Listing::Data));
    assert_eq!(facts("GetInvoked", json!({"managementEvent": true})), (false, Listing::Write));
    assert_eq!(facts("GetElse", json!({"managementEvent": false})), (true, Listing::Data));
    assert_eq!(facts("GetElse", json!({"eventCategory": "Insight"})), (true, Listing::Insight));
}
