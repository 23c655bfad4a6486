-- Who is to call a missed caller back, and whether that was done: one row per number that anybody took or handled.
-- num: id in the number book; agent: who is to call, 0 = nobody; note_sealed: under the key of the number's subject.
CREATE TABLE callbacks (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  agent INTEGER NOT NULL,
  assigned_by TEXT NOT NULL,
  assigned_ms BIGINT NOT NULL, -- 0 = never
  handled_by TEXT NOT NULL,
  handled_ms BIGINT NOT NULL, -- 0 = not handled
  note_sealed BLOB,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;
CREATE INDEX callbacks_agent ON callbacks (org_id, agent);
