//! GetCallerIdentity, which tools ask first, and its neighbours, which are not there.

use super::raw;
use crate::support::TestServer;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");

#[tokio::test]
async fn a_caller_learns_who_they_are() {
    let server = TestServer::start().await;
    let signed = (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=111122223333/20261122/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=0",
    );
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let reply = raw(&server, "POST", "/", &[FORM, signed], body).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/xml"));
    for part in [
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">",
        "<Account>111122223333</Account>",
        "<Arn>arn:aws:iam::111122223333:root</Arn>",
        "<UserId>111122223333</UserId>",
    ] {
        assert!(reply.text.contains(part), "{part} is not in {}", reply.text);
    }
    let reply = raw(&server, "GET", &format!("/?{body}"), &[], "").await;
    assert!(reply.text.contains("<Account>000000000000</Account>"), "{}", reply.text);
}

#[tokio::test]
async fn other_calls_of_the_query_protocol_get_a_clear_error() {
    let server = TestServer::start().await;
    for body in [
        "Action=AssumeRole&Version=2011-06-15",
        "Action=ListTopics&Version=2010-03-31",
        "Action=GetCallerIdentity&Version=2010-05-08",
        "Action=%3Cx%3E",
    ] {
        let reply = raw(&server, "POST", "/", &[FORM], body).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        assert!(reply.text.contains("<Code>InvalidAction</Code>"), "{}", reply.text);
        assert!(!reply.text.contains("<x>"), "{}", reply.text);
        let namespace = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">";
        assert!(reply.text.starts_with(namespace), "{}", reply.text);
    }
    let reply = raw(&server, "POST", "/", &[FORM], "").await;
    assert!(reply.text.contains("<Code>MissingAction</Code>"), "{}", reply.text);
}

#[tokio::test]
async fn a_foreign_web_page_does_not_learn_it() {
    let server = TestServer::start().await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let reply = raw(&server, "POST", "/", &[FORM, ("origin", "http://evil.test")], body).await;
    assert_eq!(reply.status, 403);
    assert!(reply.text.contains("<Code>AccessDenied</Code>"), "{}", reply.text);
}
