//! How records name what the API names otherwise, and which kind of event a call is. Seen in real records unless a
//! comment says where it comes from.

use super::{AwsOperation, AwsService};

/// `eventSource` of a service's calls.
pub fn event_source(service: &AwsService) -> String {
    let name = match service.key.as_str() {
        "cloudwatch" => "monitoring",
        // Real records have the first label of the host name for these.
        "servicecatalog-appregistry" | "marketplace-agreement" | "marketplace-discovery" => {
            service.endpoint_prefix.split('.').next().unwrap_or_default()
        }
        "dynamodbstreams" => "dynamodb",
        _ => &service.signing_name,
    };
    format!("{name}.amazonaws.com")
}

/// Lambda's names that carry a date; all others have that of their path.
const LAMBDA: &[(&str, &str)] = &[
    ("AddPermission", "20150331v2"),
    ("GetFunction", "20150331v2"),
    ("GetFunctionConfiguration", "20150331v2"),
    ("RemovePermission", "20150331v2"),
    ("UpdateFunctionCode", "20150331v2"),
    ("UpdateFunctionConfiguration", "20150331v2"),
    ("TagResource", "20170331v2"),
    ("UntagResource", "20170331v2"),
    ("Invoke", ""),
    ("InvokeAsync", ""),
    ("InvokeWithResponseStream", ""),
];

/// (API, record)
const S3: &[(&str, &str)] = &[
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("DeletePublicAccessBlock", "DeleteBucketPublicAccessBlock"),
    ("GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    ("GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    ("GetBucketLifecycleConfiguration", "GetBucketLifecycle"),
    ("PutBucketLifecycleConfiguration", "PutBucketLifecycle"),
    ("GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("ListObjectsV2", "ListObjects"),
];

const S3_CONTROL: &[(&str, &str)] = &[
    ("GetPublicAccessBlock", "GetAccountPublicAccessBlock"),
    ("PutPublicAccessBlock", "PutAccountPublicAccessBlock"),
    ("DeletePublicAccessBlock", "DeleteAccountPublicAccessBlock"),
];

/// `eventName` of an operation.
pub fn event_name(service: &AwsService, operation: &str, known: Option<&AwsOperation>) -> String {
    let other = |table: &[(&str, &str)]| {
        let found = table.iter().find(|(name, _)| *name == operation);
        found.map_or(operation, |(_, name)| *name).to_owned()
    };
    match service.key.as_str() {
        "s3" => other(S3),
        "s3control" => other(S3_CONTROL),
        "lambda" => match LAMBDA.iter().find(|(name, _)| *name == operation) {
            Some((_, suffix)) => format!("{operation}{suffix}"),
            None => format!("{operation}{}", known.map(date_of).unwrap_or_default()),
        },
        "cloudfront" => format!("{operation}{}", service.api_version.replace('-', "_")),
        _ => operation.to_owned(),
    }
}

/// `/2015-03-31/functions` → `20150331`
fn date_of(operation: &AwsOperation) -> String {
    let first = operation.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let digits: String = first.chars().filter(char::is_ascii_digit).collect();
    if first.len() == 10 && digits.len() == 8 { digits } else { String::new() }
}

const READS: &[&str] = &[
    "Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "Query", "Scan", "Select", "Check",
    "Detect", "Simulate",
];

const KMS_READS: &[&str] = &[
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateRandom",
    "ReEncrypt",
    "Sign",
    "Verify",
    "GenerateMac",
    "VerifyMac",
];

/// Whether records of calls with this name say `readOnly`.
pub fn read_only(service: &AwsService, name: &str) -> bool {
    match service.key.as_str() {
        "sts" => !matches!(name, "GetFederationToken" | "GetSessionToken" | "AssumeRoot"),
        "kms" if KMS_READS.contains(&name) => true,
        _ => READS.iter().any(|verb| name.starts_with(verb)),
    }
}

/// (service, resource type, operations) of data events: the user guide's table. An empty list: all operations.
const DATA: &[(&str, &str, &[&str])] = &[
    (
        "s3",
        "AWS::S3::Object",
        &[
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateMultipartUpload",
            "DeleteObject",
            "DeleteObjects",
            "DeleteObjectTagging",
            "GetObject",
            "GetObjectAcl",
            "GetObjectAttributes",
            "GetObjectLegalHold",
            "GetObjectRetention",
            "GetObjectTagging",
            "GetObjectTorrent",
            "HeadObject",
            "HeadBucket",
            "ListObjects",
            "ListObjectsV2",
            "ListObjectVersions",
            "ListMultipartUploads",
            "ListParts",
            "PutObject",
            "PutObjectAcl",
            "PutObjectLegalHold",
            "PutObjectRetention",
            "PutObjectTagging",
            "RestoreObject",
            "SelectObjectContent",
            "UploadPart",
            "UploadPartCopy",
            "PostObject",
        ],
    ),
    ("lambda", "AWS::Lambda::Function", &["Invoke", "InvokeAsync", "InvokeWithResponseStream"]),
    (
        "dynamodb",
        "AWS::DynamoDB::Table",
        &[
            "BatchExecuteStatement",
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "ExecuteStatement",
            "ExecuteTransaction",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        ],
    ),
    (
        "dynamodbstreams",
        "AWS::DynamoDB::Stream",
        &["GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"],
    ),
    (
        "sqs",
        "AWS::SQS::Queue",
        &[
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListDeadLetterSourceQueues",
            "ListQueues",
            "ListQueueTags",
        ],
    ),
    ("sns", "AWS::SNS::Topic", &["Publish", "PublishBatch"]),
    (
        "kinesis",
        "AWS::Kinesis::Stream",
        &["PutRecord", "PutRecords", "GetRecords", "GetShardIterator", "SubscribeToShard", "ListShards"],
    ),
    ("firehose", "AWS::KinesisFirehose::DeliveryStream", &["PutRecord", "PutRecordBatch"]),
    (
        "stepfunctions",
        "AWS::StepFunctions::StateMachine",
        &["StartSyncExecution", "SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat", "GetActivityTask"],
    ),
    (
        "cloudwatch",
        "AWS::CloudWatch::Metric",
        &["GetMetricData", "GetMetricStatistics", "GetMetricWidgetImage", "ListMetrics", "PutMetricData"],
    ),
    ("cloudtrail-data", "AWS::CloudTrail::Channel", &["PutAuditEvents"]),
    (
        "cognito-identity",
        "AWS::Cognito::IdentityPool",
        &[
            "GetCredentialsForIdentity",
            "GetId",
            "GetOpenIdToken",
            "GetOpenIdTokenForDeveloperIdentity",
            "UnlinkIdentity",
        ],
    ),
    ("ebs", "AWS::EC2::Snapshot", &[]),
    ("rds-data", "AWS::RDS::DBCluster", &[]),
    ("xray", "AWS::XRay::Trace", &["PutTraceSegments", "GetTraceSummaries", "BatchGetTraces"]),
    (
        "servicediscovery",
        "AWS::ServiceDiscovery::AwsService",
        &["DiscoverInstances", "DiscoverInstancesRevision"],
    ),
    (
        "ses",
        "AWS::SES::EmailIdentity",
        &["SendEmail", "SendRawEmail", "SendTemplatedEmail", "SendBulkTemplatedEmail"],
    ),
    ("sesv2", "AWS::SES::EmailIdentity", &["SendEmail", "SendBulkEmail"]),
    (
        "appconfigdata",
        "AWS::AppConfig::Configuration",
        &["StartConfigurationSession", "GetLatestConfiguration"],
    ),
    // AWS records none of these; here they count as data.
    ("logs", "AWS::Logs::LogGroup", &["PutLogEvents", "GetLogEvents", "FilterLogEvents"]),
    ("events", "AWS::Events::EventBus", &["PutEvents"]),
];

/// The type of the resources of a data event; `None` for management events.
pub fn data_resource_type(service: &AwsService, operation: &str) -> Option<&'static str> {
    DATA.iter()
        .find(|(key, _, names)| *key == service.key && (names.is_empty() || names.contains(&operation)))
        .map(|(_, resource_type, _)| *resource_type)
}
