//! Calls that servers read differently, where nothing is checked: forwarded, and recorded as what they may have changed.

use super::{call, form_call, in_front, signed_by};
use crate::support::TestServer;
use crate::support::fakes::FakeAws;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CREATE: &str = "Action=CreateUser&Version=2010-05-08&UserName=eve";
const LIST: &str = "Action=ListUsers&Version=2010-05-08";

/// `CreateUser of [ListUsers CreateUser]`, of the last call that was recorded.
async fn last(server: &TestServer) -> String {
    server.settle().await;
    let records = server.records().await;
    let Some(record) = records.last() else { return String::new() };
    let name = record["eventName"].as_str().unwrap();
    match &record["additionalEventData"]["candidateOperations"] {
        Value::Null => name.to_owned(),
        candidates => {
            let candidates = candidates.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let names: Vec<_> = candidates.map(|name| name.rsplit_once(':').unwrap().1).collect();
            format!("{name} of [{}]", names.join(" "))
        }
    }
}

#[tokio::test]
async fn a_call_with_two_names_is_recorded_as_the_one_that_changes_something() {
    let (server, upstream) = in_front(&[("era", "today")]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let iam = format!("/?{CREATE}");
    for ((service, method, target), headers, body, recorded) in [
        (("s3", "PUT", "/bkt?Action=GetObject"), &[][..], "", "CreateBucket of [CreateBucket GetObject]"),
        (
            ("s3", "PUT", "/bkt"),
            &[("x-amz-target", "x.GetObject")],
            "",
            "CreateBucket of [CreateBucket GetObject]",
        ),
        (("iam", "POST", &format!("/?{LIST}")), &form, CREATE, "CreateUser of [ListUsers CreateUser]"),
        (("iam", "POST", &iam), &form, LIST, "CreateUser of [CreateUser ListUsers]"),
        (("iam", "POST", "/"), &form, &CREATE.replace('A', "%41"), "CreateUser"),
        (("iam", "GET", &iam.replace('A', "%41")), &[], "", "CreateUser"),
        (("iam", "GET", &iam.replace('A', "a")), &[], "", "CreateUser of [CreateUser]"),
        (("iam", "OPTIONS", &iam), &[], "", "CreateUser of [CreateUser]"),
        (("s3", "PUT", "//bkt"), &[], "", "CreateBucket of [CreateBucket]"),
        (
            ("lambda", "DELETE", "//2015-03-31/functions/f"),
            &[],
            "",
            "DeleteFunction20150331 of [DeleteFunction20150331]",
        ),
        (
            ("dynamodb", "POST", "/?Action=DeleteTable&TableName=t"),
            &[("x-amz-target", "DynamoDB_20120810.DescribeTable")],
            "{}",
            "DeleteTable of [DescribeTable DeleteTable]",
        ),
    ] {
        let before = upstream.seen().len();
        let method: Method = method.parse().unwrap();
        call(&server, service, (method, target), headers, body.to_owned()).await;
        assert_eq!(upstream.seen().len(), before + 1, "{service} {target}");
        assert_eq!(last(&server).await, recorded, "{service} {target}");
    }
}

#[tokio::test]
async fn an_older_client_signs_in_its_form_and_is_who_its_key_says() {
    let (server, _upstream) = in_front(&[
        ("era", "today"),
        ("identities[0].access_key", "AKIAANA"),
        ("identities[0].account", "111122223333"),
        ("identities[0].user", "ana"),
    ])
    .await;
    let signed = "AWSAccessKeyId=AKIAANA&SignatureVersion=2&SignatureMethod=HmacSHA256&Signature=c2ln";
    let form = format!("Action=CreateDomain&Version=2009-04-15&DomainName=d&{signed}");
    let old =
        crate::support::http().post(&server.url).header("content-type", "application/x-www-form-urlencoded");
    old.body(form).send().await.unwrap();
    let query = format!("{}/?Action=StopInstances&Version=2016-11-15&{signed}", server.url);
    crate::support::http().get(query).send().await.unwrap();
    server.settle().await;
    let exported = server.get("/_contrail/events?account=111122223333").await.text;
    let records: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let callers: Vec<_> = records
        .iter()
        .map(|record| {
            (&record["eventName"], &record["recipientAccountId"], &record["userIdentity"]["userName"])
        })
        .collect();
    let (account, ana) = (json!("111122223333"), json!("ana"));
    assert_eq!(
        callers,
        [(&json!("CreateDomain"), &account, &ana), (&json!("StopInstances"), &account, &ana),]
    );
    let text = serde_json::to_string(&records).unwrap();
    assert!(!text.contains("c2ln"), "{text}");
}

#[tokio::test]
async fn a_trail_takes_what_an_older_client_of_its_account_does() {
    let aws = FakeAws::start().await;
    let (server, _upstream) = in_front(&aws.settings()).await;
    let create = json!({"Name": "theirs", "S3BucketName": "their-bucket"});
    let created = server.call_as("444455556666", "us-east-1", "CreateTrail", create).await;
    assert_eq!(created.status, 200, "{}", created.text);
    server.call_as("444455556666", "us-east-1", "StartLogging", json!({"Name": "theirs"})).await;
    let signed = "AWSAccessKeyId=444455556666&SignatureVersion=2&Signature=c2ln";
    let form = format!("Action=CreateUser&Version=2010-05-08&UserName=eve&{signed}");
    let old =
        crate::support::http().post(&server.url).header("content-type", "application/x-www-form-urlencoded");
    old.body(form).send().await.unwrap();
    server.settle().await;
    let found = server
        .call_as(
            "444455556666",
            "us-east-1",
            "LookupEvents",
            json!({"LookupAttributes": [
                {"AttributeKey": "EventName", "AttributeValue": "CreateUser"}
            ]}),
        )
        .await;
    assert_eq!(found.json()["Events"].as_array().unwrap().len(), 1, "{}", found.text);
}

/// Sends it as it is; the status of the answer.
async fn raw(server: &TestServer, request: &str) -> String {
    let address = server.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_request_says_once_for_which_host_it_is() {
    let (server, upstream) = in_front(&[]).await;
    let rest = format!("authorization: {}\r\nconnection: close\r\n\r\n", signed_by("test", "s3"));
    for request in [
        "GET /box/key HTTP/1.1\r\nhost: box.localhost\r\nhost: other.localhost\r\n",
        "GET /box/key HTTP/1.1\r\n",
        "GET /box/key HTTP/1.0\r\n",
        "CONNECT localhost:4566 HTTP/1.1\r\nhost: localhost\r\n",
    ] {
        assert_eq!(raw(&server, &format!("{request}{rest}")).await, "400", "{request}");
    }
    assert_eq!(upstream.seen().len(), 0);
    let one = format!("GET /box/key HTTP/1.1\r\nhost: localhost\r\n{rest}");
    assert_eq!(raw(&server, &one).await, "200");
    form_call(&server, "iam", LIST).await;
    assert_eq!(upstream.seen().len(), 2);
}
