//! CloudTrail in the query protocol, as the AWS SDK for Ruby v1 and requests written by hand speak it.

use crate::support::{Reply, TestServer, http};
use serde_json::json;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
const NAMESPACE: &str = "http://cloudtrail.amazonaws.com/doc/2013-11-01/";

/// The answer to a form.
async fn ask(server: &TestServer, form: &str) -> Reply {
    let form = format!("{form}&Version=2013-11-01");
    Reply::of(http().post(&server.url).header(FORM.0, FORM.1).body(form).send().await.unwrap()).await
}

/// What stands in the first element of a name.
fn element<'a>(reply: &'a Reply, name: &str) -> &'a str {
    let behind = reply.text.split_once(&format!("<{name}>")).map(|(_, behind)| behind);
    let found = behind.and_then(|behind| behind.split_once(&format!("</{name}>")));
    found.unwrap_or_else(|| panic!("no {name} in {}", reply.text)).0
}

#[tokio::test]
async fn a_trail_is_made_started_and_looked_at_in_forms() {
    let server = TestServer::start().await;
    server.s3().create_bucket().bucket("my-bucket").send().await.unwrap();
    let made =
        ask(&server, "Action=CreateTrail&Name=audit&S3BucketName=my-bucket&IncludeGlobalServiceEvents=false")
            .await;
    assert_eq!((made.status, made.header("content-type")), (200, "text/xml"), "{}", made.text);
    let begin = format!("<CreateTrailResponse xmlns=\"{NAMESPACE}\">\n  <CreateTrailResult><");
    assert!(made.text.starts_with(&begin), "{}", made.text);
    assert_eq!((element(&made, "Name"), element(&made, "IncludeGlobalServiceEvents")), ("audit", "false"));
    assert_eq!(element(&made, "RequestId"), made.header("x-amzn-requestid"));

    let started = ask(&server, "Action=StartLogging&Name=audit").await;
    assert_eq!(element(&started, "StartLoggingResult"), "");
    let status = ask(&server, "Action=GetTrailStatus&Name=audit").await;
    let begun = server.call("GetTrailStatus", json!({"Name": "audit"})).await.json();
    assert_eq!((element(&status, "IsLogging"), &begun["IsLogging"]), ("true", &json!(true)));
    assert_eq!(element(&status, "StartLoggingTime"), element(&status, "TimeLoggingStarted"));

    let form = "Action=DescribeTrails&trailNameList.member.1=audit&trailNameList.member.2=absent";
    let described = ask(&server, form).await;
    assert!(described.text.contains("<trailList><member><"), "{}", described.text);
    assert_eq!(described.text.matches("<member>").count(), 1, "{}", described.text);
    let url = format!("{}/?{form}&Version=2013-11-01", server.url);
    let by_url = Reply::of(http().get(url).send().await.unwrap()).await;
    assert_eq!(element(&by_url, "trailList"), element(&described, "trailList"));
}

#[tokio::test]
async fn a_call_is_recorded_and_looked_up_as_in_json() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let input = json!({"ResourceId": crate::support::arn("us-east-1", "demo"), "TagsList": [{"Key": "a b", "Value": "true"}]});
    server.ok("AddTags", input).await;
    let arn = crate::support::arn("us-east-1", "demo");
    ask(
        &server,
        &format!("Action=AddTags&ResourceId={arn}&TagsList.member.1.Key=a+b&TagsList.member.1.Value=true"),
    )
    .await;
    let records = server.records().await;
    let [.., json, form] = records.as_slice() else { panic!("{records:?}") };
    for member in ["eventName", "requestParameters", "responseElements", "readOnly"] {
        assert_eq!(json[member], form[member], "{member}");
    }
    let form = "Action=LookupEvents&LookupAttributes.member.1.AttributeKey=EventName&MaxResults=1\
                &LookupAttributes.member.1.AttributeValue=AddTags&StartTime=2026-01-01T00:00:00Z";
    let found = ask(&server, form).await;
    assert_eq!(
        (found.text.matches("<Events><member>").count(), element(&found, "EventName")),
        (1, "AddTags")
    );
    assert!(element(&found, "EventTime").ends_with('Z'), "{}", found.text);
    assert!(element(&found, "CloudTrailEvent").contains("requestParameters"));
    let again = ask(&server, form).await;
    assert_eq!(
        (again.status, element(&again, "Code")),
        (400, "ThrottlingException"),
        "one lookup a second in all protocols"
    );
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_xml_under_its_own_code() {
    let server = TestServer::start().await;
    for (form, status, code) in [
        ("Action=GetTrailStatus&Name=absent", 400, "TrailNotFoundException"),
        ("Action=CreateTrail&Name=x&S3BucketName=my-bucket", 400, "InvalidTrailNameException"),
        ("Action=LookupEvents&MaxResults=many", 400, "SerializationException"),
        ("Action=LookupEvents&StartTime=1401969600", 400, "SerializationException"),
        ("Action=CreateTrail&Name=audit&IsMultiRegionTrail=yes", 400, "SerializationException"),
        ("Action=CreateTrail&Name.member.1=audit", 400, "SerializationException"),
        ("Action=ListQueries", 400, "UnsupportedOperationException"),
        ("Action=describetrails", 400, "InvalidAction"),
        ("Action=GetCallerIdentity", 400, "InvalidAction"),
    ] {
        let reply = ask(&server, form).await;
        assert_eq!((reply.status, element(&reply, "Code")), (status, code), "{form}");
        assert!(reply.text.starts_with(&format!("<ErrorResponse xmlns=\"{NAMESPACE}\">")), "{}", reply.text);
    }
}

/// A picture's address on any page is such a call, and says neither where it stands nor that it is one.
#[tokio::test]
async fn a_browser_may_not_call_by_a_url() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let url = format!("{}/?Action=DeleteTrail&Name=demo&Version=2013-11-01", server.url);
    let request = http().get(url).header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0");
    let reply = Reply::of(request.send().await.unwrap()).await;
    assert_eq!((reply.status, element(&reply, "Code")), (403, "AccessDenied"));
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["demo"]);
}
