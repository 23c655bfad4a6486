-- One row per organisation: its own key and its blind-index key, sealed under the root key.
CREATE TABLE org_keys (
  org_id BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id)
) WITHOUT ROWID;

-- Keys of subjects, 256 to a block, sealed under the organisation's key. A key of zeros is one that was destroyed.
CREATE TABLE subject_keys (
  org_id BIGINT NOT NULL,
  block BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, block)
) WITHOUT ROWID;
