//! Signatures at the door of AWS's JSON protocol, and of STS: which requests are accepted, and what all others are
//! answered.

use super::{ANA, CI, describe_trails, minutes, request, signed_server};
use crate::support::TestServer;
use crate::support::signer::{Key, Request, sha256};

/// What becomes of a request that is signed.
enum Step {
    /// Signed in its header.
    Sign(Key),
    /// Signed in its URL, for so many seconds.
    Presign(Key, u32),
    /// Changed; the request as it is at that time.
    Alter(fn(&mut Request)),
}
use Step::{Alter, Presign, Sign};

/// What a request becomes, and the error it is answered with; empty if it is accepted.
type Case = (&'static str, Vec<Step>, &'static str);

const MISMATCH: &str = "InvalidSignatureException";
const INCOMPLETE: &str = "IncompleteSignatureException";
const UNKNOWN: &str = "UnrecognizedClientException";
const UNSIGNED: &str = "MissingAuthenticationTokenException";

fn signed_then(alter: fn(&mut Request)) -> Vec<Step> {
    vec![Sign(ANA), Alter(alter)]
}

fn signed_after(alter: fn(&mut Request)) -> Vec<Step> {
    vec![Alter(alter), Sign(ANA)]
}

fn presigned_then(alter: fn(&mut Request)) -> Vec<Step> {
    vec![Presign(ANA, 60), Alter(alter)]
}

fn accepted() -> Vec<Case> {
    vec![
        ("as it is", vec![Sign(ANA)], ""),
        ("temporary credentials", vec![Sign(CI)], ""),
        ("signed in the URL", vec![Presign(ANA, 60)], ""),
        ("temporary credentials in the URL", vec![Presign(CI, 60)], ""),
        ("valid for a week", vec![Presign(ANA, 604_800)], ""),
        ("four minutes old", signed_after(|r| r.time = minutes(-4)), ""),
        ("four minutes early", signed_after(|r| r.time = minutes(4)), ""),
        ("exactly five minutes old", signed_after(|r| r.time = minutes(-5)), ""),
        ("in another region", signed_after(|r| r.region = "mars-north-1".into()), ""),
        ("a header that is not signed", signed_then(|r| r.add("x-trace", "1")), ""),
        ("a user agent that is signed", signed_after(|r| r.set("user-agent", "a b")), ""),
        ("blanks in a signed header", signed_after(|r| r.set("x-amz-meta", "  a   b ")), ""),
        ("letters beyond ASCII in a signed header", signed_after(|r| r.set("x-amz-meta", "Zoë")), ""),
        (
            "a signed header twice",
            signed_after(|r| (1..3).for_each(|n| r.add("x-amz-meta", n.to_string()))),
            "",
        ),
        ("a query out of order", signed_after(|r| r.query = "b=2&a=1&a=%20&c".into()), ""),
        ("an empty body", signed_after(|r| r.body = Vec::new()), ""),
        ("300 KB", signed_after(|r| r.body = format!("{{{}}}", " ".repeat(300_000)).into()), ""),
        ("the body's hash in a header", signed_after(|r| r.set("x-amz-content-sha256", sha256(&r.body))), ""),
        ("its time in the Date header", signed_after(|r| r.set("date", r.time.to_rfc2822())), ""),
        (
            "no blanks in its header",
            signed_then(|r| r.set("authorization", r.header("authorization").replace(", ", ","))),
            "",
        ),
    ]
}

fn altered() -> Vec<Case> {
    vec![
        ("body", signed_then(|r| r.body = b"{ }".to_vec()), MISMATCH),
        ("target", signed_then(|r| r.set("x-amz-target", "CloudTrail_20131101.ListTrails")), MISMATCH),
        ("host", signed_then(|r| r.set("host", "localhost")), MISMATCH),
        ("query", signed_then(|r| r.query = "a=1".into()), MISMATCH),
        (
            "a signed query",
            vec![Alter(|r| r.query = "a=1".into()), Sign(ANA), Alter(|r| r.query = "a=2".into())],
            MISMATCH,
        ),
        ("date", signed_then(|r| r.set("x-amz-date", "20261122T053001Z")), MISMATCH),
        ("region", signed_then(|r| r.alter_authorization("us-east-1", "us-east-2")), MISMATCH),
        ("day", signed_then(|r| r.alter_authorization("/20261122/", "/20261121/")), MISMATCH),
        ("service", signed_then(|r| r.alter_authorization("/cloudtrail/", "/s3/")), MISMATCH),
        (
            "end of the scope",
            signed_then(|r| r.alter_authorization("aws4_request", "aws5_request")),
            MISMATCH,
        ),
        (
            "a second value of a signed header",
            signed_then(|r| r.add("content-type", "application/x-amz-json-1.1")),
            MISMATCH,
        ),
        (
            "a signed user agent",
            vec![Alter(|r| r.set("user-agent", "a")), Sign(ANA), Alter(|r| r.set("user-agent", "b"))],
            MISMATCH,
        ),
        (
            "a signature cut short",
            signed_then(|r| {
                let value = r.header("authorization");
                r.set("authorization", &value[..value.len() - 1]);
            }),
            MISMATCH,
        ),
        (
            "a signature in capitals",
            signed_then(|r| {
                let seed = r.seed();
                r.alter_authorization(&seed, &seed.to_uppercase());
            }),
            MISMATCH,
        ),
        (
            "the signature of nothing",
            signed_then(|r| {
                let seed = r.seed();
                r.alter_authorization(&seed, &"0".repeat(64));
            }),
            MISMATCH,
        ),
        ("another secret", vec![Sign(Key { secret: "wrong", ..ANA })], MISMATCH),
        ("another key's secret", vec![Sign(Key { secret: CI.secret, ..ANA })], MISMATCH),
        ("a header of AWS's that is not signed", signed_then(|r| r.add("x-amz-meta", "1")), MISMATCH),
        (
            "a signed header that is missing",
            vec![
                Alter(|r| r.set("x-amz-meta", "1")),
                Sign(ANA),
                Alter(|r| {
                    r.headers.retain(|(name, _)| name != "x-amz-meta");
                }),
            ],
            MISMATCH,
        ),
        ("a host that is not signed", signed_after(|r| r.unsigned.push("host".into())), MISMATCH),
        (
            "a token that is not signed",
            vec![Alter(|r| r.unsigned.push("x-amz-security-token".into())), Sign(CI)],
            MISMATCH,
        ),
        ("six minutes old", signed_after(|r| r.time = minutes(-6)), MISMATCH),
        ("six minutes early", signed_after(|r| r.time = minutes(6)), MISMATCH),
        ("signed for another service", signed_after(|r| r.service = "sts".into()), MISMATCH),
        (
            "another hash in the header",
            signed_after(|r| r.set("x-amz-content-sha256", sha256("other"))),
            MISMATCH,
        ),
        (
            "a body that is not signed",
            signed_after(|r| {
                r.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
                r.payload_hash = Some("UNSIGNED-PAYLOAD".into());
            }),
            MISMATCH,
        ),
        ("no signature", vec![], UNSIGNED),
        (
            "the header taken off",
            signed_then(|r| r.headers.retain(|(name, _)| name != "authorization")),
            UNSIGNED,
        ),
        ("another scheme", signed_then(|r| r.set("authorization", "Basic dGVzdDp0ZXN0")), INCOMPLETE),
        ("an empty header", signed_then(|r| r.set("authorization", "")), INCOMPLETE),
        ("S3's old signature", signed_then(|r| r.set("authorization", "AWS AKIAANA:c2ln")), INCOMPLETE),
        (
            "signature version 4A",
            signed_then(|r| r.alter_authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")),
            INCOMPLETE,
        ),
        ("two headers", signed_then(|r| r.add("authorization", r.header("authorization"))), INCOMPLETE),
        ("four parts of scope", signed_then(|r| r.alter_authorization("/us-east-1", "")), INCOMPLETE),
        ("no key", signed_then(|r| r.alter_authorization("AKIAANA", "")), INCOMPLETE),
        ("no credential", signed_then(|r| r.alter_authorization("Credential", "Credentials")), INCOMPLETE),
        ("no signed headers", signed_then(|r| r.alter_authorization("SignedHeaders", "Headers")), INCOMPLETE),
        (
            "no signature in the header",
            signed_then(|r| r.alter_authorization("Signature", "Sign")),
            INCOMPLETE,
        ),
        (
            "a parameter without a value",
            signed_then(|r| r.alter_authorization("Signature=", "Signature")),
            INCOMPLETE,
        ),
        (
            "another key named in a parameter of its own",
            signed_then(|r| {
                r.alter_authorization(
                    "Credential=",
                    "Other=Credential=ASIACI/x/y/z/aws4_request, Credential=",
                )
            }),
            INCOMPLETE,
        ),
        (
            "a parameter twice",
            signed_then(|r| r.alter_authorization("Signature=", "Signature=0, Signature=")),
            INCOMPLETE,
        ),
        (
            "signed headers out of order",
            signed_then(|r| r.alter_authorization("content-type;host", "host;content-type")),
            INCOMPLETE,
        ),
        (
            "a signed header named twice",
            signed_then(|r| r.alter_authorization("host;", "host;host;")),
            INCOMPLETE,
        ),
        ("no date", signed_then(|r| r.headers.retain(|(name, _)| name != "x-amz-date")), INCOMPLETE),
        (
            "no date that can be read",
            signed_then(|r| r.set("x-amz-date", "2026-11-22T05:30:00Z")),
            INCOMPLETE,
        ),
        ("two dates", signed_then(|r| r.add("x-amz-date", "20261122T053000Z")), INCOMPLETE),
        ("another key", vec![Sign(Key { id: "AKIABOB", ..ANA })], UNKNOWN),
        ("a key in small letters", vec![Sign(Key { id: "akiaana", ..ANA })], UNKNOWN),
        ("temporary credentials without their token", vec![Sign(Key { token: None, ..CI })], UNKNOWN),
        ("another token", vec![Sign(Key { token: Some("other"), ..CI })], UNKNOWN),
        ("a token with a key that has none", vec![Sign(Key { token: CI.token, ..ANA })], UNKNOWN),
        ("a presigned body", presigned_then(|r| r.body = b"{ }".to_vec()), MISMATCH),
        (
            "a longer life",
            presigned_then(|r| r.query = r.query.replace("Expires=60", "Expires=61")),
            MISMATCH,
        ),
        ("another parameter", presigned_then(|r| r.query = format!("a=1&{}", r.query)), MISMATCH),
        (
            "another presigned date",
            presigned_then(|r| r.query = r.query.replace("T053000Z", "T053001Z")),
            MISMATCH,
        ),
        ("a URL that is over", vec![Alter(|r| r.time = minutes(-2)), Presign(ANA, 60)], MISMATCH),
        ("a URL that is too early", vec![Alter(|r| r.time = minutes(6)), Presign(ANA, 60)], MISMATCH),
        ("another presigned secret", vec![Presign(Key { secret: "wrong", ..ANA }, 60)], MISMATCH),
        ("more than a week", vec![Presign(ANA, 604_801)], INCOMPLETE),
        (
            "no number of seconds",
            presigned_then(|r| r.query = r.query.replace("Expires=60", "Expires=-1")),
            INCOMPLETE,
        ),
        (
            "a parameter of the signature missing",
            presigned_then(|r| r.query = r.query.replace("X-Amz-Date", "X-Date")),
            INCOMPLETE,
        ),
        (
            "a parameter of the signature twice",
            presigned_then(|r| r.query = format!("X-Amz-Expires=60&{}", r.query)),
            INCOMPLETE,
        ),
        (
            "another presigned algorithm",
            presigned_then(|r| r.query = r.query.replace("HMAC-SHA256", "HMAC-SHA1")),
            INCOMPLETE,
        ),
        ("signed in both places", vec![Presign(ANA, 60), Sign(ANA)], INCOMPLETE),
        ("another presigned key", vec![Presign(Key { id: "AKIABOB", ..ANA }, 60)], UNKNOWN),
        ("a presigned token missing", vec![Presign(Key { token: None, ..CI }, 60)], UNKNOWN),
    ]
}

async fn answers(server: &TestServer, cases: Vec<Case>) -> usize {
    let count = cases.len();
    for (name, steps, expected) in cases {
        let mut request = describe_trails(server);
        for step in steps {
            match step {
                Sign(key) => request.sign(&key),
                Presign(key, seconds) => request.presign(&key, seconds),
                Alter(alter) => alter(&mut request),
            }
        }
        let reply = request.send(&server.url).await;
        let status = if expected.is_empty() { 200 } else { 400 };
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, expected),
            "{name}: {} {request:?}",
            reply.text
        );
    }
    count
}

#[tokio::test]
async fn what_is_signed_rightly_is_accepted() {
    let (server, _secrets) = signed_server(&[]).await;
    answers(&server, accepted()).await;
}

#[tokio::test]
async fn what_has_been_altered_is_refused_and_each_refusal_has_its_code() {
    let (server, _secrets) = signed_server(&[]).await;
    assert!(answers(&server, altered()).await >= 43);
    assert_eq!(server.records().await.len(), 0, "what is refused is not recorded");
}

#[tokio::test]
async fn temporary_credentials_end_with_their_session() {
    let (server, _secrets) = signed_server(&[]).await;
    let code = async || {
        let mut request = describe_trails(&server);
        request.sign(&CI);
        request.send(&server.url).await.code()
    };
    server.wait(3599);
    assert_eq!(code().await, "");
    server.wait(1);
    assert_eq!(code().await, "ExpiredTokenException");
}

#[tokio::test]
async fn refusals_say_what_is_wrong_in_the_words_of_aws() {
    let (server, _secrets) = signed_server(&[]).await;
    let text = async |time: i64, alter: fn(&mut Request)| {
        let mut request = describe_trails(&server);
        request.time = minutes(time);
        request.sign(&ANA);
        alter(&mut request);
        request.send(&server.url).await.error().1
    };
    assert_eq!(
        text(-6, |_| ()).await,
        "Signature expired: 20261122T052400Z is now earlier than 20261122T052500Z (20261122T053000Z - 5 min.)"
    );
    assert_eq!(
        text(6, |_| ()).await,
        "Signature not yet current: 20261122T053600Z is still later than 20261122T053500Z (20261122T053000Z + 5 min.)"
    );
    assert_eq!(
        text(0, |r| r.alter_authorization("/cloudtrail/", "/s3/")).await,
        "Credential should be scoped to correct service: 'cloudtrail'."
    );
    assert_eq!(
        text(0, |r| r.alter_authorization("/20261122/", "/20261121/")).await,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != \
         '20261122', from '20261122T053000Z'."
    );
    assert_eq!(
        text(0, |r| r.set("authorization", "AWS4-HMAC-SHA256 Credential=AKIAANA/x/y/z/aws4_request")).await,
        "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."
    );
    assert_eq!(
        text(0, |r| r.add("x-amz-meta", "1")).await,
        "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization."
    );
    assert_eq!(
        text(0, |r| r.headers.retain(|(n, _)| n != "authorization")).await,
        "Missing Authentication Token"
    );
    assert_eq!(
        text(0, |r| r.body.push(b' ')).await,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    );
}

#[tokio::test]
async fn sts_says_who_signed_and_refuses_in_its_own_codes() {
    let (server, _secrets) = signed_server(&[]).await;
    let ask = async |key: &Key, alter: fn(&mut Request)| {
        let mut request = request(&server, "sts", "POST", "/");
        request.set("content-type", "application/x-www-form-urlencoded");
        request.body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
        request.sign(key);
        alter(&mut request);
        let reply = request.send(&server.url).await;
        let part = |name: &str| {
            let part = reply.text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once('<'));
            part.map_or("", |(part, _)| part).to_owned()
        };
        (reply.status, part("Arn") + &part("Code"))
    };
    let nothing = |_: &mut Request| ();
    assert_eq!(ask(&ANA, nothing).await, (200, "arn:aws:iam::111122223333:user/ana".into()));
    assert_eq!(ask(&CI, nothing).await, (200, "arn:aws:sts::111122223333:assumed-role/deployer/ci".into()));
    let wrong = Key { secret: "wrong", ..ANA };
    assert_eq!(ask(&wrong, nothing).await, (403, "SignatureDoesNotMatch".into()));
    let unknown = Key { id: "AKIABOB", ..ANA };
    assert_eq!(ask(&unknown, nothing).await, (403, "InvalidClientTokenId".into()));
    let unsigned = |r: &mut Request| r.headers.retain(|(name, _)| name != "authorization");
    assert_eq!(ask(&ANA, unsigned).await, (403, "MissingAuthenticationToken".into()));
    let half = |r: &mut Request| r.alter_authorization("Signature", "Sign");
    assert_eq!(ask(&ANA, half).await, (400, "IncompleteSignature".into()));
    // A presigned question is how other services are told who asks.
    let mut presigned = request(&server, "sts", "GET", "/");
    presigned.query = "Action=GetCallerIdentity&Version=2011-06-15".into();
    presigned.set("x-k8s-aws-id", "cluster");
    presigned.presign(&ANA, 60);
    let reply = presigned.send(&server.url).await;
    assert!(reply.text.contains("arn:aws:iam::111122223333:user/ana"), "{}", reply.text);
    presigned.set("x-k8s-aws-id", "other");
    assert_eq!(presigned.send(&server.url).await.status, 403);
    server.wait(3600);
    let mut late = request(&server, "sts", "POST", "/");
    late.set("content-type", "application/x-www-form-urlencoded");
    late.body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
    late.sign(&CI);
    let reply = late.send(&server.url).await;
    assert!(reply.text.contains("<Code>ExpiredToken</Code>"), "{}", reply.text);
}

#[tokio::test]
async fn a_form_for_cloudtrail_is_checked_like_its_json() {
    let (server, _secrets) = signed_server(&[]).await;
    let ask = async |service: &str, key: Option<&Key>| {
        let mut request = request(&server, service, "POST", "/");
        request.set("content-type", "application/x-www-form-urlencoded");
        request.body = b"Action=DescribeTrails&Version=2013-11-01".to_vec();
        if let Some(key) = key {
            request.sign(key);
        }
        let reply = request.send(&server.url).await;
        let code = reply.text.split_once("<Code>").and_then(|(_, rest)| rest.split_once('<'));
        (reply.status, code.map_or("", |(code, _)| code).to_owned())
    };
    assert_eq!(ask("cloudtrail", Some(&ANA)).await, (200, String::new()));
    let wrong = Key { secret: "wrong", ..ANA };
    assert_eq!(ask("cloudtrail", Some(&wrong)).await, (403, "SignatureDoesNotMatch".into()));
    assert_eq!(ask("cloudtrail", None).await, (403, "MissingAuthenticationToken".into()));
    assert_eq!(
        ask("sts", Some(&ANA)).await,
        (403, "SignatureDoesNotMatch".into()),
        "not for another service"
    );
}

/// It would have bodies kept for nothing: that this one is too long is not even seen.
#[tokio::test]
async fn who_may_not_call_is_told_before_the_body_is_kept() {
    let (server, _secrets) = signed_server(&[]).await;
    let mut long = describe_trails(&server);
    long.body = vec![b' '; 2 * 1024 * 1024];
    assert_eq!(long.send(&server.url).await.code(), UNSIGNED);
    long.sign(&Key { id: "AKIANOBODY", ..ANA });
    assert_eq!(long.send(&server.url).await.code(), UNKNOWN);
    long.sign(&ANA);
    assert_eq!(long.send(&server.url).await.code(), "RequestEntityTooLargeException");
}
