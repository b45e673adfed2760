//! `db.timezone`: which point in time a wall clock in the database means, and back, as Java's calendars see it.

use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::moment::{Moment, Wall};

/// A time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Always this many seconds east of Greenwich.
    Fixed(i32),
    Named(Tz),
}

pub(crate) const UTC: Zone = Zone::Fixed(0);

/// What Java's short ids stand for.
const SHORT_IDS: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

impl Zone {
    /// A Java zone id: a region, a short id, or an offset such as `+02:00`, `UTC+2` or `GMT-03:30`.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let id = id.trim();
        let id = SHORT_IDS
            .iter()
            .find(|(short, _)| *short == id)
            .map_or(id, |(_, id)| id);
        if matches!(id, "UTC" | "GMT" | "UT" | "Z") {
            return Some(UTC);
        }
        let offset = ["UTC", "GMT", "UT"]
            .iter()
            .find_map(|prefix| id.strip_prefix(prefix))
            .unwrap_or(id);
        parse_offset(offset)
            .map(Self::Fixed)
            .or_else(|| Tz::from_str(id).ok().map(Self::Named))
    }

    /// The point in time that a wall clock in this zone means. A time that the clock skips is taken as if it had not
    /// been put forward yet; of one that comes twice the second is taken.
    pub(crate) fn moment(self, wall: Wall) -> Moment {
        let offset = match self {
            Self::Fixed(offset) => offset,
            Self::Named(zone) => local_offset(zone, wall),
        };
        Moment::new(wall.0.seconds() - i64::from(offset), i64::from(wall.0.nanos()))
    }

    /// What a wall clock in this zone shows.
    pub(crate) fn wall(self, moment: Moment) -> Wall {
        let offset = match self {
            Self::Fixed(offset) => offset,
            Self::Named(zone) => naive(moment).map_or(0, |utc| {
                zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
            }),
        };
        Wall(Moment::new(
            moment.seconds() + i64::from(offset),
            i64::from(moment.nanos()),
        ))
    }
}

/// Calendars of the library end some 260,000 years from now, beyond what the databases hold.
fn naive(moment: Moment) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(moment.seconds(), 0).map(|utc| utc.naive_utc())
}

fn local_offset(zone: Tz, wall: Wall) -> i32 {
    let Some(local) = naive(wall.0) else {
        return 0;
    };
    let offset = match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(_, offset) => offset,
        MappedLocalTime::None => zone.offset_from_utc_datetime(&(local - chrono::TimeDelta::days(1))),
    };
    offset.fix().local_minus_utc()
}

/// `+2`, `+02`, `+0200`, `+02:00`, `+02:00:00`.
fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    if !rest.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let parts: Vec<&str> = match (rest.contains(':'), rest.len()) {
        (true, _) => rest.split(':').collect(),
        (false, 1 | 2) => vec![rest],
        (false, 4) => vec![rest.get(..2)?, rest.get(2..)?],
        (false, 6) => vec![rest.get(..2)?, rest.get(2..4)?, rest.get(4..)?],
        (false, _) => return None,
    };
    let mut seconds = 0;
    for (part, (unit, most)) in parts.iter().zip([(3600, 18), (60, 59), (1, 59)]) {
        seconds += part.parse::<i32>().ok().filter(|n| *n <= most)? * unit;
    }
    (parts.len() <= 3).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Civil;

    fn wall(year: i64, month: u32, day: u32, hour: u32, minute: u32) -> Wall {
        Wall::from_civil(&Civil {
            year,
            month,
            day,
            hour,
            minute,
            second: 0,
            nanos: 0,
        })
    }

    fn hours_behind_utc(zone: &str, wall: Wall) -> i64 {
        (Zone::parse(zone).unwrap().moment(wall).seconds() - wall.0.seconds()) / 3600
    }

    #[test]
    fn java_zone_ids_are_understood() {
        for (id, seconds) in [
            ("UTC", 0),
            ("Z", 0),
            ("GMT", 0),
            ("+02:00", 7200),
            ("-0330", -12_600),
            ("UTC+2", 7200),
            ("GMT-03:30", -12_600),
            ("EST", -18_000),
            ("+18", 64_800),
        ] {
            assert_eq!(Zone::parse(id), Some(Zone::Fixed(seconds)), "{id}");
        }
        assert_eq!(Zone::parse("PST"), Some(Zone::Named(Tz::America__Los_Angeles)));
        assert_eq!(
            Zone::parse(" Europe/Berlin "),
            Some(Zone::Named(Tz::Europe__Berlin))
        );
        for id in ["", "Mars/Olympus", "+25:00", "UTC+x", "+1:2:3:4", "+123"] {
            assert_eq!(Zone::parse(id), None, "{id}");
        }
    }

    #[test]
    fn every_short_id_leads_to_a_zone() {
        for (short, _) in SHORT_IDS {
            assert!(Zone::parse(short).is_some(), "{short}");
        }
    }

    #[test]
    fn wall_clocks_follow_summer_time() {
        assert_eq!(hours_behind_utc("Europe/Berlin", wall(2024, 1, 10, 12, 0)), -1);
        assert_eq!(hours_behind_utc("Europe/Berlin", wall(2024, 7, 10, 12, 0)), -2);
        assert_eq!(hours_behind_utc("PST", wall(2024, 1, 10, 12, 0)), 8);
    }

    #[test]
    fn a_time_that_comes_twice_is_the_second_and_a_skipped_one_is_before_the_change() {
        assert_eq!(hours_behind_utc("Europe/Berlin", wall(2024, 10, 27, 2, 30)), -1);
        assert_eq!(hours_behind_utc("Europe/Berlin", wall(2024, 3, 31, 2, 30)), -1);
    }

    #[test]
    fn a_moment_becomes_the_same_wall_clock_again() {
        let zone = Zone::parse("America/New_York").unwrap();
        for wall in [
            wall(2024, 7, 1, 0, 0),
            wall(2024, 11, 3, 1, 30),
            wall(1950, 2, 3, 4, 5),
        ] {
            assert_eq!(zone.wall(zone.moment(wall)), wall);
        }
    }
}
