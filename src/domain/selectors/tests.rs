//! The rules of selectors, and what they take.

use super::{EventSelectors, Selection};
use crate::domain::account_id::AccountId;
use crate::domain::event::Event;
use crate::domain::event_facts::NamesOnly;
use crate::error::{ApiResult, Code};
use serde_json::{Value, json};

/// Parses the two members of a call.
pub(super) fn parse(members: &Value) -> ApiResult<EventSelectors> {
    let list = |name: &str| members.get(name).cloned();
    let basic = list("EventSelectors").map(|list| serde_json::from_value(list).unwrap());
    let advanced = list("AdvancedEventSelectors").map(|list| serde_json::from_value(list).unwrap());
    EventSelectors::parse(basic, advanced, &[])
}

fn basic(selector: Value) -> ApiResult<EventSelectors> {
    parse(&json!({"EventSelectors": [selector]}))
}

fn advanced(field_selectors: Value) -> ApiResult<EventSelectors> {
    parse(&json!({"AdvancedEventSelectors": [{"FieldSelectors": field_selectors}]}))
}

/// Why it is refused.
fn why(refused: ApiResult<EventSelectors>) -> String {
    let error = refused.unwrap_err();
    assert_eq!(error.code, Code::InvalidEventSelectorsException);
    error.message.into_owned()
}

fn data(kind: &str, values: &[&str]) -> ApiResult<EventSelectors> {
    basic(json!({"DataResources": [{"Type": kind, "Values": values}]}))
}

pub(super) fn event(record: &Value) -> Event {
    let account = AccountId::parse("111122223333").unwrap();
    Event::from_record(&record.to_string(), &account, 0, &NamesOnly).unwrap()
}

pub(super) fn record(more: &Value) -> Value {
    let mut record = json!({"eventTime": "2026-11-22T05:30:00Z", "awsRegion": "us-east-1",
        "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "readOnly": false, "eventCategory": "Management"});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record
}

fn takes(selectors: &EventSelectors, more: Value) -> bool {
    Selection::from(selectors).takes(&event(&record(&more)))
}

fn object_call(arn: &str) -> Value {
    json!({"eventSource": "s3.amazonaws.com", "eventName": "PutObject", "eventCategory": "Data", "resources": [
        {"type": "AWS::S3::Object", "ARN": arn}, {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::elsewhere"}]})
}

#[test]
fn what_is_left_out_of_a_basic_selector_is_filled_in() {
    assert_eq!(basic(json!({})).unwrap(), EventSelectors::default());
    assert!(
        basic(json!({"ReadWriteType": "All", "ExcludeManagementEventSources": []})).unwrap().are_default()
    );
    assert!(!basic(json!({"ReadWriteType": "WriteOnly"})).unwrap().are_default());
    let two = json!({"EventSelectors": [{}, {}]});
    assert!(!parse(&two).unwrap().are_default());
}

#[test]
fn values_of_data_resources_are_kept_as_they_were_given() {
    for (kind, values) in [
        (
            "AWS::S3::Object",
            &["arn:aws:s3", "arn:aws:s3:::", "arn:aws:s3:::b-1/", "arn:aws:s3:::b-1/in/*"][..],
        ),
        ("AWS::Lambda::Function", &["arn:aws:lambda", "arn:aws:lambda:eu-west-1:111122223333:function:f_1"]),
        (
            "AWS::DynamoDB::Table",
            &["arn:aws-cn:dynamodb", "arn:aws:dynamodb:us-east-1:111122223333:table/t.1"],
        ),
    ] {
        let stored = serde_json::to_value(data(kind, values).unwrap()).unwrap();
        assert_eq!(stored["EventSelectors"][0]["DataResources"], json!([{"Type": kind, "Values": values}]));
    }
}

#[test]
fn values_that_name_no_resource_are_refused_as_aws_refuses_them() {
    for (kind, value) in [
        ("AWS::S3::Object", "arn:aws:s3:::*"),
        ("AWS::S3::Object", "arn:aws:s3:::*/*"),
        ("AWS::S3::Object", "arn:aws:s3:::bucket"),
        ("AWS::S3::Object", "arn:aws:s3:us-east-1::bucket/"),
        ("AWS::S3::Object", "arn:aws:s3::"),
        ("AWS::S3::Object", "arn:aws:lambda"),
        ("AWS::S3::Object", "bucket/"),
        ("AWS::S3::Object", ""),
        ("AWS::Lambda::Function", "arn:aws:lambda:*"),
        ("AWS::Lambda::Function", "arn:aws:lambda:us-east-1:111122223333:function:*"),
        ("AWS::Lambda::Function", "arn:aws:lambda:us-east-1::function:f"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:111122223333:table/"),
        ("AWS::DynamoDB::Table", "arn:aws:dynamodb:us-east-1:111122223333:index/t"),
    ] {
        let want = format!("Value {value} for DataResources.Values is invalid.");
        assert_eq!(why(data(kind, &[value])), want, "{kind}");
    }
    assert_eq!(
        why(data("AWS::SNS::Topic", &["arn:aws:sns"])),
        "Value AWS::SNS::Topic for DataResources.Type is invalid. Valid values are: AWS::DynamoDB::Table, \
         AWS::Lambda::Function, AWS::S3::Object"
    );
    assert_eq!(
        why(data("AWS::S3::Object", &[])),
        "Specify values of AWS::S3::Object for DataResources.Values."
    );
}

#[test]
fn basic_selectors_keep_their_rules() {
    let count = "Specify a valid number of selectors (1 to 5) for your trail";
    assert_eq!(why(parse(&json!({}))), count);
    assert_eq!(why(parse(&json!({"EventSelectors": []}))), count);
    assert_eq!(why(parse(&json!({"AdvancedEventSelectors": []}))), count);
    assert_eq!(why(parse(&json!({"EventSelectors": vec![json!({}); 6]}))), count);
    assert!(parse(&json!({"EventSelectors": vec![json!({}); 5]})).is_ok());
    assert_eq!(
        why(basic(json!({"ReadWriteType": "read-only"}))),
        "Value read-only for ReadWriteType is invalid."
    );
    assert_eq!(
        why(basic(json!({"ExcludeManagementEventSources": ["s3.amazonaws.com"]}))),
        "Value s3.amazonaws.com for ExcludeManagementEventSources is invalid."
    );
    assert_eq!(
        why(basic(
            json!({"IncludeManagementEvents": false, "ExcludeManagementEventSources": ["kms.amazonaws.com"]})
        )),
        "ExcludeManagementEventSources can be set only where IncludeManagementEvents is true."
    );
    let both = json!({"EventSelectors": [{}], "AdvancedEventSelectors": [{"FieldSelectors": []}]});
    assert_eq!(
        why(parse(&both)),
        "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both"
    );
}

#[test]
fn a_trail_has_room_for_250_values_of_data_resources_beside_those_that_stand_for_all() {
    let selectors = |n: usize| {
        let values: Vec<_> = (0..n).map(|i| format!("arn:aws:s3:::b-{i}/")).collect();
        let (first, second) = values.split_at(100);
        let with = |values: &[String]| {
            json!({"DataResources": [{"Type": "AWS::S3::Object", "Values": values},
            {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]})
        };
        parse(&json!({"EventSelectors": [with(first), with(second)]}))
    };
    assert!(selectors(250).is_ok());
    let too_many = "Specify a valid number of DataResources.Values (0 to 250) for all your selectors";
    assert_eq!(why(selectors(251)), too_many);
}

#[test]
fn advanced_selectors_keep_their_rules() {
    let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
    let data = json!({"Field": "eventCategory", "Equals": ["Data"]});
    let object = json!({"Field": "resources.type", "Equals": ["AWS::S3::Object"]});
    let network = json!({"Field": "eventCategory", "Equals": ["NetworkActivity"]});
    let ec2 = json!({"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]});
    for good in [
        json!([management]),
        json!([management, {"Field": "readOnly", "Equals": ["true"]}]),
        json!([management, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}]),
        json!([data, object]),
        json!([data, object, {"Field": "resources.ARN", "StartsWith": ["a"], "NotEndsWith": ["b"]}]),
        json!([data, object, {"Field": "sessionCredentialFromConsole", "NotEquals": ["true"]}]),
        json!([data, object, {"Field": "userIdentity.arn", "NotStartsWith": ["a"]}, {"Field": "eventType", "Equals": ["b"]}]),
        json!([network, ec2]),
        json!([network, ec2, {"Field": "errorCode", "Equals": ["VpceAccessDenied"]}, {"Field": "vpcEndpointId", "EndsWith": ["1"]}]),
    ] {
        let stored = serde_json::to_value(advanced(good.clone()).unwrap()).unwrap();
        assert_eq!(stored, json!({"AdvancedEventSelectors": [{"FieldSelectors": good}]}), "as it was given");
    }
    for (bad, reason) in [
        (json!([]), "must have a field selector for eventCategory"),
        (json!([{"Field": "readOnly", "Equals": ["true"]}]), "must have a field selector for eventCategory"),
        (json!([{"Field": "eventCategory", "Equals": ["Insight"]}]), "Management, Data or NetworkActivity"),
        (
            json!([{"Field": "eventCategory", "Equals": ["Data", "Management"]}]),
            "Management, Data or NetworkActivity",
        ),
        (json!([{"Field": "eventCategory", "NotEquals": ["Data"]}]), "Management, Data or NetworkActivity"),
        (json!([data]), "must have a field selector for resources.type"),
        (json!([network]), "must have a field selector for eventSource"),
        (
            json!([management, object]),
            "The following field is not allowed when the eventCategory field value equals Management: resources.type.",
        ),
        (
            json!([management, {"Field": "eventName", "Equals": ["RunInstances"]}]),
            "The following field is not allowed when the eventCategory field value equals Management: eventName.",
        ),
        (
            json!([data, object, {"Field": "vpcEndpointId", "Equals": ["vpce-1"]}]),
            "The following field is not allowed when the eventCategory field value equals Data: vpcEndpointId.",
        ),
        (
            json!([management, {"Field": "awsRegion", "Equals": ["us-east-1"]}]),
            r#"There is no field "awsRegion""#,
        ),
        (json!([management, {"Equals": ["x"]}]), r#"There is no field """#),
        (json!([management, {"Field": "readOnly"}]), "has no operator"),
        (json!([management, {"Field": "readOnly", "Equals": []}]), "has no values"),
        (
            json!([management, {"Field": "readOnly", "Equals": ["yes"]}]),
            r#"Value "yes" for the field readOnly is invalid."#,
        ),
        (json!([management, {"Field": "readOnly", "Equals": ["true", "false"]}]), "must have one value"),
        (
            json!([management, {"Field": "readOnly", "NotEquals": ["true"]}]),
            "NotEquals cannot be used with the field readOnly",
        ),
        (json!([management, ec2]), "Equals cannot be used with the field eventSource"),
        (json!([management, {"Field": "eventSource", "NotEquals": ["s3.amazonaws.com"]}]), "is invalid"),
        (json!([data, {"Field": "resources.type", "StartsWith": ["AWS::S3"]}]), "StartsWith cannot be used"),
        (
            json!([data, {"Field": "resources.type", "Equals": ["S3"]}]),
            "The resources.type field value is not valid",
        ),
        (json!([data, object, object]), "occurs more than once"),
        (json!([data, object, {"Field": "eventName", "Equals": [""]}]), "is invalid"),
        (json!([data, object, {"Field": "eventName", "Equals": ["x".repeat(2049)]}]), "is invalid"),
        (json!([network, {"Field": "eventSource", "Equals": ["ec2"]}]), "is invalid"),
        (json!([network, ec2, {"Field": "errorCode", "Equals": ["AccessDenied"]}]), "is invalid"),
    ] {
        let text = why(advanced(bad.clone()));
        assert!(text.contains(reason), "{bad}: {text}");
    }
    let named = |name: String| {
        parse(&json!({"AdvancedEventSelectors": [{"Name": name, "FieldSelectors": [management]}]}))
    };
    assert!(named(String::new()).is_ok() && named("n".repeat(1000)).is_ok());
    assert!(why(named("n".repeat(1001))).contains("longer than 1000"));
}

#[test]
fn a_trail_has_room_for_500_values_of_conditions() {
    let selectors = |n: usize| {
        let names: Vec<_> = (0..n - 4).map(|i| format!("Do{i}")).collect();
        let (first, second) = names.split_at(200);
        let with = |names: &[String]| {
            json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}, {"Field": "eventName", "Equals": names}]})
        };
        parse(&json!({"AdvancedEventSelectors": [with(first), with(second)]}))
    };
    assert!(selectors(500).is_ok());
    assert!(why(selectors(501)).contains("up to 500 values"));
}

#[test]
fn the_default_takes_management_events_and_nothing_else() {
    let default = EventSelectors::default();
    assert!(takes(&default, json!({})) && takes(&default, json!({"readOnly": true})));
    for category in ["Data", "NetworkActivity", "Insight"] {
        assert!(!takes(&default, json!({"eventCategory": category})), "{category}");
    }
}

#[test]
fn a_source_that_is_left_out_is_left_out_of_management_events_only() {
    let without =
        basic(json!({"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"],
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b-1/in"]}]}));
    let without = without.unwrap();
    assert!(takes(&without, json!({})) && !takes(&without, json!({"readOnly": true})));
    assert!(!takes(&without, json!({"eventSource": "kms.amazonaws.com"})));
    assert!(takes(&without, object_call("arn:aws:s3:::b-1/in/1")));
    assert!(!takes(&without, object_call("arn:aws:s3:::b-1/out/1")));
    let listing = json!([{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::b-1/in"}]);
    assert!(
        takes(&without, json!({"eventCategory": "Data", "resources": listing})),
        "calls that list objects"
    );
}

#[test]
fn the_type_and_the_arn_are_those_of_one_resource() {
    let elsewhere = advanced(json!([{"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::elsewhere"]}]));
    let elsewhere = elsewhere.unwrap();
    assert!(!takes(&elsewhere, object_call("arn:aws:s3:::b-1/1")), "the bucket is elsewhere, not the object");
    assert!(takes(&elsewhere, object_call("arn:aws:s3:::elsewhere/1")));
}

#[test]
fn a_field_that_a_record_does_not_have_fits_nothing() {
    let with = |condition: Value| {
        let all = advanced(json!([{"Field": "eventCategory", "Equals": ["NetworkActivity"]},
            {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}, condition]));
        takes(&all.unwrap(), json!({"eventCategory": "NetworkActivity"}))
    };
    assert!(!with(json!({"Field": "vpcEndpointId", "StartsWith": ["vpce-"]})));
    assert!(with(json!({"Field": "vpcEndpointId", "NotStartsWith": ["vpce-"]})));
}
