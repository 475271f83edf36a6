//! Who may use a bucket, as far as the bucket says: whose it is, its policy, its ACL, and what it blocks of both.

use crate::buckets::bucket::Setting;
use crate::buckets::{Buckets, internal};
use crate::domain::account_id::AccountId;
use crate::domain::policy::resource::{Everybody, ResourcePolicy};
use s3s::S3Result;
use s3s::dto::PublicAccessBlockConfiguration;

/// Who calls: found among a request's extensions.
#[derive(Debug, Clone)]
pub struct BucketCaller {
    /// The caller's account; buckets that are made become its.
    pub account: AccountId,
    /// Which buckets the caller sees.
    pub sees: Seen,
}

/// Which buckets a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// All: callers are not checked.
    All,
    /// Those of its account.
    Own,
}

/// What a bucket says of who may use it.
#[derive(Debug)]
pub struct BucketRules {
    /// Whose it is; `None` for everybody's.
    pub account: Option<AccountId>,
    /// Its policy.
    pub policy: Option<ResourcePolicy>,
    /// Whether that may be about everybody.
    pub everybody: Everybody,
    /// Its canned ACL, unless public ones are ignored.
    pub acl: Option<String>,
    /// Whether public ACLs of its objects count.
    pub has_public_objects: bool,
}

impl Buckets {
    /// The rules of a bucket; `None` if there is none of that name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rules(&self, bucket: &str) -> S3Result<Option<BucketRules>> {
        let rows: Vec<(Option<AccountId>, Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT b.account, s.name, s.value FROM buckets b LEFT JOIN bucket_settings s ON s.bucket = b.name
             AND s.name IN ('policy', 'public_access_block', 'acl') WHERE b.name = $1",
        )
        .bind(bucket)
        .fetch_all(&self.read)
        .await
        .map_err(internal)?;
        let Some((account, ..)) = rows.first() else { return Ok(None) };
        let account = account.clone();
        let set = |setting: Setting| {
            let found = rows.iter().find(|(_, name, _)| name.as_deref() == Some(setting.name()));
            found.and_then(|(.., value)| value.as_deref())
        };
        let blocked: Option<PublicAccessBlockConfiguration> =
            set(Setting::PublicAccessBlock).map(serde_json::from_str).transpose().map_err(internal)?;
        let blocked = blocked.unwrap_or_default();
        let has_public_objects = blocked.ignore_public_acls != Some(true);
        Ok(Some(BucketRules {
            account,
            policy: set(Setting::Policy).and_then(ResourcePolicy::parse),
            everybody: match blocked.restrict_public_buckets {
                Some(true) => Everybody::IsKeptOut,
                _ => Everybody::Counts,
            },
            acl: set(Setting::Acl).filter(|_| has_public_objects).map(str::to_owned),
            has_public_objects,
        }))
    }

    /// The canned ACL of an object, if it has one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn object_acl(&self, bucket: &str, key: &str) -> S3Result<Option<String>> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT attributes ->> 'acl' FROM objects WHERE bucket = $1 AND key = $2")
                .bind(bucket)
                .bind(key)
                .fetch_optional(&self.read)
                .await
                .map_err(internal)?
                .flatten();
        Ok(found)
    }
}

impl BucketRules {
    /// Whether the ACL grants a permission on the bucket itself to all who sign.
    pub fn grants(&self, permission: &str) -> bool {
        let reads =
            matches!(permission, "s3:ListBucket" | "s3:ListBucketVersions" | "s3:ListBucketMultipartUploads");
        let writes = matches!(permission, "s3:PutObject" | "s3:DeleteObject" | "s3:DeleteObjectVersion");
        match self.acl.as_deref() {
            Some("public-read" | "authenticated-read") => reads,
            Some("public-read-write") => reads || writes,
            _ => false,
        }
    }
}
