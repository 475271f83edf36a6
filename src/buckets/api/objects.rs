//! Putting, reading, copying and removing objects.

use super::conditions::Conditions;
use super::{S3Api, canned, check_version, grants, owner, time, unsupported};
use crate::buckets::bodies::Upload;
use crate::buckets::objects::{Attributes, Bytes, Object, Opened, PutCondition, strong};
use crate::buckets::templates::template;
use crate::domain::text::hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use std::collections::BTreeMap;
use std::ops::Range as Span;

/// The content type of objects put without one.
const BINARY: &str = "binary/octet-stream";

/// The attributes in the headers of an input that puts an object; what cannot be done is refused.
macro_rules! attributes {
    ($api:expr, $input:expr) => {{
        let input = &$input;
        unsupported(input.sse_customer_key.is_some(), "encryption with keys of the caller")?;
        let lock = input.object_lock_mode.is_some()
            || input.object_lock_legal_hold_status.is_some()
            || input.object_lock_retain_until_date.is_some();
        unsupported(lock, "object lock")?;
        let single =
            [&input.grant_full_control, &input.grant_read, &input.grant_read_acp, &input.grant_write_acp];
        unsupported(single.iter().any(|grant| grant.is_some()), "ACLs but the canned ones")?;
        let default = $api.encryption(&input.bucket).await?;
        let default = default.rules.into_iter().find_map(|rule| rule.apply_server_side_encryption_by_default);
        let (encryption, kms_key_id) = match (&input.server_side_encryption, default) {
            (None, Some(default)) => (default.sse_algorithm.as_str().to_owned(), default.kms_master_key_id),
            (Some(given), _) => (given.as_str().to_owned(), input.ssekms_key_id.clone()),
            (None, None) => (ServerSideEncryption::AES256.to_owned(), None),
        };
        Attributes {
            content_type: input.content_type.clone(),
            content_encoding: input.content_encoding.clone().filter(|encoding| !encoding.is_empty()),
            content_disposition: input.content_disposition.clone(),
            content_language: input.content_language.clone(),
            cache_control: input.cache_control.clone(),
            expires: input.expires.clone(),
            website_redirect_location: input.website_redirect_location.clone(),
            storage_class: input.storage_class.as_ref().map(|class| class.as_str().to_owned()),
            encryption: Some(encryption),
            kms_key_id,
            acl: input.acl.as_ref().map(|acl| canned(acl.as_str())).transpose()?,
            metadata: input.metadata.clone().unwrap_or_default().into_iter().collect(),
            tags: tags_of_header(input.tagging.as_deref())?,
        }
    }};
}
pub(super) use attributes;

/// `a=1&b=2`, percent-encoded.
pub(super) fn tags_of_header(header: Option<&str>) -> S3Result<BTreeMap<String, String>> {
    let Some(header) = header else { return Ok(BTreeMap::new()) };
    let url = reqwest::Url::parse(&format!("http://tags/?{header}"))
        .map_err(|_| s3_error!(InvalidTag, "The tagging header cannot be read"))?;
    Ok(url.query_pairs().into_owned().collect())
}

/// Refuses a body whose MD5 is not what `Content-MD5` says.
pub(super) fn check_md5(upload: &Upload, given: Option<&str>) -> S3Result<()> {
    let Some(given) = given else { return Ok(()) };
    match STANDARD.decode(given) {
        Ok(hash) if hash.len() == 16 && hash == upload.md5() => Ok(()),
        Ok(hash) if hash.len() == 16 => {
            Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."))
        }
        _ => Err(s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid.")),
    }
}

/// Headers that S3 adds to a failed range.
fn invalid_range(size: i64) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    if let Ok(value) = http::HeaderValue::from_str(&format!("bytes */{size}")) {
        error.set_headers([(http::header::CONTENT_RANGE, value)].into_iter().collect());
    }
    error
}

/// Which bytes are asked for, and `Content-Range` if not all.
fn span(range: Option<Range>, size: i64) -> S3Result<(Span<u64>, Option<String>)> {
    let full = u64::try_from(size).unwrap_or_default();
    let Some(range) = range else { return Ok((0..full, None)) };
    match range.check(full) {
        Ok(span) if !span.is_empty() => {
            let text = format!("bytes {}-{}/{size}", span.start, span.end - 1);
            Ok((span, Some(text)))
        }
        _ => Err(invalid_range(size)),
    }
}

/// Which bytes a part number asks for: an object put in one go is its own first part.
fn check_part(part: Option<i32>, object: &Object) -> S3Result<()> {
    match part {
        None => Ok(()),
        Some(1) if !object.etag.contains('-') => Ok(()),
        Some(_) if !object.etag.contains('-') => {
            Err(s3_error!(InvalidPart, "The requested partnumber is not satisfiable"))
        }
        Some(_) => Err(s3_error!(
            NotImplemented,
            "The bucket store of Contrail reads no single parts of finished objects."
        )),
    }
}

impl S3Api {
    pub(super) async fn put_object(&self, mut input: PutObjectInput) -> S3Result<PutObjectOutput> {
        unsupported(input.write_offset_bytes.is_some(), "appending to objects")?;
        let attributes = attributes!(self, input);
        let upload = Upload::receive(&self.0, input.body.take()).await?;
        check_md5(&upload, input.content_md5.as_deref())?;
        let condition = PutCondition { if_match: input.if_match, if_none_match: input.if_none_match };
        let object = self.0.put(&input.bucket, &input.key, upload, attributes.clone(), &condition).await?;
        Ok(PutObjectOutput {
            e_tag: Some(strong(&object.etag)),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            ..Default::default()
        })
    }

    /// GetObject.
    pub(super) async fn read_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        check_version(input.version_id.as_deref())?;
        let opened = match self.0.open_object(&input.bucket, &input.key).await {
            Err(error) if is_absent(&error) => template_object(&input.bucket, &input.key).ok_or(error)?,
            other => other?,
        };
        let Opened { object, bytes } = opened;
        let conditions = Conditions {
            if_match: input.if_match,
            if_unmodified_since: input.if_unmodified_since,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
        };
        conditions.check_read(&object)?;
        check_part(input.part_number, &object)?;
        let (span, content_range) = span(input.range, object.size)?;
        let length = span.end - span.start;
        let body = match bytes {
            Bytes::Here(mut bytes) => {
                bytes.truncate(usize::try_from(span.end).unwrap_or(usize::MAX));
                bytes.drain(..usize::try_from(span.start).unwrap_or(usize::MAX).min(bytes.len()));
                StreamingBlob::from(s3s::Body::from(bytes))
            }
            Bytes::Held(hold) => self.0.stream(hold, span),
        };
        let status = content_range.is_some().then_some(http::StatusCode::PARTIAL_CONTENT);
        let attributes = object.attributes()?;
        let output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(body),
            cache_control: attributes.cache_control,
            content_disposition: attributes.content_disposition,
            content_encoding: attributes.content_encoding,
            content_language: attributes.content_language,
            content_length: i64::try_from(length).ok(),
            content_range,
            content_type: Some(attributes.content_type.unwrap_or_else(|| BINARY.to_owned())),
            e_tag: Some(strong(&object.etag)),
            expires: attributes.expires,
            last_modified: Some(time(object.last_modified)),
            metadata: metadata(attributes.metadata),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            storage_class: not_standard(attributes.storage_class),
            tag_count: i32::try_from(attributes.tags.len()).ok().filter(|count| *count > 0),
            website_redirect_location: attributes.website_redirect_location,
            ..Default::default()
        };
        let mut response = S3Response::new(output);
        response.status = status;
        Ok(response)
    }

    /// HeadObject.
    pub(super) async fn head(&self, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
        check_version(input.version_id.as_deref())?;
        let object = match self.0.object(&input.bucket, &input.key).await {
            Err(error) if is_absent(&error) => {
                template_object(&input.bucket, &input.key).ok_or(error)?.object
            }
            other => other?,
        };
        let conditions = Conditions {
            if_match: input.if_match,
            if_unmodified_since: input.if_unmodified_since,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
        };
        conditions.check_read(&object)?;
        check_part(input.part_number, &object)?;
        let (span, content_range) = span(input.range, object.size)?;
        let attributes = object.attributes()?;
        Ok(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: attributes.cache_control,
            content_disposition: attributes.content_disposition,
            content_encoding: attributes.content_encoding,
            content_language: attributes.content_language,
            content_length: i64::try_from(span.end - span.start).ok(),
            content_range,
            content_type: Some(attributes.content_type.unwrap_or_else(|| BINARY.to_owned())),
            e_tag: Some(strong(&object.etag)),
            expires: attributes.expires,
            last_modified: Some(time(object.last_modified)),
            metadata: metadata(attributes.metadata),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            storage_class: not_standard(attributes.storage_class),
            website_redirect_location: attributes.website_redirect_location,
            ..Default::default()
        })
    }

    pub(super) async fn copy_object(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        let (bucket, key) = source(&input.copy_source)?;
        let object = self.0.object(bucket, key).await?;
        let conditions = Conditions {
            if_match: input.copy_source_if_match.clone(),
            if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
            if_none_match: input.copy_source_if_none_match.clone(),
            if_modified_since: input.copy_source_if_modified_since.clone(),
        };
        conditions.check_copy(&object)?;
        let given = attributes!(self, input);
        let kept = object.attributes()?;
        let replace = |directive: Option<&str>| directive == Some("REPLACE");
        let replaces_metadata = replace(input.metadata_directive.as_ref().map(|d| d.as_str()));
        let replaces_tags = replace(input.tagging_directive.as_ref().map(|d| d.as_str()));
        let changes = replaces_metadata
            || input.storage_class.is_some()
            || input.server_side_encryption.is_some()
            || input.website_redirect_location.is_some();
        if !changes && (bucket, key) == (input.bucket.as_str(), input.key.as_str()) {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
        let tags = if replaces_tags { given.tags.clone() } else { kept.tags.clone() };
        let attributes = if replaces_metadata {
            Attributes { tags, ..given }
        } else {
            // What is not metadata follows the request, not the source.
            Attributes {
                tags,
                storage_class: given.storage_class,
                encryption: given.encryption,
                kms_key_id: given.kms_key_id,
                acl: given.acl,
                website_redirect_location: given.website_redirect_location,
                ..kept
            }
        };
        let new = self.0.copy((&input.bucket, &input.key), &object, &attributes).await?;
        Ok(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(strong(&new.etag)),
                last_modified: Some(time(new.last_modified)),
                ..Default::default()
            }),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            ..Default::default()
        })
    }

    pub(super) async fn delete_object(&self, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
        check_version(input.version_id.as_deref())?;
        let conditional = input.if_match.is_some()
            || input.if_match_size.is_some()
            || input.if_match_last_modified_time.is_some();
        unsupported(conditional, "conditional removal")?;
        self.0.remove(&input.bucket, &[&input.key]).await?;
        Ok(DeleteObjectOutput::default())
    }

    pub(super) async fn delete_objects(&self, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
        let objects = input.delete.objects;
        if objects.is_empty() || objects.len() > 1000 {
            return Err(s3_error!(MalformedXML, "There must be 1 to 1000 objects"));
        }
        let conditional =
            objects.iter().any(|o| o.e_tag.is_some() || o.size.is_some() || o.last_modified_time.is_some());
        unsupported(conditional, "conditional removal")?;
        let (good, bad): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|object| check_version(object.version_id.as_deref()).is_ok());
        let keys: Vec<&str> = good.iter().map(|object| object.key.as_str()).collect();
        self.0.remove(&input.bucket, &keys).await?;
        let deleted = good.into_iter().map(|object| DeletedObject {
            key: Some(object.key),
            version_id: object.version_id,
            ..Default::default()
        });
        let errors = bad.into_iter().map(|object| Error {
            code: Some("NoSuchVersion".to_owned()),
            key: Some(object.key),
            message: Some("The specified version does not exist.".to_owned()),
            version_id: object.version_id,
        });
        let is_quiet = input.delete.quiet == Some(true);
        Ok(DeleteObjectsOutput {
            deleted: (!is_quiet).then(|| deleted.collect()),
            errors: Some(errors.collect::<Vec<_>>()).filter(|errors| !errors.is_empty()),
            ..Default::default()
        })
    }

    pub(super) async fn get_object_acl(&self, input: GetObjectAclInput) -> S3Result<GetObjectAclOutput> {
        check_version(input.version_id.as_deref())?;
        let attributes = self.0.object(&input.bucket, &input.key).await?.attributes()?;
        Ok(GetObjectAclOutput {
            owner: Some(owner()),
            grants: Some(grants(attributes.acl.as_deref())),
            ..Default::default()
        })
    }

    pub(super) async fn put_object_acl(&self, input: PutObjectAclInput) -> S3Result<PutObjectAclOutput> {
        check_version(input.version_id.as_deref())?;
        let Some(acl) = input.acl else {
            return Err(s3_error!(
                NotImplemented,
                "The bucket store of Contrail has no ACLs but the canned ones."
            ));
        };
        let acl = canned(acl.as_str())?;
        self.0.set_attributes(&input.bucket, &input.key, |kept| kept.acl = Some(acl)).await?;
        Ok(PutObjectAclOutput::default())
    }

    pub(super) async fn get_object_tagging(
        &self,
        input: GetObjectTaggingInput,
    ) -> S3Result<GetObjectTaggingOutput> {
        check_version(input.version_id.as_deref())?;
        let tags = self.0.object(&input.bucket, &input.key).await?.attributes()?.tags;
        let tag_set =
            tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
        Ok(GetObjectTaggingOutput { tag_set, version_id: None })
    }

    pub(super) async fn put_object_tagging(
        &self,
        input: PutObjectTaggingInput,
    ) -> S3Result<PutObjectTaggingOutput> {
        check_version(input.version_id.as_deref())?;
        let tags = input.tagging.tag_set.into_iter();
        let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
        self.0.set_attributes(&input.bucket, &input.key, |kept| kept.tags = tags).await?;
        Ok(PutObjectTaggingOutput::default())
    }

    pub(super) async fn delete_object_tagging(
        &self,
        input: DeleteObjectTaggingInput,
    ) -> S3Result<DeleteObjectTaggingOutput> {
        check_version(input.version_id.as_deref())?;
        self.0.set_attributes(&input.bucket, &input.key, |kept| kept.tags.clear()).await?;
        Ok(DeleteObjectTaggingOutput::default())
    }

    pub(super) async fn get_object_attributes(
        &self,
        input: GetObjectAttributesInput,
    ) -> S3Result<GetObjectAttributesOutput> {
        check_version(input.version_id.as_deref())?;
        let object = self.0.object(&input.bucket, &input.key).await?;
        let wanted = |name: &str| input.object_attributes.iter().any(|wanted| wanted.as_str() == name);
        let class = object.attributes()?.storage_class.unwrap_or_else(|| "STANDARD".to_owned());
        Ok(GetObjectAttributesOutput {
            e_tag: wanted("ETag").then(|| strong(&object.etag)),
            object_size: wanted("ObjectSize").then_some(object.size),
            storage_class: wanted("StorageClass").then(|| class.into()),
            last_modified: Some(time(object.last_modified)),
            ..Default::default()
        })
    }
}

/// The bucket and key that are copied from.
pub(super) fn source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            check_version(version_id.as_deref())?;
            Ok((bucket, key))
        }
        _ => Err(s3_error!(NotImplemented, "The bucket store of Contrail has no access points.")),
    }
}

fn is_absent(error: &S3Error) -> bool {
    matches!(error.code(), S3ErrorCode::NoSuchBucket | S3ErrorCode::NoSuchKey)
}

/// A document that is in no database, as an object.
fn template_object(bucket: &str, key: &str) -> Option<Opened> {
    let text = template(bucket, key)?;
    let attributes =
        Attributes { content_type: Some("application/json".to_owned()), ..Attributes::default() };
    let hash = <md5::Md5 as md5::Digest>::digest(text);
    let etag = hex(&hash);
    let object = Object::new(i64::try_from(text.len()).ok()?, etag, 0, &attributes, 0).ok()?;
    Some(Opened { object, bytes: Bytes::Here(text.as_bytes().to_vec()) })
}

fn metadata(kept: BTreeMap<String, String>) -> Option<Metadata> {
    (!kept.is_empty()).then(|| kept.into_iter().collect())
}

/// S3 does not mention the usual class.
fn not_standard(class: Option<String>) -> Option<StorageClass> {
    class.filter(|class| class != "STANDARD").map(Into::into)
}
