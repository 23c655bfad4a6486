-- What somebody filed about a contact. subject: whose key seals the name and the content. sealed: name and media type (JSON).
-- parts: how many rows the content has.
CREATE TABLE contact_files (
  org_id BIGINT NOT NULL,
  file TEXT NOT NULL,
  contact TEXT NOT NULL,
  subject BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  size BIGINT NOT NULL,
  parts INTEGER NOT NULL,
  at_ms BIGINT NOT NULL,
  by_member TEXT NOT NULL,
  PRIMARY KEY (org_id, file)
) WITHOUT ROWID;
CREATE INDEX contact_files_contact ON contact_files (org_id, contact, at_ms);
CREATE INDEX contact_files_at ON contact_files (org_id, at_ms);

-- The contents, in pieces of 256 KiB, each sealed with its place.
CREATE TABLE contact_file_parts (
  org_id BIGINT NOT NULL,
  file TEXT NOT NULL,
  part INTEGER NOT NULL,
  contact TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, file, part)
);
