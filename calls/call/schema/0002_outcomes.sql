-- What calls have come to, as people say. The key is the call's. outcome: a key of the organisation's list; next: the follow-up
-- that is agreed, 'none' when none is needed, '' when nobody said.
CREATE TABLE call_outcomes (
  org_id BIGINT NOT NULL,
  day INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  start BIGINT NOT NULL,
  num BIGINT NOT NULL,
  dir SMALLINT NOT NULL,
  line INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  next TEXT NOT NULL,
  by_member TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (org_id, day, agent, start, num, dir, line)
) WITHOUT ROWID;
CREATE INDEX call_outcomes_num ON call_outcomes (org_id, num, start);
