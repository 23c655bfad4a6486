-- One row per person outside. subject: id of the key that everything about the person is sealed under; owner: member id, ''
-- nobody; sealed: names, numbers, addresses, tags and own fields; merged_into: the contact that this one became part of, '' none;
-- last_ms: last activity, from which retention counts; restricted: 1 = kept and not used, since the person asked for it.
CREATE TABLE contacts (
  org_id BIGINT NOT NULL,
  contact TEXT NOT NULL,
  subject BIGINT NOT NULL,
  rev BIGINT NOT NULL,
  owner TEXT NOT NULL,
  team TEXT NOT NULL,
  sealed BLOB NOT NULL,
  origin TEXT NOT NULL,
  import TEXT NOT NULL,
  merged_into TEXT NOT NULL,
  made_ms BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  last_ms BIGINT NOT NULL,
  restricted SMALLINT NOT NULL,
  PRIMARY KEY (org_id, contact)
) WITHOUT ROWID;
CREATE INDEX contacts_subject ON contacts (org_id, subject, owner);
CREATE INDEX contacts_last ON contacts (org_id, last_ms, contact);
CREATE INDEX contacts_owner ON contacts (org_id, owner, last_ms, contact, subject);
CREATE INDEX contacts_merged ON contacts (org_id, merged_into) WHERE merged_into <> '';
CREATE INDEX contacts_import ON contacts (org_id, import) WHERE import <> '';

CREATE TABLE contact_numbers (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  contact TEXT NOT NULL,
  PRIMARY KEY (org_id, num, contact)
) WITHOUT ROWID;
CREATE INDEX contact_numbers_contact ON contact_numbers (org_id, contact);

-- kind: 1 a word of the names or the company, 2 an e-mail address, 3 first and last name, 4 a tag. idx: 10 bytes of keyed hashes.
-- Those of a word are 2 bytes each of its first two, three, five and eight letters and of the whole, so that its beginning is a
-- range.
CREATE TABLE contact_index (
  org_id BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  idx BLOB NOT NULL,
  subject BIGINT NOT NULL,
  PRIMARY KEY (org_id, kind, idx, subject)
) WITHOUT ROWID;
CREATE INDEX contact_index_subject ON contact_index (org_id, subject, kind, idx);

-- History: one row per field that was changed. sealed: what it was, what it became, under the person's key.
CREATE TABLE contact_events (
  org_id BIGINT NOT NULL,
  contact TEXT NOT NULL,
  rev BIGINT NOT NULL,
  field TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  by_member TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, contact, rev, field)
) WITHOUT ROWID;

CREATE TABLE contact_notes (
  org_id BIGINT NOT NULL,
  contact TEXT NOT NULL,
  note TEXT NOT NULL,
  sealed BLOB NOT NULL,
  by_member TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, contact, note)
) WITHOUT ROWID;

-- Tags that are in use, under the organisation's key, so that they can be listed.
CREATE TABLE contact_tags (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, idx)
) WITHOUT ROWID;

-- Pairs that somebody looked at and found to be two persons.
CREATE TABLE contact_distinct (
  org_id BIGINT NOT NULL,
  one TEXT NOT NULL,
  other TEXT NOT NULL,
  by_member TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, one, other)
) WITHOUT ROWID;

-- Contacts in the archive, by their numbers, so that they are found when somebody asks about their own data. num: 0 = none.
CREATE TABLE archived_contacts (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  subject BIGINT NOT NULL,
  PRIMARY KEY (org_id, num, subject)
) WITHOUT ROWID;
