//! Times on the wire: JSON numbers, epoch seconds, in both directions.

use chrono::{DateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment to the millisecond. Written as a plain JSON number (`1470596876.058`); read from an integer, a float or an
/// exponent form. Text is refused, as AWS does (old versions of boto sent it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub DateTime<Utc>);

impl Timestamp {
    /// From milliseconds since 1970; out-of-range values become 1970.
    pub fn from_millis(millis: i64) -> Timestamp {
        Timestamp(Utc.timestamp_millis_opt(millis).single().unwrap_or(DateTime::UNIX_EPOCH))
    }

    /// `2026-11-22T05:30:00Z`: the form inside records and in the old status strings; fractions are cut off.
    pub fn iso(self) -> String {
        iso(self.0)
    }

    /// `Nov 22, 2026, 5:30:00 AM`: how CloudTrail's own records write times of request parameters (observed).
    pub fn in_words(self) -> String {
        self.0.format("%b %-d, %Y, %-I:%M:%S %p").to_string()
    }
}

/// Serializes a time of an operation's input as records write it, see [`Timestamp::in_words`]: this is what inputs are
/// serialized for.
///
/// # Errors
/// Those of the serializer.
pub fn in_words<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    time.map(Timestamp::in_words).serialize(to)
}

/// `2026-11-22T05:30:00Z`, fractions cut off.
pub fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.timestamp_millis();
        if millis % 1000 == 0 {
            to.serialize_i64(millis / 1000)
        } else {
            #[expect(clippy::cast_precision_loss, reason = "exact to the millisecond for 200,000 years")]
            to.serialize_f64(millis as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a timestamp in epoch seconds")
            }
            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
                Utc.timestamp_opt(seconds, 0)
                    .single()
                    .map(Timestamp)
                    .ok_or_else(|| E::custom("timestamp out of range"))
            }
            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
                self.visit_i64(i64::try_from(seconds).map_err(E::custom)?)
            }
            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
                let millis = (seconds * 1000.0).round();
                if !millis.is_finite() || millis.abs() > 8.0e15 {
                    return Err(E::custom("timestamp out of range"));
                }
                #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
                let millis = millis as i64;
                let time = Utc.timestamp_millis_opt(millis).single();
                time.map(Timestamp).ok_or_else(|| E::custom("timestamp out of range"))
            }
        }

        from.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Timestamp, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn numbers_are_read_in_every_form_that_clients_send() {
        let want = Timestamp::from_millis(1_470_596_876_058);
        for json in ["1470596876.058", "1.470596876058E9"] {
            assert_eq!(read(json).unwrap(), want, "{json}");
        }
        assert_eq!(read("1430960524").unwrap(), Timestamp::from_millis(1_430_960_524_000));
        for bad in
            ["true", "\"2016-08-07T19:07:56.058Z\"", "\"1470596876\"", "1e300", "99999999999999999", "[]"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn they_are_written_as_plain_numbers_to_the_millisecond() {
        let written = |millis| serde_json::to_string(&Timestamp::from_millis(millis)).unwrap();
        assert_eq!(written(1_470_596_876_058), "1470596876.058");
        assert_eq!(written(1_424_476_529_000), "1424476529");
        assert_eq!(Timestamp::from_millis(1_470_596_876_058).iso(), "2016-08-07T19:07:56Z");
        assert_eq!(Timestamp::from_millis(1_470_596_876_058).in_words(), "Aug 7, 2016, 7:07:56 PM");
    }
}
