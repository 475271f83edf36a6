//! Text as the value that it stands for, by what the members of this name hold.

use crate::aws::catalog::Kinds;
use serde_json::{Number, Value};

/// The value of a member whose text is this.
pub fn scalar(text: &str, name: &str, kinds: &Kinds) -> Value {
    let typed = if kinds.numbers.contains(name) {
        number(text)
    } else if kinds.booleans.contains(name) {
        text.to_ascii_lowercase().parse().ok().map(Value::Bool)
    } else if text.is_empty() && (kinds.maps.contains(name) || kinds.structures.contains(name)) {
        Some(Value::Object(serde_json::Map::new()))
    } else if text.is_empty() && kinds.lists.contains_key(name) {
        Some(Value::Array(Vec::new()))
    } else {
        None
    };
    typed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A whole or broken number.
pub fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Number::from);
    whole.or_else(|| Number::from_f64(text.parse().ok()?)).map(Value::Number)
}

/// What text that nothing is known of looks like: how AWS's records show XML that they do not read by a model.
pub fn guess(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        // Not what only looks like a number: `007`, `1e5`, an account's id.
        _ => match text.parse::<i64>() {
            Ok(whole) if whole.to_string() == text => Value::Number(whole.into()),
            _ => Value::String(text.to_owned()),
        },
    }
}
