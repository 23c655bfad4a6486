-- Legal holds: while one is active, what it covers is not deleted by anybody. *_sealed columns are encrypted under the
-- organisation's key.
CREATE TABLE holds (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  scope TEXT NOT NULL, -- person, case or category
  case_sealed BLOB, -- name or number of the case
  categories TEXT NOT NULL, -- keys with spaces between; '' = all
  reason_sealed BLOB NOT NULL,
  owner TEXT NOT NULL, -- the member who answers for it
  ends_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL, -- a member's id, '' = the operator
  created_ms BIGINT NOT NULL,
  released_by TEXT NOT NULL,
  released_ms BIGINT NOT NULL, -- 0 = not released
  release_sealed BLOB, -- why it was released
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

-- Whom a hold names: number/17 or member/mem_….
CREATE TABLE hold_persons (
  org_id BIGINT NOT NULL,
  hold_id TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (org_id, hold_id, person)
) WITHOUT ROWID;
CREATE INDEX hold_persons_person ON hold_persons (org_id, person);

-- How often a hold stopped a deletion, by the way the deletion came.
CREATE TABLE hold_refusals (
  org_id BIGINT NOT NULL,
  hold_id TEXT NOT NULL,
  path TEXT NOT NULL,
  times BIGINT NOT NULL,
  last_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, hold_id, path)
) WITHOUT ROWID;
