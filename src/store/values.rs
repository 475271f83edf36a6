//! `domain`'s values as columns: text in the database, the type in the code. A row that holds something else cannot be
//! read.

use crate::domain::account_id::AccountId;
use crate::domain::aggregation::AggregationConfigurations;
use crate::domain::insight_selectors::InsightSelectors;
use crate::domain::region::Region;
use crate::domain::selectors::EventSelectors;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

/// Each type with the ways to its text and back.
macro_rules! text_columns {
    ($($type:ty: $to_text:expr, $from_text:expr;)*) => {$(
        impl<DB: Database> Type<DB> for $type where String: Type<DB> {
            fn type_info() -> DB::TypeInfo {
                <String as Type<DB>>::type_info()
            }

            fn compatible(info: &DB::TypeInfo) -> bool {
                <String as Type<DB>>::compatible(info)
            }
        }

        impl<'q, DB: Database> Encode<'q, DB> for $type where String: Encode<'q, DB> {
            fn encode_by_ref(&self, buffer: &mut <DB as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let to_text: fn(&$type) -> Result<String, BoxDynError> = $to_text;
                to_text(self)?.encode(buffer)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $type where String: Decode<'r, DB> {
            fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let from_text: fn(String) -> Result<$type, BoxDynError> = $from_text;
                from_text(<String as Decode<'r, DB>>::decode(value)?)
            }
        }
    )*};
}

text_columns! {
    AccountId: |id| Ok(id.as_str().to_owned()), |text| Ok(AccountId::try_from(text)?);
    Region: |region| Ok(region.as_str().to_owned()), |text| Ok(Region::try_from(text)?);
    EventSelectors: |selectors| Ok(serde_json::to_string(selectors)?), |text| Ok(serde_json::from_str(&text)?);
    InsightSelectors: |selectors| Ok(serde_json::to_string(selectors)?), |text| Ok(serde_json::from_str(&text)?);
    AggregationConfigurations: |all| Ok(serde_json::to_string(all)?), |text| Ok(serde_json::from_str(&text)?);
}
