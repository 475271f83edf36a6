//! Delegated administrators of an organization. Here every account manages an organization to which all others belong.

pub mod deregister_organization_delegated_admin;
pub mod register_organization_delegated_admin;
