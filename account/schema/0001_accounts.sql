-- Numbers handed out once: the next value of each.
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
) WITHOUT ROWID;

-- *_sealed columns are encrypted under the organisation's key.
CREATE TABLE organisations (
  org_id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT NOT NULL,
  zone TEXT NOT NULL,
  contact_name_sealed BLOB,
  contact_phone_sealed BLOB,
  email_sealed BLOB,
  industry TEXT NOT NULL,
  locale TEXT NOT NULL,
  workdays SMALLINT NOT NULL, -- bit 0 is Sunday
  work_from INTEGER NOT NULL, -- minutes after midnight
  work_to INTEGER NOT NULL,
  connected_from INTEGER NOT NULL, -- seconds
  gap_minutes INTEGER NOT NULL,
  demo SMALLINT NOT NULL,
  next_agent INTEGER NOT NULL,
  created_ms BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL
);

CREATE TABLE org_logos (
  org_id BIGINT NOT NULL PRIMARY KEY,
  content_type TEXT NOT NULL,
  image BLOB NOT NULL
);

CREATE TABLE teams (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL, -- lower case, so that two teams do not differ in capitals only
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX teams_name ON teams (org_id, name_folded);

CREATE TABLE members (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  email_sealed BLOB,
  email_key BLOB, -- keyed index of the address under the installation's key; NULL without address
  role TEXT NOT NULL,
  agent_no INTEGER NOT NULL, -- 0 = not an agent
  active SMALLINT NOT NULL,
  joined_ms BIGINT NOT NULL, -- 0 = never accepted the terms, cannot sign in with a password
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX members_agent ON members (org_id, agent_no) WHERE agent_no > 0;
CREATE UNIQUE INDEX members_email ON members (org_id, email_key);
-- Sign-in asks for a person before it knows their organisations.
CREATE INDEX members_person ON members (email_key, org_id);

CREATE TABLE team_members (
  org_id BIGINT NOT NULL,
  member_id TEXT NOT NULL,
  team_id TEXT NOT NULL,
  PRIMARY KEY (org_id, member_id, team_id)
) WITHOUT ROWID;
CREATE INDEX team_members_team ON team_members (org_id, team_id);

-- What a member accepted when they joined, and that they said to be 18 or older.
CREATE TABLE acceptances (
  org_id BIGINT NOT NULL,
  member_id TEXT NOT NULL,
  terms TEXT NOT NULL,
  adult SMALLINT NOT NULL,
  accepted_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, member_id, terms)
) WITHOUT ROWID;

CREATE TABLE invitations (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  secret_hash BLOB NOT NULL,
  member_id TEXT NOT NULL, -- the member who is to get a sign-in, or '' for somebody new
  email_sealed BLOB NOT NULL,
  email_key BLOB NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  teams TEXT NOT NULL, -- ids with spaces between
  agent SMALLINT NOT NULL,
  invited_by TEXT NOT NULL, -- '' = the operator
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_secret ON invitations (org_id, secret_hash);
CREATE UNIQUE INDEX invitations_email ON invitations (org_id, email_key);

CREATE TABLE sessions (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  secret_hash BLOB NOT NULL,
  by_password SMALLINT NOT NULL, -- 0 = by a one-time link, which proves no person and opens no other organisation
  from_sealed BLOB NOT NULL, -- address and browser
  created_ms BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_secret ON sessions (org_id, secret_hash);
CREATE INDEX sessions_member ON sessions (org_id, member_id);

CREATE TABLE one_time_links (
  org_id BIGINT NOT NULL,
  secret_hash BLOB NOT NULL,
  member_id TEXT NOT NULL,
  expires_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, secret_hash)
) WITHOUT ROWID;

CREATE TABLE tokens (
  org_id BIGINT NOT NULL,
  id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  name TEXT NOT NULL,
  secret_hash BLOB NOT NULL,
  scopes TEXT NOT NULL, -- permissions with spaces between
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL, -- 0 = never
  used_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX tokens_secret ON tokens (org_id, secret_hash);

-- The three tables below are about persons, who may belong to several organisations: they have no org_id.

CREATE TABLE credentials (
  email_key BLOB NOT NULL PRIMARY KEY,
  password_hash TEXT NOT NULL,
  changed_ms BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE resets (
  secret_hash BLOB NOT NULL PRIMARY KEY,
  email_key BLOB NOT NULL,
  expires_ms BIGINT NOT NULL
) WITHOUT ROWID;

-- Failed sign-ins and asked-for resets, counted per person and per network address (as keyed indexes).
CREATE TABLE sign_in_attempts (
  kind TEXT NOT NULL,
  subject_key BLOB NOT NULL,
  failures INTEGER NOT NULL,
  last_ms BIGINT NOT NULL,
  blocked_until_ms BIGINT NOT NULL,
  PRIMARY KEY (kind, subject_key)
) WITHOUT ROWID;
