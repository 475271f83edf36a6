//! The lists of objects: version 1, version 2, and of versions, of which each object has one.

use super::{S3Api, owner, time};
use crate::buckets::listing::{ListQuery, Listed, Page};
use crate::buckets::objects::strong;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3Result, s3_error};

/// The most that a page has.
const MAX_KEYS: i32 = 1000;

/// How names are written into a list.
#[derive(Clone, Copy)]
struct Writing {
    is_url: bool,
}

impl Writing {
    fn of(encoding: Option<&EncodingType>) -> S3Result<Writing> {
        match encoding.map(EncodingType::as_str) {
            None | Some("") => Ok(Writing { is_url: false }),
            Some("url") => Ok(Writing { is_url: true }),
            Some(_) => Err(s3_error!(InvalidArgument, "Invalid Encoding Method specified in Request")),
        }
    }

    fn name(self, name: String) -> String {
        if !self.is_url {
            return name;
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/*".contains(&b);
        let mut written = String::with_capacity(name.len());
        for b in name.bytes() {
            if plain(b) {
                written.push(char::from(b));
            } else {
                written.push_str(&format!("%{b:02X}"));
            }
        }
        written
    }

    fn prefixes(self, prefixes: Vec<String>) -> Option<Vec<CommonPrefix>> {
        let all = prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(self.name(prefix)) });
        Some(all.collect::<Vec<_>>()).filter(|all| !all.is_empty())
    }

    fn objects(self, objects: Vec<Listed>, owner: Option<Owner>) -> Option<Vec<Object>> {
        let all = objects.into_iter().map(|listed| Object {
            key: Some(self.name(listed.key)),
            size: Some(listed.size),
            e_tag: Some(strong(&listed.etag)),
            last_modified: Some(time(listed.last_modified)),
            storage_class: Some(listed.storage_class.unwrap_or_else(|| "STANDARD".to_owned()).into()),
            owner: owner.clone(),
            ..Default::default()
        });
        Some(all.collect::<Vec<_>>()).filter(|all| !all.is_empty())
    }
}

fn max_keys(asked: Option<i32>) -> S3Result<i32> {
    let asked = asked.unwrap_or(MAX_KEYS);
    if asked < 0 {
        return Err(s3_error!(
            InvalidArgument,
            "Argument maxKeys must be an integer between 0 and 2147483647"
        ));
    }
    Ok(asked.min(MAX_KEYS))
}

/// The place in a list that a continuation token stands for.
fn place(token: &str) -> S3Result<String> {
    let place = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    place
        .filter(|place| !place.is_empty())
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

impl S3Api {
    async fn page(
        &self,
        bucket: &str,
        prefix: Option<&str>,
        delimiter: Option<&str>,
        after: &str,
        limit: i32,
    ) -> S3Result<Page> {
        let query = ListQuery {
            bucket,
            prefix: prefix.unwrap_or_default(),
            delimiter: delimiter.filter(|delimiter| !delimiter.is_empty()),
            after,
            limit: usize::try_from(limit).unwrap_or_default(),
        };
        self.0.list(&query).await
    }

    pub(super) async fn list_objects(&self, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let writing = Writing::of(input.encoding_type.as_ref())?;
        let limit = max_keys(input.max_keys)?;
        let marker = input.marker.unwrap_or_default();
        let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
        let page = self.page(&input.bucket, prefix, delimiter, &marker, limit).await?;
        let is_truncated = page.next.is_some();
        // Without a delimiter the last key of the page is the next marker, and S3 does not repeat it.
        let next = page.next.filter(|_| delimiter.is_some_and(|delimiter| !delimiter.is_empty()));
        Ok(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(writing.name(input.prefix.unwrap_or_default())),
            marker: Some(writing.name(marker)),
            max_keys: Some(limit),
            is_truncated: Some(is_truncated),
            contents: writing.objects(page.objects, Some(owner())),
            common_prefixes: writing.prefixes(page.prefixes),
            delimiter: input.delimiter.map(|delimiter| writing.name(delimiter)),
            next_marker: next.map(|next| writing.name(next)),
            encoding_type: input.encoding_type,
            request_charged: None,
        })
    }

    pub(super) async fn list_objects_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let writing = Writing::of(input.encoding_type.as_ref())?;
        let limit = max_keys(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => place(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
        let page = self.page(&input.bucket, prefix, delimiter, &after, limit).await?;
        Ok(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(writing.name(input.prefix.unwrap_or_default())),
            max_keys: Some(limit),
            key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
            contents: writing.objects(page.objects, (input.fetch_owner == Some(true)).then(owner)),
            common_prefixes: writing.prefixes(page.prefixes),
            delimiter: input.delimiter.map(|delimiter| writing.name(delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|after| writing.name(after)),
            request_charged: None,
        })
    }

    pub(super) async fn list_object_versions(
        &self,
        input: ListObjectVersionsInput,
    ) -> S3Result<ListObjectVersionsOutput> {
        let writing = Writing::of(input.encoding_type.as_ref())?;
        let limit = max_keys(input.max_keys)?;
        let marker = input.key_marker.unwrap_or_default();
        let (prefix, delimiter) = (input.prefix.as_deref(), input.delimiter.as_deref());
        let page = self.page(&input.bucket, prefix, delimiter, &marker, limit).await?;
        let versions = page.objects.into_iter().map(|listed| ObjectVersion {
            key: Some(writing.name(listed.key)),
            version_id: Some("null".to_owned()),
            is_latest: Some(true),
            size: Some(listed.size),
            e_tag: Some(strong(&listed.etag)),
            last_modified: Some(time(listed.last_modified)),
            storage_class: Some(listed.storage_class.unwrap_or_else(|| "STANDARD".to_owned()).into()),
            owner: Some(owner()),
            ..Default::default()
        });
        Ok(ListObjectVersionsOutput {
            name: Some(input.bucket),
            prefix: Some(writing.name(input.prefix.unwrap_or_default())),
            key_marker: Some(writing.name(marker)),
            version_id_marker: input.version_id_marker,
            max_keys: Some(limit),
            is_truncated: Some(page.next.is_some()),
            next_version_id_marker: page.next.is_some().then(|| "null".to_owned()),
            next_key_marker: page.next.map(|next| writing.name(next)),
            versions: Some(versions.collect::<Vec<_>>()).filter(|all| !all.is_empty()),
            common_prefixes: writing.prefixes(page.prefixes),
            delimiter: input.delimiter.map(|delimiter| writing.name(delimiter)),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }
}
