-- Fields that an organisation adds to its contacts and leads. key: part of every value's name, never changed; gone: taken
-- out, so that values stay where they are and are shown no more.
CREATE TABLE crm_fields (
  org_id BIGINT NOT NULL,
  kind_of TEXT NOT NULL,
  key TEXT NOT NULL,
  title TEXT NOT NULL,
  kind TEXT NOT NULL,
  choices TEXT NOT NULL,
  required SMALLINT NOT NULL,
  place INTEGER NOT NULL,
  gone SMALLINT NOT NULL,
  PRIMARY KEY (org_id, kind_of, key)
) WITHOUT ROWID;
