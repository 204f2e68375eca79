//! Enums of the model in both databases: their names as text.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

use crate::model::{
    BackfillState, Billed, EntityKind, MissedReason, Origin, Outcome, PauseReason, PauseScope,
    Platform, ProblemKind, ResumedBy, SlotOutcome, Suspect, Unavailability,
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
    Suspect,
    Unavailability,
);

/// `('a', 'b')`: names of an enum, for `in`.
pub(in crate::store) fn one_of(names: impl IntoIterator<Item = &'static str>) -> String {
    let names = names.into_iter().map(|name| format!("'{name}'"));
    format!("({})", names.collect::<Vec<_>>().join(", "))
}

/// `case column when 'a' then 'b' … end`: names of an enum as those of another.
pub(in crate::store) fn case_of<const N: usize>(
    column: &str,
    names: [(&'static str, &'static str); N],
) -> String {
    let cases = names.map(|(from, to)| format!("when '{from}' then '{to}'"));
    format!("case {column} {} end", cases.join(" "))
}

/// The reason of a slot by the state of its target in `column`.
pub(in crate::store) fn reason_of_state(column: &str) -> String {
    case_of(column, Unavailability::ALL.map(|it| (it.as_str(), MissedReason::from(it).as_str())))
}

/// The reason of a slot by the reason of a pause in `column`.
pub(in crate::store) fn reason_of_pause(column: &str) -> String {
    case_of(column, PauseReason::ALL.map(|it| (it.as_str(), MissedReason::from(it).as_str())))
}
