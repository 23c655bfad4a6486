-- The keys that logs had before: note says which key follows which from how many entries on, signed under both. What an old
-- key signed stays good.
CREATE TABLE audit_successions (
  org_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  size BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (org_id, n)
) WITHOUT ROWID;
