//! Callers without a key, and what a session carries on.

use super::{call, form_call_as, in_front};
use crate::support::{Reply, TestServer, http};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: [(&str, &str); 2] = [("era", "today"), ("recorder.data_events", "true")];

async fn last_record(server: &TestServer) -> Value {
    server.records().await.pop().unwrap_or_default()
}

/// A form without a signature.
async fn form(server: &TestServer, body: &str) -> Reply {
    let request = http().post(&server.url).header("content-type", "application/x-www-form-urlencoded");
    Reply::of(request.body(body.to_owned()).send().await.unwrap()).await
}

#[tokio::test]
async fn an_anonymous_caller_is_nobody_and_not_the_root_user() {
    let (server, upstream) = in_front(&SETTINGS).await;
    http().get(format!("{}/b-1/index.html", server.url)).send().await.unwrap();
    let record = last_record(&server).await;
    assert_eq!(record["eventName"], "GetObject");
    assert_eq!(
        record["userIdentity"],
        json!({"type": "AWSAccount", "principalId": "", "accountId": "anonymous"})
    );
    let sign_up = http().post(&server.url).header("x-amz-target", "AWSCognitoIdentityProviderService.SignUp");
    sign_up.body("{}").send().await.unwrap();
    let record = last_record(&server).await;
    assert_eq!(record["eventName"], "SignUp");
    assert_eq!(record["userIdentity"], json!({"type": "Unknown", "principalId": "Anonymous"}));
    form(&server, "Action=ListUsers&Version=2010-05-08").await;
    assert_eq!(last_record(&server).await["userIdentity"]["type"], "Unknown");
    // None of them has a name that lookups could find, and rows show what there is.
    let rows = server.get("/_contrail/events?view=rows").await.json();
    let actors: Vec<_> = rows["events"].as_array().unwrap().iter().map(|row| row["actor"].clone()).collect();
    assert_eq!(actors, ["Anonymous", "Anonymous", "anonymous"]);
    let found = server.ok("LookupEvents", json!({})).await;
    let names: Vec<_> = found["Events"].as_array().unwrap().iter().map(|e| e.get("Username")).collect();
    assert_eq!(names, [None, None]);
    // A signed call is the key owner's.
    call(&server, "s3", (Method::GET, "/b-1/index.html"), &[], "").await;
    assert_eq!(last_record(&server).await["userIdentity"]["type"], "Root");
    assert_eq!(upstream.seen().len(), 4);
}

#[tokio::test]
async fn what_probes_a_server_is_no_event() {
    let (server, upstream) = in_front(&SETTINGS).await;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::HEAD, "/"),
        (Method::GET, "/v2/app/tags/list"),
        (Method::GET, "/pool/jwks.json"),
    ] {
        http().request(method, format!("{}{path}", server.url)).send().await.unwrap();
    }
    assert_eq!(upstream.seen().len(), 4);
    assert!(server.records().await.is_empty());
    let health = server.get("/_contrail/health").await.json();
    assert_eq!(health["forwarded_calls"], json!({}), "nor is it counted as unidentified");
}

fn token(claims: &Value) -> String {
    format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn web_identity(token: &str) -> String {
    format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/ci\
         &RoleSessionName=run&WebIdentityToken={token}"
    )
}

#[tokio::test]
async fn who_comes_with_a_token_is_that_one_also_when_refused() {
    let (server, upstream) = in_front(&SETTINGS).await;
    let refusal =
        "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let github =
        json!({"iss": "https://token.actions.example", "aud": "sts.amazonaws.com", "sub": "repo:o/r"});
    let google = json!({"iss": "https://accounts.google.com", "aud": ["app-1"], "sub": "1234"});
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.example";
    for (claims, identity) in [
        (
            &github,
            json!({"type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:repo:o/r"),
                "userName": "repo:o/r", "identityProvider": provider}),
        ),
        (
            &google,
            json!({"type": "WebIdentityUser", "principalId": "accounts.google.com:app-1:1234",
                "userName": "1234", "identityProvider": "accounts.google.com"}),
        ),
        (&json!({"sub": "no issuer"}), json!({"type": "WebIdentityUser", "principalId": ""})),
    ] {
        upstream.will_say("403 Forbidden", "text/xml", refusal);
        assert_eq!(form(&server, &web_identity(&token(claims))).await.status, 403);
        let record = last_record(&server).await;
        assert_eq!((&record["errorCode"], &record["userIdentity"]), (&json!("AccessDenied"), &identity));
    }
    // An answer that names no provider.
    let answer = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>\
        <SubjectFromWebIdentityToken>x</SubjectFromWebIdentityToken></AssumeRoleWithWebIdentityResult>\
        </AssumeRoleWithWebIdentityResponse>";
    upstream.will_say("200 OK", "text/xml", answer);
    form(&server, &web_identity(&token(&github))).await;
    assert_eq!(last_record(&server).await["userIdentity"]["identityProvider"], provider);
    let saml = "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/ci\
        &PrincipalArn=arn:aws:iam::111122223333:saml-provider/idp&SAMLAssertion=PHNhbWw-";
    upstream.will_say("403 Forbidden", "text/xml", refusal);
    form(&server, saml).await;
    assert_eq!(last_record(&server).await["userIdentity"], json!({"type": "SAMLUser", "principalId": ""}));
    let answer = "<AssumeRoleWithSAMLResponse><AssumeRoleWithSAMLResult><Subject>eve</Subject>\
        <NameQualifier>q=</NameQualifier><Issuer>https://idp.example</Issuer></AssumeRoleWithSAMLResult>\
        </AssumeRoleWithSAMLResponse>";
    upstream.will_say("200 OK", "text/xml", answer);
    form(&server, saml).await;
    assert_eq!(
        last_record(&server).await["userIdentity"],
        json!({"type": "SAMLUser", "principalId": "q=:eve", "userName": "eve", "identityProvider": "q="})
    );
}

/// A role is assumed with a key, and hands out another one.
async fn assume(
    server: &TestServer,
    upstream: &crate::support::upstream::Upstream,
    (by, role, key): (&str, &str, &str),
    more: &str,
) {
    let answer = format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2026-11-22T06:30:00Z</Expiration></Credentials><AssumedRoleUser>\
         <AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::000000000000:assumed-role/{role}/s</Arn>\
         </AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"
    );
    upstream.will_say("200 OK", "text/xml", &answer);
    let form = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::000000000000:role/{role}&RoleSessionName=s{more}"
    );
    assert_eq!(form_call_as(server, by, "sts", &form).await.status, 200);
}

#[tokio::test]
async fn a_source_identity_and_transitive_tags_go_along_a_chain_of_roles_also_over_a_restart() {
    let (server, upstream) = in_front(&SETTINGS).await;
    let more = "&SourceIdentity=ana%40example&Tags.member.1.Key=Team&Tags.member.1.Value=x&Tags.member.2.Key=Job\
        &Tags.member.2.Value=y&TransitiveTagKeys.member.1=Team";
    assume(&server, &upstream, ("test", "first", "ASIAFIRST"), more).await;
    let record = last_record(&server).await;
    assert_eq!(record["requestParameters"]["sourceIdentity"], "ana@example");
    assert_eq!(record["userIdentity"].get("sessionContext"), None);
    let server = server.restart_with(&[]).await;
    let more = "&Tags.member.1.Key=Step&Tags.member.1.Value=2&TransitiveTagKeys.member.1=Step";
    assume(&server, &upstream, ("ASIAFIRST", "second", "ASIASECOND"), more).await;
    let record = last_record(&server).await;
    assert_eq!(record["userIdentity"]["sessionContext"]["sourceIdentity"], "ana@example");
    assert_eq!(record["requestParameters"]["incomingTransitiveTags"], json!({"Team": "x"}));
    assume(&server, &upstream, ("ASIASECOND", "third", "ASIATHIRD"), "").await;
    let record = last_record(&server).await;
    assert_eq!(record["userIdentity"]["sessionContext"]["sourceIdentity"], "ana@example");
    assert_eq!(record["requestParameters"]["incomingTransitiveTags"], json!({"Step": "2", "Team": "x"}));
    form_call_as(&server, "ASIATHIRD", "iam", "Action=DeleteGroup&Version=2010-05-08&GroupName=g").await;
    let record = last_record(&server).await;
    assert_eq!(record["userIdentity"]["sessionContext"]["sourceIdentity"], "ana@example");
    assert_eq!(record["requestParameters"], json!({"groupName": "g"}));
}
