//! Uploads in parts.

use super::conditions::Conditions;
use super::objects::{attributes, check_md5, source, tags_of_header};
use super::{S3Api, canned, owner, time, unsupported};
use crate::buckets::bodies::Upload;
use crate::buckets::objects::{Attributes, Bytes, Opened, PutCondition, strong};
use crate::buckets::parts::UploadRef;
use s3s::dto::*;
use s3s::{S3Result, s3_error};

/// The most that a page has.
const PAGE: i32 = 1000;

fn check_number(number: i32) -> S3Result<()> {
    if !(1..=10_000).contains(&number) {
        return Err(s3_error!(
            InvalidArgument,
            "Part number must be an integer between 1 and 10000, inclusive"
        ));
    }
    Ok(())
}

fn page_size(asked: Option<i32>) -> S3Result<i32> {
    match asked.unwrap_or(PAGE) {
        asked if asked < 0 => Err(s3_error!(InvalidArgument, "A page has at least 0 entries")),
        asked => Ok(asked.min(PAGE)),
    }
}

impl S3Api {
    pub(super) async fn create_multipart_upload(
        &self,
        input: CreateMultipartUploadInput,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let attributes = attributes!(self, input);
        let id = self.0.begin_upload(&input.bucket, &input.key, &attributes).await?;
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            ..Default::default()
        })
    }

    pub(super) async fn upload_part(&self, mut input: UploadPartInput) -> S3Result<UploadPartOutput> {
        check_number(input.part_number)?;
        unsupported(input.sse_customer_key.is_some(), "encryption with keys of the caller")?;
        let upload = UploadRef { bucket: &input.bucket, key: &input.key, id: &input.upload_id };
        // Before the body comes, which may be long.
        let attributes = self.0.upload(upload).await?.attributes()?;
        let body = Upload::receive(&self.0, input.body.take()).await?;
        check_md5(&body, input.content_md5.as_deref())?;
        let part = self.0.put_part(upload, input.part_number, body).await?;
        Ok(UploadPartOutput {
            e_tag: Some(strong(&part.etag)),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            ..Default::default()
        })
    }

    pub(super) async fn upload_part_copy(
        &self,
        input: UploadPartCopyInput,
    ) -> S3Result<UploadPartCopyOutput> {
        check_number(input.part_number)?;
        let upload = UploadRef { bucket: &input.bucket, key: &input.key, id: &input.upload_id };
        let attributes = self.0.upload(upload).await?.attributes()?;
        let (bucket, key) = source(&input.copy_source)?;
        let Opened { object, bytes } = self.0.open_object(bucket, key).await?;
        let conditions = Conditions {
            if_match: input.copy_source_if_match.clone(),
            if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
            if_none_match: input.copy_source_if_none_match.clone(),
            if_modified_since: input.copy_source_if_modified_since.clone(),
        };
        conditions.check_copy(&object)?;
        let full = u64::try_from(object.size).unwrap_or_default();
        let span = match input.copy_source_range.as_deref().map(Range::parse) {
            None => 0..full,
            // Unlike in a GET, the end must be there.
            Some(Ok(Range::Int { first, last: Some(last) })) if last < full => first..last + 1,
            Some(_) => {
                return Err(s3_error!(
                    InvalidArgument,
                    "The x-amz-copy-source-range value must be of the form bytes=first-last, inside the source"
                ));
            }
        };
        let body = match bytes {
            Bytes::Here(bytes) => {
                let mut body = Upload::begin(&self.0);
                let start = usize::try_from(span.start).unwrap_or(usize::MAX);
                let end = usize::try_from(span.end).unwrap_or(usize::MAX);
                body.push(bytes.get(start..end).unwrap_or_default()).await?;
                body
            }
            Bytes::Held(hold) => Upload::receive(&self.0, Some(self.0.stream(hold, span))).await?,
        };
        let part = self.0.put_part(upload, input.part_number, body).await?;
        Ok(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: Some(strong(&part.etag)),
                last_modified: Some(time(part.last_modified)),
                ..Default::default()
            }),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            ..Default::default()
        })
    }

    pub(super) async fn complete_multipart_upload(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let upload = UploadRef { bucket: &input.bucket, key: &input.key, id: &input.upload_id };
        let listed = input.multipart_upload.and_then(|listed| listed.parts).unwrap_or_default();
        if listed.is_empty() || listed.iter().any(|part| part.part_number.is_none()) {
            return Err(s3_error!(
                MalformedXML,
                "The XML you provided was not well-formed or did not validate against our published schema"
            ));
        }
        let listed: Vec<_> = listed
            .into_iter()
            .map(|part| (part.part_number.unwrap_or_default().into(), part.e_tag.map(ETag::into_value)))
            .collect();
        let condition = PutCondition { if_match: input.if_match, if_none_match: input.if_none_match };
        let object = self.0.complete(upload, &listed, &condition).await?;
        let attributes = object.attributes()?;
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(strong(&object.etag)),
            server_side_encryption: attributes.encryption.map(Into::into),
            ssekms_key_id: attributes.kms_key_id,
            ..Default::default()
        })
    }

    pub(super) async fn abort_multipart_upload(
        &self,
        input: AbortMultipartUploadInput,
    ) -> S3Result<AbortMultipartUploadOutput> {
        self.0.abort(UploadRef { bucket: &input.bucket, key: &input.key, id: &input.upload_id }).await?;
        Ok(AbortMultipartUploadOutput::default())
    }

    pub(super) async fn list_parts(&self, input: ListPartsInput) -> S3Result<ListPartsOutput> {
        let limit = page_size(input.max_parts)?;
        let after = input.part_number_marker.unwrap_or_default();
        let upload = UploadRef { bucket: &input.bucket, key: &input.key, id: &input.upload_id };
        let mut found = self.0.parts(upload, after.into(), i64::from(limit) + 1).await?;
        let more = found.len() > usize::try_from(limit).unwrap_or_default();
        found.truncate(usize::try_from(limit).unwrap_or_default());
        let next = found.last().filter(|_| more).and_then(|part| i32::try_from(part.number).ok());
        let parts = found.into_iter().map(|part| Part {
            part_number: i32::try_from(part.number).ok(),
            size: Some(part.size),
            e_tag: Some(strong(&part.etag)),
            last_modified: Some(time(part.last_modified)),
            ..Default::default()
        });
        Ok(ListPartsOutput {
            parts: Some(parts.collect()),
            is_truncated: Some(more),
            max_parts: Some(limit),
            next_part_number_marker: next,
            part_number_marker: Some(after),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            owner: Some(owner()),
            initiator: Some(Initiator { display_name: None, id: owner().id }),
            storage_class: Some("STANDARD".to_owned().into()),
            ..Default::default()
        })
    }

    pub(super) async fn list_multipart_uploads(
        &self,
        input: ListMultipartUploadsInput,
    ) -> S3Result<ListMultipartUploadsOutput> {
        unsupported(input.delimiter.as_ref().is_some_and(|d| !d.is_empty()), "folding of begun uploads")?;
        let limit = page_size(input.max_uploads)?;
        let prefix = input.prefix.unwrap_or_default();
        let (key, id) = (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone());
        // A key alone means behind all uploads of that key; no id comes after this one.
        let after_id = id.clone().unwrap_or_else(|| "~".to_owned());
        let mut found =
            self.0.uploads(&input.bucket, &prefix, (&key, &after_id), i64::from(limit) + 1).await?;
        let more = found.len() > usize::try_from(limit).unwrap_or_default();
        found.truncate(usize::try_from(limit).unwrap_or_default());
        let last = found.last().filter(|_| more);
        let (next_key, next_id) = (last.map(|u| u.key.clone()), last.map(|u| u.id.clone()));
        let uploads = found.into_iter().map(|begun| MultipartUpload {
            key: Some(begun.key),
            upload_id: Some(begun.id),
            initiated: Some(time(begun.initiated_at)),
            owner: Some(owner()),
            initiator: Some(Initiator { display_name: None, id: owner().id }),
            storage_class: Some("STANDARD".to_owned().into()),
            ..Default::default()
        });
        Ok(ListMultipartUploadsOutput {
            uploads: Some(uploads.collect()),
            bucket: Some(input.bucket),
            prefix: Some(prefix),
            key_marker: input.key_marker,
            upload_id_marker: id,
            max_uploads: Some(limit),
            is_truncated: Some(more),
            next_key_marker: next_key,
            next_upload_id_marker: next_id,
            ..Default::default()
        })
    }
}
