//! What is taken, over generated selectors and records, beside a slow and obvious evaluation of the same.

use super::tests::{event, parse, record};
use super::{EventSelectors, Selection};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The same question answered slowly, from the JSON of the selectors and of the record.
mod slow {
    use serde_json::{Value, json};

    pub(super) fn takes(selectors: &Value, record: &Value) -> bool {
        let list = |name: &str| selectors[name].as_array().cloned().unwrap_or_default();
        list("EventSelectors").iter().any(|selector| basic(selector, record))
            || list("AdvancedEventSelectors").iter().any(|selector| advanced(selector, record))
    }

    fn texts(list: &Value) -> Vec<&str> {
        list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
    }

    fn resources(record: &Value) -> Vec<Value> {
        record["resources"].as_array().cloned().unwrap_or_default()
    }

    fn basic(selector: &Value, record: &Value) -> bool {
        let read_write = match selector["ReadWriteType"].as_str().unwrap() {
            "ReadOnly" => record["readOnly"] == true,
            "WriteOnly" => record["readOnly"] == false,
            _ => true,
        };
        let chosen = match record["eventCategory"].as_str().unwrap() {
            "Management" => {
                let excluded = texts(&selector["ExcludeManagementEventSources"]);
                selector["IncludeManagementEvents"] == true
                    && !excluded.contains(&record["eventSource"].as_str().unwrap())
            }
            "Data" => selector["DataResources"].as_array().unwrap().iter().any(|wanted| {
                resources(record).iter().any(|resource| {
                    let arn = resource["ARN"].as_str().unwrap();
                    let is_prefix =
                        |value: &str| wanted["Type"] == "AWS::S3::Object" || value.matches(':').count() == 2;
                    let fits =
                        |value: &str| if is_prefix(value) { arn.starts_with(value) } else { arn == value };
                    resource["type"] == wanted["Type"] && texts(&wanted["Values"]).into_iter().any(fits)
                })
            }),
            _ => false,
        };
        read_write && chosen
    }

    fn advanced(selector: &Value, record: &Value) -> bool {
        // All conditions must hold for one resource of the record, or without any.
        let mut choices = resources(record);
        choices.push(json!({}));
        let conditions = selector["FieldSelectors"].as_array().unwrap();
        choices.iter().any(|resource| conditions.iter().all(|condition| holds(condition, record, resource)))
    }

    fn holds(condition: &Value, record: &Value, resource: &Value) -> bool {
        let value = match condition["Field"].as_str().unwrap() {
            "resources.type" => &resource["type"],
            "resources.ARN" => &resource["ARN"],
            "userIdentity.arn" => &record["userIdentity"]["arn"],
            field => &record[field],
        };
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let some = |operator: &str, fits: fn(&str, &str) -> bool| {
            let values = texts(&condition[operator]);
            (!values.is_empty())
                .then(|| text.as_ref().is_some_and(|text| values.iter().any(|value| fits(text, value))))
        };
        let equals = |a: &str, b: &str| a == b;
        let starts = |a: &str, b: &str| a.starts_with(b);
        let ends = |a: &str, b: &str| a.ends_with(b);
        let positive = [some("Equals", equals), some("StartsWith", starts), some("EndsWith", ends)];
        let negative = [some("NotEquals", equals), some("NotStartsWith", starts), some("NotEndsWith", ends)];
        let mut asked = positive.iter().flatten().peekable();
        (asked.peek().is_none() || asked.any(|fits| *fits)) && !negative.contains(&Some(true))
    }
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::select(words).prop_map(Value::from)
}

/// One to three different ones.
fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(words, 1..=words.len().min(3)).prop_map(Value::from)
}

/// An object of the members that are not `null`.
fn object(members: Vec<(&str, Value)>) -> Value {
    members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn maybe(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::option::of(value).prop_map(Option::unwrap_or_default)
}

const SOURCES: &[&str] =
    &["kms.amazonaws.com", "s3.amazonaws.com", "ec2.amazonaws.com", "rdsdata.amazonaws.com"];
const TYPES: &[&str] =
    &["AWS::S3::Object", "AWS::S3::AccessPoint", "AWS::Lambda::Function", "AWS::DynamoDB::Table"];
const ARNS: &[&str] = &[
    "arn:aws:s3:::b-1/in/1",
    "arn:aws:s3:::b-1/out/1",
    "arn:aws:s3:::b-12/in/1",
    "arn:aws:lambda:us-east-1:111122223333:function:f",
    "arn:aws:lambda:us-east-1:111122223333:function:f2",
    "arn:aws:dynamodb:us-east-1:111122223333:table/t",
];
const TEXTS: &[&str] = &["ab", "abc", "b", "bc", "c", "ca", "a"];
const PARTS: &[&str] = &["a", "b", "c", "ab", "bc", "abc"];
const ARN_PARTS: &[&str] =
    &["arn:aws:s3:::b-1", "arn:aws:s3:::b-1/in/1", "arn:aws:lambda", "/1", "f", "arn", "t"];

fn any_record() -> impl Strategy<Value = Value> {
    let resource = (one_of(TYPES), one_of(ARNS)).prop_map(|(kind, arn)| json!({"type": kind, "ARN": arn}));
    let facts =
        (one_of(&["Management", "Data", "NetworkActivity"]), any::<bool>(), one_of(SOURCES), one_of(TEXTS));
    let resources = maybe(prop::collection::vec(resource, 0..3).prop_map(Value::from));
    let error = maybe(one_of(&["VpceAccessDenied", "AccessDenied"]));
    let rest = (
        maybe(one_of(TEXTS)),
        maybe(one_of(TEXTS)),
        maybe(one_of(TEXTS)),
        maybe(one_of(&["true"])),
        error,
        resources,
    );
    (facts, rest).prop_map(
        |((category, read_only, source, name), (kind, user, endpoint, console, error, resources))| {
            let user = if user.is_null() { user } else { json!({"arn": user}) };
            record(&object(vec![
                ("eventCategory", category),
                ("readOnly", read_only.into()),
                ("eventSource", source),
                ("eventName", name),
                ("eventType", kind),
                ("userIdentity", user),
                ("vpcEndpointId", endpoint),
                ("sessionCredentialFromConsole", console),
                ("errorCode", error),
                ("resources", resources),
            ]))
        },
    )
}

fn any_basic() -> impl Strategy<Value = Value> {
    let values = |kind, all, some: &'static [&'static str]| {
        (some_of(some), any::<bool>()).prop_map(move |(mut values, with_all)| {
            if with_all {
                values.as_array_mut().unwrap().push(Value::from(all));
            }
            json!({"Type": kind, "Values": values})
        })
    };
    let resource = prop_oneof![
        values(
            "AWS::S3::Object",
            "arn:aws:s3",
            &["arn:aws:s3:::b-1/", "arn:aws:s3:::b-1/in", "arn:aws:s3:::b-12/in/1"]
        ),
        values("AWS::Lambda::Function", "arn:aws:lambda", &ARNS[3..5]),
        values("AWS::DynamoDB::Table", "arn:aws:dynamodb", &ARNS[5..]),
    ];
    let sources = maybe(some_of(&["kms.amazonaws.com", "rdsdata.amazonaws.com"]));
    let selector = (
        maybe(one_of(&["All", "ReadOnly", "WriteOnly"])),
        any::<bool>(),
        prop::collection::vec(resource, 0..3),
        sources,
    )
        .prop_map(|(kind, management, resources, sources)| {
            object(vec![
                ("ReadWriteType", kind),
                ("IncludeManagementEvents", management.into()),
                ("DataResources", resources.into()),
                ("ExcludeManagementEventSources", if management { sources } else { Value::Null }),
            ])
        });
    prop::collection::vec(selector, 1..4).prop_map(|selectors| json!({"EventSelectors": selectors}))
}

/// A condition on `field` with one to three operators, or none.
fn any_condition(field: &'static str, parts: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let operators = &["Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"];
    let operators = prop::sample::subsequence(operators, 1..=3);
    let condition =
        (operators, prop::collection::vec(some_of(parts), 3)).prop_map(move |(operators, values)| {
            let mut condition = object(operators.into_iter().zip(values).collect());
            condition["Field"] = field.into();
            condition
        });
    maybe(condition)
}

fn any_equals(field: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    one_of(values).prop_map(move |value| json!({"Field": field, "Equals": [value]}))
}

fn any_advanced() -> impl Strategy<Value = Value> {
    let category = |name: &str| Just(json!({"Field": "eventCategory", "Equals": [name]}));
    let read_only = || maybe(any_equals("readOnly", &["true", "false"]));
    let sources = some_of(&["kms.amazonaws.com", "rdsdata.amazonaws.com"]);
    let not_from = maybe(sources.prop_map(|values| json!({"Field": "eventSource", "NotEquals": values})));
    let management = (category("Management"), read_only(), not_from).prop_map(|(a, b, c)| vec![a, b, c]);
    let console = prop::sample::select(&["Equals", "NotEquals"][..]).prop_map(|operator| {
        let mut condition = json!({"Field": "sessionCredentialFromConsole"});
        condition[operator] = json!(["true"]);
        condition
    });
    let data = (
        (category("Data"), any_equals("resources.type", TYPES), read_only(), maybe(console)),
        any_condition("resources.ARN", ARN_PARTS),
        any_condition("eventName", PARTS),
        any_condition("eventType", PARTS),
        any_condition("userIdentity.arn", PARTS),
        any_condition("eventSource", SOURCES),
    )
        .prop_map(|((a, b, c, d), e, f, g, h, i)| vec![a, b, c, d, e, f, g, h, i]);
    let network = (
        category("NetworkActivity"),
        any_equals("eventSource", SOURCES),
        maybe(any_equals("errorCode", &["VpceAccessDenied"])),
        any_condition("eventName", PARTS),
        any_condition("vpcEndpointId", PARTS),
    )
        .prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e]);
    let selector = prop_oneof![1 => management, 3 => data, 1 => network].prop_map(|mut conditions| {
        conditions.retain(|condition| !condition.is_null());
        json!({"FieldSelectors": conditions})
    });
    prop::collection::vec(selector, 1..4).prop_map(|selectors| json!({"AdvancedEventSelectors": selectors}))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_is_what_a_slow_evaluation_of_the_json_takes(
        asked in prop_oneof![any_basic(), any_advanced()],
        records in prop::collection::vec(any_record(), 20),
    ) {
        let selectors = parse(&asked).unwrap();
        let stored = serde_json::to_value(&selectors).unwrap();
        let selection = Selection::from(&selectors);
        for record in records {
            prop_assert_eq!(selection.takes(&event(&record)), slow::takes(&stored, &record), "{} {}", stored, record);
        }
        prop_assert_eq!(serde_json::from_value::<EventSelectors>(stored).unwrap(), selectors);
    }
}
