//! `domain`'s values as columns: text in the database, the type in the code. A row that holds something else cannot be
//! read.

use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

macro_rules! text_columns {
    ($($type:ty),*) => {$(
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
                self.as_str().to_owned().encode(buffer)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $type where String: Decode<'r, DB> {
            fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<$type>::try_from(<String as Decode<'r, DB>>::decode(value)?)?)
            }
        }
    )*};
}

text_columns!(AccountId, Region);
