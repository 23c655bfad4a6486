-- What notes are found by: the blind index of each of their words (see contact_index).
CREATE TABLE contact_note_words (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  contact TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (org_id, idx, contact, note)
) WITHOUT ROWID;
CREATE INDEX contact_note_words_note ON contact_note_words (org_id, contact, note);
