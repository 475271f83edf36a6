//! Two documents that `aws cloudtrail create-subscription` reads from a bucket of AWS's, `awscloudtrail-policy-<region>`:
//! templates of the policies for the bucket and the topic that it makes. They are there for every region, in no database.
//!
//! The command puts plain text in the place of `<BucketName>`, `<CustomerAccountID>`, `<Prefix>/` (with the prefix and its
//! slash, or nothing), `<Region>`, `<SNSTopicOwnerAccountId>` and `<SNSTopicName>`.

use crate::domain::region::Region;

const BUCKET_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TrailReadsBucketAcl",
      "Effect": "Allow",
      "Principal": {"Service": "cloudtrail.amazonaws.com"},
      "Action": "s3:GetBucketAcl",
      "Resource": "arn:aws:s3:::<BucketName>"
    },
    {
      "Sid": "TrailWritesLogFiles",
      "Effect": "Allow",
      "Principal": {"Service": "cloudtrail.amazonaws.com"},
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::<BucketName>/<Prefix>/AWSLogs/<CustomerAccountID>/*",
      "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    }
  ]
}
"#;

const TOPIC_POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TrailPublishes",
      "Effect": "Allow",
      "Principal": {"Service": "cloudtrail.amazonaws.com"},
      "Action": "sns:Publish",
      "Resource": "arn:aws:sns:<Region>:<SNSTopicOwnerAccountId>:<SNSTopicName>"
    }
  ]
}
"#;

/// The document at a key of a bucket, if it is one of these.
pub(super) fn template(bucket: &str, key: &str) -> Option<&'static str> {
    let region = bucket.strip_prefix("awscloudtrail-policy-")?;
    if !Region::is(region) {
        return None;
    }
    match key {
        "policy/S3/AWSCloudTrail-S3BucketPolicy-2014-12-17.json" => Some(BUCKET_POLICY),
        "policy/SNS/AWSCloudTrail-SnsTopicPolicy-2014-12-17.json" => Some(TOPIC_POLICY),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filled_in_a_template_is_json_that_names_the_bucket_and_the_prefix() {
        let key = "policy/S3/AWSCloudTrail-S3BucketPolicy-2014-12-17.json";
        let policy = template("awscloudtrail-policy-eu-west-1", key).unwrap();
        for (prefix, resource) in [
            ("", "arn:aws:s3:::b1/AWSLogs/111122223333/*"),
            ("p/", "arn:aws:s3:::b1/p/AWSLogs/111122223333/*"),
        ] {
            let filled = policy
                .replace("<BucketName>", "b1")
                .replace("<CustomerAccountID>", "111122223333")
                .replace("<Prefix>/", prefix);
            let json: serde_json::Value = serde_json::from_str(&filled).unwrap();
            assert_eq!(json["Statement"][1]["Resource"], resource);
        }
        assert!(serde_json::from_str::<serde_json::Value>(TOPIC_POLICY).is_ok());
    }

    #[test]
    fn other_keys_and_buckets_have_none() {
        let key = "policy/SNS/AWSCloudTrail-SnsTopicPolicy-2014-12-17.json";
        assert!(template("awscloudtrail-policy-us-east-1", key).is_some());
        assert!(template("awscloudtrail-policy-us-east-1", "policy/other.json").is_none());
        assert!(template("awscloudtrail-policy-", key).is_none());
        assert!(template("my-bucket", key).is_none());
    }
}
