//! Data events of forwarded calls: which are recorded, and what they say that they are about.

use super::{call, form_call, in_front, json_call};
use crate::support::fakes::FakeAws;
use crate::support::{ACCOUNT, TestServer, http};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn data_events_are_recorded_when_asked_for() {
    let put = (Method::PUT, "/b-1/a%20b");
    let (server, _upstream) = in_front(&[]).await;
    call(&server, "s3", put.clone(), &[], "hello").await;
    assert!(server.records().await.is_empty());
    let (server, _upstream) = in_front(&[("recorder.data_events", "true")]).await;
    call(&server, "s3", put, &[], "hello").await;
    let record = &server.records().await[0];
    assert_eq!((&record["eventName"], &record["eventCategory"]), (&json!("PutObject"), &json!("Data")));
    assert_eq!(record["additionalEventData"]["bytesTransferredIn"], 5);
    assert_eq!(record["resources"][0]["ARN"], "arn:aws:s3:::b-1/a b");
    assert_eq!(record["managementEvent"], false);
}

#[tokio::test]
async fn data_events_are_recorded_that_a_trail_takes() {
    let aws = FakeAws::start().await;
    let (server, _upstream) = in_front(&aws.settings()).await;
    server.start_demo_trail().await;
    let objects =
        json!([{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b-1/in"]}]}]);
    server.ok("PutEventSelectors", json!({"TrailName": "demo", "EventSelectors": objects})).await;
    for path in ["/b-1/in/1", "/b-1/out/1"] {
        call(&server, "s3", (Method::PUT, path), &[], "hello").await;
    }
    json_call(&server, "sqs", "AmazonSQS.SendMessage", r#"{"QueueUrl":"q-1","MessageBody":"b"}"#).await;
    let records = server.records().await;
    let data: Vec<_> = records.iter().filter(|record| record["eventCategory"] == "Data").collect();
    assert_eq!(data.len(), 1, "{data:?}");
    assert_eq!(data[0]["resources"][0]["ARN"], "arn:aws:s3:::b-1/in/1");
}

#[tokio::test]
async fn data_events_say_what_they_are_about() {
    let (server, _upstream) = in_front(&[("recorder.data_events", "true")]).await;
    let dynamodb = |operation: &str| format!("DynamoDB_20120810.{operation}");
    let here = "us-east-1:000000000000";
    let table = |name: &str| format!("AWS::DynamoDB::Table arn:aws:dynamodb:{here}:table/{name}");
    for (target, body) in [
        (dynamodb("GetItem"), json!({"TableName": "t-1", "Key": {"TableName": {"S": "none"}}})),
        (dynamodb("Scan"), json!({"TableName": "arn:aws:dynamodb:eu-west-1:111122223333:table/t-2"})),
        (dynamodb("BatchGetItem"), json!({"RequestItems": {"t-1": {}, "t-2": {}}})),
        (dynamodb("TransactWriteItems"), json!({"TransactItems": [{"Put": {"TableName": "t-3"}}]})),
        (dynamodb("ExecuteStatement"), json!({"Statement": "SELECT * FROM t"})),
    ] {
        json_call(&server, "dynamodb", &target, &body.to_string()).await;
    }
    let url = "http://127.0.0.1:4566/111122223333/q-1";
    json_call(&server, "sqs", "AmazonSQS.SendMessage", &json!({"QueueUrl": url}).to_string()).await;
    json_call(&server, "sqs", "AmazonSQS.ListQueues", "{}").await;
    form_call(&server, "sqs", "Action=SendMessage&Version=2012-11-05&QueueUrl=http%3A%2F%2Fq%2F1%2Fq-2")
        .await;
    let old = (Method::POST, "/111122223333/q-3");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    call(&server, "sqs", old, &form, "Action=ReceiveMessage&Version=2012-11-05").await;
    let topic = "arn:aws:sns:us-east-1:111122223333:news";
    form_call(&server, "sns", &format!("Action=Publish&Version=2010-03-31&TopicArn={topic}&Message=m")).await;
    let function = "arn%3Aaws%3Alambda%3Aus-east-1%3A111122223333%3Afunction%3Ag%3Alive";
    for name in ["f", "f:live", "111122223333:function:f", function] {
        call(
            &server,
            "lambda",
            (Method::POST, &format!("/2015-03-31/functions/{name}/invocations")),
            &[],
            "",
        )
        .await;
    }
    let entries = json!({"Entries": [{"Detail": "{}"}, {"EventBusName": "b-1"}]});
    json_call(&server, "events", "AWSEvents.PutEvents", &entries.to_string()).await;
    let found: Vec<String> = server
        .records()
        .await
        .iter()
        .map(|record| {
            let resources = record["resources"].as_array().unwrap().iter();
            let shown = resources.map(|r| {
                let arn = r["ARN"].as_str().unwrap_or("-");
                assert_eq!(r["accountId"], arn.split(':').nth(4).unwrap_or("000000000000"), "its owner");
                format!("{} {arn}", r["type"].as_str().unwrap())
            });
            shown.collect::<Vec<_>>().join(", ")
        })
        .collect();
    let function = |account: &str, name: &str| {
        format!("AWS::Lambda::Function arn:aws:lambda:us-east-1:{account}:function:{name}")
    };
    let queue = |account: &str, name: &str| format!("AWS::SQS::Queue arn:aws:sqs:us-east-1:{account}:{name}");
    let bus = |name: &str| format!("AWS::Events::EventBus arn:aws:events:{here}:event-bus/{name}");
    assert_eq!(
        found,
        [
            table("t-1"),
            "AWS::DynamoDB::Table arn:aws:dynamodb:eu-west-1:111122223333:table/t-2".to_owned(),
            format!("{}, {}", table("t-1"), table("t-2")),
            table("t-3"),
            "AWS::DynamoDB::Table -".to_owned(),
            queue("111122223333", "q-1"),
            "AWS::SQS::Queue -".to_owned(),
            queue("000000000000", "q-2"),
            queue("111122223333", "q-3"),
            format!("AWS::SNS::Topic {topic}"),
            function("000000000000", "f"),
            function("000000000000", "f"),
            function("111122223333", "f"),
            function("111122223333", "g"),
            format!("{}, {}", bus("b-1"), bus("default")),
        ]
    );
}

#[tokio::test]
async fn every_service_whose_resources_are_known_names_them_by_its_own_members() {
    let (server, _upstream) = in_front(&[("recorder.data_events", "true")]).await;
    let here = "us-east-1:000000000000";
    let stream = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1";
    let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
    let cluster = "arn:aws:rds:us-east-1:000000000000:cluster:c";
    for (service, target, body, arn) in [
        (
            "kinesis",
            "Kinesis_20131202.PutRecord",
            json!({"StreamName": "s"}),
            format!("arn:aws:kinesis:{here}:stream/s"),
        ),
        (
            "kinesis",
            "Kinesis_20131202.PutRecords",
            json!({"StreamARN": "arn:aws:kinesis:eu-west-1:111122223333:stream/s"}),
            "arn:aws:kinesis:eu-west-1:111122223333:stream/s".to_owned(),
        ),
        (
            "firehose",
            "Firehose_20150804.PutRecord",
            json!({"DeliveryStreamName": "d"}),
            format!("arn:aws:firehose:{here}:deliverystream/d"),
        ),
        (
            "dynamodb",
            "DynamoDBStreams_20120810.GetShardIterator",
            json!({"StreamArn": stream}),
            stream.to_owned(),
        ),
        (
            "states",
            "AWSStepFunctions.StartSyncExecution",
            json!({"stateMachineArn": machine}),
            machine.to_owned(),
        ),
        (
            "cognito-identity",
            "AWSCognitoIdentityService.GetOpenIdTokenForDeveloperIdentity",
            json!({"IdentityPoolId": "us-east-1:1"}),
            format!("arn:aws:cognito-identity:{here}:identitypool/us-east-1:1"),
        ),
        (
            "logs",
            "Logs_20140328.PutLogEvents",
            json!({"logGroupName": "g"}),
            format!("arn:aws:logs:{here}:log-group:g"),
        ),
        (
            "logs",
            "Logs_20140328.GetLogEvents",
            json!({"logGroupIdentifier": "g"}),
            format!("arn:aws:logs:{here}:log-group:g"),
        ),
    ] {
        json_call(&server, service, target, &body.to_string()).await;
        let record = server.records().await.pop().unwrap();
        assert_eq!(record["eventName"], target.rsplit('.').next().unwrap());
        assert_eq!(record["resources"][0]["ARN"], arn, "{record}");
    }
    let body = json!({"resourceArn": cluster, "secretArn": "s", "sql": "SELECT 1"}).to_string();
    call(&server, "rds-data", (Method::POST, "/Execute"), &[], body).await;
    let record = server.records().await.pop().unwrap();
    assert_eq!(
        (&record["eventName"], &record["resources"][0]["ARN"]),
        (&json!("ExecuteStatement"), &json!(cluster))
    );
}

#[tokio::test]
async fn selectors_choose_data_events_by_type_and_by_arn() {
    let aws = FakeAws::start().await;
    let (server, _upstream) = in_front(&aws.settings()).await;
    server.start_demo_trail().await;
    let selectors = json!([
        {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::SQS::Queue"]}]},
        {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::DynamoDB::Table"]},
            {"Field": "resources.ARN", "Equals": ["arn:aws:dynamodb:us-east-1:000000000000:table/t-1"]}]},
    ]);
    server.ok("PutEventSelectors", json!({"TrailName": "demo", "AdvancedEventSelectors": selectors})).await;
    json_call(&server, "sqs", "AmazonSQS.ListQueues", "{}").await;
    for table in ["t-1", "t-2"] {
        let body = json!({"TableName": table}).to_string();
        json_call(&server, "dynamodb", "DynamoDB_20120810.GetItem", &body).await;
    }
    json_call(&server, "dynamodb", "DynamoDB_20120810.ExecuteStatement", "{}").await;
    form_call(&server, "sns", "Action=Publish&Version=2010-03-31&TopicArn=arn:aws:sns:us-east-1:1:t").await;
    let records = server.records().await;
    let data: Vec<_> = records.iter().filter(|record| record["eventCategory"] == "Data").collect();
    let names: Vec<_> = data.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["ListQueues", "GetItem"]);
    assert!(data[1]["resources"][0]["ARN"].as_str().unwrap().ends_with("table/t-1"));
}

/// All records but those of CloudTrail's own calls, oldest first.
async fn data_records(server: &TestServer) -> Vec<Value> {
    let mut records = server.records().await;
    records.retain(|record| record["eventCategory"] == "Data");
    records
}

#[tokio::test]
async fn deleting_many_objects_is_one_event_and_one_more_for_each_key() {
    let (server, upstream) = in_front(&[("recorder.data_events", "true")]).await;
    let asked = "<Delete><Object><Key>in/a &amp; b</Key></Object><Object><Key>in/c</Key><VersionId>v1</VersionId>\
        </Object><Quiet>true</Quiet></Delete>";
    let answer = "<DeleteResult><Error><Key>in/c</Key><VersionId>v1</VersionId><Code>AccessDenied</Code>\
        <Message>Access Denied</Message></Error></DeleteResult>";
    upstream.will_say("200 OK", "application/xml", answer);
    call(&server, "s3", (Method::POST, "/b-1?delete"), &[], asked).await;
    let records = data_records(&server).await;
    let names: Vec<_> = records.iter().map(|record| record["eventName"].clone()).collect();
    assert_eq!(names, ["DeleteObjects", "DeleteObject", "DeleteObject"]);
    let bucket = json!({"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b-1"});
    assert_eq!(
        records[0]["resources"],
        json!([{"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::b-1/"}, bucket])
    );
    assert_eq!(
        records[1]["resources"],
        json!([{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b-1/in/a & b"}, bucket])
    );
    let host = &records[0]["requestParameters"]["Host"];
    assert_eq!(
        records[1]["requestParameters"],
        json!({"bucketName": "b-1", "Host": host, "key": "in/a & b"})
    );
    assert_eq!(records[1].get("errorCode"), None);
    assert_eq!(records[2]["requestParameters"]["versionId"], "v1");
    assert_eq!(
        (&records[2]["errorCode"], &records[2]["errorMessage"]),
        (&json!("AccessDenied"), &json!("Access Denied"))
    );
    let ids: std::collections::BTreeSet<_> =
        records.iter().map(|record| record["eventID"].to_string()).collect();
    assert_eq!(ids.len(), 3);
    assert!(records.iter().all(|record| record["requestID"] == records[0]["requestID"]));
    let counted = server.get("/_contrail/health").await.json()["forwarded_calls"]["s3.amazonaws.com"].clone();
    assert_eq!(counted["recorded"], 1, "it was one call");
    // A refused call has deleted nothing.
    upstream.will_say("403 Forbidden", "application/xml", "<Error><Code>AccessDenied</Code></Error>");
    call(&server, "s3", (Method::POST, "/b-1?delete"), &[], asked).await;
    assert_eq!(data_records(&server).await.len(), 4);
}

#[tokio::test]
async fn what_is_about_a_whole_bucket_is_chosen_with_all_objects() {
    let aws = FakeAws::start().await;
    let (server, _upstream) = in_front(&aws.settings()).await;
    server.start_demo_trail().await;
    let all = json!([{"IncludeManagementEvents": false,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]);
    server.ok("PutEventSelectors", json!({"TrailName": "demo", "EventSelectors": all})).await;
    for (method, target) in [
        (Method::POST, "/b-1?delete"),
        (Method::HEAD, "/b-1"),
        (Method::GET, "/b-1?uploads"),
        (Method::GET, "/b-1?list-type=2&prefix=in/"),
    ] {
        call(&server, "s3", (method, target), &[], "").await;
    }
    let records = data_records(&server).await;
    let found: Vec<_> = records
        .iter()
        .map(|record| (record["eventName"].clone(), record["resources"][0]["ARNPrefix"].clone()))
        .collect();
    let of = |name: &str, prefix: &str| (json!(name), json!(format!("arn:aws:s3:::b-1/{prefix}")));
    assert_eq!(
        found,
        [
            of("DeleteObjects", ""),
            of("HeadBucket", ""),
            of("ListMultipartUploads", ""),
            of("ListObjects", "in/"),
        ]
    );
}

#[tokio::test]
async fn records_say_how_an_object_is_encrypted_and_no_key() {
    let (server, upstream) = in_front(&[("recorder.data_events", "true")]).await;
    let encryption = "x-amz-server-side-encryption";
    let customer = "x-amz-server-side-encryption-customer-algorithm";
    let key = ("x-amz-server-side-encryption-customer-key", "czNjcjN0czNjcjN0czNjcjN0czNjcjN0czNjcjN0czM=");
    for (headers, answer, applied) in [
        (vec![], "", json!("Default_SSE_S3")),
        (vec![], "x-amz-server-side-encryption: aws:kms\r\n", json!("Default_SSE_KMS")),
        (vec![(encryption, "AES256")], "", json!("SSE_S3")),
        (vec![(encryption, "aws:kms")], "x-amz-server-side-encryption: aws:kms\r\n", json!("SSE_KMS")),
        (vec![(customer, "AES256"), key], "", json!("SSE_C")),
    ] {
        upstream.will_answer(format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{answer}\r\n"));
        call(&server, "s3", (Method::PUT, "/b-1/k"), &headers, "hello").await;
        let record = data_records(&server).await.pop().unwrap();
        assert_eq!(record["additionalEventData"]["SSEApplied"], applied, "{headers:?}");
        assert!(!record.to_string().contains("czNjcjN0"), "{record}");
    }
    for (method, target) in [(Method::GET, "/b-1/k"), (Method::DELETE, "/b-1/k")] {
        call(&server, "s3", (method, target), &[], "").await;
        let record = data_records(&server).await.pop().unwrap();
        assert_eq!(record["additionalEventData"].get("SSEApplied"), None, "{}", record["eventName"]);
    }
}

#[tokio::test]
async fn a_signature_that_names_no_region_is_recorded_where_the_bucket_is() {
    let (server, upstream) = in_front(&[("recorder.data_events", "true")]).await;
    let presigned = "/b-1/k?AWSAccessKeyId=test&Signature=x&Expires=9999999999";
    let get = async |target: &str| {
        http().get(format!("{}{target}", server.url)).send().await.unwrap();
        data_records(&server).await.pop().unwrap()["awsRegion"].clone()
    };
    assert_eq!(get(presigned).await, "us-east-1", "nothing is known of it");
    let scope = "AWS4-HMAC-SHA256 Credential=test/20261122/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    let put = http().put(format!("{}/b-1/k", server.url)).header("authorization", scope);
    put.body("x").send().await.unwrap();
    assert_eq!(get(presigned).await, "eu-west-1");
    assert_eq!(get("/b-1/k").await, "eu-west-1", "an anonymous caller");
    upstream.will_answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-amz-bucket-region: ap-south-1\r\n\r\n");
    assert_eq!(get(presigned).await, "ap-south-1", "the answer says it");
    assert_eq!(get("/b-2/k").await, "us-east-1");
}
