//! Which trails take an event. Decided once: by the trails that were logging as the call arrived, or, for records from
//! outside, as they are stored.

use crate::domain::category::Category;
use crate::domain::event::{Event, Listing};
use crate::domain::global_services::is_global;
use crate::domain::region::Region;
use crate::domain::selectors::Selection;
use std::sync::Arc;

/// A trail that is logging: what decides which events it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggingTrail {
    /// `trails.id`
    pub id: i64,
    /// The region that it was created in.
    pub home_region: Region,
    /// Whether it takes events of all regions.
    pub is_multi_region: bool,
    /// Whether it takes events of global services, see [`is_global`].
    pub includes_global_services: bool,
    /// Whether it has a log group.
    pub has_log_group: bool,
    /// Which events its selectors choose.
    pub selection: Selection,
}

/// The trails of an account that were logging at one moment, cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoggingTrails(Arc<[LoggingTrail]>);

/// A trail that takes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taker {
    /// `trails.id`
    pub trail_id: i64,
    /// Whether its log group gets the event as well.
    pub has_log_group: bool,
}

/// An event and the trails that take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedEvent {
    /// The event.
    pub event: Event,
    /// None, where no trail wants it.
    pub takers: Vec<Taker>,
}

impl From<Vec<LoggingTrail>> for LoggingTrails {
    fn from(trails: Vec<LoggingTrail>) -> LoggingTrails {
        LoggingTrails(trails.into())
    }
}

impl LoggingTrails {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them covers `region`: the history of 2015 shows what was done there.
    pub fn cover(&self, region: &Region) -> bool {
        self.0.iter().any(|trail| trail.covers(region))
    }

    /// Whether one of them may take events of a category.
    pub fn may_take(&self, category: Category) -> bool {
        self.0.iter().any(|trail| trail.selection.may_take(category))
    }

    /// The event of a call that arrived while these trails were logging: in which list of the history it stands, and who
    /// takes it.
    pub fn capture(&self, mut event: Event) -> CapturedEvent {
        if event.listing == Listing::Write && !self.cover(&event.region) {
            event.listing = Listing::Unlogged;
        }
        let takers = self.takers(&event);
        CapturedEvent { event, takers }
    }

    /// Those that take an event.
    pub fn takers(&self, event: &Event) -> Vec<Taker> {
        let is_global = is_global(&event.event_source, &event.region);
        let takes = |trail: &&LoggingTrail| {
            trail.covers(&event.region)
                && (trail.includes_global_services || !is_global)
                && trail.selection.takes(event)
        };
        let taker = |trail: &LoggingTrail| Taker { trail_id: trail.id, has_log_group: trail.has_log_group };
        self.0.iter().filter(takes).map(taker).collect()
    }
}

impl LoggingTrail {
    fn covers(&self, region: &Region) -> bool {
        self.is_multi_region || self.home_region == *region
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account_id::AccountId;
    use crate::domain::event_facts::NamesOnly;

    fn trail(id: i64, home: &str) -> LoggingTrail {
        LoggingTrail {
            id,
            home_region: Region::parse(home).unwrap(),
            is_multi_region: false,
            includes_global_services: true,
            has_log_group: false,
            selection: Selection::default(),
        }
    }

    fn event(source: &str, region: &str, read_only: bool) -> Event {
        let record = serde_json::json!({"eventTime": "2026-11-22T05:30:00Z", "eventSource": source,
            "eventName": "Do", "awsRegion": region, "readOnly": read_only, "eventCategory": "Management"});
        Event::from_record(&record.to_string(), &AccountId::parse("111122223333").unwrap(), 0, &NamesOnly)
            .unwrap()
    }

    fn ids(trails: &LoggingTrails, event: &Event) -> Vec<i64> {
        trails.takers(event).iter().map(|taker| taker.trail_id).collect()
    }

    #[test]
    fn a_trail_takes_the_events_of_its_region_and_a_multi_region_trail_those_of_all() {
        let everywhere = LoggingTrail { is_multi_region: true, ..trail(3, "ap-south-1") };
        let trails = LoggingTrails::from(vec![trail(1, "us-east-1"), trail(2, "eu-west-1"), everywhere]);
        assert_eq!(ids(&trails, &event("ec2.amazonaws.com", "us-east-1", false)), [1, 3]);
        assert_eq!(ids(&trails, &event("ec2.amazonaws.com", "eu-west-1", true)), [2, 3]);
        assert_eq!(ids(&trails, &event("ec2.amazonaws.com", "sa-east-1", false)), [3]);
    }

    #[test]
    fn a_trail_without_global_services_takes_none_of_theirs() {
        let without = LoggingTrail { includes_global_services: false, ..trail(2, "us-east-1") };
        let trails = LoggingTrails::from(vec![trail(1, "us-east-1"), without]);
        assert_eq!(ids(&trails, &event("iam.amazonaws.com", "us-east-1", false)), [1]);
        assert_eq!(ids(&trails, &event("ec2.amazonaws.com", "us-east-1", false)), [1, 2]);
    }

    #[test]
    fn what_is_captured_while_no_trail_covers_the_region_is_listed_as_such_and_taken_by_none() {
        let trails = LoggingTrails::from(vec![trail(1, "us-east-1")]);
        let elsewhere = trails.capture(event("ec2.amazonaws.com", "eu-west-1", false));
        assert_eq!((elsewhere.event.listing, elsewhere.takers.len()), (Listing::Unlogged, 0));
        let here = trails.capture(event("ec2.amazonaws.com", "us-east-1", false));
        assert_eq!((here.event.listing, here.takers.len()), (Listing::Write, 1));
        let read = trails.capture(event("ec2.amazonaws.com", "eu-west-1", true));
        assert_eq!(read.event.listing, Listing::Read, "reads are listed whether or not a trail is logging");
    }
}
