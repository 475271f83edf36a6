//! CBOR as JSON.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

/// Values within values.
const MAX_DEPTH: usize = 64;

/// A body in CBOR; `None` for what is none. Bytes become text in base64, as they are in JSON.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    ciborium::de::from_reader_with_recursion_limit(bytes, MAX_DEPTH).ok().map(json)
}

fn json(value: Cbor) -> Value {
    match value {
        Cbor::Integer(whole) => {
            let whole = i128::from(whole);
            let number =
                i64::try_from(whole).map(Number::from).or_else(|_| u64::try_from(whole).map(Number::from));
            number.map_or_else(|_| Value::String(whole.to_string()), Value::Number)
        }
        Cbor::Float(broken) => Number::from_f64(broken).map_or(Value::Null, Value::Number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bytes(bytes) => Value::String(BASE64_STANDARD.encode(bytes)),
        Cbor::Bool(is) => Value::Bool(is),
        Cbor::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        Cbor::Map(members) => Value::Object(members.into_iter().filter_map(member).collect::<Map<_, _>>()),
        // A point in time is a number with a tag.
        Cbor::Tag(_, value) => json(*value),
        _ => Value::Null,
    }
}

fn member((name, value): (Cbor, Cbor)) -> Option<(String, Value)> {
    Some((name.into_text().ok()?, json(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = |text: &str| Cbor::Text(text.to_owned());
        let sent = Cbor::Map(vec![
            (text("Name"), text("a")),
            (text("At"), Cbor::Tag(1, Box::new(Cbor::Float(1.5)))),
            (text("Blob"), Cbor::Bytes(vec![1, 2])),
            (text("Many"), Cbor::Array(vec![Cbor::Integer((-7).into()), Cbor::Bool(true), Cbor::Null])),
            (Cbor::Integer(1.into()), text("no member")),
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&sent, &mut bytes).unwrap();
        let want = json!({"Name": "a", "At": 1.5, "Blob": "AQI=", "Many": [-7, true, null]});
        assert_eq!(read(&bytes), Some(want));
        bytes.pop();
        assert_eq!(read(&bytes), None);
        assert_eq!(read(&[0x81; 100_000]), None, "nested too deeply");
    }
}
