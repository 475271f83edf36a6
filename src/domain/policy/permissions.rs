//! Which permission an operation needs: policies name it, and most often it is called like the operation.
//!
//! Source: IAM's service authorization reference; S3's user guide, "Required permissions for Amazon S3 API operations".

use std::collections::BTreeSet;

/// The permission that an operation of S3 needs, where it has another name than the operation.
const OF_S3: [(&str, &str); 57] = [
    ("CompleteMultipartUpload", "PutObject"),
    ("CopyObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject"),
    ("DeleteBucketAnalyticsConfiguration", "PutAnalyticsConfiguration"),
    ("DeleteBucketCors", "PutBucketCORS"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("DeleteBucketIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration"),
    ("DeleteBucketInventoryConfiguration", "PutInventoryConfiguration"),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("DeleteBucketMetricsConfiguration", "PutMetricsConfiguration"),
    ("DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
    ("DeleteBucketReplication", "PutReplicationConfiguration"),
    ("DeleteBucketTagging", "PutBucketTagging"),
    ("DeleteObjects", "DeleteObject"),
    ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    ("GetBucketAnalyticsConfiguration", "GetAnalyticsConfiguration"),
    ("GetBucketCors", "GetBucketCORS"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("GetBucketIntelligentTieringConfiguration", "GetIntelligentTieringConfiguration"),
    ("GetBucketInventoryConfiguration", "GetInventoryConfiguration"),
    ("GetBucketLifecycle", "GetLifecycleConfiguration"),
    ("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("GetBucketMetricsConfiguration", "GetMetricsConfiguration"),
    ("GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("GetBucketReplication", "GetReplicationConfiguration"),
    ("GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("HeadBucket", "ListBucket"),
    ("HeadObject", "GetObject"),
    ("ListBucketAnalyticsConfigurations", "GetAnalyticsConfiguration"),
    ("ListBucketIntelligentTieringConfigurations", "GetIntelligentTieringConfiguration"),
    ("ListBucketInventoryConfigurations", "GetInventoryConfiguration"),
    ("ListBucketMetricsConfigurations", "GetMetricsConfiguration"),
    ("ListBuckets", "ListAllMyBuckets"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("ListObjectVersions", "ListBucketVersions"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("ListParts", "ListMultipartUploadParts"),
    ("PostObject", "PutObject"),
    ("PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
    ("PutBucketAnalyticsConfiguration", "PutAnalyticsConfiguration"),
    ("PutBucketCors", "PutBucketCORS"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("PutBucketIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration"),
    ("PutBucketInventoryConfiguration", "PutInventoryConfiguration"),
    ("PutBucketLifecycle", "PutLifecycleConfiguration"),
    ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("PutBucketMetricsConfiguration", "PutMetricsConfiguration"),
    ("PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("PutBucketReplication", "PutReplicationConfiguration"),
    ("PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("SelectObjectContent", "GetObject"),
    ("UploadPart", "PutObject"),
    ("UploadPartCopy", "PutObject"),
];

/// Operations on an object that need another permission for one of its versions.
const OF_S3_VERSIONS: [(&str, &str); 8] = [
    ("DeleteObject", "DeleteObjectVersion"),
    ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
    ("GetObject", "GetObjectVersion"),
    ("GetObjectAcl", "GetObjectVersionAcl"),
    ("GetObjectAttributes", "GetObjectVersionAttributes"),
    ("GetObjectTagging", "GetObjectVersionTagging"),
    ("PutObjectAcl", "PutObjectVersionAcl"),
    ("PutObjectTagging", "PutObjectVersionTagging"),
];

fn other_name(table: &'static [(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, other)| *other)
}

/// What of a call says which permissions it needs.
#[derive(Debug, Clone, Copy)]
pub struct AskedFor<'a> {
    /// `s3.amazonaws.com`, as records have it.
    pub event_source: &'a str,
    /// The operation, as the API has it.
    pub operation: &'a str,
    /// `GET`, `POST` …
    pub method: &'a str,
    /// Names and values of the query, decoded.
    pub parameters: &'a [(String, String)],
    /// The names of its headers, in small letters.
    pub headers: &'a [&'a str],
}

/// What policies call a service that has another name where calls are recorded.
const SERVICES: [(&str, &str); 4] =
    [("email", "ses"), ("iotdata", "iot"), ("monitoring", "cloudwatch"), ("tagging", "tag")];

/// What policies call the service of an `eventSource`: `iam`.
pub fn service_of(event_source: &str) -> &str {
    let service = event_source.split('.').next().unwrap_or_default();
    other_name(&SERVICES, service).unwrap_or(service)
}

/// All permissions that a call needs on what it names: `lambda:InvokeFunction`.
pub fn permissions(asked: &AskedFor<'_>) -> Vec<String> {
    let service = service_of(asked.event_source);
    let names = match (service, asked.operation) {
        ("s3", _) => of_s3(asked),
        // Its permissions are the methods of HTTP.
        ("apigateway", _) => vec![asked.method],
        ("dynamodb", "TransactGetItems") => vec!["GetItem"],
        ("dynamodb", "TransactWriteItems") => {
            vec!["ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"]
        }
        ("dynamodb", "BatchExecuteStatement" | "ExecuteStatement" | "ExecuteTransaction") => {
            vec!["PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate"]
        }
        ("lambda", "Invoke" | "InvokeWithResponseStream") => vec!["InvokeFunction"],
        ("sns", "PublishBatch") => vec!["Publish"],
        ("sqs", operation) => vec![operation.strip_suffix("Batch").unwrap_or(operation)],
        (_, operation) => vec![operation],
    };
    names.into_iter().map(|name| format!("{service}:{name}")).collect()
}

/// All permissions that some call of these operations needs, each an `eventSource` and a name.
pub fn of_all<'a>(operations: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeSet<String> {
    let version = [("versionId".to_owned(), String::new())];
    let mut found = BTreeSet::new();
    for (event_source, operation) in operations {
        for method in ["DELETE", "GET", "PATCH", "POST", "PUT"] {
            let asked = AskedFor { event_source, operation, method, parameters: &[], headers: &[] };
            found.extend(permissions(&asked));
        }
        let asked = AskedFor { event_source, operation, method: "GET", parameters: &version, headers: &[] };
        found.extend(permissions(&asked));
    }
    found
}

fn of_s3<'a>(asked: &AskedFor<'a>) -> Vec<&'a str> {
    let AskedFor { operation, parameters, headers, .. } = *asked;
    let mut needed = vec![other_name(&OF_S3, operation).unwrap_or(operation)];
    if operation == "GetObjectAttributes" {
        needed.push("GetObject");
    }
    if parameters.iter().any(|(name, _)| name == "versionId") {
        for name in &mut needed {
            *name = other_name(&OF_S3_VERSIONS, name).unwrap_or(name);
        }
    }
    let has = |name: &str| headers.contains(&name);
    let grants = has("x-amz-acl") || headers.iter().any(|name| name.starts_with("x-amz-grant-"));
    let makes_object = matches!(operation, "PutObject" | "CreateMultipartUpload" | "CopyObject");
    if makes_object && has("x-amz-tagging") {
        needed.push("PutObjectTagging");
    }
    if makes_object && grants {
        needed.push("PutObjectAcl");
    }
    if operation == "CreateBucket" && grants {
        needed.push("PutBucketAcl");
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(service: &str, operation: &str, parameter: &str, headers: &[&str]) -> String {
        let event_source = format!("{service}.amazonaws.com");
        let parameters = [(parameter.to_owned(), String::new())];
        let asked = AskedFor {
            event_source: &event_source,
            operation,
            method: "GET",
            parameters: &parameters,
            headers,
        };
        permissions(&asked).join(" ")
    }

    #[test]
    fn most_permissions_are_called_like_their_operations_and_the_others_are_known() {
        for (service, operation, expected) in [
            ("sqs", "SendMessage", "sqs:SendMessage"),
            ("sqs", "SendMessageBatch", "sqs:SendMessage"),
            ("sns", "PublishBatch", "sns:Publish"),
            ("lambda", "Invoke", "lambda:InvokeFunction"),
            ("lambda", "CreateFunction", "lambda:CreateFunction"),
            ("monitoring", "PutMetricData", "cloudwatch:PutMetricData"),
            ("apigateway", "GetRestApis", "apigateway:GET"),
            ("dynamodb", "BatchWriteItem", "dynamodb:BatchWriteItem"),
            ("dynamodb", "TransactGetItems", "dynamodb:GetItem"),
            ("s3", "ListObjectsV2", "s3:ListBucket"),
            ("s3", "GetObject", "s3:GetObject"),
            ("s3", "DeleteObjects", "s3:DeleteObject"),
            ("s3", "GetObjectAttributes", "s3:GetObjectAttributes s3:GetObject"),
        ] {
            assert_eq!(needed(service, operation, "", &[]), expected);
        }
    }

    #[test]
    fn versions_tags_and_grants_need_permissions_of_their_own() {
        assert_eq!(needed("s3", "GetObject", "versionId", &[]), "s3:GetObjectVersion");
        assert_eq!(needed("s3", "DeleteObject", "versionId", &[]), "s3:DeleteObjectVersion");
        assert_eq!(needed("s3", "GetObject", "versions", &[]), "s3:GetObject");
        let tagged = needed("s3", "PutObject", "", &["host", "x-amz-tagging", "x-amz-grant-read"]);
        assert_eq!(tagged, "s3:PutObject s3:PutObjectTagging s3:PutObjectAcl");
        assert_eq!(needed("s3", "CreateBucket", "", &["x-amz-acl"]), "s3:CreateBucket s3:PutBucketAcl");
    }
}
