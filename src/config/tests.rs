//! What settings are taken, and what is refused by name.

use super::*;

fn refusal(key: &'static str, value: &str) -> String {
    Settings::builtin(vec![(key, value.into())]).expect_err("refused").to_string()
}

#[test]
fn the_era_sets_what_is_not_set_by_itself() {
    let then = Settings::builtin(vec![]).unwrap();
    assert_eq!((then.lookup_window(), then.default_page_size()), (Some(TimeDelta::days(7)), 10));
    assert_eq!((then.lookup_rate().map(u32::from), then.lookup_scope()), (Some(1), LimitScope::Account));
    let now = Settings::builtin(vec![("era", "today".into()), ("history.window_days", "0".into())]).unwrap();
    assert_eq!((now.lookup_window(), now.default_page_size()), (None, 50));
    assert_eq!((now.lookup_rate().map(u32::from), now.lookup_scope()), (Some(2), LimitScope::AccountRegion));
}

#[test]
fn a_bad_value_or_an_unknown_key_is_refused_by_name() {
    assert!(refusal("server.prot", "1").contains("prot"), "{}", refusal("server.prot", "1"));
    assert!(refusal("server.port", "many").contains("server.port"), "{}", refusal("server.port", "many"));
    assert!(refusal("era", "1999").contains("era"), "{}", refusal("era", "1999"));
    assert!(refusal("era", "1999").contains("is none of 2015, today"), "{}", refusal("era", "1999"));
    assert!(refusal("account", "12").contains("account"), "{}", refusal("account", "12"));
    assert!(refusal("server.trusted_proxies", "10.0.0.1, proxy").contains("\"proxy\" is no address"));
    assert!(refusal("server.log_level", "info,loud").contains("server.log_level"));
    assert!(refusal("server.body_timeout", "soon").contains("server.body_timeout"));
    assert!(refusal("delivery.period", "500ms").contains("delivery.period"));
    assert!(refusal("delivery.s3_endpoint", "localhost:9000").contains("delivery.s3_endpoint"));
    assert!(refusal("delivery.events_endpoint", "aws").contains("begins with \"aws.\""));
    assert!(refusal("delivery.webhook", "https://hook.test/").contains("delivery.webhook"));
    assert!(refusal("history.default_page_size", "51").contains("history.default_page_size"));
}

/// Each of these has made something panic, or does nothing but fail.
#[test]
fn a_number_out_of_its_range_is_refused_by_name() {
    for (key, value) in [
        ("history.retention_days", "99999999"),
        ("history.window_days", "99999999"),
        ("delivery.digest_key_days", "99999999"),
        ("server.body_timeout", "99999999999d"),
        ("server.chunk_timeout", "0s"),
        ("console.read_timeout", "36501d"),
        ("console.search_records", "0"),
        ("server.write_timeout", "0s"),
        ("limits.imports", "9223372036854775807"),
        ("recorder.queue_calls", "9223372036854775807"),
        ("recorder.queue_bytes", "0"),
        ("server.workers", "100000"),
    ] {
        let why = refusal(key, value);
        assert!(why.contains(key), "{key} = {value}: {why}");
    }
    let longest = Settings::builtin(vec![
        ("history.retention_days", "36500".into()),
        ("history.window_days", "36500".into()),
    ]);
    assert_eq!(longest.unwrap().retention(), Some(TimeDelta::days(36_500)));
}

#[test]
fn an_account_keeps_its_leading_zeros_and_a_list_may_be_one_line() {
    let settings =
        Settings::builtin(vec![("account", "000000000012".into()), ("server.allowed_hosts", "a, b".into())])
            .unwrap();
    assert_eq!(settings.account, "000000000012");
    assert_eq!(settings.server.allowed_hosts, ["a", "b"]);
}

#[test]
fn every_setting_in_the_file_has_a_comment_above_it() {
    let lines: Vec<_> = DEFAULTS.lines().collect();
    for (i, line) in lines.iter().enumerate().skip(1) {
        let key = line.trim_start_matches("# ").split(" = ").next().unwrap_or_default();
        let is_key = line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if is_key && !line.starts_with('#') {
            assert!(lines[i - 1].starts_with("# "), "no comment above {line}");
        }
    }
}
