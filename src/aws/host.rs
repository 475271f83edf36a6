//! What a `Host` header says: the server itself, a bucket of it, or some other name.

use std::net::IpAddr;

/// The names of a server.
#[derive(Debug, Clone, Default)]
pub struct HostNames {
    /// Its own, and base names in front of which a bucket may stand; in small letters, the longest first.
    bases: Vec<String>,
    own: Vec<String>,
}

/// What a host name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostMeaning {
    /// The server itself: a bucket stands in the path.
    Own,
    /// A bucket in front of one of its names.
    Bucket(String),
    /// Neither. Servers read such names in different ways, so the resource of a call is unknown; AWS's own names may have a
    /// bucket.
    Other(Option<String>),
}

impl HostNames {
    /// `own`: names of the server itself; `bases`: those in front of which a bucket may stand.
    pub fn new<'a>(
        own: impl IntoIterator<Item = &'a str>,
        bases: impl IntoIterator<Item = &'a str>,
    ) -> HostNames {
        let mut bases: Vec<String> = bases.into_iter().map(str::to_ascii_lowercase).collect();
        bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        let own = own.into_iter().map(str::to_ascii_lowercase).collect();
        HostNames { bases, own }
    }

    /// What `host` means, the value of a `Host` header.
    pub fn meaning(&self, host: &str) -> HostMeaning {
        let Some(name) = name_of(host) else { return HostMeaning::Other(None) };
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        if is_address || name == "localhost" || self.own.contains(&name) || self.bases.contains(&name) {
            return HostMeaning::Own;
        }
        let base = self.bases.iter().find_map(|base| name.strip_suffix(base.as_str())?.strip_suffix('.'));
        let Some(before) = base else {
            let end = name.find(".s3.").or_else(|| name.find(".s3-"));
            let is_s3 = name.starts_with("s3.") || name.starts_with("s3-");
            return HostMeaning::Other(end.filter(|_| !is_s3).map(|end| name[..end].to_owned()));
        };
        // `s3.localhost`, `s3.eu-west-1.localhost`
        if before == "s3" || before.starts_with("s3.") {
            return HostMeaning::Own;
        }
        // `bucket.s3.localhost`, `bucket.s3.eu-west-1.localhost`
        let bucket = match before.rsplit_once(".s3.") {
            Some((bucket, _)) => bucket,
            None => before.strip_suffix(".s3").unwrap_or(before),
        };
        match is_one_label(bucket) {
            true => HostMeaning::Bucket(bucket.to_owned()),
            // `a.b.localhost` is the bucket "a.b" to some, "a" to others.
            false => HostMeaning::Other(Some(bucket.to_owned())),
        }
    }
}

impl HostMeaning {
    /// The bucket in the name, certain or not.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            HostMeaning::Own | HostMeaning::Other(None) => None,
            HostMeaning::Bucket(bucket) | HostMeaning::Other(Some(bucket)) => Some(bucket),
        }
    }
}

/// The name without its port, in small letters; `None` for what is none.
fn name_of(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_name)).then(|| name.to_ascii_lowercase())
}

/// Whether this is one label that everybody takes for a bucket's name: `s3-…` and `www` are no buckets to some.
fn is_one_label(name: &str) -> bool {
    !name.is_empty() && !name.contains('.') && !name.starts_with("s3-") && name != "www"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_everybody_reads_alike_names_the_server_or_a_bucket() {
        let names = HostNames::new(
            ["trail.Team.test"],
            ["localhost", "localhost.localstack.cloud", "s3.localhost.localstack.cloud"],
        );
        let bucket = |name: &str| HostMeaning::Bucket(name.to_owned());
        let other = |name: &str| HostMeaning::Other(Some(name.to_owned()));
        for (host, meaning) in [
            ("127.0.0.1:4700", HostMeaning::Own),
            ("[::1]:4700", HostMeaning::Own),
            ("172.17.0.2", HostMeaning::Own),
            ("LOCALHOST:4700", HostMeaning::Own),
            ("trail.team.test:4700", HostMeaning::Own),
            ("s3.localhost:4700", HostMeaning::Own),
            ("s3.eu-west-1.localhost", HostMeaning::Own),
            ("s3.localhost.localstack.cloud:4566", HostMeaning::Own),
            ("b-1.localhost:4700", bucket("b-1")),
            ("b-1.s3.localhost.localstack.cloud:4566", bucket("b-1")),
            ("b-1.s3.localhost", bucket("b-1")),
            ("b-1.s3.eu-west-1.localhost", bucket("b-1")),
            ("a.b.localhost", other("a.b")),
            ("www.b.localhost", other("www.b")),
            ("s3-x.localhost", other("s3-x")),
            ("my.bucket.s3.localhost:4700", other("my.bucket")),
            ("b-1.s3.us-east-1.amazonaws.com", other("b-1")),
            ("s3.us-east-1.amazonaws.com", HostMeaning::Other(None)),
            ("other-bucket.foo", HostMeaning::Other(None)),
            ("localhost.", HostMeaning::Other(None)),
            ("localhost@evil", HostMeaning::Other(None)),
            ("", HostMeaning::Other(None)),
            ("contrail", HostMeaning::Other(None)),
        ] {
            assert_eq!(names.meaning(host), meaning, "{host}");
        }
    }
}
