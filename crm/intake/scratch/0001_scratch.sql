-- Whom a dry run would have made and changed.
CREATE TABLE scratch_persons (
  person_key TEXT NOT NULL PRIMARY KEY,
  person BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE scratch_names (
  name TEXT NOT NULL PRIMARY KEY,
  person_key TEXT NOT NULL
) WITHOUT ROWID;
