-- One roll-up per agent and day, rebuilt from the calls in the transaction that changes them.
CREATE TABLE rolls (
  org_id BIGINT NOT NULL,
  day INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  b BLOB NOT NULL,
  PRIMARY KEY (org_id, day, agent)
) WITHOUT ROWID;

-- Sets of numbers of a whole day (level 0) or block of 30 days (level 1), as Roaring bitmaps. A row holds only while
-- gen equals the sum of its days' gens.
CREATE TABLE coarse (
  org_id BIGINT NOT NULL,
  level SMALLINT NOT NULL,
  period INTEGER NOT NULL,
  kind SMALLINT NOT NULL,
  gen BIGINT NOT NULL,
  b BLOB NOT NULL,
  PRIMARY KEY (org_id, level, period, kind)
) WITHOUT ROWID;
