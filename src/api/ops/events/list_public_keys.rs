//! ListPublicKeys: the public halves of the keys that sign digests in this region. There is one whatever range is asked.

use crate::api::{Context, Operation, OperationInput, Service};
use crate::domain::caller::Caller;
use crate::domain::timestamp::{Timestamp, in_words};
use crate::error::{ApiError, ApiResult, Code};
use crate::store::{DigestKey, ReadSession, Session};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>
#[derive(Debug)]
pub struct ListPublicKeys;

/// What is asked. The token is read and means nothing, as on AWS (observed): all keys are on one page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
    start_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
    end_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    public_key_list: Vec<PublicKey>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PublicKey {
    /// PKCS #1 DER, base64 as all bytes are on the wire.
    value: String,
    validity_start_time: Timestamp,
    validity_end_time: Timestamp,
    fingerprint: String,
}

impl From<DigestKey> for PublicKey {
    fn from(key: DigestKey) -> PublicKey {
        PublicKey {
            value: key.public_key,
            validity_start_time: Timestamp::from_millis(key.valid_from * 1000),
            validity_end_time: Timestamp::from_millis(key.valid_to * 1000),
            fingerprint: key.fingerprint,
        }
    }
}

impl Operation for ListPublicKeys {
    const NAME: &'static str = "ListPublicKeys";
    type Session = ReadSession;
    type Input = Input;
    type Output = Output;

    async fn prepare(input: &Input, caller: &Caller, service: &Service) -> ApiResult<()> {
        input.range(service.clock.now())?;
        // As on AWS there is a key. Making one takes a moment and writes: not in the session that reads.
        service.digest_keys.make_for_listing(&caller.region).await.map_err(ApiError::internal)?;
        Ok(())
    }

    async fn call(input: Input, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let now = context.service.clock.now();
        let (from, to) = input.range(now)?;
        let region = &context.caller.region;
        let mut keys = context.db.digest_keys().in_use(region, from, to).await?;
        if keys.is_empty() {
            // A range in the future, or one before the keys of an older data folder.
            keys.extend(context.db.digest_keys().current(region, now.timestamp()).await?);
        }
        Ok(Output { public_key_list: keys.into_iter().map(PublicKey::from).collect() })
    }
}

impl Input {
    /// The range asked for, seconds since 1970, both ends included.
    fn range(&self, now: DateTime<Utc>) -> ApiResult<(i64, i64)> {
        match (self.start_time, self.end_time) {
            (Some(from), Some(to)) if from > to => {
                Err(Code::InvalidTimeRangeException.because("The start time must not be after the end time."))
            }
            // Without a range the current key: observed.
            (None, None) => Ok((now.timestamp(), now.timestamp())),
            (from, to) => {
                let seconds = |time: Option<Timestamp>, open| time.map_or(open, |t| t.0.timestamp());
                Ok((seconds(from, i64::MIN), seconds(to, i64::MAX)))
            }
        }
    }
}
