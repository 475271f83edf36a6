//! Settings that are not built in, and where each comes from.

use crate::cli::flags::Flags;
use crate::config::Settings;
use config::{Config, File, FileFormat};
use serde_json::Value;
use std::path::Path;

/// A line for each setting that a flag, the environment or a file has set: `server.port = 4701  (flag)`.
pub(super) fn lines(settings: &Settings, flags: &Flags<'_>) -> Vec<String> {
    let file = flags.config();
    let in_file = file.as_deref().map(read).unwrap_or_default();
    let mut lines = Vec::new();
    for (key, value) in leaves(&settings.shown()) {
        let source = if let Some(source) = flags.source(&key) {
            source.to_owned()
        } else if let Some(variable) = variable(&key) {
            variable
        } else if in_file.iter().any(|known| *known == key || known.starts_with(&format!("{key}."))) {
            file.as_deref().map_or_else(String::new, |file| file.display().to_string())
        } else {
            continue;
        };
        lines.push(format!("{key} = {value}  ({source})"));
    }
    if lines.is_empty() {
        lines.push("none".to_owned());
    }
    lines
}

/// The environment variable that sets a key, if it is there.
fn variable(key: &str) -> Option<String> {
    let name = format!("CONTRAIL__{}", key.replace('.', "__").to_uppercase());
    // `recorder.upstreams` is set by several: CONTRAIL__RECORDER__UPSTREAMS__S3.
    let below = format!("{name}__");
    std::env::vars_os()
        .filter_map(|(found, _)| found.into_string().ok())
        .find(|found| found.to_uppercase() == name || found.to_uppercase().starts_with(&below))
}

/// The keys that a file of settings has, with dots between sections.
fn read(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let parsed = Config::builder().add_source(File::from_str(&text, FileFormat::Toml)).build();
    let values = parsed.and_then(Config::try_deserialize::<Value>).unwrap_or_default();
    leaves(&values).into_iter().map(|(key, _)| key).collect()
}

/// Sections taken apart. Lists and what a file adds to [recorder.upstreams] are one value; of identities only the number is
/// told, as access keys belong into no report.
fn leaves(settings: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in settings.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::Object(section) => {
                let section = section.iter().filter(|(_, value)| !value.is_null());
                found.extend(section.map(|(key, value)| (format!("{name}.{key}"), value.to_string())));
            }
            Value::Array(list) if name == "identities" => found.push((name.clone(), list.len().to_string())),
            value => found.push((name.clone(), value.to_string())),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULTS;

    #[test]
    fn the_keys_of_the_built_in_settings_are_found_in_their_file() {
        let built_in = Settings::builtin(Vec::new()).unwrap().shown();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), DEFAULTS).unwrap();
        let in_file = read(file.path());
        for key in ["era", "server.port", "recorder.base_hosts", "recorder.upstreams", "auth.mode"] {
            assert!(in_file.iter().any(|known| known == key), "{key} is not in {in_file:?}");
            assert!(leaves(&built_in).iter().any(|(known, _)| known == key), "{key}");
        }
    }
}
