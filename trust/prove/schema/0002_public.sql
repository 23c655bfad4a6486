-- When each promise was last proved. It outlives the report that proved it.
CREATE TABLE proof_dates (
  org_id BIGINT NOT NULL,
  promise TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, promise)
) WITHOUT ROWID;

-- What an organisation chose about its proofs. One without a row shows them on its privacy page.
CREATE TABLE proof_settings (
  org_id BIGINT NOT NULL PRIMARY KEY,
  published SMALLINT NOT NULL
);
