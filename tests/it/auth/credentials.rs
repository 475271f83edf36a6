//! Where access keys and their secrets come from, and what is asked of a key where signatures are not checked.

use super::{ANA, describe_trails, file, request};
use crate::support::signer::Key;
use crate::support::upstream::Upstream;
use crate::support::{ACCOUNT, TestServer};
use contrail::clock::{Clock, Ids};
use contrail::config::Settings;
use contrail::server::{Server, bind};
use std::path::Path;

/// Whether a key with its secret is let in; the error otherwise.
async fn answer(server: &TestServer, key: &Key) -> String {
    let mut request = describe_trails(server);
    request.sign(key);
    request.send(&server.url).await.code()
}

#[tokio::test]
async fn secrets_are_read_from_a_file_as_the_aws_cli_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[default]\naws_access_key_id = AKIAANA\naws_secret_access_key = ana+secret/0123\n\n# comment\n\
                [team]\naws_access_key_id=111122223333\naws_secret_access_key=team\naws_session_token=a//b==\n";
    let path = file(folder.path(), "credentials", text);
    let server = TestServer::with(&[("auth.mode", "signed"), ("auth.credentials_file", &path)]).await;
    assert_eq!(answer(&server, &ANA).await, "");
    assert_eq!(answer(&server, &Key { secret: "team", ..ANA }).await, "InvalidSignatureException");
    let team = Key { id: "111122223333", secret: "team", token: Some("a//b==") };
    assert_eq!(answer(&server, &team).await, "");
    assert_eq!(answer(&server, &Key { token: None, ..team.clone() }).await, "UnrecognizedClientException");
    // Whoever is not among the identities is the root user of the key's account.
    let mut who = request(&server, "sts", "GET", "/");
    who.query = "Action=GetCallerIdentity&Version=2011-06-15".into();
    who.sign(&team);
    let reply = who.send(&server.url).await;
    assert!(reply.text.contains("<Arn>arn:aws:iam::111122223333:root</Arn>"), "{}", reply.text);
}

#[tokio::test]
async fn a_key_whose_secret_is_in_the_file_may_expire_too() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[a]\naws_access_key_id = AKIAANA\naws_secret_access_key = ana+secret/0123\n";
    let path = file(folder.path(), "credentials", text);
    let server = TestServer::with(&[
        ("auth.mode", "signed"),
        ("auth.credentials_file", &path),
        ("identities[0].access_key", ANA.id),
        ("identities[0].account", ACCOUNT),
        ("identities[0].user", "ana"),
        ("identities[0].expires", "2026-11-22T06:30:00Z"),
    ])
    .await;
    assert_eq!(answer(&server, &ANA).await, "");
    server.wait(3600);
    assert_eq!(answer(&server, &ANA).await, "ExpiredTokenException");
}

#[tokio::test]
async fn a_known_key_is_enough_where_signatures_are_not_checked() {
    let server = TestServer::with(&[
        ("auth.mode", "known"),
        ("identities[0].access_key", ANA.id),
        ("identities[0].account", ACCOUNT),
        ("identities[0].user", "ana"),
    ])
    .await;
    assert_eq!(answer(&server, &Key { secret: "anything", ..ANA }).await, "");
    assert_eq!(answer(&server, &Key { id: "AKIABOB", ..ANA }).await, "UnrecognizedClientException");
    assert_eq!(
        describe_trails(&server).send(&server.url).await.code(),
        "MissingAuthenticationTokenException"
    );
    let mut buckets = request(&server, "s3", "GET", "/");
    assert_eq!(buckets.send(&server.url).await.status, 403);
    // Also with a signature that is checked nowhere.
    buckets.set("authorization", "AWS AKIAANA:c2ln");
    assert_eq!(buckets.send(&server.url).await.status, 200);
    buckets.set("authorization", "AWS AKIABOB:c2ln");
    assert_eq!(buckets.send(&server.url).await.status, 403);
    buckets.set("authorization", "");
    buckets.query = "AWSAccessKeyId=AKIAANA&Signature=c2ln&Expires=1".into();
    assert_eq!(buckets.send(&server.url).await.status, 200);
    // Two signatures may be two callers'.
    let mut twice = describe_trails(&server);
    twice.sign(&ANA);
    twice.query = "X-Amz-Credential=AKIABOB".into();
    assert_eq!(twice.send(&server.url).await.code(), "IncompleteSignatureException");
}

#[tokio::test]
async fn a_key_that_the_upstream_has_handed_out_is_known_but_its_signature_is_not() {
    let xml = "<CreateAccessKeyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateAccessKeyResult>\
               <AccessKey><UserName>eve</UserName><AccessKeyId>AKIAEVE</AccessKeyId><Status>Active</Status>\
               <SecretAccessKey>eve</SecretAccessKey></AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>";
    let upstream = Upstream::start().await;
    let folder = tempfile::tempdir().unwrap();
    let secret = file(folder.path(), "ana", ANA.secret);
    let eve = Key { id: "AKIAEVE", secret: "eve", token: None };
    for (mode, expected) in [("known", ""), ("signed", "UnrecognizedClientException")] {
        let server = TestServer::with(&[
            ("auth.mode", mode),
            ("recorder.upstream", &upstream.url),
            ("identities[0].access_key", ANA.id),
            ("identities[0].account", ACCOUNT),
            ("identities[0].user", "ana"),
            ("identities[0].secret_file", &secret),
        ])
        .await;
        assert_eq!(answer(&server, &eve).await, "UnrecognizedClientException");
        let mut create = request(&server, "iam", "POST", "/");
        create.set("content-type", "application/x-www-form-urlencoded");
        create.body = b"Action=CreateAccessKey&Version=2010-05-08&UserName=eve".to_vec();
        create.sign(&ANA);
        upstream.will_say("200 OK", "text/xml", xml);
        assert_eq!(create.send(&server.url).await.status, 200);
        assert_eq!(answer(&server, &eve).await, expected, "{mode}");
    }
}

/// Why a server with these settings does not start.
async fn refusal(folder: &Path, settings: &[(&'static str, &str)]) -> String {
    let mut all: Vec<_> = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    all.push(("server.port", "0".into()));
    all.push(("server.data_dir", folder.join("data").display().to_string()));
    let settings = match Settings::builtin(all) {
        Ok(settings) => settings,
        Err(error) => return error.to_string(),
    };
    let listener = bind(&settings).unwrap();
    Server::build(settings, listener, Clock::system(), Ids::Random).await.expect_err("it starts").to_string()
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_refused_at_the_start_and_no_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ana = [
        ("auth.mode", "signed"),
        ("identities[0].access_key", "AKIAANA"),
        ("identities[0].account", ACCOUNT),
        ("identities[0].user", "ana"),
    ];
    let with = |more: &[(&'static str, &'static str)]| [&ana[..], more].concat();
    assert!(refusal(folder, &[("auth.mode", "on")]).await.contains("\"on\" is none of off, known, signed"));
    for mode in ["known", "signed"] {
        assert!(refusal(folder, &[("auth.mode", mode)]).await.contains("auth.mode: nobody could call"));
    }
    assert!(refusal(folder, &ana).await.contains("AKIAANA has no secret"));
    assert!(
        refusal(folder, &with(&[("identities[0].secret_file", "/not/there")])).await.contains("/not/there")
    );
    assert!(
        refusal(folder, &with(&[("identities[0].secret_env", "NOT_SET_HERE")]))
            .await
            .contains("NOT_SET_HERE")
    );
    let both = with(&[("identities[0].secret_env", "A"), ("identities[0].secret_file", "b")]);
    assert!(refusal(folder, &both).await.contains("not in both"));
    let policy = with(&[("identities[0].secret_env", "PATH"), ("identities[0].policy_file", "/not/there")]);
    assert!(refusal(folder, &policy).await.contains("AKIAANA: policy_file /not/there: "));
    let off = [policy, vec![("auth.mode", "off")]].concat();
    assert!(refusal(folder, &off).await.contains("AKIAANA has a policy_file, which means nothing"));
    let token = with(&[("identities[0].session_token_file", "/not/there")]);
    assert!(refusal(folder, &token).await.contains("AKIAANA has a session_token_file, and no secret_file"));
    let empty = file(folder, "empty", "\n");
    let mut settings = ana.to_vec();
    settings.push(("identities[0].secret_file", &empty));
    assert!(refusal(folder, &settings).await.contains("is empty"));
    let unusable = file(folder, "policy", r#"{"Statement": {"Effect": "Allow", "Action": "*"}}"#);
    let mut settings = with(&[("identities[0].secret_env", "PATH")]);
    settings.push(("identities[0].policy_file", &unusable));
    assert!(refusal(folder, &settings).await.contains("statement 1: it needs Resource or NotResource"));
    for (text, why) in [
        ("[a]\naws_access_key_id=AKIAANA\n", "profile \"a\" needs"),
        (
            "[a]\naws_access_key_id=A\naws_secret_access_key=hidden\n[b]\naws_access_key_id=A\naws_secret_access_key=hidden\n",
            "more than once",
        ),
        ("[a]\naws_access_key_id=A\naws_secret_access_key hidden\n", "not in the form"),
    ] {
        let path = file(folder, "credentials", text);
        let refusal = refusal(folder, &[("auth.mode", "signed"), ("auth.credentials_file", &path)]).await;
        assert!(refusal.contains(why) && !refusal.contains("hidden"), "{refusal}");
    }
    let (path, secret) = (
        file(folder, "credentials", "[a]\naws_access_key_id=AKIAANA\naws_secret_access_key=x\n"),
        file(folder, "ana", "hidden"),
    );
    let mut settings = ana.to_vec();
    settings
        .extend([("auth.credentials_file", path.as_str()), ("identities[0].secret_file", secret.as_str())]);
    assert!(refusal(folder, &settings).await.contains("has a secret here and in credentials_file"));
}

#[tokio::test]
async fn what_is_shown_of_the_settings_and_of_the_server_holds_no_secret() {
    let (server, _secrets) = super::signed_server(&[]).await;
    let shown = format!("{:?} {:?} {}", server.parts, server.parts.auth, server.parts.settings.shown());
    assert!(shown.contains("AKIAANA"), "{shown}");
    for secret in [ANA.secret, super::CI.secret, super::CI.token.unwrap()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
