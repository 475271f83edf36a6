-- The event selectors of a trail, as GetEventSelectors answers them: JSON with one member, EventSelectors or
-- AdvancedEventSelectors. A trail to which nobody gave any takes all management events.

ALTER TABLE trails ADD COLUMN event_selectors TEXT NOT NULL DEFAULT
  '{"EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],"ExcludeManagementEventSources":[]}]}';
