-- What is done again and again and attested by people: audits, trainings, scans of a release. *_sealed columns are encrypted
-- under the organisation's key.
CREATE TABLE attest_duties (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL, -- audit, training, scan
  title_sealed BLOB NOT NULL,
  member TEXT NOT NULL, -- who is trained; '' = nobody in particular
  every_days BIGINT NOT NULL, -- 0 = once, or once for each release
  due_ms BIGINT NOT NULL, -- 0 = never again
  created_by TEXT NOT NULL, -- a member's id, '' = the operator
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

-- What came of it. statement_sealed: the statement with its proof from the audit log.
CREATE TABLE attestations (
  org_id BIGINT NOT NULL,
  duty TEXT NOT NULL,
  n BIGINT NOT NULL, -- from 1
  result TEXT NOT NULL, -- passed, findings, failed
  release TEXT NOT NULL, -- version that a scan was of; '' = none
  note_sealed BLOB, -- findings, who audited, where the paper is
  signer TEXT NOT NULL, -- a member's id, '' = the operator
  done_ms BIGINT NOT NULL,
  next_ms BIGINT NOT NULL, -- when it is due again; 0 = never
  statement_sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, duty, n)
) WITHOUT ROWID;
