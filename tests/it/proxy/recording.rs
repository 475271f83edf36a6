//! What is recorded of the calls that pass.

use super::{call, form_call, in_front, json_call, signed_by};
use crate::delivery::{log_files, records};
use crate::support::fakes::FakeAws;
use crate::support::http as client;
use reqwest::Method;
use serde_json::{Value, json};

const CREATE_USER: &str = "<CreateUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><CreateUserResult><User>\
    <Path>/</Path><UserName>ana</UserName><UserId>AIDAEXAMPLE</UserId><Arn>arn:aws:iam::000000000000:user/ana</Arn>\
    <CreateDate>2026-11-22T05:30:00Z</CreateDate></User></CreateUserResult><ResponseMetadata>\
    <RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId></ResponseMetadata></CreateUserResponse>";

#[tokio::test]
async fn a_call_becomes_a_record_as_aws_writes_it() {
    let (server, upstream) = in_front(&[]).await;
    upstream.will_say("200 OK", "text/xml", CREATE_USER);
    let reply = form_call(&server, "iam", "Action=CreateUser&Version=2010-05-08&UserName=ana").await;
    assert_eq!((reply.status, reply.text.as_str()), (200, CREATE_USER));
    let record = &server.records().await[0];
    insta::assert_json_snapshot!(record, @r#"
    {
      "eventVersion": "1.11",
      "userIdentity": {
        "type": "Root",
        "principalId": "000000000000",
        "arn": "arn:aws:iam::000000000000:root",
        "accountId": "000000000000",
        "accessKeyId": "test"
      },
      "eventTime": "2026-11-22T05:30:00Z",
      "eventSource": "iam.amazonaws.com",
      "eventName": "CreateUser",
      "awsRegion": "us-east-1",
      "sourceIPAddress": "127.0.0.1",
      "userAgent": "contrail-test/1.0",
      "requestParameters": {
        "userName": "ana"
      },
      "responseElements": {
        "user": {
          "path": "/",
          "userName": "ana",
          "userId": "AIDAEXAMPLE",
          "arn": "arn:aws:iam::000000000000:user/ana",
          "createDate": "Nov 22, 2026 5:30:00 AM"
        }
      },
      "requestID": "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE",
      "eventID": "00000000-0000-4000-8000-000000000003",
      "readOnly": false,
      "eventType": "AwsApiCall",
      "managementEvent": true,
      "recipientAccountId": "000000000000",
      "eventCategory": "Management"
    }
    "#);
}

#[tokio::test]
async fn an_export_holds_every_call_that_has_been_answered() {
    let (server, _upstream) = in_front(&[("era", "today")]).await;
    for number in 1..=50 {
        json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await;
        server.call("DescribeTrails", json!({})).await;
        let export = server.get("/_contrail/events").await.text;
        assert_eq!(export.lines().count(), 2 * number);
    }
}

#[tokio::test]
async fn calls_of_global_services_are_recorded_in_us_east_1_and_taken_by_trails_that_include_them() {
    let aws = FakeAws::start().await;
    let (server, _upstream) = in_front(&aws.settings()).await;
    for (name, included) in [("with", true), ("without", false)] {
        let trail = json!({"Name": name, "S3BucketName": "logs", "S3KeyPrefix": name, "IncludeGlobalServiceEvents": included});
        server.ok("CreateTrail", trail).await;
        server.ok("StartLogging", json!({"Name": name})).await;
    }
    let abroad = signed_by("test", "iam").replace("us-east-1", "eu-west-1");
    let user = client().post(&server.url).header("authorization", abroad);
    let user = user.header("content-type", "application/x-www-form-urlencoded");
    user.body("Action=CreateUser&Version=2010-05-08&UserName=ana").send().await.unwrap();
    json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await;
    let recorded = server.records().await;
    let user = recorded.iter().find(|record| record["eventName"] == "CreateUser").unwrap();
    assert_eq!(user["awsRegion"], "us-east-1");
    server.flush().await;
    let delivered = |prefix: &str| -> Vec<Value> {
        let files = log_files(&aws).into_iter().filter(|file| file.key.starts_with(prefix));
        files.flat_map(|file| records(&file)).map(|record| record["eventName"].clone()).collect()
    };
    assert!(
        recorded.iter().all(|record| record["sourceIPAddress"] == "127.0.0.1"),
        "CloudTrail's own calls, too"
    );
    let of_both = ["CreateTrail", "StartLogging", "CreateUser", "CreateQueue"];
    assert_eq!(delivered("with/"), of_both);
    assert_eq!(delivered("without/"), ["CreateQueue"]);
}

#[tokio::test]
async fn a_form_that_is_too_long_to_be_kept_says_at_its_beginning_what_it_is() {
    let (server, upstream) = in_front(&[("recorder.data_events", "true")]).await;
    let form = format!("Action=SendMessage&Version=2012-11-05&MessageBody={}", "m".repeat(400_000));
    form_call(&server, "sqs", &form).await;
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let pieces: Vec<_> =
        form.as_bytes().chunks(5000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    call(&server, "sqs", (Method::POST, "/"), &kind, chunked).await;
    assert!(upstream.seen().iter().all(|request| request.body == form.as_bytes()));
    let names: Vec<Value> = server.records().await.iter().map(|r| r["eventName"].clone()).collect();
    assert_eq!(names, ["SendMessage", "SendMessage"]);
}

#[tokio::test]
async fn json_that_is_too_long_is_recorded_but_for_its_long_texts() {
    let (server, upstream) = in_front(&[]).await;
    let package = "UEsDBBQA".repeat(100_000);
    let asked =
        json!({"FunctionName": "f", "Code": {"ZipFile": package}, "Description": package, "Timeout": 3});
    let body = asked.to_string();
    let target = (Method::POST, "/2015-03-31/functions");
    let kind = [("content-type", "application/json")];
    call(&server, "lambda", target.clone(), &kind, body.clone()).await;
    let pieces: Vec<_> =
        body.as_bytes().chunks(5000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let chunked = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    call(&server, "lambda", target, &kind, chunked).await;
    assert!(upstream.seen().iter().all(|request| request.body == body.as_bytes()));
    let expected = json!({"functionName": "f", "code": {}, "description": "", "timeout": 3});
    for record in server.records().await {
        assert_eq!(record["requestParameters"], expected);
    }
    // Many short texts are too long as well.
    let tags: std::collections::BTreeMap<_, _> = (0..50_000).map(|n| (format!("tag-{n}"), "value")).collect();
    let body = json!({"QueueName": "q", "tags": tags}).to_string();
    json_call(&server, "sqs", "AmazonSQS.CreateQueue", &body).await;
    let left_out =
        json!({"reason": "requestParameters too large", "omitted": true, "originalSize": body.len()});
    assert_eq!(server.records().await[2]["requestParameters"], left_out);
}

#[tokio::test]
async fn a_refused_call_has_an_error_and_no_response() {
    let (server, upstream) = in_front(&[]).await;
    let error = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no such table"}"#;
    upstream.will_say("400 Bad Request", "application/x-amz-json-1.0", error);
    json_call(&server, "dynamodb", "DynamoDB_20120810.DeleteTable", r#"{"TableName":"t-1"}"#).await;
    let record = &server.records().await[0];
    assert_eq!(record["eventSource"], "dynamodb.amazonaws.com");
    assert_eq!(
        (&record["errorCode"], &record["errorMessage"]),
        (&json!("ResourceNotFoundException"), &json!("no such table"))
    );
    assert_eq!(record["responseElements"], Value::Null);
}

#[tokio::test]
async fn the_error_is_found_in_headers_in_xml_and_in_the_status() {
    let (server, upstream) = in_front(&[("recorder.data_events", "true")]).await;
    upstream.will_answer(
        "HTTP/1.1 404 Not Found\r\nx-amzn-errortype: ResourceNotFoundException:http://internal/\r\n\
         x-amzn-requestid: r-1\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{\"Message\":\"gone\"}",
    );
    call(&server, "lambda", (Method::GET, "/2015-03-31/functions/f"), &[], "").await;
    let xml = "<Response><Errors><Error><Code>InvalidGroup.NotFound</Code><Message>a &lt; b</Message></Error></Errors>\
               <RequestID>r-2</RequestID></Response>";
    upstream.will_say("400 Bad Request", "text/xml", xml);
    form_call(&server, "ec2", "Action=DeleteSecurityGroup&Version=2016-11-15").await;
    upstream.will_answer("HTTP/1.1 404 Not Found\r\nx-amz-request-id: r-3\r\ncontent-length: 0\r\n\r\n");
    call(&server, "s3", (Method::HEAD, "/b-1/k"), &[], "").await;
    upstream.will_say("500 Internal Server Error", "text/html", "<html><body>oh & no</html>");
    json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await;
    let records = server.records().await;
    let found: Vec<_> = records
        .iter()
        .map(|r| [&r["eventName"], &r["errorCode"], &r["errorMessage"], &r["requestID"]].map(Value::as_str))
        .collect();
    let own_id = found[3][3];
    assert_eq!(
        found,
        [
            [Some("GetFunction20150331v2"), Some("ResourceNotFoundException"), Some("gone"), Some("r-1")],
            [Some("DeleteSecurityGroup"), Some("Client.InvalidGroup.NotFound"), Some("a < b"), Some("r-2")],
            [Some("HeadObject"), Some("NoSuchKey"), None, Some("r-3")],
            [Some("CreateQueue"), Some("500"), None, own_id],
        ]
    );
    assert!(own_id.is_some());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_recorded_as_such() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let upstream = format!("http://{nobody}");
    let server = crate::support::TestServer::with(&[("recorder.upstream", upstream.as_str())]).await;
    json_call(&server, "sqs", "AmazonSQS.CreateQueue", r#"{"QueueName":"q-1"}"#).await;
    let record = &server.records().await[0];
    assert_eq!(
        (&record["eventName"], &record["errorCode"]),
        (&json!("CreateQueue"), &json!("ServiceUnavailable"))
    );
}

#[tokio::test]
async fn what_is_included_and_excluded_decides() {
    let (server, _upstream) =
        in_front(&[("recorder.include", "sqs,sns"), ("recorder.exclude", "sqs:DeleteQueue")]).await;
    for (service, target) in [
        ("sqs", "AmazonSQS.CreateQueue"),
        ("sqs", "AmazonSQS.DeleteQueue"),
        ("dynamodb", "DynamoDB_20120810.ListTables"),
    ] {
        json_call(&server, service, target, "{}").await;
    }
    let names: Vec<Value> = server.records().await.iter().map(|record| record["eventName"].clone()).collect();
    assert_eq!(names, ["CreateQueue"]);
}

#[tokio::test]
async fn lookups_list_nothing_that_was_recorded_while_no_trail_was_logging() {
    let (server, _upstream) = in_front(&[]).await;
    json_call(&server, "sqs", "AmazonSQS.CreateQueue", r#"{"QueueName":"before"}"#).await;
    server.settle().await;
    let found = server.ok("LookupEvents", json!({})).await;
    assert_eq!(found["Events"], json!([]));
    let names: Vec<Value> = server.records().await.iter().map(|record| record["eventName"].clone()).collect();
    assert_eq!(names, ["CreateQueue", "LookupEvents"], "the export has everything");
}

#[tokio::test]
async fn the_address_comes_from_proxies_that_are_trusted() {
    let forwarded = [
        ("x-forwarded-for", "203.0.113.9, 192.0.2.7"),
        ("x-amz-target", "AmazonSQS.ListQueues"),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    for (trusted, expected) in
        [("", "127.0.0.1"), ("127.0.0.1", "192.0.2.7"), ("127.0.0.1,192.0.2.7", "203.0.113.9")]
    {
        let (server, _upstream) =
            in_front(&[("recorder.trusted_proxies", trusted), ("recorder.data_events", "true")]).await;
        call(&server, "sqs", (Method::POST, "/"), &forwarded, "{}").await;
        assert_eq!(server.records().await[0]["sourceIPAddress"], expected, "{trusted}");
    }
}

#[tokio::test]
async fn secrets_are_nowhere_in_the_database() {
    let (server, upstream) = in_front(&[("era", "today"), ("recorder.data_events", "true")]).await;
    let secret = "s3cr3t-v4lue";
    upstream.will_say(
        "200 OK",
        "text/xml",
        &format!(
            "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey><UserName>ana</UserName><AccessKeyId>AKIAANA\
             </AccessKeyId><Status>Active</Status><SecretAccessKey>{secret}</SecretAccessKey></AccessKey>\
             </CreateAccessKeyResult></CreateAccessKeyResponse>"
        ),
    );
    form_call(&server, "iam", "Action=CreateAccessKey&Version=2010-05-08&UserName=ana").await;
    let body = format!(r#"{{"Name":"s","SecretString":"{secret}"}}"#);
    json_call(&server, "secretsmanager", "secretsmanager.CreateSecret", &body).await;
    let body = format!(r#"{{"Name":"p","Type":"SecureString","Value":"{secret}"}}"#);
    json_call(&server, "ssm", "AmazonSSM.PutParameter", &body).await;
    let body = format!(
        "Action=CreateDBInstance&Version=2014-10-31&DBInstanceIdentifier=d&MasterUserPassword={secret}"
    );
    form_call(&server, "rds", &body).await;
    let body = format!("Action=CreateLoginProfile&Version=2010-05-08&UserName=ana&Password={secret}");
    form_call(&server, "iam", &body).await;
    let body = format!(r#"{{"QueueUrl":"http://q","MessageBody":"{secret}"}}"#);
    json_call(&server, "sqs", "AmazonSQS.SendMessage", &body).await;
    let token = [("x-amz-security-token", secret)];
    call(&server, "s3", (Method::PUT, &format!("/b-1?acl&X-Amz-Security-Token={secret}")), &token, "").await;
    let records = server.records().await;
    assert_eq!(records.len(), 7);
    assert!(!json!(records).to_string().contains(secret), "{records:#?}");
}
