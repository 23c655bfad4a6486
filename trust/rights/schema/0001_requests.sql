-- What people ask about their own data. contact_sealed, text_sealed and the notes of events are sealed under the
-- organisation's key and forgotten when they are needed no more; contact_key is a keyed index of the contact.
CREATE TABLE requests (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,         -- code of a refusal, '' = none
  place TEXT NOT NULL,          -- country or state whose law the person named or lives under, '' = unknown
  locale TEXT NOT NULL,         -- language in which the person is written to
  purposes TEXT NOT NULL,       -- of the policy, with commas: what is objected to or withdrawn
  minor INTEGER NOT NULL,       -- 1 = about a child
  proof TEXT NOT NULL,          -- how the person proved who they are, '' = not yet
  reviewer TEXT NOT NULL,       -- member who looked at evidence
  evidence_hash BLOB,
  contact_key BLOB,
  contact_sealed BLOB,
  text_sealed BLOB,
  subject_ref TEXT NOT NULL,    -- '' before the proof, and when nothing is kept about the person
  secret_hash BLOB,             -- of the link to the page of this request
  law TEXT NOT NULL,            -- whose clock runs
  received_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  extend_ms BIGINT NOT NULL,    -- the latest day after an extension, 0 = cannot be extended
  extended_ms BIGINT NOT NULL,  -- 0 = not extended
  confirm_ms BIGINT NOT NULL,   -- until when receipt must be confirmed, 0 = no such duty
  warned_ms BIGINT NOT NULL,    -- 0 = nobody was warned
  changed_ms BIGINT NOT NULL,
  closed_ms BIGINT NOT NULL,    -- 0 = open
  plan BLOB,                    -- JSON without personal data
  plan_hash BLOB,
  approved_by TEXT NOT NULL,
  approved_ms BIGINT NOT NULL,
  run_ms BIGINT NOT NULL,       -- not carried out before: an undo window, or the end of a legal floor; 0 = at once
  round INTEGER NOT NULL,       -- how often it was carried out; a legal floor makes a second time
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX requests_secret ON requests (org_id, secret_hash);
CREATE INDEX requests_open ON requests (org_id, closed_ms, due_ms);
CREATE INDEX requests_subject ON requests (org_id, subject_ref);

-- The history of a request. actor: a member's id, 'system', 'public' (the person) or 'operator'.
CREATE TABLE request_events (
  org_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  state TEXT NOT NULL,          -- of the request afterwards
  note_sealed BLOB,
  PRIMARY KEY (org_id, request_id, n)
) WITHOUT ROWID;

-- The code that is out for a request, as a keyed hash. It works once.
CREATE TABLE request_codes (
  org_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  code_hash BLOB NOT NULL,
  expires_ms BIGINT NOT NULL,
  tries INTEGER NOT NULL,
  PRIMARY KEY (org_id, request_id)
) WITHOUT ROWID;

-- How often something was asked for since since_ms, by a keyed hash of who asked. kind: 'codes' sent to a contact, 'requests' from a network.
CREATE TABLE request_limits (
  org_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  key BLOB NOT NULL,
  times INTEGER NOT NULL,
  since_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, kind, key)
) WITHOUT ROWID;

-- What was done so far in carrying a request out: one row per finished step. lines: JSON, counts without personal data.
CREATE TABLE request_steps (
  org_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  step TEXT NOT NULL,
  lines BLOB NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, request_id, round, step)
) WITHOUT ROWID;

-- Signed receipts, without personal data.
CREATE TABLE request_receipts (
  org_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  round INTEGER NOT NULL,
  receipt BLOB NOT NULL,
  made_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, request_id, round)
) WITHOUT ROWID;

-- Packages of data that wait to be fetched: files in a folder, sealed under key_sealed.
CREATE TABLE request_packages (
  org_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  file TEXT NOT NULL,
  key_sealed BLOB NOT NULL,
  bytes BIGINT NOT NULL,        -- of the sealed file
  sha256 TEXT NOT NULL,         -- of the package itself
  made_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  taken INTEGER NOT NULL,       -- how often it was fetched
  PRIMARY KEY (org_id, request_id)
) WITHOUT ROWID;

-- Whom else a request must reach, and what they answered. answer: '', 'done' or 'refused'.
CREATE TABLE request_recipients (
  org_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  told_ms BIGINT NOT NULL,      -- 0 = not reached yet
  tries INTEGER NOT NULL,
  next_ms BIGINT NOT NULL,
  answer TEXT NOT NULL,
  answered_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, request_id, recipient)
) WITHOUT ROWID;

-- What was corrected: the old and the new value, sealed, forgotten with the request's texts.
CREATE TABLE request_corrections (
  org_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  field TEXT NOT NULL,
  old_sealed BLOB,
  new_sealed BLOB,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, request_id, n)
) WITHOUT ROWID;

-- What must not be done with a person's data now. state: 'restricted' (only kept), 'locked' (kept because a law demands it,
-- then erased), 'objected' (not for one purpose). purpose: '' but for 'objected'.
CREATE TABLE subject_states (
  org_id BIGINT NOT NULL,
  subject_ref TEXT NOT NULL,
  state TEXT NOT NULL,
  purpose TEXT NOT NULL,
  request_id TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, subject_ref, state, purpose)
) WITHOUT ROWID;
