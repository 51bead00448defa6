//! Dates in the data files.

use serde::Deserialize;
use time::Date;

/// A date written `2024-10-22`, or null; for serde's `deserialize_with`.
pub(super) fn optional_date<'de, D>(from: D) -> Result<Option<Date>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| Date::parse(&text, format).map_err(serde::de::Error::custom)).transpose()
}
