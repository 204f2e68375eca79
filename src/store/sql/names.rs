//! Enums of the model in both databases: their names as text.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

use crate::model::{
    BackfillState, Billed, EntityKind, MissedReason, Origin, Outcome, PauseReason, PauseScope,
    Platform, ProblemKind, ResumedBy, SlotOutcome, Unavailability,
};

macro_rules! by_name {
    ($($name:ty),+ $(,)?) => {$(
        impl<DB: Database> Type<DB> for $name
        where
            String: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                String::type_info()
            }

            fn compatible(ty: &DB::TypeInfo) -> bool {
                String::compatible(ty)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $name
        where
            &'r str: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let name = <&str>::decode(value)?;
                Self::parse(name)
                    .ok_or_else(|| format!("no {} is called {name:?}", stringify!($name)).into())
            }
        }

        impl<'q, DB: Database> Encode<'q, DB> for $name
        where
            &'q str: Encode<'q, DB>,
        {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <&'q str>::encode(self.as_str(), buffer)
            }
        }
    )+};
}

by_name!(
    BackfillState,
    Billed,
    EntityKind,
    MissedReason,
    Origin,
    Outcome,
    PauseReason,
    PauseScope,
    Platform,
    ProblemKind,
    ResumedBy,
    SlotOutcome,
    Unavailability,
);
