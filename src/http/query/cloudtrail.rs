//! CloudTrail's operations in the query protocol: the form becomes the JSON that the operation reads, and its answer XML.
//!
//! Nothing is judged or done here but the change of form, so that a call is the same in both protocols. Sources: the
//! common parameters of CloudTrail's API reference of 2015, the API's description in the AWS SDK for Ruby v1.

use crate::api::Service;
use crate::aws::catalog::Kinds;
use crate::aws::form_members::members;
use crate::aws::protocol::escape_xml;
use crate::domain::caller::Caller;
use crate::domain::timestamp::Timestamp;
use crate::error::{ApiError, ApiResult, Code};
use crate::http::call_api;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value};
use std::sync::LazyLock;
use uuid::Uuid;

/// CloudTrail's only version.
pub(super) const VERSION: &str = "2013-11-01";
pub(super) const NAMESPACE: &str = "http://cloudtrail.amazonaws.com/doc/2013-11-01/";

/// What members of requests hold that are no text: a form does not say so. The catalog knows it of services that speak this
/// protocol only, which CloudTrail's model does not name any more.
static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    let lists = [
        "AdvancedEventSelectors",
        "AggregationConfigurations",
        "ContextKeySelectors",
        "DataResources",
        "EndsWith",
        "Equals",
        "EventCategories",
        "EventSelectors",
        "ExcludeManagementEventSources",
        "FieldSelectors",
        "InsightSelectors",
        "LookupAttributes",
        "NotEndsWith",
        "NotEquals",
        "NotStartsWith",
        "ResourceIdList",
        "StartsWith",
        "TagsList",
        "Templates",
        "Values",
        "trailNameList",
    ];
    let booleans = [
        "EnableLogFileValidation",
        "IncludeGlobalServiceEvents",
        "IncludeManagementEvents",
        "IsMultiRegionTrail",
        "IsOrganizationTrail",
        "RecursiveLogging",
        "includeShadowTrails",
    ];
    Kinds {
        numbers: ["MaxResults".to_owned()].into(),
        booleans: booleans.map(str::to_owned).into(),
        lists: lists.map(|name| (name.to_owned(), "member".to_owned())).into(),
        times: ["EndTime", "StartTime"].map(str::to_owned).into(),
        ..Kinds::default()
    }
});

/// Does a call; what it answers, as the members of its result.
///
/// # Errors
/// Those of the operation; `SerializationException` for a time that is none.
pub(super) async fn result(
    action: &str,
    pairs: &[(String, String)],
    caller: &Caller,
    service: &Service,
    id: Uuid,
) -> ApiResult<String> {
    let body = Value::Object(input(pairs)?).to_string();
    let answer = call_api(action, body.as_bytes(), caller, service, id).await?;
    let mut xml = String::with_capacity(answer.len() * 2);
    write_members(&serde_json::from_slice(&answer).map_err(ApiError::internal)?, &mut xml);
    Ok(xml)
}

/// The members of a request. Times in words become the numbers that they are in JSON.
fn input(pairs: &[(String, String)]) -> ApiResult<Map<String, Value>> {
    let mut input = members(pairs.iter(), &KINDS);
    for (name, value) in &mut input {
        if !KINDS.times.contains(name) {
            continue;
        }
        let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let time = time.ok_or_else(|| {
            Code::SerializationException
                .because(format!("{name} is not a time in ISO 8601, as 2015-11-24T20:00:00Z."))
        })?;
        *value = serde_json::to_value(Timestamp(time.to_utc())).map_err(ApiError::internal)?;
    }
    Ok(input)
}

/// What an answer holds, as elements.
fn write_members(value: &Value, xml: &mut String) {
    match value {
        Value::Null => (),
        Value::Object(members) => {
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                write_element(name, value, xml);
            }
        }
        Value::Array(items) => {
            for item in items {
                write_element("member", item, xml);
            }
        }
        Value::String(text) => xml.push_str(&escape_xml(text)),
        Value::Bool(is_so) => xml.push_str(if *is_so { "true" } else { "false" }),
        // No answer of CloudTrail holds another number than a time.
        Value::Number(seconds) => xml.push_str(&iso(seconds)),
    }
}

fn write_element(name: &str, value: &Value, xml: &mut String) {
    xml.extend(["<", name, ">"]);
    write_members(value, xml);
    xml.extend(["</", name, ">"]);
}

/// `2014-06-05T12:00:00Z`, with milliseconds where there are some.
fn iso(seconds: &serde_json::Number) -> String {
    match serde_json::from_value(Value::Number(seconds.clone())) {
        Ok(Timestamp(time)) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        Err(_) => seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::pairs;
    use serde_json::json;

    fn read(form: &str) -> ApiResult<Value> {
        input(&pairs::pairs(form)).map(Value::Object)
    }

    #[test]
    fn a_form_is_read_as_the_json_that_it_stands_for() {
        let form = "Action=LookupEvents&Version=2013-11-01&StartTime=2014-06-05T12%3A00%3A00.250Z&MaxResults=10\
                    &LookupAttributes.member.1.AttributeKey=EventName&LookupAttributes.member.1.AttributeValue=true";
        let attribute = json!({"AttributeKey": "EventName", "AttributeValue": "true"});
        let want = json!({"StartTime": 1_401_969_600.25, "MaxResults": 10, "LookupAttributes": [attribute]});
        assert_eq!(read(form).unwrap(), want);
        let form = "EventSelectors.member.1.DataResources.member.1.Type=T&EventSelectors.member.1.DataResources.member.1\
                    .Values.member.1=v&EventSelectors.member.1.IncludeManagementEvents=false&TagsList=";
        let selector =
            json!({"DataResources": [{"Type": "T", "Values": ["v"]}], "IncludeManagementEvents": false});
        assert_eq!(read(form).unwrap(), json!({"EventSelectors": [selector], "TagsList": []}));
        assert_eq!(read("EndTime=yesterday").unwrap_err().code, Code::SerializationException);
    }

    #[test]
    fn an_answer_is_written_with_times_in_words_and_lists_of_members() {
        let answer = json!({
            "trailList": [{"Name": "a & b", "IsLogging": true}, {}],
            "LatestDeliveryTime": 1_401_969_600.25,
            "StartLoggingTime": 1_401_969_600,
            "NextToken": null,
        });
        let mut xml = String::new();
        write_members(&answer, &mut xml);
        for part in [
            "<trailList><member><Name>a &amp; b</Name><IsLogging>true</IsLogging></member><member></member></trailList>",
            "<LatestDeliveryTime>2014-06-05T12:00:00.250Z</LatestDeliveryTime>",
            "<StartLoggingTime>2014-06-05T12:00:00Z</StartLoggingTime>",
        ] {
            assert!(xml.contains(part), "{xml}");
        }
        assert!(!xml.contains("NextToken"), "{xml}");
    }
}
