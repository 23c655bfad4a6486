-- Every version of the privacy policy that an organisation published, as the text that was published.
CREATE TABLE policies (
  org_id BIGINT NOT NULL,
  version INTEGER NOT NULL,
  text TEXT NOT NULL,
  hash TEXT NOT NULL, -- SHA-256 of the text, in hexadecimal
  author TEXT NOT NULL, -- member; '' = the operator
  published_ms BIGINT NOT NULL,
  effective_ms BIGINT NOT NULL,
  material SMALLINT NOT NULL,
  PRIMARY KEY (org_id, version)
) WITHOUT ROWID;

-- The version that is being written, sealed under the organisation's key.
CREATE TABLE policy_drafts (
  org_id BIGINT NOT NULL PRIMARY KEY,
  sealed BLOB NOT NULL,
  author TEXT NOT NULL,
  changed_ms BIGINT NOT NULL
) WITHOUT ROWID;

-- Which member accepted which version, by an act. wording: hash of the words that they said yes to.
CREATE TABLE policy_acceptances (
  org_id BIGINT NOT NULL,
  member_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  hash TEXT NOT NULL, -- of the version's text
  wording TEXT NOT NULL,
  accepted_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, member_id, version)
) WITHOUT ROWID;

-- Who was told of a version, and how.
CREATE TABLE policy_notices (
  org_id BIGINT NOT NULL,
  version INTEGER NOT NULL,
  member_id TEXT NOT NULL,
  channel TEXT NOT NULL, -- email, in_app
  told_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, version, member_id, channel)
) WITHOUT ROWID;

-- What an organisation is called in the addresses of its public pages. It never changes.
CREATE TABLE public_names (
  org_id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX public_names_name ON public_names (name);
