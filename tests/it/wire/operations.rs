//! The table of operations against the names that the official SDK knows.

use crate::support::TestServer;
use contrail::api::{NOT_YET, OPERATIONS};
use serde_json::json;
use std::collections::BTreeSet;

fn missing() -> impl Iterator<Item = &'static &'static str> {
    NOT_YET.iter().flat_map(|(_, operations)| *operations)
}

/// The name of each operation, if the SDK has a type of that name: this file does not compile otherwise.
macro_rules! sdk_names {
    ($($module:ident::$name:ident,)*) => {
        [$({
            let _ = std::marker::PhantomData::<aws_sdk_cloudtrail::operation::$module::$name>;
            stringify!($name)
        },)*]
    };
}

#[test]
fn every_operation_of_aws_is_here_or_known_to_be_missing() {
    let sdk = sdk_names![
        add_tags::AddTags,
        cancel_query::CancelQuery,
        create_channel::CreateChannel,
        create_dashboard::CreateDashboard,
        create_event_data_store::CreateEventDataStore,
        create_trail::CreateTrail,
        delete_channel::DeleteChannel,
        delete_dashboard::DeleteDashboard,
        delete_event_data_store::DeleteEventDataStore,
        delete_resource_policy::DeleteResourcePolicy,
        delete_trail::DeleteTrail,
        deregister_organization_delegated_admin::DeregisterOrganizationDelegatedAdmin,
        describe_query::DescribeQuery,
        describe_trails::DescribeTrails,
        disable_federation::DisableFederation,
        enable_federation::EnableFederation,
        generate_query::GenerateQuery,
        get_channel::GetChannel,
        get_dashboard::GetDashboard,
        get_event_configuration::GetEventConfiguration,
        get_event_data_store::GetEventDataStore,
        get_event_selectors::GetEventSelectors,
        get_import::GetImport,
        get_insight_selectors::GetInsightSelectors,
        get_query_results::GetQueryResults,
        get_resource_policy::GetResourcePolicy,
        get_trail::GetTrail,
        get_trail_status::GetTrailStatus,
        list_channels::ListChannels,
        list_dashboards::ListDashboards,
        list_event_data_stores::ListEventDataStores,
        list_import_failures::ListImportFailures,
        list_imports::ListImports,
        list_insights_data::ListInsightsData,
        list_insights_metric_data::ListInsightsMetricData,
        list_public_keys::ListPublicKeys,
        list_queries::ListQueries,
        list_tags::ListTags,
        list_trails::ListTrails,
        lookup_events::LookupEvents,
        put_event_configuration::PutEventConfiguration,
        put_event_selectors::PutEventSelectors,
        put_insight_selectors::PutInsightSelectors,
        put_resource_policy::PutResourcePolicy,
        register_organization_delegated_admin::RegisterOrganizationDelegatedAdmin,
        remove_tags::RemoveTags,
        restore_event_data_store::RestoreEventDataStore,
        search_sample_queries::SearchSampleQueries,
        start_dashboard_refresh::StartDashboardRefresh,
        start_event_data_store_ingestion::StartEventDataStoreIngestion,
        start_import::StartImport,
        start_logging::StartLogging,
        start_query::StartQuery,
        stop_event_data_store_ingestion::StopEventDataStoreIngestion,
        stop_import::StopImport,
        stop_logging::StopLogging,
        update_channel::UpdateChannel,
        update_dashboard::UpdateDashboard,
        update_event_data_store::UpdateEventDataStore,
        update_trail::UpdateTrail,
    ];
    assert_eq!(sdk.len(), 60);
    let known: Vec<&str> = OPERATIONS.iter().chain(missing()).copied().collect();
    let once: BTreeSet<_> = known.iter().collect();
    assert_eq!(once.len(), known.len(), "an operation stands in both lists");
    assert_eq!(once, sdk.iter().collect());
}

#[tokio::test]
async fn what_is_not_here_says_what_is_missing() {
    let server = TestServer::start().await;
    for operation in missing() {
        let refused = server.refused(operation, json!({})).await;
        let want =
            format!("UnsupportedOperationException: Contrail does not support {operation} yet: it has no ");
        assert!(refused.starts_with(&want), "{refused}");
    }
}
