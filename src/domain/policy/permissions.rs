//! Which permission an operation needs: policies name it, and most often it is called like the operation.
//!
//! Source: IAM's service authorization reference; S3's user guide, "Required permissions for Amazon S3 API operations".

/// The permission that an operation of S3 needs, where it has another name than the operation.
const OF_S3: [(&str, &str); 35] = [
    ("CompleteMultipartUpload", "PutObject"),
    ("CopyObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject"),
    ("DeleteBucketCors", "PutBucketCORS"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("DeleteBucketOwnershipControls", "PutBucketOwnershipControls"),
    ("DeleteBucketReplication", "PutReplicationConfiguration"),
    ("DeleteBucketTagging", "PutBucketTagging"),
    ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("GetBucketAccelerateConfiguration", "GetAccelerateConfiguration"),
    ("GetBucketCors", "GetBucketCORS"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("GetBucketNotificationConfiguration", "GetBucketNotification"),
    ("GetBucketReplication", "GetReplicationConfiguration"),
    ("GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("HeadBucket", "ListBucket"),
    ("HeadObject", "GetObject"),
    ("ListBuckets", "ListAllMyBuckets"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("ListObjectVersions", "ListBucketVersions"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("ListParts", "ListMultipartUploadParts"),
    ("PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
    ("PutBucketCors", "PutBucketCORS"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("PutBucketReplication", "PutReplicationConfiguration"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
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

/// The permission that an operation of S3 needs, without `s3:`.
pub fn s3_permission(operation: &str) -> &str {
    other_name(&OF_S3, operation).unwrap_or(operation)
}

/// The permission for one version of an object, where it is another one.
pub fn s3_permission_of_version(permission: &str) -> &str {
    other_name(&OF_S3_VERSIONS, permission).unwrap_or(permission)
}

/// What policies call a service that has another name where calls are recorded.
const SERVICES: [(&str, &str); 3] = [("email", "ses"), ("monitoring", "cloudwatch"), ("tagging", "tag")];

/// The permission that an operation of any service needs: `lambda:InvokeFunction`. `event_source` as records have it.
pub fn permission(event_source: &str, operation: &str, method: &str) -> String {
    let service = event_source.split('.').next().unwrap_or_default();
    let service = other_name(&SERVICES, service).unwrap_or(service);
    let name = match (service, operation) {
        ("s3", operation) => s3_permission(operation),
        // Its permissions are the methods of HTTP.
        ("apigateway", _) => method,
        ("lambda", "Invoke" | "InvokeWithResponseStream") => "InvokeFunction",
        (_, operation) => operation,
    };
    format!("{service}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_permissions_are_called_like_their_operations() {
        for (source, operation, expected) in [
            ("sqs.amazonaws.com", "SendMessage", "sqs:SendMessage"),
            ("s3.amazonaws.com", "ListObjectsV2", "s3:ListBucket"),
            ("s3.amazonaws.com", "GetObject", "s3:GetObject"),
            ("lambda.amazonaws.com", "Invoke", "lambda:InvokeFunction"),
            ("lambda.amazonaws.com", "CreateFunction", "lambda:CreateFunction"),
            ("monitoring.amazonaws.com", "PutMetricData", "cloudwatch:PutMetricData"),
            ("apigateway.amazonaws.com", "GetRestApis", "apigateway:GET"),
        ] {
            assert_eq!(permission(source, operation, "GET"), expected);
        }
    }
}
