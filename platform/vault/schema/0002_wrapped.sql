-- Form 1 is two keys sealed under the root key, the content key and the index key; form 2 is the organisation's wrapping
-- key, sealed likewise.
ALTER TABLE org_keys ADD COLUMN form SMALLINT NOT NULL DEFAULT 1;

-- Keys that the organisation's wrapping key seals: content, index, index.next (during a re-index), suppression, archive.
CREATE TABLE wrapped_keys (
  org_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  generation BIGINT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (org_id, kind)
) WITHOUT ROWID;
