//! Tokens as whoever starts the server and imports into it meets them.

use super::{Contrail, contrail, event, run};
use crate::support::{Reply, http};
use std::path::Path;

/// A server on a folder that asks for tokens, started with these variables.
fn server(folder: &Path, variables: &[(&str, &str)]) -> Contrail {
    let mut command = contrail(&["--port", "0", "--data-dir", folder.to_str().unwrap()]);
    command.env("CONTRAIL__AUTH__OWN_PATHS", "token").envs(variables.iter().copied());
    Contrail::spawn(command)
}

#[tokio::test]
async fn tokens_of_the_environment_win_and_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = [("CONTRAIL_ADMIN_TOKEN", "opens-everything"), ("CONTRAIL_READ_TOKEN", "shows-everything")];
    let server = server(folder.path(), &tokens);
    let ask = async |method: http::Method, path: &str, token: &str| {
        let request = http().request(method, format!("{}{path}", server.url)).bearer_auth(token);
        Reply::of(request.send().await.unwrap()).await.status
    };
    assert_eq!(ask(http::Method::POST, "/_contrail/flush", "opens-everything").await, 200);
    assert_eq!(ask(http::Method::POST, "/_contrail/flush", "shows-everything").await, 403);
    assert_eq!(ask(http::Method::GET, "/_contrail/scopes", "shows-everything").await, 200);
    assert_eq!(ask(http::Method::GET, "/_contrail/scopes", "something").await, 401);
    assert!(!folder.path().join("admin.token").exists() && !folder.path().join("read.token").exists());
}

#[tokio::test]
async fn an_import_finds_the_token_beside_the_data_or_in_the_environment() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = server(folder.path(), &[]);
    let file = |id: u32| {
        let path = files.path().join(format!("{id}.json"));
        std::fs::write(&path, event(id).to_string()).unwrap();
        path.display().to_string()
    };
    let import = |args: &[&str], token: Option<&str>| {
        let mut command = contrail(&["import"]);
        command.args(args).envs(token.map(|token| ("CONTRAIL_ADMIN_TOKEN", token)));
        run(command)
    };
    let data_dir = folder.path().to_str().unwrap();
    let found = import(&["--data-dir", data_dir, &file(1)], None);
    assert_eq!(
        (found.code, found.stdout.trim()),
        (Some(0), "1 accepted, 0 duplicates, 0 rejected"),
        "{found:?}"
    );
    // A server that is named gets only what the environment has for it.
    let nothing = import(&["--data-dir", data_dir, "--url", &server.url, &file(2)], None);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.stderr.contains("wants its admin token: set CONTRAIL_ADMIN_TOKEN"), "{nothing:?}");
    let token = std::fs::read_to_string(folder.path().join("admin.token")).unwrap();
    let named = import(&["--url", &server.url, &file(2)], Some(&token));
    assert_eq!(named.code, Some(0), "{named:?}");
    let reading = std::fs::read_to_string(folder.path().join("read.token")).unwrap();
    let reading = import(&["--url", &server.url, &file(3)], Some(&reading));
    assert!(reading.code == Some(1) && reading.stderr.contains("may only read"), "{reading:?}");
}

#[tokio::test]
async fn an_import_goes_over_tls_to_the_server_of_the_folder_and_to_one_that_is_trusted() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let data_dir = folder.path().to_str().unwrap();
    let file = |id: u32| {
        let path = files.path().join(format!("{id}.json"));
        std::fs::write(&path, event(id).to_string()).unwrap();
        path.display().to_string()
    };
    let (certificate, key) = (files.path().join("crt"), files.path().join("key"));
    let made = rcgen::generate_simple_self_signed(vec!["trail.team.test".to_owned()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    // A certificate of its own, and one that is for another name than the address.
    let of_others = [("CONTRAIL__TLS__CERT", &certificate), ("CONTRAIL__TLS__KEY", &key)];
    for (id, variables) in [(1, &[][..]), (2, &of_others)] {
        let mut command = contrail(&["--port", "0", "--data-dir", data_dir]);
        command.env("CONTRAIL__TLS__ENABLED", "true").envs(variables.iter().copied());
        let server = Contrail::spawn(command);
        assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.banner);
        let mut import = contrail(&["import", "--data-dir", data_dir, &file(id)]);
        import.env("CONTRAIL__TLS__ENABLED", "true").envs(variables.iter().copied());
        let found = run(import);
        assert_eq!(
            (found.code, found.stdout.trim()),
            (Some(0), "1 accepted, 0 duplicates, 0 rejected"),
            "{found:?}"
        );
        // It has to be that very certificate.
        let mut other = contrail(&["import", "--data-dir", data_dir, &file(id)]);
        other.env("CONTRAIL__TLS__ENABLED", "true");
        if variables.is_empty() {
            other.envs(of_others);
        }
        let other = run(other);
        assert!(other.code == Some(1) && other.stderr.contains("certificate"), "{other:?}");
        // A server that is named has to be one that the system trusts.
        let named = run(contrail(&["import", "--url", &server.url, &file(id)]));
        assert!(named.code == Some(1) && named.stderr.contains("certificate"), "{named:?}");
        let mut trusting =
            contrail(&["import", "--url", &server.url.replace("127.0.0.1", "localhost"), &file(id)]);
        trusting.env("SSL_CERT_FILE", folder.path().join("tls.crt"));
        let trusting = run(trusting);
        assert_eq!(trusting.code, Some(i32::from(id == 2)), "{trusting:?}");
        server.stop();
    }
}

#[test]
fn a_token_that_could_be_guessed_is_refused() {
    let (long, short) = ("a-token-of-some-length", "fifteen-letters");
    for (admin, read, why) in [
        (short, long, "CONTRAIL_ADMIN_TOKEN is shorter than 16 characters"),
        (long, short, "CONTRAIL_READ_TOKEN is shorter than 16 characters"),
        (long, long, "the two tokens are the same"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
        command.env("CONTRAIL__AUTH__OWN_PATHS", "token");
        command.env("CONTRAIL_ADMIN_TOKEN", admin).env("CONTRAIL_READ_TOKEN", read);
        let outcome = run(command);
        assert!(outcome.code == Some(1) && outcome.stderr.contains(why), "{outcome:?}");
        assert!(!outcome.stderr.contains(short), "{outcome:?}");
    }
}
