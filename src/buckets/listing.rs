//! Listing: keys in the order of their bytes, folded at a delimiter, a page at a time.

use crate::buckets::bucket::need_bucket;
use crate::buckets::{Buckets, internal};
use s3s::S3Result;
use sqlx::{FromRow, SqliteConnection};

/// Rows fetched at a time: few at first, more while every row counts.
const FEW: i64 = 32;
const MANY: i64 = 1000;

/// What is listed.
#[derive(Debug)]
pub(super) struct ListQuery<'a> {
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    /// Keys that begin with the prefix are folded at the next delimiter after it. Not empty.
    pub(super) delimiter: Option<&'a str>,
    /// Only what comes after this key or folded prefix.
    pub(super) after: &'a str,
    /// Keys and folded prefixes together.
    pub(super) limit: usize,
}

/// An object in a list.
#[derive(Debug, FromRow)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) size: i64,
    pub(super) etag: String,
    pub(super) last_modified: i64,
    pub(super) storage_class: Option<String>,
}

/// A page of a list.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Listed>,
    pub(super) prefixes: Vec<String>,
    /// The last key or folded prefix of the page, if there is more: `after` of the next one.
    pub(super) next: Option<String>,
}

impl Buckets {
    pub(super) async fn list(&self, query: &ListQuery<'_>) -> S3Result<Page> {
        let mut db = self.read.acquire().await.map_err(internal)?;
        need_bucket(&mut db, query.bucket).await?;
        let (mut page, mut last) = (Page::default(), String::new());
        if query.limit == 0 {
            return Ok(page);
        }
        let end = after_all(query.prefix);
        // The list goes on at `from`, or behind it.
        let (mut from, mut inclusive) = start(query);
        let mut fetch = FEW;
        loop {
            let rows = rows(&mut db, query.bucket, (&from, inclusive), end.as_deref(), fetch).await?;
            let is_end = (rows.len() as i64) < fetch;
            // A folded prefix that goes on behind the last row fetched is jumped over.
            let mut jump = None;
            for row in rows {
                jump = fold(&row.key, query.prefix, query.delimiter).map(str::to_owned);
                if jump.is_some() && page.prefixes.last() == jump.as_ref() {
                    continue;
                }
                if page.objects.len() + page.prefixes.len() == query.limit {
                    page.next = Some(last);
                    return Ok(page);
                }
                last = jump.clone().unwrap_or_else(|| row.key.clone());
                from.clone_from(&row.key);
                match &jump {
                    Some(prefix) => page.prefixes.push(prefix.clone()),
                    None => page.objects.push(row),
                }
            }
            if is_end {
                return Ok(page);
            }
            match jump {
                None => (inclusive, fetch) = (false, MANY),
                Some(prefix) => match after_all(&prefix) {
                    Some(next) => (from, inclusive, fetch) = (next, true, FEW),
                    None => return Ok(page),
                },
            }
        }
    }
}

/// Where a list begins, and whether that key itself belongs to it.
fn start(query: &ListQuery<'_>) -> (String, bool) {
    if query.after.is_empty() || query.after < query.prefix {
        return (query.prefix.to_owned(), true);
    }
    // Behind a folded prefix, not inside it.
    if fold(query.after, query.prefix, query.delimiter) == Some(query.after)
        && let Some(next) = after_all(query.after)
    {
        return (next, true);
    }
    (query.after.to_owned(), false)
}

async fn rows(
    db: &mut SqliteConnection,
    bucket: &str,
    (from, inclusive): (&str, bool),
    end: Option<&str>,
    limit: i64,
) -> S3Result<Vec<Listed>> {
    // Without an end: every text is before every blob.
    sqlx::query_as(
        "SELECT key, size, etag, last_modified, attributes ->> '$.storage_class' AS storage_class FROM objects
         WHERE bucket = $1 AND key >= $2 AND ($3 OR key > $2) AND key < coalesce($4, x'')
         ORDER BY key LIMIT $5",
    )
    .bind(bucket)
    .bind(from)
    .bind(inclusive)
    .bind(end)
    .bind(limit)
    .fetch_all(db)
    .await
    .map_err(internal)
}

/// `key` up to the first delimiter after the prefix, and with it.
fn fold<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter?;
    let rest = key.strip_prefix(prefix)?;
    rest.find(delimiter).map(|at| &key[..prefix.len() + at + delimiter.len()])
}

/// The first text that comes after every text that begins with `prefix`; `None` when there is none.
fn after_all(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // Between these two there are no characters.
        let next = if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_prefix_comes_the_next_character_in_the_order_of_bytes() {
        for (prefix, next) in [
            ("a", Some("b")),
            ("a/", Some("a0")),
            ("a\u{D7FF}", Some("a\u{E000}")),
            ("a\u{10FFFF}", Some("b")),
            ("\u{10FFFF}", None),
            ("", None),
        ] {
            assert_eq!(after_all(prefix).as_deref(), next, "{prefix:?}");
        }
        assert!("a\u{7f}" < after_all("a\u{7f}").unwrap().as_str());
    }

    #[test]
    fn keys_are_folded_at_the_first_delimiter_after_the_prefix() {
        assert_eq!(fold("a/b/c", "a/", Some("/")), Some("a/b/"));
        assert_eq!(fold("a/b/c", "", Some("/")), Some("a/"));
        assert_eq!(fold("a--b--c", "a", Some("--")), Some("a--"));
        assert_eq!(fold("a/b", "a/", Some("/")), None);
        assert_eq!(fold("a/b", "", None), None);
    }
}
