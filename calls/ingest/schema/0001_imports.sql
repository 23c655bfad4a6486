-- What an organisation's days and roll-ups are reckoned with. While done is 0, or where the organisation's settings differ,
-- a rebuild is due; days before next_day have been through it.
CREATE TABLE rebuilds (
  org_id BIGINT NOT NULL PRIMARY KEY,
  zone TEXT NOT NULL,
  connected_from INTEGER NOT NULL,
  gap_minutes INTEGER NOT NULL,
  next_day INTEGER NOT NULL,
  done SMALLINT NOT NULL
) WITHOUT ROWID;

-- Numbers whose exclusion changed and whose roll-ups do not all say so yet.
CREATE TABLE unsettled_numbers (
  org_id BIGINT NOT NULL,
  num BIGINT NOT NULL,
  PRIMARY KEY (org_id, num)
) WITHOUT ROWID;

-- Imports of files. no: dense per organisation, the calls that an import added have ref = -no. name_sealed: the file's name
-- under the organisation's key, since people name files after people. from_ms, to_ms: first and last call it added.
CREATE TABLE imports (
  org_id BIGINT NOT NULL,
  no BIGINT NOT NULL,
  id TEXT NOT NULL,
  name_sealed BLOB NOT NULL,
  format TEXT NOT NULL,
  state TEXT NOT NULL,
  dry SMALLINT NOT NULL,
  row_count BIGINT NOT NULL,
  new_count BIGINT NOT NULL,
  known_count BIGINT NOT NULL,
  changed_count BIGINT NOT NULL,
  excluded_count BIGINT NOT NULL,
  refused_count BIGINT NOT NULL,
  skipped_count BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  bytes_done BIGINT NOT NULL,
  from_ms BIGINT NOT NULL,
  to_ms BIGINT NOT NULL,
  started_ms BIGINT NOT NULL,
  ended_ms BIGINT NOT NULL, -- 0 while it runs
  by_member TEXT NOT NULL,
  sentence TEXT NOT NULL,
  undone_by TEXT NOT NULL,
  PRIMARY KEY (org_id, no)
) WITHOUT ROWID;
CREATE UNIQUE INDEX imports_id ON imports (org_id, id);

CREATE TABLE import_counters (
  org_id BIGINT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
) WITHOUT ROWID;

-- Rows that were not taken, a few hundred to a part, sealed under the organisation's key.
CREATE TABLE import_rejects (
  org_id BIGINT NOT NULL,
  no BIGINT NOT NULL,
  part INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, no, part)
) WITHOUT ROWID;

-- How a table with these headers was read last. headers: keyed index of the headers.
CREATE TABLE import_mappings (
  org_id BIGINT NOT NULL,
  headers BLOB NOT NULL,
  sealed BLOB NOT NULL,
  used_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, headers)
) WITHOUT ROWID;
