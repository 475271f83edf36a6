//! Buckets in host names: `bucket.localhost`, `bucket.s3.localhost`, with a port or not, and AWS's own. Every other host name
//! is the server's own, and the bucket stands in the path.

use crate::aws::host::HostNames;
use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Reads host names.
#[derive(Debug)]
pub(super) struct BucketHosts(HostNames);

impl BucketHosts {
    /// `own`: names that are no bucket's, whatever they look like.
    pub(super) fn new(own: &[String]) -> BucketHosts {
        BucketHosts(HostNames::new(own.iter().map(String::as_str), ["localhost"]))
    }

    fn bucket(&self, host: &str) -> Option<String> {
        self.0.meaning(host).bucket().map(str::to_owned)
    }
}

impl S3Host for BucketHosts {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let parsed = VirtualHost::new(host);
        Ok(match self.bucket(host) {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_read_off_names_below_localhost() {
        let hosts = BucketHosts::new(&["trail.localhost".to_owned()]);
        for (host, bucket) in [
            ("localhost:4700", None),
            ("127.0.0.1:4700", None),
            ("contrail:4700", None),
            ("s3.localhost:4700", None),
            ("s3.eu-west-1.localhost", None),
            ("trail.localhost:4700", None),
            ("b1.localhost:4700", Some("b1")),
            ("B1.localhost", Some("b1")),
            ("my.bucket.s3.localhost:4700", Some("my.bucket")),
            ("b1.s3.eu-west-1.localhost", Some("b1")),
            ("b1.s3.eu-west-1.amazonaws.com", Some("b1")),
            ("s3.eu-west-1.amazonaws.com", None),
        ] {
            assert_eq!(hosts.bucket(host).as_deref(), bucket, "{host}");
        }
    }
}
