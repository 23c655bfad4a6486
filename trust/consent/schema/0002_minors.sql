-- Persons under age, by the same kind of hash: what a child agreed to counts for nothing. It outlives an erasure.
CREATE TABLE minors (
  org_id BIGINT NOT NULL,
  hash BLOB NOT NULL,
  source TEXT NOT NULL, -- staff, or the id of the request that said so
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, hash)
) WITHOUT ROWID;
