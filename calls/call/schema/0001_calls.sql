-- One row per call. The key is the call's natural identity and the clustering at once: one range holds one agent's day.
-- day: local day of the organisation; agent: who held the line at that time; start: Unix ms; num: id in the number book,
-- 0 withheld; ref: > 0 hash of the device's own key, < 0 number of the import that brought it; synced: Unix seconds of the
-- last change. The type is not in the key, because phones reclassify calls.
CREATE TABLE calls (
  org_id BIGINT NOT NULL,
  day INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  start BIGINT NOT NULL,
  num BIGINT NOT NULL,
  dir SMALLINT NOT NULL,
  line INTEGER NOT NULL,
  type SMALLINT NOT NULL,
  seconds INTEGER NOT NULL,
  source SMALLINT NOT NULL,
  pres SMALLINT NOT NULL,
  ref BIGINT NOT NULL,
  synced BIGINT NOT NULL,
  PRIMARY KEY (org_id, day, agent, start, num, dir, line)
) WITHOUT ROWID;

-- Notes, sealed under the key of the number's subject (of the organisation when the number was withheld).
CREATE TABLE call_notes (
  org_id BIGINT NOT NULL,
  day INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  start BIGINT NOT NULL,
  num BIGINT NOT NULL,
  dir SMALLINT NOT NULL,
  line INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  by_member TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (org_id, day, agent, start, num, dir, line)
) WITHOUT ROWID;

CREATE TABLE call_tags (
  org_id BIGINT NOT NULL,
  day INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  start BIGINT NOT NULL,
  num BIGINT NOT NULL,
  dir SMALLINT NOT NULL,
  line INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (org_id, day, agent, start, num, dir, line, tag)
) WITHOUT ROWID;

-- One row per day that ever had a call; gen grows with every change of the day's calls.
CREATE TABLE days (
  org_id BIGINT NOT NULL,
  day INTEGER NOT NULL,
  gen BIGINT NOT NULL,
  PRIMARY KEY (org_id, day)
) WITHOUT ROWID;
