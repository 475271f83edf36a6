//! How many connections there may be, in all and of one peer: whoever takes all that they get leaves some for the others.

use crate::metrics::Metrics;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// There are as many as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// The connections that there are, cheap to clone.
#[derive(Clone, Debug)]
pub struct Connections {
    counts: Arc<Mutex<Counts>>,
    most: usize,
    most_per_peer: usize,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_peer: HashMap<IpAddr, usize>,
}

/// A connection's place among those that may be there; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    connections: Connections,
    peer: IpAddr,
}

impl Connections {
    /// None yet; at most so many in all and of one peer, without limit for 0.
    pub fn new(most: usize, most_per_peer: usize, metrics: Metrics) -> Connections {
        let limit = |most| if most == 0 { usize::MAX } else { most };
        Connections {
            counts: Arc::default(),
            most: limit(most),
            most_per_peer: limit(most_per_peer),
            metrics,
        }
    }

    /// A place for a connection of `peer`.
    ///
    /// # Errors
    /// There is none left, for this peer or for anybody.
    pub fn take(&self, peer: IpAddr) -> Result<Place, TooMany> {
        let peer = neighbourhood(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = counts.by_peer.get(&peer).copied().unwrap_or_default();
        if counts.all >= self.most || of_peer >= self.most_per_peer {
            drop(counts);
            self.metrics.connections_refused.inc();
            tracing::debug!(%peer, of_peer, "a connection is refused: there are too many");
            return Err(TooMany);
        }
        counts.all += 1;
        counts.by_peer.insert(peer, of_peer + 1);
        self.metrics.connections.inc();
        Ok(Place { connections: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.connections.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(of_peer) = counts.by_peer.get_mut(&self.peer) {
            *of_peer = of_peer.saturating_sub(1);
            if *of_peer == 0 {
                counts.by_peer.remove(&self.peer);
            }
        }
        self.connections.metrics.connections.dec();
    }
}

/// What counts as one peer: an IPv4 address, or the 64 bits of an IPv6 address that are given to one subscriber.
pub(crate) fn neighbourhood(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn a_peer_that_takes_all_it_gets_leaves_places_for_the_others() {
        let connections = Connections::new(5, 3, Metrics::default());
        let mut greedy: Vec<_> = (0..3).map(|_| connections.take(peer("192.0.2.1")).unwrap()).collect();
        assert_eq!(connections.take(peer("192.0.2.1")).unwrap_err(), TooMany);
        let _others =
            [connections.take(peer("192.0.2.2")).unwrap(), connections.take(peer("192.0.2.3")).unwrap()];
        assert_eq!(connections.take(peer("192.0.2.4")).unwrap_err(), TooMany);
        greedy.pop();
        assert!(connections.take(peer("192.0.2.1")).is_ok());
        drop(greedy);
        assert_eq!(connections.counts.lock().unwrap().by_peer.len(), 2);
        assert_eq!(connections.metrics.connections_refused.get(), 2);
    }

    #[test]
    fn nobody_has_more_by_having_more_addresses() {
        let connections = Connections::new(0, 1, Metrics::default());
        let _one = connections.take(peer("2001:db8:0:1::1")).unwrap();
        assert!(connections.take(peer("2001:db8:0:1:ffff::2")).is_err());
        assert!(connections.take(peer("2001:db8:0:2::1")).is_ok());
        let _two = connections.take(peer("::ffff:192.0.2.1")).unwrap();
        assert!(connections.take(peer("192.0.2.1")).is_err());
    }
}
