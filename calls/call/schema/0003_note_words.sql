-- What notes are found by: the blind index of each of their words (see platform/words), with the key of the note's call.
CREATE TABLE call_note_words (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  day INTEGER NOT NULL,
  agent INTEGER NOT NULL,
  start BIGINT NOT NULL,
  num BIGINT NOT NULL,
  dir SMALLINT NOT NULL,
  line INTEGER NOT NULL,
  PRIMARY KEY (org_id, idx, day, agent, start, num, dir, line)
) WITHOUT ROWID;
CREATE INDEX call_note_words_call ON call_note_words (org_id, num, day, agent, start, dir, line, idx);
