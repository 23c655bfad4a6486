-- The ledger: what a person, purpose by purpose and channel by channel, agreed to, was told, took back or objected to.
-- Rows are only added; the newest of a person, purpose, channel and recipient counts.
-- person: number/17, member/mem_…, email/ and a keyed index, or organisation.
CREATE TABLE consents (
  org_id BIGINT NOT NULL,
  person TEXT NOT NULL,
  n BIGINT NOT NULL, -- from 1, in the order of entry
  id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  channel TEXT NOT NULL, -- call, sms, email, messenger; '' = none, as for a disclosure
  state TEXT NOT NULL, -- given, noticed, withdrawn, objected, used
  how TEXT NOT NULL, -- by which act
  wording TEXT NOT NULL, -- version of the text; '' = none was shown
  wording_hash BLOB, -- SHA-256 of the text
  language TEXT NOT NULL,
  recipient TEXT NOT NULL, -- key of the recipient that a disclosure names; '' = none
  categories TEXT NOT NULL, -- keys with spaces between, of a disclosure
  once SMALLINT NOT NULL, -- 1 = for one disclosure
  evidence_sealed BLOB, -- under the person's key, else the organisation's
  recorded_by TEXT NOT NULL, -- a member's id; '' = the person
  at_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL, -- 0 = never
  log_n BIGINT NOT NULL, -- the entry of the audit log that proves it
  PRIMARY KEY (org_id, person, n)
) WITHOUT ROWID;

-- Texts that people agreed to. A version never changes.
CREATE TABLE consent_wordings (
  org_id BIGINT NOT NULL,
  version TEXT NOT NULL,
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, version, language)
) WITHOUT ROWID;

-- Whom not to contact. hash: of the number or e-mail address under the suppression key, which survives an erasure.
CREATE TABLE suppressions (
  org_id BIGINT NOT NULL,
  hash BLOB NOT NULL,
  purpose TEXT NOT NULL, -- '' = all
  channel TEXT NOT NULL, -- '' = all
  source TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, hash, purpose, channel)
) WITHOUT ROWID;

-- Numbers that were erased, by the same kind of hash: calls from before do not bring them back.
CREATE TABLE tombstones (
  org_id BIGINT NOT NULL,
  hash BLOB NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, hash)
) WITHOUT ROWID;
CREATE TABLE tombstone_generations (
  org_id BIGINT NOT NULL PRIMARY KEY,
  generation BIGINT NOT NULL
) WITHOUT ROWID;

-- What the gates answered, with each rule they looked at.
CREATE TABLE contact_decisions (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  person TEXT NOT NULL, -- as in consents; '' = somebody who is not in the number book
  purpose TEXT NOT NULL,
  channel TEXT NOT NULL,
  allowed SMALLINT NOT NULL,
  reason TEXT NOT NULL,
  checks TEXT NOT NULL, -- JSON
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE INDEX contact_decisions_person ON contact_decisions (org_id, person, at_ms);
