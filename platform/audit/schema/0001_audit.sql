-- One log per organisation; 0 is the installation's own. peaks are the roots of the complete subtrees, the largest first,
-- 32 bytes each: all that appending needs. secrets are the private key of its checkpoints and the key of its keyed hashes,
-- sealed under the organisation's key; both stay as they are when other keys change, since leaves do.
CREATE TABLE audit_logs (
  org_id BIGINT NOT NULL,
  vkey TEXT NOT NULL,
  secrets BLOB NOT NULL,
  size BIGINT NOT NULL,
  peaks BLOB NOT NULL,
  last_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id)
) WITHOUT ROWID;

-- The entries, never changed and never deleted but with their organisation. leaf is the canonical text that the tree
-- holds; the columns beside it say the same again, for searching. actor and about are the first 8 bytes of keyed hashes;
-- about is 0 for none.
CREATE TABLE audit_entries (
  org_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  action TEXT NOT NULL,
  actor BIGINT NOT NULL,
  about BIGINT NOT NULL,
  leaf TEXT NOT NULL,
  PRIMARY KEY (org_id, n)
) WITHOUT ROWID;

CREATE INDEX audit_entries_about ON audit_entries (org_id, about, n);

CREATE INDEX audit_entries_actor ON audit_entries (org_id, actor, n);

CREATE INDEX audit_entries_action ON audit_entries (org_id, action, n);

-- What an entry's commitment was made of: salt and payload, sealed. Erasure deletes these rows, and every proof holds.
CREATE TABLE audit_secrets (
  org_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, n)
) WITHOUT ROWID;

-- The root of each 256 entries, so that a proof reads few rows.
CREATE TABLE audit_blocks (
  org_id BIGINT NOT NULL,
  block BIGINT NOT NULL,
  root BLOB NOT NULL,
  PRIMARY KEY (org_id, block)
) WITHOUT ROWID;

-- Signed checkpoints, with the cosignatures of witnesses.
CREATE TABLE audit_checkpoints (
  org_id BIGINT NOT NULL,
  size BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  note TEXT NOT NULL,
  cosigned INTEGER NOT NULL DEFAULT 0,
  mailed_ms BIGINT NOT NULL DEFAULT 0, -- when it was sent to the owners
  PRIMARY KEY (org_id, size)
) WITHOUT ROWID;

-- Who cosigns: the public key of each witness, as it came first.
CREATE TABLE audit_witnesses (
  org_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  vkey TEXT NOT NULL,
  PRIMARY KEY (org_id, name)
) WITHOUT ROWID;
