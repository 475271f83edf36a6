//! Settings from a file, the environment and flags; what is wrong with them is named in one line that names the key.

use super::{Contrail, contrail, run};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

/// A command that must be refused; the line that says why.
fn refusal(command: Command) -> String {
    let outcome = run(command);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("contrail: "), "{}", outcome.stderr);
    outcome.stderr.trim_end().to_owned()
}

/// Serving on a free port, with a folder that must not be made.
fn serve(folder: &Path, args: &[&str]) -> Command {
    let mut command = contrail(&["--data-dir"]);
    command.arg(folder.join("data")).env("CONTRAIL_PORT", "0").args(args);
    command
}

fn with_file(folder: &Path, text: &str) -> Command {
    let file = folder.join("contrail.toml");
    std::fs::write(&file, text).unwrap();
    serve(folder, &["--config", file.to_str().unwrap()])
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let line = refusal(serve(folder.path(), &["--port", &port]));
    assert!(line.contains(&format!("cannot listen on 127.0.0.1:{port}: ")), "{line}");
    assert!(!folder.path().join("data").exists(), "a folder was made for nothing");
}

#[test]
fn a_host_that_is_not_ours_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let line = refusal(serve(folder.path(), &["--host", "192.0.2.1"]));
    assert!(line.contains("cannot listen on 192.0.2.1:0: "), "{line}");
}

#[test]
fn an_unknown_key_in_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (text, key) in [
        ("[server]\nprot = 1", "prot"),
        ("eraa = \"today\"", "eraa"),
        ("[histroy]\nwindow_days = 1", "histroy"),
        ("[[identities]]\naccess_key = \"A\"\naccount = \"111122223333\"\nusr = \"ana\"", "usr"),
    ] {
        let line = refusal(with_file(folder.path(), text));
        assert!(line.contains("bad config") && line.contains(&format!("`{key}`")), "{line}");
    }
}

#[test]
fn an_unknown_key_in_the_environment_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, key) in [
        ("CONTRAIL__SERVER__PROT", "prot"),
        ("CONTRAIL__PORT", "port"),
        ("CONTRAIL__HISTORY__WINDOWDAYS", "windowdays"),
    ] {
        let mut command = serve(folder.path(), &[]);
        command.env(name, "1");
        let line = refusal(command);
        assert!(line.contains("bad config") && line.contains(&format!("`{key}`")), "{line}");
    }
}

#[test]
fn a_bad_value_is_refused_with_its_key_wherever_it_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    for (text, key) in [
        ("[intake]\nmax_unpacked_bytes = \"much\"", "intake.max_unpacked_bytes"),
        ("[server]\nworkers = -1", "server.workers"),
        ("[server]\nbody_timeout = 10", "server.body_timeout"),
        ("[history]\nwindow_days = \"all\"", "history.window_days"),
        ("[history]\ndefault_page_size = 51", "history.default_page_size"),
        ("[limits]\nlookup_events_scope = \"planet\"", "limits.lookup_events_scope"),
        ("account = \"12\"", "account"),
        ("[[identities]]\naccess_key = \"AKIAANA\"\naccount = \"111122223333\"", "identities"),
        ("this is not toml", "contrail.toml: "),
        ("account = \"1\"\naccount = \"2\"", "contrail.toml: "),
    ] {
        let line = refusal(with_file(folder.path(), text));
        assert!(line.contains("bad config") && line.contains(key), "{text}: {line}");
    }
    for (name, value, key) in [
        ("CONTRAIL_PORT", "70000", "server.port"),
        ("CONTRAIL__SERVER__WORKERS", "many", "server.workers"),
        ("CONTRAIL__ERA", "1999", "era"),
        ("CONTRAIL__SERVER__LOG_FORMAT", "xml", "server.log_format"),
        ("CONTRAIL__LIMITS__LOOKUP_EVENTS_PER_SECOND", "-1", "limits.lookup_events_per_second"),
    ] {
        let mut command = contrail(&["--data-dir"]);
        command.arg(folder.path().join("data")).env(name, value);
        let line = refusal(command);
        assert!(line.contains("bad config") && line.contains(key), "{name}={value}: {line}");
    }
    for (args, key) in [
        (["--port", "web"], "server.port"),
        (["--account", "me"], "account"),
        (["--log-level", "loud"], "server.log_level"),
        (["--log-level", "info,sqlx=loud"], "server.log_level"),
    ] {
        let line = refusal(serve(folder.path(), &args));
        assert!(line.contains("bad config") && line.contains(key), "{args:?}: {line}");
    }
    // Where a flag has few values, they are named.
    let mut from_environment = serve(folder.path(), &[]);
    from_environment.env("CONTRAIL_ERA", "1999");
    for (command, values) in [
        (serve(folder.path(), &["--era", "tomorrow"]), "[possible values: 2015, today]"),
        (from_environment, "[possible values: 2015, today]"),
        (serve(folder.path(), &["--log-format", "xml"]), "[possible values: auto, human, json]"),
    ] {
        let outcome = run(command);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:?}");
        assert!(outcome.stderr.contains(values), "{outcome:?}");
    }
    assert!(!folder.path().join("data").exists(), "a folder was made for nothing");
}

#[test]
fn a_config_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let line = refusal(serve(folder.path(), &["--config", "nowhere/contrail.toml"]));
    assert!(line.contains("cannot read the config file nowhere/contrail.toml: "), "{line}");
    let mut command = serve(folder.path(), &[]);
    command.env("CONTRAIL_CONFIG", "nowhere/too.toml");
    assert!(refusal(command).contains("nowhere/too.toml"));
}

/// The account that a server serves, which stands in its banner.
fn account(command: Command) -> String {
    let server = Contrail::spawn(command);
    let line = server.banner.lines().find(|line| line.trim_start().starts_with("account")).unwrap();
    line.split_whitespace().last().unwrap().to_owned()
}

#[test]
fn a_file_gives_way_to_the_environment_and_that_to_flags() {
    let folder = tempfile::tempdir().unwrap();
    let file = "account = \"111111111111\"";
    assert_eq!(account(serve(folder.path(), &[])), "000000000000");
    assert_eq!(account(with_file(folder.path(), file)), "111111111111");
    let mut command = with_file(folder.path(), file);
    command.env("CONTRAIL__ACCOUNT", "222222222222");
    assert_eq!(account(command), "222222222222");
    // The short name of the environment stands for the flag.
    let mut command = with_file(folder.path(), file);
    command.env("CONTRAIL__ACCOUNT", "222222222222").env("CONTRAIL_ACCOUNT", "333333333333");
    assert_eq!(account(command), "333333333333");
    let mut command = with_file(folder.path(), file);
    command.env("CONTRAIL_ACCOUNT", "333333333333").args(["--account", "000000000044"]);
    assert_eq!(account(command), "000000000044");
}

#[test]
fn every_flag_has_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = contrail(&["serve"]);
    command
        .env("CONTRAIL_PORT", "0")
        .env("CONTRAIL_HOST", "localhost")
        .env("CONTRAIL_DATA_DIR", folder.path().join("elsewhere"))
        .env("CONTRAIL_ERA", "today")
        .env("CONTRAIL_LOG_LEVEL", "debug,sqlx=warn")
        .env("CONTRAIL_LOG_FORMAT", "human");
    let mut server = Contrail::spawn(command);
    assert!(server.banner.contains("era     today"), "{}", server.banner);
    assert!(folder.path().join("elsewhere/contrail.db").exists());
    assert!(server.process.logged("listening").contains(" INFO "));
}

#[test]
fn the_flags_may_stand_before_and_behind_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = contrail(&["--port", "0", "serve", "--account", "000000000055", "--data-dir"]);
    command.arg(folder.path());
    assert_eq!(account(command), "000000000055");
}

#[test]
fn help_tells_commands_flags_and_examples() {
    let outcome = run(contrail(&["--help"]));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    for word in ["serve", "import", "Examples:", "contrail import logs/ --rebase now", "default.toml"] {
        assert!(outcome.stdout.contains(word), "{word} is missing: {}", outcome.stdout);
    }
    for flag in
        ["config", "host", "port", "data-dir", "era", "account", "upstream", "log-level", "log-format"]
    {
        assert!(outcome.stdout.contains(&format!("--{flag} <")), "--{flag} is missing: {}", outcome.stdout);
        let variable = format!("CONTRAIL_{}", flag.replace('-', "_").to_uppercase());
        assert!(outcome.stdout.contains(&variable), "{variable} is missing: {}", outcome.stdout);
    }
    let import = run(contrail(&["import", "--help"]));
    for word in ["--rebase", "--url", "NDJSON", "PATH"] {
        assert!(import.stdout.contains(word), "{word} is missing: {}", import.stdout);
    }
}

#[test]
fn the_version_is_the_crates() {
    let outcome = run(contrail(&["--version"]));
    assert_eq!(
        (outcome.code, outcome.stdout),
        (Some(0), format!("contrail {}\n", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn an_unknown_flag_or_command_is_no_server() {
    for args in [&["--prot", "1"][..], &["swerve"], &["import"]] {
        let outcome = run(contrail(args));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("Usage: contrail"), "{}", outcome.stderr);
    }
}

#[test]
fn two_holders_of_one_key_are_both_named() {
    let folder = tempfile::tempdir().unwrap();
    let two = "[[identities]]\naccess_key = \"AKIAANA\"\naccount = \"111122223333\"\nuser = \"ana\"\n\
               [[identities]]\naccess_key = \"AKIAANA\"\naccount = \"444455556666\"\nrole = \"ci\"\nsession = \"s\"\n";
    let line = refusal(with_file(folder.path(), two));
    let why = "identities: AKIAANA is both user \"ana\" of 111122223333 and role \"ci\" of 444455556666";
    assert!(line.contains(why), "{line}");
}

#[test]
fn actions_of_a_policy_that_no_call_asks_for_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("ana.json");
    let policy_of = |actions: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":{actions},"Resource":"*"}}]}}"#
        );
        std::fs::write(&policy, text).unwrap();
        let file = format!(
            "[auth]\nmode = \"known\"\n[[identities]]\naccess_key = \"AKIAANA\"\naccount = \"111122223333\"\n\
             user = \"ana\"\npolicy_file = {policy:?}\n"
        );
        with_file(folder.path(), &file)
    };
    let line = refusal(policy_of(r#""s3:GetObject ""#));
    assert!(line.contains("AKIAANA") && line.contains(r#""s3:GetObject " is no action"#), "{line}");
    let mut server = Contrail::spawn(policy_of(
        r#"["s3:GetObjct","s4:*","s3:getobjectversion","cloudtrail:Look?pEvents","apigateway:PATCH","sqs:*Batch","*"]"#,
    ));
    let line = server.process.logged("no call asks for these actions");
    assert!(line.contains("s3:GetObjct, s4:*, sqs:*Batch") && line.contains("AKIAANA"), "{line}");
    server.stop();
}
