-- The number book: one row per distinct number that called or was called. Ids are dense per organisation.
-- sealed: the canonical number, under the key of the number's subject.
CREATE TABLE numbers (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;

-- idx: keyed blind index, 2 bytes of the last four digits' index, then 10 bytes of the whole number's.
CREATE TABLE number_index (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  num BIGINT NOT NULL,
  PRIMARY KEY (org_id, idx)
) WITHOUT ROWID;

-- The contact name that phones last logged with a number, under the key of the number's subject.
CREATE TABLE number_names (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;

CREATE TABLE number_counters (
  org_id BIGINT NOT NULL,
  next BIGINT NOT NULL,
  PRIMARY KEY (org_id)
) WITHOUT ROWID;

-- Numbers kept out: strength 1 is stored and hidden from reports, 2 is never stored. sealed: the number under the
-- organisation's key, so that whoever manages the list can read it.
CREATE TABLE excluded_numbers (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  strength SMALLINT NOT NULL,
  sealed BLOB NOT NULL,
  label TEXT NOT NULL,
  added_by TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (org_id, idx)
) WITHOUT ROWID;
