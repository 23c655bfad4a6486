-- Imports of contacts and leads. sealed: the file's name and how it was read, as JSON under the organisation's key, since
-- people name files after people. counts: JSON of figures; owners are ids of members.
CREATE TABLE crm_imports (
  org_id BIGINT NOT NULL,
  no BIGINT NOT NULL,
  import TEXT NOT NULL,
  kind TEXT NOT NULL,
  format TEXT NOT NULL,
  state TEXT NOT NULL,
  dry SMALLINT NOT NULL,
  sealed BLOB NOT NULL,
  counts TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  bytes_done BIGINT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT NOT NULL, -- 0 while it runs
  by_member TEXT NOT NULL,
  sentence TEXT NOT NULL,
  undone_by TEXT NOT NULL,
  PRIMARY KEY (org_id, no)
) WITHOUT ROWID;
CREATE UNIQUE INDEX crm_imports_import ON crm_imports (org_id, import);

CREATE TABLE crm_import_counters (
  org_id BIGINT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
) WITHOUT ROWID;

-- Rows that were not taken, a batch's to a part, sealed under the organisation's key.
CREATE TABLE crm_import_rejects (
  org_id BIGINT NOT NULL,
  no BIGINT NOT NULL,
  part INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, no, part)
) WITHOUT ROWID;

-- What an import changed that was there before: of a contact (lead = '') or of a lead. rev: what the change made of it.
-- sealed: what it was before, as JSON under the person's key.
CREATE TABLE crm_import_changes (
  org_id BIGINT NOT NULL,
  no BIGINT NOT NULL,
  contact TEXT NOT NULL,
  lead TEXT NOT NULL,
  subject BIGINT NOT NULL,
  rev BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, no, contact, lead)
) WITHOUT ROWID;

-- How a table with these headers was read last. headers: keyed index of the headers.
CREATE TABLE crm_import_mappings (
  org_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  headers BLOB NOT NULL,
  sealed BLOB NOT NULL,
  used_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, kind, headers)
) WITHOUT ROWID;

-- Groups of address books that an organisation collects from phones: their names as JSON, under the organisation's key.
CREATE TABLE contact_groups (
  org_id BIGINT NOT NULL PRIMARY KEY,
  sealed BLOB NOT NULL,
  rev BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL
) WITHOUT ROWID;

-- Groups that whoever carries a phone lets it send: their names as JSON, under the organisation's key. member: who it was.
CREATE TABLE contact_group_consents (
  org_id BIGINT NOT NULL,
  device TEXT NOT NULL,
  member TEXT NOT NULL,
  sealed BLOB NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, device)
) WITHOUT ROWID;
