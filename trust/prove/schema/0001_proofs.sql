-- Reports of proof runs, as they were signed. They name promises and counts, and nobody.
CREATE TABLE proofs (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  passed SMALLINT NOT NULL,
  report BLOB NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE INDEX proofs_at ON proofs (org_id, at_ms);
