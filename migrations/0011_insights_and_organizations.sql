-- What a trail looks for and how it sums its events up, as GetInsightSelectors and GetEventConfiguration answer it: JSON
-- lists, empty where nobody asked for it.

ALTER TABLE trails ADD COLUMN insight_selectors TEXT NOT NULL DEFAULT '[]';
ALTER TABLE trails ADD COLUMN aggregation_configurations TEXT NOT NULL DEFAULT '[]';

-- Delegated administrators of the organization that an account manages.

CREATE TABLE delegated_admins (
  management_account TEXT   NOT NULL,
  account            TEXT   NOT NULL,
  registered_at      BIGINT NOT NULL,  -- milliseconds since 1970
  PRIMARY KEY (management_account, account)
) WITHOUT ROWID;
