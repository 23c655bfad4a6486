-- What names that phones logged are found by: the blind index of each of their words.
CREATE TABLE number_name_words (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  num BIGINT NOT NULL,
  PRIMARY KEY (org_id, idx, num)
) WITHOUT ROWID;
CREATE INDEX number_name_words_num ON number_name_words (org_id, num);
