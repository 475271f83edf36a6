//! The settings as they are in effect, for people to look at: without secrets, which URLs can hold.

use super::{Endpoint, Period, Settings};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

impl Settings {
    /// All settings by section, with what follows from the era filled in. Of URLs scheme and host only.
    pub fn shown(&self) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        for (section, key, value) in [
            ("history", "window_days", json!(self.lookup_window().map_or(0, |window| window.num_days()))),
            ("history", "default_page_size", json!(self.default_page_size())),
            ("limits", "lookup_events_per_second", json!(self.lookup_rate().map_or(0, u32::from))),
            ("limits", "lookup_events_scope", json!(self.lookup_scope())),
        ] {
            shown[section][key] = value;
        }
        shown
    }
}

/// Scheme and host of a URL: what stands before and behind the host may be a secret.
pub fn host_of(url: &str) -> String {
    let uri = url.parse::<http::Uri>().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{}://{host}", uri.scheme_str().unwrap_or_default())
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Endpoint::Aws => serializer.serialize_str("aws"),
            Endpoint::Url(url) => serializer.serialize_str(&host_of(url)),
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.as_millis();
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
        let unit = units.into_iter().find(|(_, long)| millis > 0 && millis.is_multiple_of(*long));
        let (unit, long) = unit.unwrap_or(("ms", 1));
        serializer.collect_str(&format_args!("{}{unit}", millis / long))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_as_they_are_in_effect_and_secrets_are_not() {
        let settings = Settings::builtin(vec![
            ("delivery.webhook", "http://user:secret@hook.test:8000/secret?token=secret".into()),
            ("recorder.upstream", "http://user:secret@127.0.0.1:4566".into()),
            ("server.body_timeout", "1500ms".into()),
        ]);
        let shown = settings.unwrap().shown();
        assert!(!shown.to_string().contains("secret"), "{shown}");
        assert_eq!(shown["era"], "2015");
        assert_eq!(shown["delivery"]["webhook"], "http://hook.test:8000");
        assert_eq!(shown["delivery"]["s3_endpoint"], "http://127.0.0.1:4566");
        assert_eq!(shown["recorder"]["upstream"], "http://127.0.0.1:4566");
        assert_eq!(
            (&shown["delivery"]["period"], &shown["delivery"]["digest_period"]),
            (&json!("5m"), &json!("1h"))
        );
        assert_eq!(shown["server"]["body_timeout"], "1500ms");
        assert_eq!(
            shown["history"],
            json!({"window_days": 7, "default_page_size": 10, "retention_days": 90})
        );
        let limits = &shown["limits"];
        assert_eq!(
            (&limits["lookup_events_per_second"], &limits["lookup_events_scope"]),
            (&json!(1), &json!("account"))
        );
    }
}
