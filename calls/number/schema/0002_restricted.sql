-- Numbers whose data is stored and not used for anything else, because the person asked for that or a law demands that it
-- is kept.
CREATE TABLE restricted_numbers (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  since_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;

-- Numbers in the archive, by their blind index: a call with one brings it back under the id that it had.
CREATE TABLE archived_numbers (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  num BIGINT NOT NULL,
  PRIMARY KEY (org_id, idx)
) WITHOUT ROWID;
CREATE INDEX archived_numbers_num ON archived_numbers (org_id, num);
