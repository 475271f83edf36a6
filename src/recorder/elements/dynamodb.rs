//! What records of DynamoDB's data events show: which attributes, but not what is in them; of keys also that.

use serde_json::{Map, Value};

/// Members that hold nothing but values.
const VALUES: &[&str] = &[
    "AttributeUpdates",
    "Expected",
    "ExpressionAttributeValues",
    "KeyConditions",
    "Parameters",
    "QueryFilter",
    "ScanFilter",
];

/// Members as they were sent become those that records have.
pub(super) fn request(members: Map<String, Value>) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| shown(name, value)).collect()
}

fn shown(name: String, value: Value) -> Option<(String, Value)> {
    match (name.as_str(), value) {
        (name, _) if VALUES.contains(&name) => None,
        ("Item", Value::Object(attributes)) => {
            let names = attributes.into_iter().map(|(name, _)| Value::String(name)).collect();
            Some(("Items".to_owned(), Value::Array(names)))
        }
        ("Key" | "ExclusiveStartKey", Value::Object(key)) => Some((name, plain(key))),
        ("Keys", Value::Array(keys)) => {
            let plain = |key| if let Value::Object(key) = key { plain(key) } else { Value::Null };
            Some((name, Value::Array(keys.into_iter().map(plain).collect())))
        }
        ("Statement", Value::String(statement)) => Some((name, without_texts(&statement).into())),
        (_, Value::Object(members)) => Some((name, Value::Object(request(members)))),
        (_, Value::Array(items)) => {
            let within = |item| match item {
                Value::Object(members) => Value::Object(request(members)),
                other => other,
            };
            Some((name, Value::Array(items.into_iter().map(within).collect())))
        }
        (_, other) => Some((name, other)),
    }
}

/// A statement without the texts in it: `WHERE a = 'x'` → `WHERE a = ***(Redacted)`
fn without_texts(statement: &str) -> String {
    // Two quotes in a text stand for one: that is two texts, next to each other.
    let parts = statement.split('\'').step_by(2).collect::<Vec<_>>();
    parts.join("***(Redacted)").replace("***(Redacted)***(Redacted)", "***(Redacted)")
}

/// `{"Artist": {"S": "x"}}` → `{"Artist": "x"}`
fn plain(key: Map<String, Value>) -> Value {
    let value = |typed: Value| match typed {
        Value::Object(typed) => typed.into_iter().next().map_or(Value::Null, |(_, value)| value),
        other => other,
    };
    Value::Object(key.into_iter().map(|(name, typed)| (name, value(typed))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attributes_are_named_and_only_keys_have_values() {
        let shown = |value: Value| match value {
            Value::Object(members) => Value::Object(request(members)),
            other => other,
        };
        assert_eq!(
            shown(json!({"TableName": "t", "Item": {"Id": {"S": "1"}, "Card": {"S": "4711"}}})),
            json!({"TableName": "t", "Items": ["Id", "Card"]})
        );
        assert_eq!(
            shown(json!({"Key": {"Id": {"N": "1"}}, "UpdateExpression": "SET c = :c",
                "ExpressionAttributeValues": {":c": {"S": "4711"}}})),
            json!({"Key": {"Id": "1"}, "UpdateExpression": "SET c = :c"})
        );
        assert_eq!(
            shown(
                json!({"RequestItems": {"t": [{"PutRequest": {"Item": {"Id": {"S": "1"}}}}], "u": {"Keys": [{"Id": {"S": "2"}}]}}})
            ),
            json!({"RequestItems": {"t": [{"PutRequest": {"Items": ["Id"]}}], "u": {"Keys": [{"Id": "2"}]}}})
        );
        assert_eq!(
            shown(
                json!({"Statement": "SELECT * FROM \"t\" WHERE a = 'it''s' AND b = 'x'", "Parameters": [{"S": "4711"}]})
            ),
            json!({"Statement": "SELECT * FROM \"t\" WHERE a = ***(Redacted) AND b = ***(Redacted)"})
        );
    }
}
