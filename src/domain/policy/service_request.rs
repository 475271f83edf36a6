//! Requests of services of AWS, and the keys of conditions that they have values for.
//!
//! Source: IAM's user guide, "AWS global condition context keys"; S3's, "Bucket policy examples using condition keys".

/// A request of a service for one of its own resources.
#[derive(Debug, Clone)]
pub struct ServiceRequest<'a> {
    /// `cloudtrail.amazonaws.com`
    pub service: &'a str,
    /// The ARN of the resource for which it asks: a trail's.
    pub source_arn: &'a str,
    /// That resource's account.
    pub source_account: &'a str,
    /// Of a request to S3, the header `x-amz-acl`.
    pub acl: Option<&'a str>,
    /// `x-amz-server-side-encryption`
    pub encryption: Option<&'a str>,
    /// `x-amz-server-side-encryption-aws-kms-key-id`
    pub encryption_key: Option<&'a str>,
}

/// A key that requests of callers have no value for, or that is not known for them here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceKey {
    IsService,
    ServiceName,
    SourceAccount,
    SourceArn,
    Acl,
    Encryption,
    EncryptionKey,
    SignatureVersion,
    AuthType,
    TlsVersion,
    /// One that requests of services have no value for, like the organization of their caller.
    Absent,
}

const KEYS: [(&str, ServiceKey); 10] = [
    ("aws:PrincipalIsAWSService", ServiceKey::IsService),
    ("aws:PrincipalServiceName", ServiceKey::ServiceName),
    ("aws:SourceAccount", ServiceKey::SourceAccount),
    ("aws:SourceArn", ServiceKey::SourceArn),
    ("s3:x-amz-acl", ServiceKey::Acl),
    ("s3:x-amz-server-side-encryption", ServiceKey::Encryption),
    ("s3:x-amz-server-side-encryption-aws-kms-key-id", ServiceKey::EncryptionKey),
    ("s3:signatureversion", ServiceKey::SignatureVersion),
    ("s3:authType", ServiceKey::AuthType),
    ("s3:TlsVersion", ServiceKey::TlsVersion),
];

impl ServiceKey {
    pub(super) fn of(name: &str) -> ServiceKey {
        let found = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(ServiceKey::Absent, |(_, key)| *key)
    }
}

impl ServiceRequest<'_> {
    /// A key's value; `None` where there is none.
    pub(super) fn value_of(&self, key: ServiceKey) -> Option<&str> {
        match key {
            ServiceKey::IsService => Some("true"),
            ServiceKey::ServiceName => Some(self.service),
            ServiceKey::SourceAccount => Some(self.source_account),
            ServiceKey::SourceArn => Some(self.source_arn),
            ServiceKey::Acl => self.acl,
            ServiceKey::Encryption => self.encryption,
            ServiceKey::EncryptionKey => self.encryption_key,
            ServiceKey::SignatureVersion => Some("AWS4-HMAC-SHA256"),
            ServiceKey::AuthType => Some("REST-HEADER"),
            ServiceKey::TlsVersion => Some("1.3"),
            ServiceKey::Absent => None,
        }
    }
}
