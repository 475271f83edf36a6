//! What a signature claims: whose key has signed, and for what.

use crate::aws::pairs::first_value;
use crate::domain::region::Region;

/// Who a signature says has signed, and for what, true or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The access key id.
    pub access_key: String,
    /// The signing name of the service. Version 2 names none; that of S3 can be told from all others.
    pub service: Option<String>,
    /// The version, as records have it.
    pub version: Version,
    /// Where it stands.
    pub place: Place,
    /// The region that it is signed for. `None` with versions that name none, and for what is no region: boto 2 reads one off
    /// the host's name (`localhost`, or `0` from `127.0.0.1`), and others sign for `aws-global`.
    pub region: Option<Region>,
}

/// The versions of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 4, with its variant for many regions (4A).
    V4,
    /// 2
    V2,
}

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the `Authorization` header, as clients write it.
    Header,
    /// There, with its parameters in an order that not every server reads.
    OddHeader,
    /// In the query of a presigned URL.
    Query,
    /// In a form.
    Form,
}

/// Why a signature cannot be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureFault {
    /// It cannot be read; the text says what is wrong with it.
    Incomplete(String),
    /// It is made in another way than with Signature Version 4.
    OtherAlgorithm,
    /// There is more than one.
    Two,
}

impl Claim {
    /// `key/date/region/service/aws4_request`; 4A has no region. Emulators take keys with slashes, so it is read from the right.
    pub(super) fn of_credential(credential: &str, place: Place) -> Result<Claim, SignatureFault> {
        let (rest, terminator) = credential.rsplit_once('/').ok_or_else(wrong_elements)?;
        let (rest, service) = rest.rsplit_once('/').ok_or_else(wrong_elements)?;
        let (rest, last) = rest.rsplit_once('/').ok_or_else(wrong_elements)?;
        let is_date = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
        let (access_key, region) = match rest.rsplit_once('/') {
            Some((key, date)) if is_date(date) => (key, last),
            _ if is_date(last) => (rest, ""),
            _ => return Err(wrong_elements()),
        };
        if access_key.is_empty() {
            return Err(incomplete("Credential names no access key"));
        }
        if service.is_empty() || terminator != "aws4_request" {
            return Err(wrong_elements());
        }
        let well_formed = Region::parse(region);
        if !region.is_empty() && well_formed.is_none() {
            return Err(incomplete("Credential should be scoped to a valid region"));
        }
        Ok(Claim {
            access_key: access_key.to_owned(),
            service: Some(service.to_owned()),
            version: Version::V4,
            place,
            region: well_formed.filter(|region| region.contains('-') && *region != "aws-global"),
        })
    }

    /// Refuses a key that AWS would not take for one.
    ///
    /// # Errors
    /// The credential has more than five parts, in AWS's words.
    pub fn check_key(&self) -> Result<(), SignatureFault> {
        if self.version == Version::V4 && self.access_key.contains('/') {
            return Err(wrong_elements());
        }
        Ok(())
    }

    /// The signature of version 2 in a query or a form. One without `SignatureVersion` is S3's.
    pub(super) fn of_version_2(parameters: &[(String, String)], place: Place) -> Option<Claim> {
        let access_key = first_value(parameters, "AWSAccessKeyId").filter(|key| !key.is_empty())?.to_owned();
        let is_s3 = first_value(parameters, "SignatureVersion").is_none() && place == Place::Query;
        let service = is_s3.then(|| "s3".to_owned());
        Some(Claim { access_key, service, version: Version::V2, place, region: None })
    }

    /// The signature of version 2 in the form that is the body of a request.
    pub fn of_form(pairs: &[(String, String)]) -> Option<Claim> {
        Claim::of_version_2(pairs, Place::Form)
    }
}

/// A credential with another number of parts, in AWS's words.
pub(super) fn wrong_elements() -> SignatureFault {
    incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term")
}

/// A signature that cannot be read.
pub(super) fn incomplete(why: &str) -> SignatureFault {
    SignatureFault::Incomplete(format!("{why}."))
}
