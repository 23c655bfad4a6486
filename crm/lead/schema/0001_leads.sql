-- Pipelines of an organisation. The usual one is written when the organisation first changes something; until then it is
-- the one in the program. lose_reason and win_reason: 1 = a lead is not closed without one.
CREATE TABLE pipelines (
  org_id BIGINT NOT NULL,
  pipeline TEXT NOT NULL,
  title TEXT NOT NULL,
  place INTEGER NOT NULL,
  currency TEXT NOT NULL,
  win_reason SMALLINT NOT NULL,
  lose_reason SMALLINT NOT NULL,
  archived SMALLINT NOT NULL,
  rev BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (org_id, pipeline)
) WITHOUT ROWID;

-- probability: per cent. gone: 1 = taken out of the pipeline; its name stays for what once stood there.
CREATE TABLE stages (
  org_id BIGINT NOT NULL,
  pipeline TEXT NOT NULL,
  stage TEXT NOT NULL,
  title TEXT NOT NULL,
  place INTEGER NOT NULL,
  probability INTEGER NOT NULL,
  gone SMALLINT NOT NULL,
  PRIMARY KEY (org_id, pipeline, stage)
) WITHOUT ROWID;

-- Why leads are won (state 1) and lost (state 2).
CREATE TABLE lead_reasons (
  org_id BIGINT NOT NULL,
  reason TEXT NOT NULL,
  state SMALLINT NOT NULL,
  title TEXT NOT NULL,
  place INTEGER NOT NULL,
  gone SMALLINT NOT NULL,
  PRIMARY KEY (org_id, reason)
) WITHOUT ROWID;

-- subject: whose key seals tags and custom (JSON). state: 0 open, 1 won, 2 lost. rank: place in the column of the stage, in
-- the order of its bytes. value: in the currency's minor unit. Moments are 0 where there is none.
CREATE TABLE leads (
  org_id BIGINT NOT NULL,
  lead TEXT NOT NULL,
  contact TEXT NOT NULL,
  subject BIGINT NOT NULL,
  pipeline TEXT NOT NULL,
  stage TEXT NOT NULL,
  state SMALLINT NOT NULL,
  rank BLOB NOT NULL,
  reason TEXT NOT NULL,
  value BIGINT NOT NULL,
  currency TEXT NOT NULL,
  source TEXT NOT NULL,
  source_day INTEGER NOT NULL,
  owner TEXT NOT NULL,
  team TEXT NOT NULL,
  import TEXT NOT NULL,
  rev BIGINT NOT NULL,
  made_ms BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  changed_ms BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  stage_ms BIGINT NOT NULL,
  closed_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  connected INTEGER NOT NULL,
  first_ms BIGINT NOT NULL,
  last_ms BIGINT NOT NULL,
  tags BLOB,
  custom BLOB,
  PRIMARY KEY (org_id, lead)
) WITHOUT ROWID;
CREATE INDEX leads_board ON leads (org_id, pipeline, state, stage, rank);
CREATE INDEX leads_contact ON leads (org_id, contact);
CREATE INDEX leads_made ON leads (org_id, made_ms, lead);
CREATE INDEX leads_owner ON leads (org_id, owner, state);
CREATE INDEX leads_due ON leads (org_id, due_ms) WHERE due_ms > 0;
CREATE INDEX leads_import ON leads (org_id, import) WHERE import <> '';

-- idx: blind index of a tag, whatever its capitals.
CREATE TABLE lead_tags (
  org_id BIGINT NOT NULL,
  idx BLOB NOT NULL,
  lead TEXT NOT NULL,
  subject BIGINT NOT NULL,
  PRIMARY KEY (org_id, idx, lead)
) WITHOUT ROWID;
CREATE INDEX lead_tags_lead ON lead_tags (org_id, lead);

-- One row for each field that a change changed; rev is the lead's after the change. was and became hold what tells nothing
-- about the person, sealed the rest, with the reason, under the key of the contact. bulk: the bulk change it was part of.
CREATE TABLE lead_events (
  org_id BIGINT NOT NULL,
  lead TEXT NOT NULL,
  subject BIGINT NOT NULL,
  rev BIGINT NOT NULL,
  field TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  by_member TEXT NOT NULL,
  was TEXT NOT NULL,
  became TEXT NOT NULL,
  sealed BLOB,
  bulk TEXT NOT NULL,
  PRIMARY KEY (org_id, lead, rev, field)
) WITHOUT ROWID;
CREATE INDEX lead_events_field ON lead_events (org_id, field, at_ms);
CREATE INDEX lead_events_bulk ON lead_events (org_id, bulk) WHERE bulk <> '';

-- Changes of many leads at once. undone_ms: 0 until somebody takes it back.
CREATE TABLE lead_bulks (
  org_id BIGINT NOT NULL,
  bulk TEXT NOT NULL,
  by_member TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  leads INTEGER NOT NULL,
  undone_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, bulk)
) WITHOUT ROWID;

-- Saved views of the table of leads. sealed: name, filter, sort and columns as JSON under the organisation's key, since a
-- filter may hold the name of somebody who was looked for.
CREATE TABLE lead_views (
  org_id BIGINT NOT NULL,
  lead_view TEXT NOT NULL,
  member TEXT NOT NULL,
  shared SMALLINT NOT NULL,
  sealed BLOB NOT NULL,
  rev BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, lead_view)
) WITHOUT ROWID;
CREATE INDEX lead_views_member ON lead_views (org_id, member);
