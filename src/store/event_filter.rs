//! An [`EventFilter`] as the conditions of a query on `event_summaries`.
//!
//! All conditions but time are tested row by row, along the key: the table is narrow, and the newest page of anything
//! common is found at once. Only a resource's name has an index of its own, for it is often rare.

use crate::domain::event_filter::{EventFilter, Field, Pattern, Patterns};
use crate::domain::lookup::LAST_SECOND;
use crate::domain::resources::container_of;
use crate::store::events::{ARRIVAL_BITS, end_of_resource};
use sqlx::{QueryBuilder, Sqlite};
use std::ops::Range;

/// The column of a field.
pub(super) const fn column(field: Field) -> &'static str {
    match field {
        Field::EventName => "event_name",
        Field::EventSource => "event_source",
        Field::Username => "actor",
        Field::ErrorCode => "error_code",
        Field::AccessKey => "access_key_id",
        Field::SourceIp => "source_ip",
        Field::Region => "region",
        Field::Account => "account",
        Field::ActorType => "actor_type",
    }
}

/// The keys that events of a filter's time can have.
pub(super) fn keys(filter: &EventFilter) -> Range<i64> {
    let from = filter.from.unwrap_or(0) << ARRIVAL_BITS;
    let end = filter.to.unwrap_or(LAST_SECOND).saturating_add(1) << ARRIVAL_BITS;
    from..end
}

/// Whether the text of a filter is looked for as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Included,
    Ignored,
}

/// Adds ` WHERE …` to a query on `event_summaries s`: the filter's conditions, for keys of `keys`.
pub(super) fn push_where(
    sql: &mut QueryBuilder<Sqlite>,
    filter: &EventFilter,
    keys: &Range<i64>,
    text: Text,
) {
    sql.push(" WHERE s.key >= ").push_bind(keys.start).push(" AND s.key < ").push_bind(keys.end);
    push_conditions(sql, filter, keys, text);
}

/// Adds ` AND …` for everything of a filter but its time.
pub(super) fn push_conditions(
    sql: &mut QueryBuilder<Sqlite>,
    filter: &EventFilter,
    keys: &Range<i64>,
    text: Text,
) {
    for (field, patterns) in &filter.fields {
        push_patterns(sql, column(*field), patterns);
    }
    push_resource(sql, &filter.resource, keys);
    match filter.read_only {
        None => {}
        Some(true) => drop(sql.push(" AND s.read_only")),
        Some(false) => drop(sql.push(" AND NOT s.read_only")),
    }
    match filter.failed {
        None => {}
        Some(true) => drop(sql.push(" AND s.error_code IS NOT NULL")),
        Some(false) => drop(sql.push(" AND s.error_code IS NULL")),
    }
    if let Some(wanted) = filter.text.as_ref().filter(|_| text == Text::Included) {
        // As it stands, and as it would stand inside a JSON string: records hold JSON in JSON.
        let mut escaped = serde_json::json!(wanted).to_string();
        escaped = escaped[1..escaped.len() - 1].to_owned();
        sql.push(" AND EXISTS (SELECT 1 FROM events e WHERE e.key = s.key AND (instr(e.record, ");
        sql.push_bind(wanted.clone()).push(") > 0");
        if escaped != *wanted {
            sql.push(" OR instr(e.record, ").push_bind(escaped).push(") > 0");
        }
        sql.push("))");
    }
}

fn push_patterns(sql: &mut QueryBuilder<Sqlite>, column: &str, patterns: &Patterns) {
    if !patterns.keep.is_empty() {
        sql.push(" AND (");
        push_any(sql, column, &patterns.keep);
        sql.push(")");
    }
    if !patterns.leave_out.is_empty() {
        sql.push(format!(" AND (s.{column} IS NULL OR NOT ("));
        push_any(sql, column, &patterns.leave_out);
        sql.push("))");
    }
}

fn push_any(sql: &mut QueryBuilder<Sqlite>, column: &str, patterns: &[Pattern]) {
    for (i, pattern) in patterns.iter().enumerate() {
        sql.push(if i == 0 { "s." } else { " OR s." }).push(column);
        match pattern {
            Pattern::Is(value) => sql.push(" = ").push_bind(value.clone()),
            Pattern::StartsWith(start) => {
                // The last character there is: no name goes on with it.
                sql.push(" >= ").push_bind(start.clone());
                sql.push(format!(" AND s.{column} < ")).push_bind(format!("{start}\u{10ffff}"))
            }
        };
    }
}

fn push_resource(sql: &mut QueryBuilder<Sqlite>, names: &Patterns, keys: &Range<i64>) {
    if !names.keep.is_empty() {
        // The index begins with account, region and listing: each is gone through.
        sql.push(
            " AND s.key IN (SELECT r.key FROM (SELECT DISTINCT account, region FROM event_counts) c \
             CROSS JOIN (SELECT 'write' AS listing UNION ALL SELECT 'unlogged' UNION ALL SELECT 'read' \
             UNION ALL SELECT 'insight') l \
             CROSS JOIN event_resources r ON r.account = c.account AND r.region = c.region \
             AND r.listing = l.listing AND r.resource_name IN (",
        );
        push_list(sql, &names.keep);
        sql.push(") AND r.key >= ").push_bind(keys.start).push(" AND r.key < ").push_bind(keys.end);
        // Of data events those of the same container are read through, and the few of several.
        sql.push(" UNION ALL SELECT d.key FROM data_event_resources d WHERE d.container IN (''");
        for name in &names.keep {
            let (Pattern::Is(name) | Pattern::StartsWith(name)) = name;
            sql.push(", ").push_bind(container_of(name).to_owned());
        }
        sql.push(") AND d.key >= ").push_bind(keys.start).push(" AND d.key < ").push_bind(keys.end);
        push_data_resources(sql, &names.keep);
        sql.push(")");
    }
    if !names.leave_out.is_empty() {
        sql.push(
            " AND NOT EXISTS (SELECT 1 FROM event_resources r WHERE r.key = s.key AND r.resource_name IN (",
        );
        push_list(sql, &names.leave_out);
        sql.push(")) AND NOT EXISTS (SELECT 1 FROM data_event_resources d WHERE d.key = s.key");
        push_data_resources(sql, &names.leave_out);
        sql.push(")");
    }
}

/// Adds ` AND (…)`: one of the resources of `data_event_resources d` has one of these names.
fn push_data_resources(sql: &mut QueryBuilder<Sqlite>, names: &[Pattern]) {
    for (i, name) in names.iter().enumerate() {
        let (Pattern::Is(name) | Pattern::StartsWith(name)) = name;
        sql.push(if i == 0 { " AND (" } else { " OR " });
        sql.push("instr(d.resources, ").push_bind(end_of_resource(name)).push(") > 0");
    }
    sql.push(")");
}

fn push_list(sql: &mut QueryBuilder<Sqlite>, names: &[Pattern]) {
    let mut list = sql.separated(", ");
    for name in names {
        let (Pattern::Is(name) | Pattern::StartsWith(name)) = name;
        list.push_bind(name.clone());
    }
}
