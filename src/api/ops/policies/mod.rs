//! Policies of event data stores, dashboards and channels.

pub mod delete_resource_policy;
pub mod get_resource_policy;
pub mod put_resource_policy;
