//! Buckets in host names: `bucket.localhost`, `bucket.s3.localhost`, with a port or not. Every other host name is the
//! server's own, and the bucket stands in the path.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// Reads host names.
#[derive(Debug)]
pub(super) struct BucketHosts {
    own: Vec<String>,
}

impl BucketHosts {
    /// `own`: names that are no bucket's, whatever they look like.
    pub(super) fn new(own: &[String]) -> BucketHosts {
        BucketHosts { own: own.iter().map(|name| name.to_lowercase()).collect() }
    }

    fn bucket(&self, host: &str) -> Option<String> {
        let host = host.to_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host.as_str(),
        };
        if self.own.iter().any(|own| own == name) {
            return None;
        }
        let rest = name.strip_suffix(".localhost")?;
        // A region may stand behind "s3".
        let bucket = match rest.rsplit_once(".s3.") {
            Some((bucket, _)) => bucket,
            None if rest == "s3" || rest.starts_with("s3.") => return None,
            None => rest.strip_suffix(".s3").unwrap_or(rest),
        };
        Some(bucket.to_owned()).filter(|bucket| !bucket.is_empty())
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
        ] {
            assert_eq!(hosts.bucket(host).as_deref(), bucket, "{host}");
        }
    }
}
